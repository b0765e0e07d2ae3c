//! What is done with the plans of the bench: one file for each kind of job, thin. Load, call the bench, store.
//!
//! A publish has a hinge. Left of it a package can be refused; right of it the functions take a [`publish::Committed`], which only
//! the commit makes, and can but persist. In the ordinary case one worker goes all the way; the jobs exist so that a crash
//! changes nothing but the time.

pub(crate) mod announce;
pub(crate) mod attest;
pub(crate) mod catalogue;
mod documents;
pub(crate) mod housekeep;
pub(crate) mod log;
pub(crate) mod open;
mod plan_pack;
pub(crate) mod publish;
pub(crate) mod quarantine;
pub(crate) mod readdress;
pub(crate) mod reconcile;
pub(crate) mod record;
pub(crate) mod store;

use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::ids::JobId;
use slipway_common::jobs::{self, Settled};
use slipway_common::model::job::{Claim, Lane};

use crate::error::JobError;

pub use documents::Documents;

/// Settles a job in a transaction, or says that it is not ours any more. Returns the twin to ring after the commit.
pub(crate) async fn settle(tx: &mut WriteTx, claim: &Claim) -> Result<Option<(JobId, Lane)>, JobError> {
    match jobs::settle(tx, claim).await? {
        Settled::Ours(twin) => Ok(twin),
        Settled::Zombie => Err(JobError::Zombie),
    }
}

/// Rings a twin that waited for a settled job.
async fn ring(context: &Context, twin: Option<(JobId, Lane)>) {
    if let Some((job, lane)) = twin {
        context.ring(lane, job).await;
    }
}
