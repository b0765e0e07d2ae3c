//! Forms that only our own pages can send.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use slipway_common::ids::Sha256;
use subtle::ConstantTimeEq;
use url::Url;
use url::form_urlencoded;

use crate::error::Code;

/// A form's fields, in order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body. A form of ours is short; axum's limit on bodies stands.
    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a field, or the empty text.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// What a form of a session carries, so that no other site can send it. It follows from the session's secret and tells nothing
/// about it.
pub(super) fn guard(session: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::of(format!("slipway form {session}").as_bytes()).as_bytes())
}

/// Checks the guard of a form.
pub(super) fn check_guard(session: &str, given: &str) -> Result<(), Code> {
    if bool::from(guard(session).as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(Code::CrossSiteRequest) }
}

/// Refuses a form that a browser says was sent from another site. Browsers say it; what says nothing is no browser.
pub(super) fn check_origin(headers: &HeaderMap, own: &Url) -> Result<(), Code> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(Code::CrossSiteRequest);
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return Ok(()) };
    let is_own = origin == own.origin().ascii_serialization();
    // Behind a proxy, or on a port of its own, the host the browser asked is as good.
    let is_host = text(header::HOST.as_str()).is_some_and(|host| origin.split_once("://").is_some_and(|(_, rest)| rest == host));
    if is_own || is_host { Ok(()) } else { Err(Code::CrossSiteRequest) }
}

/// Where to go after signing in: a path of ours, whatever was asked for.
pub(super) fn local_path(text: &str) -> &str {
    let is_local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\') && !text.chars().any(char::is_control);
    if is_local { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths() {
        assert_eq!(local_path("/auth?code=A"), "/auth?code=A");
        for bad in ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a\nb"] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn guards_belong_to_sessions() {
        assert!(check_guard("a", &guard("a")).is_ok());
        assert!(check_guard("a", &guard("b")).is_err());
        assert!(check_guard("a", "").is_err());
    }

    #[test]
    fn origins() {
        let own = Url::parse("https://r.example/").unwrap();
        let check = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            check_origin(&headers, &own).is_ok()
        };
        assert!(check(&[]));
        assert!(check(&[("origin", "https://r.example"), ("sec-fetch-site", "same-origin")]));
        assert!(check(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!check(&[("origin", "https://evil.example"), ("host", "r.example")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("origin", "null")]));
    }
}
