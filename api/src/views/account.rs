//! Users, scopes, tokens and authorizations on the wire.

use serde::Serialize;
use serde_json::Value;
use slipway_common::clock::Instant;
use slipway_common::ids::{IdentityId, ScopeName, TokenId, UserId};
use slipway_common::model::authorization::Authorization;
use slipway_common::model::identity::{Identity, ProviderKind};
use slipway_common::model::package::Visibility;
use slipway_common::model::scope::Scope;
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_common::model::user::User;

use crate::service::people::{Numbers, Standing};
use crate::service::scopes::Detailed;

/// A user as everybody sees them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserView {
    id: UserId,
    name: String,
    github_id: Option<i64>,
    gitlab_id: Option<i64>,
    avatar_url: String,
    updated_at: Instant,
    created_at: Instant,
}

impl UserView {
    /// Somebody among others: what they are known by elsewhere is not looked up for each of them.
    pub(crate) fn new(user: &User) -> Self {
        Self::with(user, Numbers::default())
    }

    pub(crate) fn with(user: &User, numbers: Numbers) -> Self {
        Self {
            id: user.id,
            name: user.name.clone(),
            github_id: numbers.github,
            gitlab_id: numbers.gitlab,
            avatar_url: user.avatar_url.clone(),
            updated_at: user.updated_at,
            created_at: user.created_at,
        }
    }
}

/// A user as they and the staff see them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FullUserView {
    #[serde(flatten)]
    user: UserView,
    /// What they are called on the command line, and when they are asked to belong to a scope.
    login: String,
    email: Option<String>,
    is_blocked: bool,
    is_staff: bool,
    scope_usage: i64,
    scope_limit: i64,
    invite_count: i64,
    newer_ticket_messages_count: i64,
}

impl FullUserView {
    pub(crate) fn new(user: &User, standing: &Standing) -> Self {
        Self {
            user: UserView::with(user, standing.numbers),
            login: user.login.clone(),
            email: user.email.clone(),
            is_blocked: user.is_blocked,
            is_staff: user.is_staff,
            scope_usage: standing.scopes,
            scope_limit: user.scope_limit,
            invite_count: standing.invites,
            newer_ticket_messages_count: standing.answers,
        }
    }
}

/// A scope as everybody sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeView {
    scope: ScopeName,
    description: String,
    /// Who knows of it.
    visibility: Visibility,
    updated_at: Instant,
    created_at: Instant,
}

impl ScopeView {
    pub(crate) fn new(scope: &Scope) -> Self {
        Self {
            scope: scope.name.clone(),
            description: scope.description.clone(),
            visibility: if scope.is_private { Visibility::Private } else { Visibility::Public },
            updated_at: scope.updated_at,
            created_at: scope.created_at,
        }
    }
}

/// A scope as its admins see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FullScopeView {
    #[serde(flatten)]
    scope: ScopeView,
    creator: UserView,
    quotas: QuotasView,
    gh_actions_verify_actor: bool,
    #[serde(rename = "requirePublishingFromCI")]
    require_publishing_from_ci: bool,
    /// The limits in which the scope differs from the configuration.
    upload_limits: Option<Value>,
    /// Why staff lets nobody publish or change anything in it, if it does not.
    frozen: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QuotasView {
    package_usage: i64,
    package_limit: i64,
    new_package_per_week_usage: i64,
    new_package_per_week_limit: i64,
    publish_attempts_per_week_usage: i64,
    publish_attempts_per_week_limit: i64,
}

impl FullScopeView {
    pub(crate) fn new(detailed: &Detailed) -> Self {
        let Detailed { scope, creator, usage } = detailed;
        Self {
            scope: ScopeView::new(scope),
            creator: UserView::new(creator),
            quotas: QuotasView {
                package_usage: usage.packages,
                package_limit: scope.quotas.packages,
                new_package_per_week_usage: usage.new_packages_per_week,
                new_package_per_week_limit: scope.quotas.new_packages_per_week,
                publish_attempts_per_week_usage: usage.publishes_per_week,
                publish_attempts_per_week_limit: scope.quotas.publishes_per_week,
            },
            gh_actions_verify_actor: scope.verify_oidc_actor,
            require_publishing_from_ci: scope.require_publishing_from_ci,
            upload_limits: scope.upload_limits.clone(),
            frozen: scope.frozen.clone(),
        }
    }
}

/// An account elsewhere with which somebody signs in. JSR has two columns for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdentityView {
    id: IdentityId,
    kind: ProviderKind,
    issuer: String,
    subject: String,
    login: Option<String>,
    email: Option<String>,
    last_used_at: Instant,
    created_at: Instant,
}

impl IdentityView {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            id: identity.id,
            kind: identity.kind,
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            login: identity.login.clone(),
            email: identity.email.clone(),
            last_used_at: identity.seen_at,
            created_at: identity.created_at,
        }
    }
}

/// A credential without its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenView {
    id: TokenId,
    description: Option<String>,
    user_id: UserId,
    #[serde(rename = "type")]
    kind: TokenKind,
    expires_at: Option<Instant>,
    /// To within an hour.
    last_used_at: Option<Instant>,
    updated_at: Instant,
    created_at: Instant,
    permissions: Option<Vec<Permission>>,
    networks: Option<Vec<String>>,
}

impl TokenView {
    pub(crate) fn new(token: &Token) -> Self {
        Self {
            id: token.id,
            description: token.description.clone(),
            user_id: token.user_id,
            kind: token.kind,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            updated_at: token.updated_at,
            created_at: token.created_at,
            permissions: token.permissions.clone(),
            networks: token.networks.as_ref().map(|networks| networks.iter().map(ToString::to_string).collect()),
        }
    }
}

/// What a device needs to wait for the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizationView {
    pub(crate) verification_url: String,
    pub(crate) code: String,
    pub(crate) exchange_token: String,
    /// Seconds between two polls.
    pub(crate) poll_interval: u32,
    pub(crate) expires_at: Instant,
}

/// What a device asks for.
#[derive(Debug, Serialize)]
pub(crate) struct PermissionsView {
    code: String,
    permissions: Option<Vec<Permission>>,
    /// Spelt this way by JSR, in this one object.
    expires_at: Instant,
}

impl PermissionsView {
    pub(crate) fn new(authorization: Authorization) -> Self {
        Self { code: authorization.code, permissions: authorization.permissions, expires_at: authorization.expires_at }
    }
}
