//! What becomes of what the registry attests, beside that everybody can read it.

use std::path::PathBuf;

use url::Url;

use super::{ConfigError, Values, address};

/// What becomes of what the registry attests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Where it is entered, if anywhere.
    pub log: Option<Log>,
    /// Whether the npm documents name what is entered there.
    pub is_shown_to_npm: bool,
}

/// A transparency log, and who else vouches for what is entered there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where it is, with a trailing slash.
    pub rekor_url: Url,
    /// How it is spoken to.
    pub edition: Edition,
    /// An authority that signs when something was there (RFC 3161): the whole address at which it is asked.
    pub timestamp_url: Option<Url>,
    /// Who certifies that it is this registry that signs. Otherwise it does with its own key.
    pub keyless: Option<Keyless>,
}

/// The two logs called Rekor. They have no address in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// The first, which says when it took an entry in.
    One,
    /// The second, which says no time; an authority does.
    Two,
}

/// An authority that certifies a new key for each statement, and how the registry shows it who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    /// Where the authority (Fulcio) is, with a trailing slash.
    pub fulcio_url: Url,
    /// Whence the token of this process.
    pub identity_token: TokenSource,
}

/// Whence a token of OpenID Connect that says who this process is. It is fetched anew each time: such a token lives for minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file that the platform keeps up to date.
    File(PathBuf),
    /// An address of the platform, which answers with the token.
    Address(Url),
}

impl Attestation {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let is_shown_to_npm = values.parse("attestation.in_npm_documents")?;
        let log = log(values)?;
        match log.as_ref().map(|log| log.edition) {
            None if is_shown_to_npm => {
                return refused(
                    "`attestation.in_npm_documents` names what is entered in a log, and there is none: set `attestation.rekor_url`",
                );
            }
            Some(Edition::Two) if is_shown_to_npm => {
                return refused(
                    "npm does not verify what is in a log of `attestation.rekor_version` 2: leave `attestation.in_npm_documents` away",
                );
            }
            _ => {}
        }
        Ok(Self { log, is_shown_to_npm })
    }
}

fn log(values: &Values) -> Result<Option<Log>, ConfigError> {
    let set = |key| values.get(key).filter(|text| !text.is_empty());
    let (fulcio_url, token) = (set("attestation.fulcio_url"), set("attestation.identity_token"));
    let timestamp_url = set("attestation.timestamp_url");
    let edition = match values.required("attestation.rekor_version")?.as_str() {
        "1" => Edition::One,
        "2" => Edition::Two,
        other => return refused(&format!("`attestation.rekor_version` is `{other}`: write `1` or `2`")),
    };
    let Some(rekor_url) = set("attestation.rekor_url") else {
        let alone = [("fulcio_url", fulcio_url), ("identity_token", token), ("timestamp_url", timestamp_url)];
        return match alone.iter().find(|(_, value)| value.is_some()) {
            Some((key, _)) => refused(&format!("`attestation.{key}` is about what is entered in a log: set `attestation.rekor_url`")),
            None => Ok(None),
        };
    };
    if edition == Edition::Two && timestamp_url.is_none() {
        return refused("a log of `attestation.rekor_version` 2 says no time: set `attestation.timestamp_url` to an authority that does");
    }
    let keyless = match (fulcio_url, token) {
        (None, None) => None,
        (Some(url), Some(token)) => {
            Some(Keyless { fulcio_url: address("attestation.fulcio_url", url)?, identity_token: token_source(token)? })
        }
        (Some(_), None) => return refused("`attestation.fulcio_url` certifies whoever shows who he is: set `attestation.identity_token`"),
        (None, Some(_)) => return refused("`attestation.identity_token` is shown to an authority: set `attestation.fulcio_url`"),
    };
    Ok(Some(Log {
        rekor_url: address("attestation.rekor_url", rekor_url)?,
        edition,
        timestamp_url: timestamp_url.map(|url| endpoint("attestation.timestamp_url", url)).transpose()?,
        keyless,
    }))
}

fn token_source(text: &str) -> Result<TokenSource, ConfigError> {
    // The name of a file is told when it cannot be read; a token must not be.
    if text.starts_with("eyJ") && text.split('.').count() == 3 {
        return refused(
            "`attestation.identity_token` is a token, which lives for minutes: set it to the file or the address of the newest one",
        );
    }
    if text.contains("://") {
        return Ok(TokenSource::Address(endpoint("attestation.identity_token", text)?));
    }
    Ok(TokenSource::File(text.into()))
}

/// An address that is asked as it is.
fn endpoint(key: &str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| ConfigError(format!("`{key}` is not a URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => refused(&format!("`{key}` must start with `http://` or `https://`")),
    }
}

fn refused<T>(why: &str) -> Result<T, ConfigError> {
    Err(ConfigError(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Layers, preset};

    const REKOR: (&str, &str) = ("attestation.rekor_url", "https://rekor.example");
    const SECOND: (&str, &str) = ("attestation.rekor_version", "2");
    const TIME: (&str, &str) = ("attestation.timestamp_url", "https://time.example/api/v1/timestamp");
    const FULCIO: (&str, &str) = ("attestation.fulcio_url", "https://fulcio.example");
    const TOKEN: (&str, &str) = ("attestation.identity_token", "/run/token");

    fn load(pairs: &[(&'static str, &str)]) -> Result<Attestation, String> {
        let flags = pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let config = Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() });
        config.map(|config| config.attestation).map_err(|error| error.to_string())
    }

    #[test]
    fn who_is_needed_is_named() {
        for (pairs, word) in [
            (vec![FULCIO, TOKEN], "`attestation.fulcio_url` is about what is entered in a log"),
            (vec![TOKEN], "`attestation.identity_token` is about"),
            (vec![TIME], "`attestation.timestamp_url` is about"),
            (vec![("attestation.in_npm_documents", "true")], "set `attestation.rekor_url`"),
            (vec![REKOR, FULCIO], "set `attestation.identity_token`"),
            (vec![REKOR, TOKEN], "set `attestation.fulcio_url`"),
            (vec![REKOR, SECOND, TIME, ("attestation.in_npm_documents", "true")], "leave `attestation.in_npm_documents` away"),
            (vec![REKOR, SECOND], "set `attestation.timestamp_url`"),
            (vec![REKOR, ("attestation.rekor_version", "3")], "write `1` or `2`"),
            (vec![("attestation.rekor_version", "two")], "write `1` or `2`"),
            (vec![REKOR, FULCIO, ("attestation.identity_token", "eyJhbGciOi.eyJpc3.c2ln")], "is a token, which lives for minutes"),
            (vec![REKOR, FULCIO, ("attestation.identity_token", "ftp://token.example")], "must start with"),
            (vec![REKOR, ("attestation.timestamp_url", "time.example")], "`attestation.timestamp_url` is not a URL"),
        ] {
            let error = load(&pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn addresses_are_taken_as_they_are_asked() {
        assert_eq!(load(&[]).unwrap().log, None);
        let metadata = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?audience=sigstore";
        let log = load(&[REKOR, SECOND, TIME, FULCIO, ("attestation.identity_token", metadata)]).unwrap().log.unwrap();
        assert_eq!((log.rekor_url.as_str(), log.edition), ("https://rekor.example/", Edition::Two));
        assert_eq!(log.timestamp_url.unwrap().as_str(), TIME.1);
        let keyless = log.keyless.unwrap();
        assert_eq!(keyless.identity_token, TokenSource::Address(metadata.parse().unwrap()));
        let log = load(&[REKOR, FULCIO, TOKEN]).unwrap().log.unwrap();
        assert_eq!((log.edition, log.timestamp_url), (Edition::One, None));
        assert_eq!(log.keyless.unwrap().identity_token, TokenSource::File("/run/token".into()));
    }
}
