//! The edge in front of the registry, as far as it has to be told what changed.

use ipnet::IpNet;
use url::Url;

use super::{ConfigError, Secret, Values, address};
use crate::model::token::network;

/// Who keeps copies in front of the registry.
#[derive(Debug, Clone)]
pub enum Edge {
    /// Nobody who could be told.
    None,
    /// One that forgets what bears a surrogate key, as Fastly does.
    Surrogate {
        /// Where the purge is asked for.
        url: Url,
        /// Who asks.
        credential: Credential,
    },
    /// One that forgets an address on the method PURGE, as Varnish, nginx and Fastly do.
    Address {
        /// Under what the addresses are, with a trailing slash.
        base: Url,
        /// Who asks.
        credential: Credential,
    },
}

/// Who asks for a purge.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The header that carries it.
    pub header: String,
    /// Its value, if there is one.
    pub value: Option<Secret>,
}

/// The networks of the proxies in front that are believed.
pub(super) fn proxies(values: &Values) -> Result<Vec<IpNet>, ConfigError> {
    let read = |text: String| {
        network(&text)
            .ok_or_else(|| ConfigError(format!("`trusted_proxies` cannot have `{text}`: write networks as `10.0.0.0/8`, or addresses")))
    };
    values.list("trusted_proxies").into_iter().map(read).collect()
}

impl Edge {
    pub(super) fn from_values(values: &Values, public_url: &Url) -> Result<Self, ConfigError> {
        let header = values.required("cdn.token_header")?;
        let value = values.get("cdn.token").map(|token| {
            let is_bearer = header.eq_ignore_ascii_case("authorization");
            Secret::new(if is_bearer { format!("Bearer {token}") } else { token.to_owned() })
        });
        let credential = Credential { header, value };
        match (values.get("cdn.purge"), values.get("cdn.purge_url")) {
            (None, None) => Ok(Self::None),
            (None, Some(_)) => Err(ConfigError("`cdn.purge_url` is set and `cdn.purge` is not: set it to `surrogate` or `url`".into())),
            (Some("surrogate"), Some(url)) => {
                let fault = |error| ConfigError(format!("`cdn.purge_url` cannot be `{url}`: {error}"));
                let url = Url::parse(url).map_err(|error| fault(error.to_string()))?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(fault("it starts with `http://` or `https://`".to_owned()));
                }
                Ok(Self::Surrogate { url, credential })
            }
            (Some("surrogate"), None) => {
                let example = "https://api.fastly.com/service/ID/purge";
                Err(ConfigError(format!(
                    "`cdn.purge` is `surrogate`: set `cdn.purge_url` to where a purge is asked for, such as `{example}`"
                )))
            }
            (Some("url"), Some(base)) => Ok(Self::Address { base: address("cdn.purge_url", base)?, credential }),
            (Some("url"), None) => Ok(Self::Address { base: public_url.clone(), credential }),
            (Some(other), _) => Err(ConfigError(format!("`cdn.purge` cannot be `{other}`: it is `surrogate` or `url`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Layers, preset};
    use super::*;

    fn edge(pairs: &[(&'static str, &str)]) -> Result<Edge, String> {
        let flags = pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let config = Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() });
        config.map(|config| config.edge).map_err(|error| error.to_string())
    }

    #[test]
    fn an_edge_is_named_whole_or_not_at_all() {
        assert!(matches!(edge(&[]), Ok(Edge::None)));
        let Ok(Edge::Address { base, credential }) = edge(&[("cdn.purge", "url"), ("cdn.token", "t")]) else { panic!() };
        assert_eq!((base.as_str(), credential.value.unwrap().expose()), ("http://127.0.0.1:8080/", "Bearer t"));
        let fastly = [
            ("cdn.purge", "surrogate"),
            ("cdn.purge_url", "https://e.example/x/purge"),
            ("cdn.token_header", "Fastly-Key"),
            ("cdn.token", "t"),
        ];
        let Ok(Edge::Surrogate { url, credential }) = edge(&fastly) else { panic!() };
        assert_eq!((url.path(), credential.header.as_str(), credential.value.unwrap().expose()), ("/x/purge", "Fastly-Key", "t"));
        for (pairs, word) in [
            (&[("cdn.purge", "surrogate")][..], "`cdn.purge_url`"),
            (&[("cdn.purge", "tag")], "`surrogate` or `url`"),
            (&[("cdn.purge_url", "https://e.example/")], "`cdn.purge`"),
            (&[("cdn.purge", "url"), ("cdn.purge_url", "ftp://e.example/")], "`cdn.purge_url`"),
        ] {
            assert!(edge(pairs).unwrap_err().contains(word), "{pairs:?}");
        }
    }
}
