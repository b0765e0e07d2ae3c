//! Invites, from both sides: the scope that asks, and the person who answers.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use slipway_common::ids::UserId;
use slipway_common::model::identity::ProviderKind;
use uuid::Uuid;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::ApiResult;
use crate::extract::{Id, Json, ScopeAt};
use crate::service::invites::{self, Asked};
use crate::views::{InviteView, MemberView};

/// Who is asked, in one way.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OneInvitee {
    Id(UserId),
    Login(String),
    Email(String),
    GithubLogin(String),
    GitlabUsername(String),
}

impl From<OneInvitee> for Asked {
    fn from(asked: OneInvitee) -> Self {
        match asked {
            OneInvitee::Id(id) => Self::Id(id),
            OneInvitee::Login(login) => Self::Login(login),
            OneInvitee::Email(email) => Self::Email(email),
            OneInvitee::GithubLogin(login) => Self::Elsewhere(ProviderKind::Github, login),
            OneInvitee::GitlabUsername(login) => Self::Elsewhere(ProviderKind::Gitlab, login),
        }
    }
}

/// Asks somebody to belong to the scope.
pub(crate) async fn create(
    State(app): State<App>,
    actor: Actor,
    ScopeAt(scope): ScopeAt,
    asked: ApiResult<Json<OneInvitee>>,
) -> ApiResult<Json<InviteView>> {
    let invite = invites::create(&app, &actor, &scope, asked.map(|Json(asked)| asked.into())).await?;
    Ok(Json(InviteView::new(&invite)))
}

/// Who is asked to belong to the scope.
pub(crate) async fn list(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Json<Vec<InviteView>>> {
    let invites = invites::of_scope(&app, &actor, &scope).await?;
    Ok(Json(invites.iter().map(InviteView::new).collect()))
}

/// Withdraws an invite.
pub(crate) async fn withdraw(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt, Id(named): Id<Uuid>) -> ApiResult<StatusCode> {
    invites::withdraw(&app, &actor, &scope, named).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the one who asks was asked.
pub(crate) async fn own(State(app): State<App>, actor: Actor) -> ApiResult<Json<Vec<InviteView>>> {
    let invites = invites::of_actor(&app, &actor).await?;
    Ok(Json(invites.iter().map(InviteView::new).collect()))
}

/// Says yes.
pub(crate) async fn accept(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<Json<MemberView>> {
    Ok(Json(MemberView::new(&invites::accept(&app, &actor, &scope).await?)))
}

/// Says no.
pub(crate) async fn decline(State(app): State<App>, actor: Actor, ScopeAt(scope): ScopeAt) -> ApiResult<StatusCode> {
    invites::decline(&app, &actor, &scope).await?;
    Ok(StatusCode::NO_CONTENT)
}
