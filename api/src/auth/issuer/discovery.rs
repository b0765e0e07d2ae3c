//! Where an issuer says that its doors are.

use serde_json::Value;
use slipway_common::clock::Instant;
use url::Url;

use super::fetch;
use super::known::{Known, Lacking};

/// The discovery document of an issuer.
#[derive(Debug)]
pub(super) struct Document {
    issuer: String,
    body: Value,
}

/// Reads the discovery document. It has to be the issuer who says it.
pub(super) async fn read(client: &reqwest::Client, issuer: &str) -> Result<Document, String> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let url = Url::parse(&address).map_err(|error| error.to_string())?;
    let body = fetch::read(client.get(url), &address).await?;
    match body.get("issuer").and_then(Value::as_str).unwrap_or_default() {
        said if said == issuer => Ok(Document { issuer: issuer.to_owned(), body }),
        other => Err(format!("the discovery document is that of `{other}`")),
    }
}

impl Document {
    /// Where its keys are.
    pub(super) fn jwks(&self) -> Result<Url, String> {
        self.door("jwks_uri")?.ok_or_else(|| "the discovery document names no `jwks_uri`".to_owned())
    }

    /// A door, if it is named. An issuer that is reached safely has no door that is not.
    fn door(&self, name: &str) -> Result<Option<Url>, String> {
        let Some(text) = self.body.get(name).and_then(Value::as_str) else { return Ok(None) };
        let url = Url::parse(text).map_err(|error| format!("`{name}` is no address: {error}"))?;
        match url.scheme() {
            "https" => Ok(Some(url)),
            "http" if self.issuer.starts_with("http:") => Ok(Some(url)),
            other => Err(format!("`{name}` is an address of `{other}:`")),
        }
    }

    fn endpoints(&self) -> Result<Endpoints, String> {
        let needed = |name: &str| self.door(name)?.ok_or_else(|| format!("the discovery document names no `{name}`"));
        let ways = self.body.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let has_way = |way: &str| ways.is_some_and(|ways| ways.iter().any(|word| word == way));
        Ok(Endpoints {
            authorization: needed("authorization_endpoint")?,
            token: needed("token_endpoint")?,
            userinfo: self.door("userinfo_endpoint")?,
            takes_secret_in_body: has_way("client_secret_post") && !has_way("client_secret_basic"),
            says_issuer: self.body.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        })
    }
}

/// The doors at which people sign in.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    /// Where people are sent.
    pub(crate) authorization: Url,
    /// Where a code is exchanged.
    pub(crate) token: Url,
    /// Where more about somebody is asked.
    pub(crate) userinfo: Option<Url>,
    /// Whether we prove who we are in the body, which is the exception.
    pub(crate) takes_secret_in_body: bool,
    /// Whether people come back with the issuer's name (RFC 9207).
    pub(crate) says_issuer: bool,
}

/// The doors of an issuer, as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    known: Known<Endpoints>,
}

impl Discovery {
    /// The doors of this issuer.
    pub(crate) async fn find(&self, issuer: &str, now: Instant) -> Result<Endpoints, Lacking> {
        let fetch = async || {
            let fetched = async { read(&fetch::client()?, issuer).await?.endpoints() };
            fetched.await.inspect_err(|error| tracing::warn!(issuer, error, "the issuer's doors cannot be read")).ok()
        };
        self.known.find(now, |endpoints| Some(endpoints.clone()), fetch).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn doors_are_as_safe_as_their_issuer() {
        let document = |issuer: &str, door: &str| Document {
            issuer: issuer.to_owned(),
            body: json!({ "authorization_endpoint": "https://i.example/a", "token_endpoint": door, "jwks_uri": door }),
        };
        for (issuer, door, is_good) in [
            ("https://i.example", "https://elsewhere.example/t", true),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/t", true),
            ("https://i.example", "http://i.example/t", false),
            ("https://i.example", "ftp://i.example/t", false),
            ("http://i.example", "file:///etc/passwd", false),
            ("https://i.example", "t", false),
        ] {
            assert_eq!(document(issuer, door).endpoints().is_ok(), is_good, "{issuer} {door}");
            assert_eq!(document(issuer, door).jwks().is_ok(), is_good, "{issuer} {door}");
        }
        let none = Document { issuer: "https://i.example".to_owned(), body: json!({}) };
        assert!(none.endpoints().is_err() && none.jwks().is_err());
    }

    #[test]
    fn the_secret_goes_where_the_issuer_takes_it() {
        let takes_body = |ways: Value| {
            let body = json!({
                "authorization_endpoint": "https://i.example/a", "token_endpoint": "https://i.example/t",
                "token_endpoint_auth_methods_supported": ways,
            });
            Document { issuer: "https://i.example".to_owned(), body }.endpoints().unwrap().takes_secret_in_body
        };
        assert!(!takes_body(Value::Null) && !takes_body(json!(["client_secret_basic", "client_secret_post"])));
        assert!(takes_body(json!(["client_secret_post", "private_key_jwt"])) && !takes_body(json!(["private_key_jwt"])));
    }
}
