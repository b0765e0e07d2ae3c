//! The door to an issuer's public keys.
//!
//! Keys are kept for an hour. A token that names a key nobody knows yet has them read again, but not more often than every half minute:
//! anybody can send such tokens, and the issuer must not hear of each. What was read keeps its worth for a day while the issuer does not
//! answer: its outage is not ours.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::jwk::Jwk;
use reqwest::redirect::Policy;
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::config::CiIssuer;
use tokio::sync::Mutex;
use url::Url;

use super::refused;
use crate::error::{ApiResult, Code, Refusal};

/// How long keys are used without asking again. Issuers publish a key long before they sign with it, and withdraw one rarely.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How long they are used when the issuer does not answer.
const STALE: TimeDelta = TimeDelta::days(1);
/// The least time between two attempts, whoever asks.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// How long one answer may take. A publish waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, in bytes. GitHub's has ten kilobytes.
const MAX_ANSWER: usize = 256 * 1024;
/// Most keys of an issuer. They have two to ten.
const MAX_KEYS: usize = 100;
/// Seconds after which a token is shown again when the issuer's keys could not be read.
const RETRY_AFTER: u32 = 30;

/// The keys of an issuer, as far as they were read.
#[derive(Debug)]
pub(super) struct Keys {
    issuer: String,
    jwks_url: Option<Url>,
    known: RwLock<Arc<Known>>,
    /// When they were last asked for, and whether that came to nothing. Held while they are asked for: one question at a time.
    asked: Mutex<Option<Asked>>,
}

#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<String, Jwk>,
    read_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    was_answered: bool,
}

impl Known {
    fn find(&self, name: &str, age: TimeDelta, now: Instant) -> Option<Jwk> {
        self.read_at.filter(|read| now - *read < age).and_then(|_| self.keys.get(name).cloned())
    }
}

impl Keys {
    pub(super) fn of(config: &CiIssuer) -> Self {
        Self { issuer: config.issuer.clone(), jwks_url: config.jwks_url.clone(), known: RwLock::default(), asked: Mutex::new(None) }
    }

    /// The key of this name.
    pub(super) async fn find(&self, name: &str, now: Instant) -> ApiResult<Jwk> {
        if let Some(key) = self.known().find(name, FRESH, now) {
            return Ok(key);
        }
        let mut asked = self.asked.lock().await;
        // Somebody else may have asked while we waited for our turn.
        if let Some(key) = self.known().find(name, FRESH, now) {
            return Ok(key);
        }
        if asked.is_none_or(|asked| now - asked.at >= PAUSE) {
            // Noted before: a caller who hangs up ends this here, and must not make the next one ask again at once.
            *asked = Some(Asked { at: now, was_answered: false });
            let was_answered = self.read(now).await;
            *asked = Some(Asked { at: now, was_answered });
        }
        if let Some(key) = self.known().find(name, STALE, now) {
            return Ok(key);
        }
        if asked.is_some_and(|asked| asked.was_answered) {
            return Err(refused(format!("`{}` has no key `{name}`", self.issuer)).into());
        }
        let unavailable =
            Code::Unavailable.because(format!("the keys of `{}` cannot be read right now; try again in a moment", self.issuer));
        Err(Refusal { retry_after: Some(RETRY_AFTER), ..unavailable }.into())
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Reads the keys. Whether that worked.
    async fn read(&self, now: Instant) -> bool {
        match self.fetch().await {
            Ok(keys) => {
                tracing::info!(issuer = self.issuer, keys = keys.len(), "the issuer's keys were read");
                let known = Arc::new(Known { keys, read_at: Some(now) });
                *self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = known;
                true
            }
            Err(error) => {
                tracing::warn!(issuer = self.issuer, error, "the issuer's keys cannot be read");
                false
            }
        }
    }

    async fn fetch(&self) -> Result<BTreeMap<String, Jwk>, String> {
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
        let client = client.map_err(|error| error.to_string())?;
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discover(&client).await?,
        };
        let set = get(&client, url).await?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("the answer is no set of keys")?;
        // A key of a kind that we do not know is no reason to refuse the others.
        let read = keys.iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Ok(read.filter_map(|key| Some((key.common.key_id.clone()?, key))).collect())
    }

    /// Where the issuer says its keys are. It has to be the issuer who says it.
    async fn discover(&self, client: &reqwest::Client) -> Result<Url, String> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document = get(client, Url::parse(&address).map_err(|error| error.to_string())?).await?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("issuer") != self.issuer {
            return Err(format!("the discovery document is that of `{}`", text("issuer")));
        }
        Url::parse(text("jwks_uri")).map_err(|error| format!("`jwks_uri` is no address: {error}"))
    }
}

async fn get(client: &reqwest::Client, url: Url) -> Result<Value, String> {
    let shown = url.to_string();
    let fault = |error: reqwest::Error| format!("{shown}: {}", error.without_url());
    let mut response = client.get(url).send().await.map_err(fault)?;
    if !response.status().is_success() {
        return Err(format!("{shown}: {}", response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(format!("{shown}: more than {MAX_ANSWER} bytes"));
        }
    }
    serde_json::from_slice(&body).map_err(|error| format!("{shown}: {error}"))
}
