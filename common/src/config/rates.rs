//! How often somebody may do something.

use super::{ConfigError, Values};

/// How often somebody may do something within an hour. Nought is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Tries to sign in, from one address.
    pub sign_ins: i64,
    /// Devices that ask for permission, from one address.
    pub authorizations: i64,
    /// Tokens that are made, by one account.
    pub tokens: i64,
    /// Scopes that are made, by one account.
    pub scopes: i64,
    /// Packages that are made, by one account.
    pub packages: i64,
    /// Invites that are written, for one scope.
    pub invites: i64,
    /// Tickets that are opened and messages in them, by one account.
    pub tickets: i64,
    /// Bundles that are handed in, by one account or CI repository.
    pub provenance: i64,
    /// Uploads that are accepted, of one account or CI repository.
    pub uploads: i64,
}

impl Rates {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let rate = |key: &str| match values.parse::<i64>(key)? {
            negative if negative < 0 => {
                Err(ConfigError(format!("`{key}` cannot be `{negative}`: a rate is not negative; `0` is no limit")))
            }
            rate => Ok(rate),
        };
        Ok(Self {
            sign_ins: rate("rates.sign_ins")?,
            authorizations: rate("rates.authorizations")?,
            tokens: rate("rates.tokens")?,
            scopes: rate("rates.scopes")?,
            packages: rate("rates.packages")?,
            invites: rate("rates.invites")?,
            tickets: rate("rates.tickets")?,
            provenance: rate("rates.provenance")?,
            uploads: rate("rates.uploads")?,
        })
    }
}
