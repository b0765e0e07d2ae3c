//! Who is behind what is listed.

use std::collections::BTreeSet;

use slipway_common::db::{Listing, ReadTx};
use slipway_common::ids::UserId;
use slipway_common::model::user::User;

use crate::error::ApiResult;

/// Adds to each item the user who made it, where one did.
pub(super) async fn attach<T>(
    tx: &mut ReadTx,
    listing: Listing<T>,
    made_by: impl Fn(&T) -> Option<UserId>,
) -> ApiResult<Listing<(T, Option<User>)>> {
    let ids: BTreeSet<UserId> = listing.items.iter().filter_map(&made_by).collect();
    let users = tx.users(&ids).await?;
    let with_user = |item: T| {
        let user = made_by(&item).and_then(|id| users.get(&id)).cloned();
        (item, user)
    };
    Ok(Listing { items: listing.items.into_iter().map(with_user).collect(), total: listing.total })
}
