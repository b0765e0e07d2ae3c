//! Accounts: how somebody stands, and what they belong to.

use slipway_common::db::ReadTx;
use slipway_common::model::user::User;

use crate::error::ApiResult;

/// How somebody stands, in numbers.
pub(crate) struct Standing {
    /// Scopes that count against their limit.
    pub(crate) scopes: i64,
    /// Scopes that ask them to belong to it.
    pub(crate) invites: i64,
}

/// How somebody stands.
pub(crate) async fn standing(tx: &mut ReadTx, user: &User) -> ApiResult<Standing> {
    Ok(Standing { scopes: tx.scopes_created(user.id).await?, invites: tx.count_invites_for(user).await? })
}
