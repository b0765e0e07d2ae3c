//! Who is behind what is listed.

use std::collections::BTreeSet;

use slipway_common::db::{Listing, ReadTx};
use slipway_common::ids::{TaskId, UserId};
use slipway_common::model::ci::CiIdentity;
use slipway_common::model::user::User;

use crate::error::ApiResult;

/// Who published something: a person, a CI job, or nobody who is known any more.
#[derive(Debug, Default)]
pub(crate) struct By {
    pub(crate) user: Option<User>,
    pub(crate) ci: Option<CiIdentity>,
}

/// Who asked for a publish.
pub(crate) async fn by(tx: &mut ReadTx, user: Option<UserId>, task: TaskId) -> ApiResult<By> {
    match user {
        Some(id) => Ok(By { user: tx.user(id).await?, ci: None }),
        None => Ok(By { user: None, ci: tx.ci_identity(task).await? }),
    }
}

/// Adds to each item who made it.
pub(super) async fn attach<T>(
    tx: &mut ReadTx,
    listing: Listing<T>,
    made_by: impl Fn(&T) -> (Option<UserId>, TaskId),
) -> ApiResult<Listing<(T, By)>> {
    let users: BTreeSet<UserId> = listing.items.iter().filter_map(|item| made_by(item).0).collect();
    let tasks: BTreeSet<TaskId> = listing.items.iter().map(&made_by).filter(|(user, _)| user.is_none()).map(|(_, task)| task).collect();
    let (users, mut jobs) = (tx.users(&users).await?, tx.ci_identities(&tasks).await?);
    let mut with = |item: T| {
        let (user, task) = made_by(&item);
        let by = By { user: user.and_then(|id| users.get(&id)).cloned(), ci: jobs.remove(&task) };
        (item, by)
    };
    Ok(Listing { items: listing.items.into_iter().map(&mut with).collect(), total: listing.total })
}
