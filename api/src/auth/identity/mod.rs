//! People who sign in with an account that they have elsewhere.
//!
//! A provider is asked once, with a code that is good once, by the browser that set out ([`attempt`]): OpenID Connect with discovery
//! ([`oidc`]), or GitHub's own interface ([`github`]). What comes out is a [`Person`]: who vouches, under what, and what else is known.
//! What a provider hands over for asking is let go of right after; nothing of it is kept.

mod attempt;
mod exchange;
mod github;
mod oidc;

use slipway_common::clock::Instant;
use slipway_common::config::{Config, IdentityProvider};
use slipway_common::model::identity::ProviderKind;
use tokio::sync::Semaphore;
use url::Url;

pub(crate) use attempt::{Attempt, LIFE};

use super::issuer::{Discovery, Keys, Lacking, RETRY_AFTER};
use crate::error::{ApiError, ApiResult, Code, Refusal};

/// Longest code, in bytes. Providers have codes of up to two kilobytes.
const MAX_CODE: usize = 4096;

/// Longest address of a picture, in bytes. Those of GitHub, GitLab and Gravatar have less than two hundred.
const MAX_PICTURE: usize = 512;

/// Somebody, as a provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// Of what kind the provider is.
    pub(crate) kind: ProviderKind,
    /// Who vouches.
    pub(crate) issuer: String,
    /// Under what they are known there for good.
    pub(crate) subject: String,
    /// What they are called there, in lower case.
    pub(crate) login: Option<String>,
    /// The name that is shown.
    pub(crate) name: Option<String>,
    /// An address for mail that the provider has verified. Any other is nobody's.
    pub(crate) email: Option<String>,
    /// The address of a picture, or empty.
    pub(crate) avatar_url: String,
}

/// With what somebody comes back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// What ties it to their browser.
    pub(crate) state: String,
    /// What is exchanged.
    pub(crate) code: Option<String>,
    /// Who says that they answer (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Why there is no code.
    pub(crate) error: Option<String>,
}

/// People who come back at once, to one process. Each holds a connection here and one to a provider for some seconds, and anybody can act as if
/// they came back; one more is told to try again.
const MAX_ARRIVALS: usize = 64;

/// The providers of a registry.
#[derive(Debug)]
pub(crate) struct Providers {
    rows: Vec<Provider>,
    arrivals: Semaphore,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Provider {
    config: IdentityProvider,
    /// Where people come back to. Each provider has an address of its own, so that none can answer for another.
    callback: Url,
    discovery: Discovery,
    keys: Keys,
}

/// Why somebody does not come out of it.
#[derive(Debug)]
enum Problem {
    /// The provider does not answer. What the operator reads.
    Away(String),
    /// What it says is not accepted. What people read.
    Odd(String),
}

impl Providers {
    pub(crate) fn new(config: &Config) -> Self {
        let provider = |row: &IdentityProvider| Provider {
            callback: callback(&config.public_url, &row.name),
            discovery: Discovery::default(),
            keys: Keys::of(&row.issuer, None),
            config: row.clone(),
        };
        Self { rows: config.identity_providers.iter().map(provider).collect(), arrivals: Semaphore::new(MAX_ARRIVALS) }
    }

    /// All of them, in the order of the configuration.
    pub(crate) fn all(&self) -> &[Provider] {
        &self.rows
    }

    /// The one of this name.
    pub(crate) fn named(&self, name: &str) -> ApiResult<&Provider> {
        self.rows.iter().find(|provider| provider.name() == name).ok_or_else(|| Code::UnknownLoginService.into())
    }

    /// Who came back to a provider, for an answer that belongs to the attempt.
    pub(crate) async fn identify(&self, provider: &Provider, attempt: &Attempt, answer: &Answer, now: Instant) -> ApiResult<Person> {
        let Ok(_place) = self.arrivals.try_acquire() else {
            return Err(Refusal { retry_after: Some(RETRY_AFTER), ..Code::Unavailable.refusal() }.into());
        };
        provider.identify(attempt, answer, now).await
    }

    /// Whether anybody can sign in with what an issuer vouches for.
    pub(crate) fn has(&self, issuer: &str) -> bool {
        self.rows.iter().any(|provider| provider.config.issuer == issuer)
    }
}

/// Where people come back to from a provider.
fn callback(public_url: &Url, name: &str) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!("/login/callback/{name}"));
    url
}

impl Provider {
    /// What it is called in addresses.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// What people read.
    pub(crate) fn title(&self) -> &str {
        &self.config.title
    }

    /// Whether somebody who was not here before gets an account.
    pub(crate) fn makes_accounts(&self) -> bool {
        self.config.makes_accounts
    }

    /// Who vouches.
    pub(crate) fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Whether it can be asked, for the operator, and what has to be written down there.
    pub(crate) async fn examine(&self, now: Instant) -> Result<String, String> {
        match self.doors(now).await {
            Ok(url) => Ok(format!("people are sent to {}; the callback address is {}", url.origin().ascii_serialization(), self.callback)),
            Err(Problem::Away(why) | Problem::Odd(why)) => {
                Err(format!("{why}; `issuer` is `{}`: what its discovery document calls itself, to the letter?", self.issuer()))
            }
        }
    }

    async fn doors(&self, now: Instant) -> Result<Url, Problem> {
        match self.config.kind {
            ProviderKind::Github => Ok(github::authorization(&self.config)),
            ProviderKind::Gitlab | ProviderKind::Oidc => oidc::authorization(self, now).await,
        }
    }

    /// Where somebody is sent.
    pub(crate) async fn address(&self, attempt: &Attempt, now: Instant) -> ApiResult<Url> {
        let mut url = self.doors(now).await.map_err(|problem| self.refuse(problem))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", self.callback.as_str())
            .append_pair("scope", &self.config.scopes)
            .append_pair("state", &attempt.state())
            .append_pair("nonce", &attempt.nonce())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    async fn identify(&self, attempt: &Attempt, answer: &Answer, now: Instant) -> ApiResult<Person> {
        let Some(code) = answer.code.as_deref().filter(|code| !code.is_empty() && code.len() <= MAX_CODE) else {
            return Err(self.without_code(answer).into());
        };
        let person = match self.config.kind {
            ProviderKind::Github => github::identify(self, attempt, code).await,
            ProviderKind::Gitlab | ProviderKind::Oidc => oidc::identify(self, attempt, code, answer.issuer.as_deref(), now).await,
        };
        person.map_err(|problem| self.refuse(problem))
    }

    fn without_code(&self, answer: &Answer) -> Refusal {
        let title = self.title();
        match answer.error.as_deref() {
            Some("access_denied") => Code::OauthError.because(format!("{title} was told not to let you in here")),
            // What it says is not repeated: anybody can write such an address.
            error => {
                tracing::warn!(provider = self.name(), error, "somebody came back from a provider without a code");
                Code::OauthError.because(format!("{title} did not let you in"))
            }
        }
    }

    fn refuse(&self, problem: Problem) -> ApiError {
        let (name, title) = (self.name(), self.title());
        match problem {
            Problem::Away(why) => {
                tracing::warn!(provider = name, why, "a provider of identities does not answer");
                let said = Code::Unavailable.because(format!("{title} does not answer right now; try again in a moment"));
                Refusal { retry_after: Some(RETRY_AFTER), ..said }.into()
            }
            Problem::Odd(why) => {
                tracing::warn!(provider = name, why, "what a provider of identities says is not accepted");
                Code::OauthError.because(format!("signing in with {title} came to nothing: {why}")).into()
            }
        }
    }
}

impl Problem {
    fn odd(why: impl Into<String>) -> Self {
        Self::Odd(why.into())
    }

    fn lacking(what: &str, lacking: Lacking) -> Self {
        match lacking {
            Lacking::Absent => Self::Odd(format!("it has no such {what}")),
            Lacking::Away => Self::Away(format!("its {what} cannot be read")),
        }
    }
}

/// A text of somebody as it may be shown: one line of a bounded length, or nothing.
fn shown(text: Option<&str>, most: usize) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control));
    text.map(ToOwned::to_owned)
}

/// The address of a picture, if it can be shown without asking over an open line.
fn picture(text: Option<&str>) -> String {
    shown(text, MAX_PICTURE).filter(|text| text.starts_with("https://") && Url::parse(text).is_ok()).unwrap_or_default()
}
