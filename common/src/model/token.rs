//! Credentials and what they allow.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{PackageName, ScopeName, TokenId, UserId, Version};

/// What a credential was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// A browser session, `jsrw_`.
    Web,
    /// A command line that a person approved, `jsrd_`.
    Device,
    /// Made by a person to be kept, `jsrp_`.
    Personal,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Web, Self::Device, Self::Personal];

    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Device => "device",
            Self::Personal => "personal",
        }
    }

    /// What a secret of this kind starts with, so that people and scanners know it when they see it.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Web => "jsrw",
            Self::Device => "jsrd",
            Self::Personal => "jsrp",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A credential as it is stored: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The identifier.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it was made for.
    pub kind: TokenKind,
    /// What its owner calls it.
    pub description: Option<String>,
    /// What it is restricted to; `None` means everything its owner may do.
    pub permissions: Option<Vec<Permission>>,
    /// The token that this session was opened with, and with which it ends.
    pub opened_by: Option<TokenId>,
    /// When it stops working.
    pub expires_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// One thing a restricted credential may do. So far there is one: publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WirePermission", into = "WirePermission")]
pub enum Permission {
    /// Publish any package of a scope.
    PublishScope(ScopeName),
    /// Publish any version of a package.
    PublishPackage(PackageName),
    /// Publish exactly these bytes as exactly this version.
    PublishVersion {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// `sha256-` and the hexadecimal digest of the compressed upload.
        tarball_hash: String,
    },
}

impl Permission {
    /// Whether this allows to publish the version, given that its upload has the right digest.
    #[must_use]
    pub fn covers(&self, package: &PackageName, version: &Version) -> bool {
        match self {
            Self::PublishScope(scope) => scope == package.scope(),
            Self::PublishPackage(allowed) => allowed == package,
            Self::PublishVersion { package: allowed, version: at, .. } => allowed == package && at == version,
        }
    }
}

/// The shape on the wire: three forms of one object, told apart by what is present.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermission {
    permission: String,
    scope: ScopeName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tarball_hash: Option<String>,
}

/// The one permission there is so far.
const PUBLISH: &str = "package/publish";

impl TryFrom<WirePermission> for Permission {
    type Error = String;

    fn try_from(wire: WirePermission) -> Result<Self, String> {
        if wire.permission != PUBLISH {
            return Err(format!("unknown permission '{}', only '{PUBLISH}' exists", wire.permission));
        }
        let Some(name) = wire.package else {
            return match wire.version {
                None => Ok(Self::PublishScope(wire.scope)),
                Some(_) => Err("a permission with a version needs a package".into()),
            };
        };
        let package = PackageName::new(wire.scope, &name).map_err(|error| error.to_string())?;
        match (wire.version, wire.tarball_hash) {
            (Some(version), Some(tarball_hash)) if is_digest(&tarball_hash) => Ok(Self::PublishVersion { package, version, tarball_hash }),
            (Some(_), Some(_)) => Err("`tarballHash` is `sha256-` and the digest in hexadecimal".into()),
            // A version without a digest would pin nothing: it has always been read as the whole package.
            _ => Ok(Self::PublishPackage(package)),
        }
    }
}

/// Whether a text is what a digest looks like. It is stored as it came, and nothing else belongs there.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256-").is_some_and(|hex| hex.len() <= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl From<Permission> for WirePermission {
    fn from(permission: Permission) -> Self {
        let wire = |scope: &ScopeName| Self {
            permission: PUBLISH.to_owned(),
            scope: scope.clone(),
            package: None,
            version: None,
            tarball_hash: None,
        };
        match permission {
            Permission::PublishScope(scope) => wire(&scope),
            Permission::PublishPackage(package) => Self { package: Some(package.name().to_owned()), ..wire(package.scope()) },
            Permission::PublishVersion { package, version, tarball_hash } => Self {
                package: Some(package.name().to_owned()),
                version: Some(version),
                tarball_hash: Some(tarball_hash),
                ..wire(package.scope())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_read_back() {
        for json in [
            r#"{"permission":"package/publish","scope":"std"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0","tarballHash":"sha256-00"}"#,
        ] {
            let permission: Permission = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&permission).unwrap(), json);
        }
        let half = r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0"}"#;
        assert!(matches!(serde_json::from_str(half).unwrap(), Permission::PublishPackage(_)));
        for bad in [
            r#"{"permission":"package/yank","scope":"std"}"#,
            r#"{"permission":"package/publish","scope":"S"}"#,
            r#"{"permission":"package/publish","scope":"std","version":"1.0.0"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0","tarballHash":"\u0000"}"#,
        ] {
            assert!(serde_json::from_str::<Permission>(bad).is_err(), "{bad}");
        }
    }
}
