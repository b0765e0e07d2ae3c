//! The door to an issuer's public keys.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::Jwk;
use serde_json::Value;
use slipway_common::clock::Instant;
use url::Url;

use super::discovery;
use super::fetch::{client, read};
use super::known::{Known, Lacking};

/// Most keys of an issuer. They have two to ten.
const MAX_KEYS: usize = 100;

/// The keys of an issuer, as far as they were read.
#[derive(Debug)]
pub(crate) struct Keys {
    issuer: String,
    jwks_url: Option<Url>,
    known: Known<BTreeMap<String, Jwk>>,
}

impl Keys {
    /// The keys of an issuer, which are where it says, or at this address.
    pub(crate) fn of(issuer: &str, jwks_url: Option<Url>) -> Self {
        Self { issuer: issuer.to_owned(), jwks_url, known: Known::default() }
    }

    /// The key of this name.
    pub(crate) async fn find(&self, name: &str, now: Instant) -> Result<Jwk, Lacking> {
        self.known.find(now, |keys| keys.get(name).cloned(), async || self.read().await).await
    }

    async fn read(&self) -> Option<BTreeMap<String, Jwk>> {
        match self.fetch().await {
            Ok(keys) => {
                tracing::info!(issuer = self.issuer, keys = keys.len(), "the issuer's keys were read");
                Some(keys)
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer, error, "the issuer's keys cannot be read");
                None
            }
        }
    }

    async fn fetch(&self) -> Result<BTreeMap<String, Jwk>, String> {
        let client = client()?;
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => discovery::read(&client, &self.issuer).await?.jwks()?,
        };
        let set = read(client.get(url.clone()), url.as_str()).await?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("the answer is no set of keys")?;
        // A key of a kind that we do not know is no reason to refuse the others.
        let read = keys.iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Ok(read.filter_map(|key| Some((key.common.key_id.clone()?, key))).collect())
    }
}
