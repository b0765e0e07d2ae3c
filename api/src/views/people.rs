//! Who belongs to what, on the wire.

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::ids::{InviteId, ScopeName};
use slipway_common::model::member::{Invitee, Member};

use super::UserView;
use crate::service::invites::Shown;

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

/// An invite. JSR's has an account on both sides; `email` is ours, and with it there is none on the other.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InviteView {
    id: InviteId,
    scope: ScopeName,
    target_user: Option<UserView>,
    email: Option<String>,
    requesting_user: Option<UserView>,
    updated_at: Instant,
    created_at: Instant,
}

impl InviteView {
    pub(crate) fn new(shown: &Shown) -> Self {
        let email = match &shown.invite.invitee {
            Invitee::Account(_) => None,
            Invitee::Email(email) => Some(email.clone()),
        };
        Self {
            id: shown.invite.id,
            scope: shown.invite.scope.clone(),
            target_user: shown.target.as_ref().map(UserView::new),
            email,
            requesting_user: shown.requested_by.as_ref().map(UserView::new),
            updated_at: shown.invite.created_at,
            created_at: shown.invite.created_at,
        }
    }
}
