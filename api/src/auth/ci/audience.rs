//! What a token was made for: its audience.
//!
//! `deno publish` has GitHub put the permissions themselves into `aud`, each with the digest of the upload. CI systems whose audience is
//! fixed when the job is written name the registry's address instead; then the job may publish what its packages trust it with, each
//! package once.

use serde::Deserialize;
use serde_json::{Map, Value};
use slipway_common::ids::PackageName;
use slipway_common::model::ci::CiKind;
use slipway_common::model::token::{Permission, Verb};
use url::Url;

/// Most permissions of a token. The client asks for a second token from seventeen packages on.
const MAX_PERMISSIONS: usize = 16;

/// What a token was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    /// These versions with these bytes.
    Versions(Vec<Permission>),
    /// This registry.
    Registry,
}

impl Grant {
    /// Whether it is about a package at all.
    pub(crate) fn reaches(&self, package: &PackageName) -> bool {
        match self {
            Self::Versions(permissions) => permissions.iter().any(|permission| permission.allows(Verb::Read, package)),
            Self::Registry => true,
        }
    }
}

#[derive(Deserialize)]
struct Permissions {
    permissions: Vec<Permission>,
}

/// Reads `aud`.
pub(super) fn read(kind: CiKind, public_url: &Url, claims: &Map<String, Value>) -> Result<Grant, String> {
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one.as_str(),
        Some(Value::Array(all)) => match all.as_slice() {
            [Value::String(one)] => one.as_str(),
            _ => return Err("it has several audiences: it must be made for this registry alone".to_owned()),
        },
        _ => return Err("it has no `aud`".to_owned()),
    };
    if audience.starts_with('{') {
        return permissions(audience);
    }
    let is_ours = audience.trim_end_matches('/') == public_url.as_str().trim_end_matches('/');
    match kind {
        CiKind::Github | CiKind::Forgejo => Err("`aud` does not list what is to be published, as `deno publish` has it do".to_owned()),
        CiKind::Gitlab | CiKind::Buildkite | CiKind::Generic if is_ours => Ok(Grant::Registry),
        CiKind::Gitlab | CiKind::Buildkite | CiKind::Generic => Err(format!("`aud` is `{}`, expected `{public_url}`", shortened(audience))),
    }
}

fn permissions(text: &str) -> Result<Grant, String> {
    let Permissions { permissions } =
        serde_json::from_str(text).map_err(|error| format!("the permissions in `aud` cannot be read: {error}"))?;
    if permissions.is_empty() || permissions.len() > MAX_PERMISSIONS {
        return Err(format!("`aud` has {} permissions, expected 1 to {MAX_PERMISSIONS}", permissions.len()));
    }
    if !permissions.iter().all(|permission| matches!(permission, Permission::PublishVersion { .. })) {
        return Err("a permission in `aud` names no version with its `tarballHash`".to_owned());
    }
    Ok(Grant::Versions(permissions))
}

/// Enough of a text to know it again.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: CiKind, audience: Value) -> Result<Grant, String> {
        let claims = Map::from_iter([("aud".to_owned(), audience)]);
        read(kind, &Url::parse("https://r.example/").unwrap(), &claims)
    }

    #[test]
    fn audiences() {
        let hash = format!("sha256-{}", "0".repeat(64));
        let one = json!({"permission": "package/publish", "scope": "acme", "package": "one", "version": "1.0.0", "tarballHash": hash});
        let of_text = |permissions: Value| json!(json!({ "permissions": permissions }).to_string());
        for kind in CiKind::ALL {
            assert!(matches!(of(kind, of_text(json!([one]))), Ok(Grant::Versions(list)) if list.len() == 1));
            assert!(matches!(of(kind, json!([of_text(json!([one]))])), Ok(Grant::Versions(_))));
            for (bad, word) in [
                (of_text(json!([])), "1 to 16"),
                (of_text(json!(vec![one.clone(); 17])), "1 to 16"),
                (of_text(json!([{"permission": "package/publish", "scope": "acme"}])), "`tarballHash`"),
                (json!("{"), "cannot be read"),
                (json!(["https://r.example", "https://other.example"]), "several"),
                (json!(5), "no `aud`"),
                (json!("https://r.example.evil"), "`aud`"),
                (json!("sigstore"), "`aud`"),
            ] {
                let said = of(kind, bad.clone()).unwrap_err();
                assert!(said.contains(word), "{bad}: {said}");
            }
        }
        assert_eq!(of(CiKind::Gitlab, json!("https://r.example")), Ok(Grant::Registry));
        assert_eq!(of(CiKind::Generic, json!(["https://r.example/"])), Ok(Grant::Registry));
        assert!(of(CiKind::Github, json!("https://r.example/")).is_err());
    }
}
