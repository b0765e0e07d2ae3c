//! CI identities: tokens that the CI system of a job signs, and who of them may publish what.
//!
//! A token is believed when a configured issuer signed it, for this registry, and its time is now. What it then says about the job is
//! compared with what the package demands ([`right`]). Nothing here is a secret of ours: the issuer's public keys are all it takes.
//!
//! How a token is read and its keys are found is the business of [`issuer`](super::issuer).

mod audience;
mod claims;
mod right;

use std::net::IpAddr;

use slipway_common::clock::Instant;
use slipway_common::config::{CiIssuer, Config};
use slipway_common::model::ci::CiIdentity;
use url::Url;

pub(crate) use audience::Grant;
pub(crate) use right::{CiRight, judge};

use crate::auth::issuer::{Keys, Lacking, RETRY_AFTER, Shown};
use crate::error::{ApiResult, Code, Refusal};

/// A CI token that holds.
#[derive(Debug, Clone)]
pub(crate) struct CiToken {
    /// The job.
    pub(crate) identity: CiIdentity,
    /// The account that set it off, as people sign in with it.
    pub(crate) actor: Option<Account>,
    /// What it was made for.
    pub(crate) grant: Grant,
    /// What the issuer calls it, or the digest of what was signed.
    pub(crate) id: String,
    /// When nobody can show it any more, whoever's clock is slow.
    pub(crate) void_at: Instant,
    /// From where it was shown, if over a network: for whoever read the request to say.
    pub(crate) from: Option<IpAddr>,
}

/// An account elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Who vouches for it when somebody signs in.
    pub(crate) issuer: String,
    /// Under what it is known there for good.
    pub(crate) subject: String,
}

/// The CI systems that are believed.
#[derive(Debug)]
pub(crate) struct Issuers {
    rows: Vec<Issuer>,
    public_url: Url,
}

#[derive(Debug)]
struct Issuer {
    config: CiIssuer,
    keys: Keys,
}

impl Issuer {
    fn without_key(&self, name: &str, lacking: Lacking) -> Refusal {
        let issuer = &self.config.issuer;
        match lacking {
            Lacking::Absent => refused(format!("`{issuer}` has no key `{name}`")),
            Lacking::Away => {
                let why = format!("the keys of `{issuer}` cannot be read right now; try again in a moment");
                Refusal { retry_after: Some(RETRY_AFTER), ..Code::Unavailable.because(why) }
            }
        }
    }
}

impl Issuers {
    pub(crate) fn new(config: &Config) -> Self {
        let rows = config
            .ci_issuers
            .iter()
            .map(|config| Issuer { config: config.clone(), keys: Keys::of(&config.issuer, config.jwks_url.clone()) })
            .collect();
        Self { rows, public_url: config.public_url.clone() }
    }

    /// Finds out which job shows a token.
    pub(crate) async fn identify(&self, token: &str, now: Instant) -> ApiResult<CiToken> {
        if self.rows.is_empty() {
            return Err(refused("this registry accepts no CI identities: no issuer is configured").into());
        }
        let shown = Shown::read(token).map_err(refused)?;
        let row = self.rows.iter().find(|row| row.config.issuer == shown.issuer);
        let row = row.ok_or_else(|| refused(format!("`iss` is `{}`, which this registry does not know", shown.issuer)))?;
        let key = row.keys.find(&shown.key, now).await.map_err(|lacking| row.without_key(&shown.key, lacking))?;
        let claims = shown.verify(&key).map_err(refused)?;
        claims::accept(&row.config, &self.public_url, &shown, &claims, now).map_err(refused).map_err(Into::into)
    }
}

/// A token that is not accepted, and why.
fn refused(why: impl AsRef<str>) -> Refusal {
    Code::InvalidOidcToken.because(format!("the CI token is not accepted: {}", why.as_ref()))
}
