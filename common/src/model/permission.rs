//! What a restricted credential may do.
//!
//! On the wire a permission is an object `{"permission":"package/publish","scope":"std","package":"path"}`: a verb, and how far it reaches.
//! JSR has the first verb only; its clients send and read the same shape. Each permission is judged by itself: what one allows says
//! nothing about another.

use serde::{Deserialize, Serialize};

use crate::ids::{PackageName, ScopeName, Version};

/// What is done with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Publish versions.
    Publish,
    /// Read what is not public.
    Read,
    /// Withdraw versions from resolution, and take that back.
    Yank,
    /// Create the package, describe and archive it, set its dist-tags, and delete it while it is empty. Not: say who may publish it.
    Manage,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 4] = [Self::Publish, Self::Read, Self::Yank, Self::Manage];

    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Yank => "yank",
            Self::Manage => "manage",
        }
    }

    /// The word on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Publish => "package/publish",
            Self::Read => "package/read",
            Self::Yank => "package/yank",
            Self::Manage => "package/manage",
        }
    }
}

/// How far a permission reaches. Never further than what the owner of the credential may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every package, on the wire the scope `*`.
    Everything,
    /// Every package of a scope.
    Scope(ScopeName),
    /// One package.
    Package(PackageName),
}

impl Reach {
    /// Reads `*`, `@scope/*` or `@scope/name`.
    ///
    /// # Errors
    /// When it is none of these. A star stands for a whole name, never for a part of one.
    pub fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Everything);
        }
        match text.strip_prefix('@').and_then(|text| text.split_once('/')) {
            Some((scope, "*")) => reach(scope, None),
            Some((scope, name)) => reach(scope, Some(name)),
            None => Err(format!("`{text}` names no packages: write `@scope/name`, `@scope/*` or `*`")),
        }
    }

    /// Whether a package is within reach.
    #[must_use]
    pub fn covers(&self, package: &PackageName) -> bool {
        match self {
            Self::Everything => true,
            Self::Scope(scope) => scope == package.scope(),
            Self::Package(own) => own == package,
        }
    }
}

/// One thing a restricted credential may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WirePermission", into = "WirePermission")]
pub enum Permission {
    /// Publish exactly these bytes as exactly this version.
    PublishVersion {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// `sha256-` and the hexadecimal digest of the compressed upload.
        tarball_hash: String,
    },
    /// Do one thing with all packages within reach.
    Allow {
        /// What.
        verb: Verb,
        /// With which packages.
        reach: Reach,
    },
}

impl Permission {
    /// Reads a verb and the packages it reaches, `read:@acme/*`, as people write it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(text: &str) -> Result<Self, String> {
        let known = Verb::ALL.map(Verb::as_str).join(", ");
        let Some((verb, packages)) = text.split_once(':') else {
            return Err(format!("`{text}` is no permission: write `VERB:PACKAGES`, such as `read:@acme/*`"));
        };
        let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb);
        let verb = verb.ok_or_else(|| format!("`{text}` allows nothing that there is: the verbs are {known}"))?;
        Ok(Self::Allow { verb, reach: Reach::read(packages)? })
    }

    /// Whether this allows to publish the version, given that its upload has the right digest.
    #[must_use]
    pub fn publishes(&self, package: &PackageName, version: &Version) -> bool {
        match self {
            Self::PublishVersion { package: own, version: at, .. } => own == package && at == version,
            Self::Allow { verb, reach } => *verb == Verb::Publish && reach.covers(package),
        }
    }

    /// Whether this allows something that is not about one version. Whoever may do anything with a package may read it: a client that
    /// publishes looks at the package first.
    #[must_use]
    pub fn allows(&self, verb: Verb, package: &PackageName) -> bool {
        match self {
            Self::PublishVersion { package: own, .. } => verb == Verb::Read && own == package,
            Self::Allow { verb: own, reach } => (*own == verb || verb == Verb::Read) && reach.covers(package),
        }
    }
}

/// The shape on the wire: several forms of one object, told apart by what is present.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermission {
    permission: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tarball_hash: Option<String>,
}

/// What stands for every scope. Said in so many words: a scope that was forgotten must not allow more.
const EVERY_SCOPE: &str = "*";

impl TryFrom<WirePermission> for Permission {
    type Error = String;

    fn try_from(wire: WirePermission) -> Result<Self, String> {
        let Some(verb) = Verb::ALL.into_iter().find(|verb| verb.wire() == wire.permission) else {
            let known = Verb::ALL.map(Verb::wire).join("`, `");
            return Err(format!("unknown permission `{}`: there are `{known}`", wire.permission));
        };
        let reach = reach(&wire.scope, wire.package.as_deref())?;
        match (verb, reach, wire.version, wire.tarball_hash) {
            (Verb::Publish, Reach::Package(package), Some(version), Some(tarball_hash)) => {
                if is_digest(&tarball_hash) {
                    Ok(Self::PublishVersion { package, version, tarball_hash })
                } else {
                    Err("`tarballHash` is `sha256-` and the digest in hexadecimal".into())
                }
            }
            // A version without a digest would pin nothing: it has always been read as the whole package.
            (verb, reach @ Reach::Package(_), _, None) => Ok(Self::Allow { verb, reach }),
            (verb, reach, None, None) => Ok(Self::Allow { verb, reach }),
            _ => Err("`version` and `tarballHash` belong to the permission to publish one package".into()),
        }
    }
}

fn reach(scope: &str, package: Option<&str>) -> Result<Reach, String> {
    match (scope, package) {
        (EVERY_SCOPE, None) => Ok(Reach::Everything),
        (EVERY_SCOPE, Some(_)) => Err("a permission with a package needs the scope of the package".into()),
        (scope, package) => {
            let scope = ScopeName::try_from(scope).map_err(|error| error.to_string())?;
            match package {
                None => Ok(Reach::Scope(scope)),
                Some(name) => PackageName::new(scope, name).map(Reach::Package).map_err(|error| error.to_string()),
            }
        }
    }
}

/// Whether a text is what a digest looks like. It is stored as it came, and nothing else belongs there.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256-").is_some_and(|hex| hex.len() <= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl From<Permission> for WirePermission {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::PublishVersion { package, version, tarball_hash } => {
                Self { version: Some(version), tarball_hash: Some(tarball_hash), ..wire(Verb::Publish, &Reach::Package(package)) }
            }
            Permission::Allow { verb, reach } => wire(verb, &reach),
        }
    }
}

fn wire(verb: Verb, reach: &Reach) -> WirePermission {
    let (scope, package) = match reach {
        Reach::Everything => (EVERY_SCOPE.to_owned(), None),
        Reach::Scope(scope) => (scope.as_str().to_owned(), None),
        Reach::Package(package) => (package.scope().as_str().to_owned(), Some(package.name().to_owned())),
    };
    WirePermission { permission: verb.wire().to_owned(), scope, package, version: None, tarball_hash: None }
}

/// How VSR says the same: names, and what is allowed with what they name, `{"values":["@std/path","@acme/*"],"types":{"pkg":{"read":true}}}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granular {
    values: Vec<String>,
    types: GranularTypes,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GranularTypes {
    #[serde(default)]
    pkg: Access,
    #[serde(default)]
    user: Access,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    #[serde(default)]
    read: bool,
    #[serde(default)]
    write: bool,
}

impl Granular {
    /// The same as permissions. To write a package is to publish, yank and manage it. Each flag is taken for its own type only: that a
    /// user may be written says nothing about packages.
    ///
    /// # Errors
    /// What cannot be said with permissions: a value that names no package, and a credential that changes an account, which only a person
    /// in front of a browser does.
    pub fn permissions(&self) -> Result<Vec<Permission>, String> {
        if self.types.user.read || self.types.user.write {
            return Err("a restricted token has nothing to do with accounts: leave `user` out".into());
        }
        let verbs: &[Verb] = match (self.types.pkg.read, self.types.pkg.write) {
            (_, true) => &[Verb::Publish, Verb::Read, Verb::Yank, Verb::Manage],
            (true, false) => &[Verb::Read],
            (false, false) => return Err("`types` allows nothing: set `read` or `write` of `pkg`".into()),
        };
        let mut permissions = Vec::with_capacity(self.values.len() * verbs.len());
        for value in &self.values {
            let reach = Reach::read(value)?;
            permissions.extend(verbs.iter().map(|verb| Permission::Allow { verb: *verb, reach: reach.clone() }));
        }
        Ok(permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> PackageName {
        PackageName::try_from(text).unwrap()
    }

    #[test]
    fn every_form_reads_back() {
        for json in [
            r#"{"permission":"package/publish","scope":"std"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0","tarballHash":"sha256-00"}"#,
            r#"{"permission":"package/read","scope":"*"}"#,
            r#"{"permission":"package/yank","scope":"std","package":"path"}"#,
            r#"{"permission":"package/manage","scope":"std"}"#,
        ] {
            let permission: Permission = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&permission).unwrap(), json);
        }
        let half = r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0"}"#;
        let whole = Permission::Allow { verb: Verb::Publish, reach: Reach::Package(package("@std/path")) };
        assert_eq!(serde_json::from_str::<Permission>(half).unwrap(), whole);
        for bad in [
            r#"{"permission":"package/delete","scope":"std"}"#,
            r#"{"permission":"package/read"}"#,
            r#"{"permission":"package/read","scope":"*","package":"path"}"#,
            r#"{"permission":"package/publish","scope":"S"}"#,
            r#"{"permission":"package/publish","scope":"std","version":"1.0.0"}"#,
            r#"{"permission":"package/read","scope":"std","package":"path","version":"1.0.0","tarballHash":"sha256-00"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path","tarballHash":"sha256-00"}"#,
            r#"{"permission":"package/publish","scope":"std","package":"path","version":"1.0.0","tarballHash":"\u0000"}"#,
        ] {
            assert!(serde_json::from_str::<Permission>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn people_write_a_verb_and_packages() {
        let words = |text: &str| Permission::read(text).map(|permission| serde_json::to_string(&permission).unwrap());
        assert_eq!(words("read:@acme/*").unwrap(), r#"{"permission":"package/read","scope":"acme"}"#);
        assert_eq!(words("publish:@acme/maths").unwrap(), r#"{"permission":"package/publish","scope":"acme","package":"maths"}"#);
        assert_eq!(words("yank:*").unwrap(), r#"{"permission":"package/yank","scope":"*"}"#);
        for bad in ["", "read", "read:", "read:acme", "delete:@acme/maths", "read:@acme/ma*", "read:@*/maths", ":*"] {
            assert!(words(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_verb_allows_itself_and_reading() {
        let path = package("@std/path");
        let other = [package("@std/fs"), package("@acme/path")];
        for own in Verb::ALL {
            let permission = Permission::Allow { verb: own, reach: Reach::Package(path.clone()) };
            for verb in Verb::ALL {
                assert_eq!(permission.allows(verb, &path), verb == own || verb == Verb::Read, "{own:?} {verb:?}");
                assert!(other.iter().all(|other| !permission.allows(verb, other)), "{own:?} {verb:?}");
            }
            assert_eq!(permission.publishes(&path, &Version::try_from("1.0.0").unwrap()), own == Verb::Publish);
        }
        let of_scope = Permission::Allow { verb: Verb::Yank, reach: Reach::Scope(path.scope().clone()) };
        assert!(of_scope.allows(Verb::Yank, &other[0]) && !of_scope.allows(Verb::Yank, &other[1]));
        let once = Permission::PublishVersion {
            package: path.clone(),
            version: Version::try_from("1.0.0").unwrap(),
            tarball_hash: "sha256-00".to_owned(),
        };
        assert!(once.allows(Verb::Read, &path) && !once.allows(Verb::Publish, &path) && !once.allows(Verb::Read, &other[0]));
    }

    #[test]
    fn granular_tokens_are_permissions() {
        let read = |json: &str| serde_json::from_str::<Granular>(json).map_err(|error| error.to_string())?.permissions();
        let words = |json: &str| serde_json::to_value(read(json).unwrap()).unwrap().to_string();
        assert_eq!(
            words(r#"{"values":["@std/path","@acme/*"],"types":{"pkg":{"read":true}}}"#),
            r#"[{"permission":"package/read","scope":"std","package":"path"},{"permission":"package/read","scope":"acme"}]"#
        );
        let write = read(r#"{"values":["*"],"types":{"pkg":{"write":true}}}"#).unwrap();
        assert_eq!(write.len(), Verb::ALL.len());
        for verb in Verb::ALL {
            assert!(write.contains(&Permission::Allow { verb, reach: Reach::Everything }), "{verb:?}");
        }
        for bad in [
            r#"{"values":["@std/path"],"types":{"pkg":{"read":true},"user":{"write":true}}}"#,
            r#"{"values":["~ada"],"types":{"pkg":{"read":true}}}"#,
            r#"{"values":["@std"],"types":{"pkg":{"read":true}}}"#,
            r#"{"values":["@std/pa*"],"types":{"pkg":{"read":true}}}"#,
            r#"{"values":["@std/path"],"types":{}}"#,
            r#"{"values":["@std/path"],"types":{"team":{"read":true}}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
