//! Who belongs to what, on the wire.

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::ids::ScopeName;
use slipway_common::model::member::Member;

use super::UserView;

/// A member of a scope.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberView {
    scope: ScopeName,
    user: UserView,
    is_admin: bool,
    updated_at: Instant,
    created_at: Instant,
}

impl MemberView {
    pub(crate) fn new(member: &Member) -> Self {
        Self {
            scope: member.scope.clone(),
            user: UserView::new(&member.user),
            is_admin: member.is_admin,
            updated_at: member.updated_at,
            created_at: member.created_at,
        }
    }
}
