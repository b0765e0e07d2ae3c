//! How often somebody may do something: by address, account, CI repository or scope, for all processes alike.
//!
//! What is done is counted in the transaction that does it, so what was refused for another reason costs nobody anything; what is tried
//! (signing in, a bundle to verify) is counted before. A window begins with the first act in it and lasts an hour, so within any hour there
//! are at most twice as many as allowed. Reading is not counted.

use std::net::IpAddr;

use chrono::TimeDelta;
use ipnet::Ipv6Net;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::ids::{ScopeName, UserId};
use slipway_common::model::ci::CiIdentity;

use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code, Refusal};

/// The window in which is counted: long enough that guessing and flooding do not pay, short enough to wait for.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// Bits of an IPv6 address that tell one customer from another; the rest is theirs to choose from, and a single one has billions.
const CUSTOMER_BITS: u8 = 64;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rate {
    SignIns,
    Authorizations,
    Tokens,
    Scopes,
    Packages,
    Invites,
    Tickets,
    Provenance,
    Uploads,
}

impl Rate {
    fn name(self) -> &'static str {
        match self {
            Self::SignIns => "sign_ins",
            Self::Authorizations => "authorizations",
            Self::Tokens => "tokens",
            Self::Scopes => "scopes",
            Self::Packages => "packages",
            Self::Invites => "invites",
            Self::Tickets => "tickets",
            Self::Provenance => "provenance",
            Self::Uploads => "uploads",
        }
    }

    /// How often it may be done within the window; nought is no limit.
    fn most(self, context: &Context) -> i64 {
        let rates = &context.config.rates;
        match self {
            Self::SignIns => rates.sign_ins,
            Self::Authorizations => rates.authorizations,
            Self::Tokens => rates.tokens,
            Self::Scopes => rates.scopes,
            Self::Packages => rates.packages,
            Self::Invites => rates.invites,
            Self::Tickets => rates.tickets,
            Self::Provenance => rates.provenance,
            Self::Uploads => rates.uploads,
        }
    }
}

/// Whose acts are counted together.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// Of whoever comes from there; nobody is limited who came over no network.
    Address(Option<IpAddr>),
    Account(UserId),
    Repository(&'a CiIdentity),
    Scope(&'a ScopeName),
}

impl<'a> Whose<'a> {
    /// The account or the CI repository of somebody who is known.
    pub(super) fn of(actor: &'a Actor) -> ApiResult<Self> {
        match actor {
            Actor::Anonymous => Code::MissingAuthentication.err(),
            Actor::User(identified) => Ok(Self::Account(identified.user.id)),
            Actor::Ci(token) => Ok(Self::Repository(&token.identity)),
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Self::Address(None) => None,
            Self::Address(Some(IpAddr::V4(address))) => Some(format!("address {address}")),
            Self::Address(Some(IpAddr::V6(address))) => {
                let network = Ipv6Net::new_assert(address, CUSTOMER_BITS).trunc();
                Some(format!("address {network}"))
            }
            Self::Account(user) => Some(format!("account {user}")),
            Self::Repository(job) => Some(format!("repository {} {}", job.issuer, job.repository_id)),
            Self::Scope(scope) => Some(format!("scope {scope}")),
        }
    }
}

/// Counts an act in the transaction that does it, and refuses one too many. Then the transaction is to be dropped.
pub(super) async fn spend(context: &Context, tx: &mut WriteTx, rate: Rate, whose: Whose<'_>) -> ApiResult<()> {
    let most = rate.most(context);
    let Some(whose) = whose.name().filter(|_| most > 0) else { return Ok(()) };
    let (used, began_at) = tx.count_use(&format!("{} {whose}", rate.name()), tx.now() - WINDOW).await?;
    if used <= most {
        return Ok(());
    }
    // A second more than is left: a wait in whole seconds must not end a moment too early.
    let seconds = u32::try_from((began_at + WINDOW - tx.now()).num_seconds()).unwrap_or(0).saturating_add(1);
    let why = format!("at most {most} of these within an hour (`rates.{}`); try again in {seconds} seconds", rate.name());
    Err(Refusal { retry_after: Some(seconds), ..Code::TooManyRequests.because(why) }.into())
}

/// Counts a try, whatever comes of it.
pub(super) async fn attempt(context: &Context, rate: Rate, whose: Whose<'_>) -> ApiResult<()> {
    if rate.most(context) == 0 || whose.name().is_none() {
        return Ok(());
    }
    let mut tx = context.db.write("rates.attempt").await?;
    spend(context, &mut tx, rate, whose).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_one_whatever_their_address() {
        let name = |text: &str| Whose::Address(Some(text.parse().unwrap())).name().unwrap();
        assert_eq!(name("2001:db8:1:2:3:4:5:6"), "address 2001:db8:1:2::/64");
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::1"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
        assert_ne!(name("192.0.2.1"), name("192.0.2.2"));
        assert_eq!(Whose::Address(None).name(), None);
    }
}
