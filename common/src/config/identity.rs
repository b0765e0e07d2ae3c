//! Where people have the accounts with which they sign in.
//!
//! In the file each provider is a table `[[identity_provider]]`; in the environment, which has no tables, all of them are one text: the
//! table's keys and values as in the query of an address (`name=work&kind=oidc&…`), separated by commas. The file's tables are turned into
//! that text, so there is one reader. A provider's text holds its secret, so no error repeats it.

use url::{Url, form_urlencoded};

use super::{ConfigError, Secret, Values, address};
use crate::model::identity::ProviderKind;

/// The keys of a table `[[identity_provider]]`.
const KEYS: [&str; 8] = ["name", "kind", "title", "issuer", "client_id", "client_secret", "scopes", "sign_up"];
/// Longest name, in bytes. It is part of an address that people register with their provider.
const MAX_NAME: usize = 32;
/// Where GitHub is when nothing is said.
const GITHUB: &str = "https://github.com";
/// Where GitLab is when nothing is said.
const GITLAB: &str = "https://gitlab.com";

/// Where people have an account with which they sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// What it is called in addresses.
    pub name: String,
    /// Of what kind it is.
    pub kind: ProviderKind,
    /// What people are shown.
    pub title: String,
    /// What its tokens say in `iss`, to the letter; of a GitHub, where it is, without a slash at the end.
    pub issuer: String,
    /// As whom this registry is known there.
    pub client_id: String,
    /// How it proves that. A provider may do without, since the exchange proves itself.
    pub client_secret: Option<Secret>,
    /// What it asks to know.
    pub scopes: String,
    /// Whether somebody who was not here before gets an account. Otherwise they link it to one that the operator made.
    pub makes_accounts: bool,
}

/// One table of the file as one entry of the text.
pub(super) fn entry(table: &toml::Table) -> Result<String, ConfigError> {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (key, value) in table {
        match value {
            toml::Value::String(value) => text.append_pair(key, value),
            toml::Value::Boolean(value) => text.append_pair(key, &value.to_string()),
            toml::Value::Array(words) if key == "scopes" => {
                text.append_pair(key, &words.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(" "))
            }
            _ => return Err(ConfigError(format!("`{key}` in `[[identity_provider]]` is not a text"))),
        };
    }
    Ok(text.finish())
}

/// The providers of a configuration.
pub(super) fn providers(values: &Values) -> Result<Vec<IdentityProvider>, ConfigError> {
    let mut providers: Vec<IdentityProvider> = Vec::new();
    for entry in values.list("identity_provider") {
        let provider = read(&entry)?;
        if providers.iter().any(|other| other.name == provider.name) {
            return Err(ConfigError(format!("`identity_provider` has the name `{}` twice", provider.name)));
        }
        // With two of them nobody could tell whose word an account is.
        if providers.iter().any(|other| other.issuer == provider.issuer) {
            return Err(ConfigError(format!("`identity_provider` names the issuer `{}` twice", provider.issuer)));
        }
        providers.push(provider);
    }
    Ok(providers)
}

fn read(entry: &str) -> Result<IdentityProvider, ConfigError> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(entry.as_bytes()).into_owned().collect();
    if let Some((unknown, _)) = pairs.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
        // What is no key may be a piece of a secret with a comma in it.
        let is_whole = pairs.iter().any(|(key, _)| KEYS.contains(&key.as_str()));
        let shown = if is_whole { unknown.as_str() } else { "…" };
        return Err(ConfigError(format!("unknown setting `{shown}` in `identity_provider`: it has {}", KEYS.map(quoted).join(", "))));
    }
    let text = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.trim()).filter(|value| !value.is_empty());
    let name = text("name").or(text("kind")).unwrap_or_default();
    let fault = |what: String| ConfigError(format!("the `identity_provider` called `{name}`: {what}"));
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    // The two words are addresses of their own.
    if name.is_empty() || name.len() > MAX_NAME || !is_plain || ["callback", "link"].contains(&name) {
        return Err(fault(format!("a `name` has 1 to {MAX_NAME} lower-case letters, digits and hyphens, and is not `callback` or `link`")));
    }
    let kinds = || ProviderKind::ALL.map(|kind| quoted(kind.as_str())).join(", ");
    let kind = ProviderKind::parse(text("kind").unwrap_or("oidc")).ok_or_else(|| fault(format!("`kind` is one of {}", kinds())))?;
    let issuer = match (text("issuer"), kind) {
        (Some(issuer), _) => issuer.to_owned(),
        (None, ProviderKind::Github) => GITHUB.to_owned(),
        (None, ProviderKind::Gitlab) => GITLAB.to_owned(),
        (None, ProviderKind::Oidc) => return Err(fault("it has no `issuer`".to_owned())),
    };
    // Tokens are compared to the letter, so it is kept as it was written; this only looks whether it is an address at all.
    address("issuer", &issuer).map_err(|error| fault(error.to_string()))?;
    let issuer = if kind == ProviderKind::Oidc { issuer } else { issuer.trim_end_matches('/').to_owned() };
    let client_secret = text("client_secret").map(|secret| Secret::new(secret.to_owned()));
    if kind == ProviderKind::Github && client_secret.is_none() {
        return Err(fault("it has no `client_secret`".to_owned()));
    }
    let makes_accounts = match text("sign_up").unwrap_or("true") {
        "true" => true,
        "false" => false,
        _ => return Err(fault("`sign_up` is `true` or `false`".to_owned())),
    };
    Ok(IdentityProvider {
        makes_accounts,
        name: name.to_owned(),
        kind,
        title: text("title").map_or_else(|| title(kind, name), ToOwned::to_owned),
        client_id: text("client_id").ok_or_else(|| fault("it has no `client_id`".to_owned()))?.to_owned(),
        client_secret,
        scopes: text("scopes").unwrap_or(scopes(kind)).to_owned(),
        issuer,
    })
}

fn quoted(word: &str) -> String {
    format!("`{word}`")
}

/// What people are shown when nothing is said.
fn title(kind: ProviderKind, name: &str) -> String {
    match kind {
        ProviderKind::Github => "GitHub".to_owned(),
        ProviderKind::Gitlab => "GitLab".to_owned(),
        ProviderKind::Oidc => name.to_owned(),
    }
}

/// What has to be known of somebody: who they are, and their addresses for mail. Nothing that lets anybody act for them.
fn scopes(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Github => "read:user user:email",
        ProviderKind::Gitlab | ProviderKind::Oidc => "openid profile email",
    }
}

impl IdentityProvider {
    /// Where it is, for building addresses of a GitHub.
    ///
    /// # Panics
    /// Never: it was looked at when it was read.
    #[must_use]
    pub fn place(&self) -> Url {
        Url::parse(&self.issuer).expect("it was parsed when the configuration was read")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Layers, preset};
    use super::*;

    fn load(text: &str) -> Result<Vec<IdentityProvider>, String> {
        let flags = vec![("identity_provider", text.to_owned())];
        let config = Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() });
        config.map(|config| config.identity_providers).map_err(|error| error.to_string())
    }

    #[test]
    fn providers_are_rows() {
        assert_eq!(load(""), Ok(Vec::new()));
        let rows = load(
            "kind=github&client_id=a&client_secret=b%2Cc, name=lab&kind=gitlab&issuer=https://lab.example/&client_id=c, \
             name=work&title=The+House&issuer=https://id.example/x/&client_id=d&scopes=openid+email",
        )
        .unwrap();
        assert_eq!((rows[0].name.as_str(), rows[0].title.as_str(), rows[0].issuer.as_str()), ("github", "GitHub", "https://github.com"));
        assert_eq!((rows[0].client_secret.as_ref().map(Secret::expose), rows[0].scopes.as_str()), (Some("b,c"), "read:user user:email"));
        assert_eq!((rows[1].kind, rows[1].issuer.as_str()), (ProviderKind::Gitlab, "https://lab.example"));
        assert_eq!((rows[2].kind, rows[2].issuer.as_str()), (ProviderKind::Oidc, "https://id.example/x/"), "to the letter");
        assert_eq!((rows[2].title.as_str(), rows[2].scopes.as_str()), ("The House", "openid email"));
        for (bad, word) in [
            ("client_id=a&issuer=https://x", "`name`"),
            ("name=Work&client_id=a&issuer=https://x", "`name`"),
            ("name=callback&client_id=a&issuer=https://x", "`callback`"),
            ("name=a&kind=saml&client_id=a", "`kind` is one of `github`"),
            ("name=a&client_id=a", "no `issuer`"),
            ("kind=github&client_id=a&client_secret=b&sign_up=maybe", "`sign_up` is"),
            ("name=a&issuer=ftp://x&client_id=a", "`http://`"),
            ("name=a&issuer=https://x", "no `client_id`"),
            ("kind=github&client_id=a", "no `client_secret`"),
            ("kind=github&client_id=a&client_secret=b&colour=red", "`colour`"),
            ("name=a&issuer=https://x&client_id=a,name=a&issuer=https://y&client_id=a", "the name `a` twice"),
            ("name=a&issuer=https://x&client_id=a,name=b&issuer=https://x&client_id=a", "the issuer `https://x` twice"),
        ] {
            let said = load(bad).unwrap_err();
            assert!(said.contains(word), "{bad}: {said}");
        }
    }

    #[test]
    fn no_secret_is_repeated() {
        for bad in ["name=a&issuer=x&client_id=a&client_secret=hunter2", "kind=github&client_id=a&client_secret=x,hunter2="] {
            assert!(!load(bad).unwrap_err().contains("hunter2"), "{bad}");
        }
        let shown = format!("{:?}", load("kind=github&client_id=a&client_secret=hunter2:x").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn tables_of_the_file_are_the_same_rows() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("slipway.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let layers = Layers { preset: preset(Path::new("/d")), file: Some(file.clone()), ..Layers::default() };
            Config::load(&layers).map(|config| config.identity_providers).map_err(|error| error.to_string())
        };
        let text = "[[identity_provider]]\nkind = \"github\"\nclient_id = \"a\"\nclient_secret = \"b&=,c\"\n\n[[identity_provider]]\n\
                    name = \"work\"\nissuer = \"https://id.example\"\nclient_id = \"d\"\nscopes = [\"openid\", \"email\"]\nsign_up = false\n";
        let rows = load(text).unwrap();
        assert_eq!((rows.len(), rows[0].client_secret.as_ref().map(Secret::expose)), (2, Some("b&=,c")));
        assert_eq!((rows[1].scopes.as_str(), rows[0].makes_accounts, rows[1].makes_accounts), ("openid email", true, false));
        for (bad, word) in [
            ("[[identity_provider]]\nname = 5\n", "`name` in `[[identity_provider]]` is not a text"),
            ("[[identity_provider]]\nkind = \"oidc\"\nnaem = \"x\"\n", "`naem`"),
        ] {
            assert!(load(bad).unwrap_err().contains(word), "{bad}");
        }
    }
}
