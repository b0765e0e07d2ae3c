//! CI systems whose jobs publish without a token.
//!
//! In the file each is a table `[[ci_issuer]]`; in the environment, which has no tables, all of them are one text:
//! `NAME ISSUER [JWKS_URL]`, separated by commas. The file's tables are turned into that text, so there is one reader.

use url::Url;

use super::{ConfigError, Values};
use crate::model::ci::CiKind;

/// The keys of a table `[[ci_issuer]]`.
const KEYS: [&str; 3] = ["name", "issuer", "jwks_url"];

/// A CI system that is believed when it says which job of which repository asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiIssuer {
    /// Which claims its tokens have.
    pub kind: CiKind,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// Where its keys are. Without it, where its discovery document says.
    pub jwks_url: Option<Url>,
}

/// One table of the file as one entry of the text.
pub(super) fn entry(table: &toml::Table) -> Result<String, ConfigError> {
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(ConfigError(format!("unknown setting `{unknown}` in `[[ci_issuer]]`: it has `name`, `issuer` and `jwks_url`")));
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) if !text.contains([' ', ',']) => Ok(Some(text.as_str())),
        Some(other) => Err(ConfigError(format!("`{key}` in `[[ci_issuer]]` cannot be `{other}`: it is a text without spaces and commas"))),
    };
    let required = |key: &str| text(key)?.ok_or_else(|| ConfigError(format!("a table `[[ci_issuer]]` has no `{key}`")));
    let parts = [Some(required("name")?), Some(required("issuer")?), text("jwks_url")?];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The issuers of a configuration.
pub(super) fn issuers(values: &Values) -> Result<Vec<CiIssuer>, ConfigError> {
    let mut issuers: Vec<CiIssuer> = Vec::new();
    for entry in values.list("ci_issuer") {
        let issuer = read(&entry)?;
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            return Err(ConfigError(format!("`ci_issuer` names the issuer `{}` twice", issuer.issuer)));
        }
        issuers.push(issuer);
    }
    Ok(issuers)
}

fn read(entry: &str) -> Result<CiIssuer, ConfigError> {
    let fault = |what: String| ConfigError(format!("`ci_issuer` cannot have `{entry}`: {what}"));
    let parts: Vec<&str> = entry.split_whitespace().collect();
    let (name, issuer, jwks_url) = match parts[..] {
        [name, issuer] => (name, issuer, None),
        [name, issuer, jwks_url] => (name, issuer, Some(jwks_url)),
        _ => return Err(fault("write `NAME ISSUER` or `NAME ISSUER JWKS_URL`".to_owned())),
    };
    let kind = CiKind::parse(name)
        .ok_or_else(|| fault(format!("`{name}` is not one of {}", CiKind::ALL.map(|kind| format!("`{}`", kind.as_str())).join(", "))))?;
    let web = |text: &str| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        Ok(_) => Err(fault(format!("`{text}` does not start with `http://` or `https://`"))),
        Err(error) => Err(fault(format!("`{text}` is not a URL: {error}"))),
    };
    web(issuer)?;
    // What tokens say is compared to the letter, so it is kept as it was written.
    Ok(CiIssuer { kind, issuer: issuer.to_owned(), jwks_url: jwks_url.map(web).transpose()? })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Layers, preset};
    use super::*;

    fn load(text: &str) -> Result<Vec<CiIssuer>, String> {
        let flags = vec![("ci_issuer", text.to_owned())];
        let config = Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() });
        config.map(|config| config.ci_issuers).map_err(|error| error.to_string())
    }

    #[test]
    fn issuers_are_rows() {
        assert_eq!(load(""), Ok(Vec::new()));
        let rows = load("github https://token.actions.githubusercontent.com, gitlab https://gitlab.example http://keys.example/k").unwrap();
        assert_eq!((rows[0].kind, rows[0].issuer.as_str()), (CiKind::Github, "https://token.actions.githubusercontent.com"));
        assert_eq!(rows[0].jwks_url, None);
        assert_eq!(rows[1].jwks_url.as_ref().map(Url::as_str), Some("http://keys.example/k"));
        for (bad, word) in [
            ("github", "NAME ISSUER"),
            ("travis https://t.example", "`travis` is not one of `github`"),
            ("github ftp://x", "`http://`"),
            ("github https://a.example, gitlab https://a.example", "twice"),
        ] {
            assert!(load(bad).unwrap_err().contains(word), "{bad}");
        }
    }

    #[test]
    fn tables_of_the_file_are_the_same_rows() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("slipway.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let layers = Layers { preset: preset(Path::new("/d")), file: Some(file.clone()), ..Layers::default() };
            Config::load(&layers).map_err(|error| error.to_string())
        };
        let text = "[[ci_issuer]]\nname = \"github\"\nissuer = \"https://a.example\"\n\n[[ci_issuer]]\nname = \"generic\"\n\
                    issuer = \"https://b.example/x\"\njwks_url = \"https://b.example/k\"\n";
        let config = load(text).unwrap();
        assert_eq!(config.ci_issuers.len(), 2);
        assert_eq!((config.ci_issuers[1].kind, config.ci_issuers[1].issuer.as_str()), (CiKind::Generic, "https://b.example/x"));
        for (bad, word) in [
            ("[[ci_issuer]]\nname = \"github\"\n", "no `issuer`"),
            ("[[ci_issuer]]\nname = \"github\"\nissuer = \"https://a.example\"\njwks = \"x\"\n", "`jwks`"),
            ("[[ci_issuer]]\nname = \"github\"\nissuer = 5\n", "without spaces"),
        ] {
            assert!(load(bad).unwrap_err().contains(word), "{bad}");
        }
    }
}
