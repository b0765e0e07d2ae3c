//! The one who asks, and the checks every desk makes.

use std::net::IpAddr;

use ipnet::IpNet;
use slipway_common::db::ReadTx;
use slipway_common::ids::{PackageName, ScopeName, Sha256, TokenId, UserId, Version};
use slipway_common::model::audit::Doer;
use slipway_common::model::publish::Publish;
use slipway_common::model::scope::Scope;
use slipway_common::model::token::{Permission, Token, TokenKind, Verb};
use slipway_common::model::user::User;

use super::ci::{self, CiRight, CiToken};
use crate::error::{ApiError, ApiResult, Code};

/// The one who asks.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// Nobody in particular.
    Anonymous,
    /// A user, by a credential.
    User(Box<Identified>),
    /// A job of a CI system.
    Ci(Box<CiToken>),
}

/// A user, the credential they showed, and from where.
#[derive(Debug, Clone)]
pub(crate) struct Identified {
    pub(crate) user: User,
    pub(crate) token: Token,
    /// The address on the network, if it came over one.
    pub(crate) from: Option<IpAddr>,
}

impl Actor {
    /// Who this is, as it is written down. It decides nothing.
    pub(crate) fn doer(&self) -> Doer {
        match self {
            Self::Anonymous => Doer::anonymous(None),
            Self::User(identified) => Doer::user(&identified.user, &identified.token, identified.from),
            Self::Ci(token) => Doer::ci(&token.identity, token.from),
        }
    }

    /// The user that a credential names, for saying who somebody is and not for deciding what they may.
    pub(crate) fn known(&self) -> Option<&User> {
        match self {
            Self::Anonymous | Self::Ci(_) => None,
            Self::User(identified) => Some(&identified.user),
        }
    }

    /// The networks that the credential works from, if not from everywhere. Nothing that is made with it works from others.
    pub(crate) fn networks(&self) -> Option<&[IpNet]> {
        match self {
            Self::User(identified) => identified.token.networks.as_deref(),
            Self::Anonymous | Self::Ci(_) => None,
        }
    }

    /// The user, whatever their credential is restricted to.
    fn identified(&self) -> ApiResult<&Identified> {
        match self {
            Self::Anonymous => Code::MissingAuthentication.err(),
            Self::User(identified) => Ok(identified),
            Self::Ci(_) => Code::ActorNotUser.err(),
        }
    }

    /// The user, provided the credential is not restricted.
    pub(crate) fn user(&self) -> ApiResult<&User> {
        let identified = self.identified()?;
        match identified.token.permissions {
            Some(_) => Code::MissingPermission.err(),
            None => Ok(&identified.user),
        }
    }

    /// The user, provided a person sits in front of a browser.
    pub(crate) fn interactive(&self) -> ApiResult<&User> {
        let user = self.user()?;
        match self.identified()?.token.kind {
            TokenKind::Web => Ok(user),
            TokenKind::Device | TokenKind::Personal => Code::CredentialNotInteractive.err(),
        }
    }

    /// The browser session with which the user asks, if it is one.
    pub(crate) fn session(&self) -> Option<TokenId> {
        match self {
            Self::User(identified) if identified.token.kind == TokenKind::Web => Some(identified.token.id),
            _ => None,
        }
    }

    /// The user, provided they run the registry.
    pub(crate) fn staff(&self) -> ApiResult<&User> {
        let user = self.user()?;
        if user.is_staff { Ok(user) } else { Code::ActorNotAuthorized.err() }
    }

    /// The user, provided the credential is not restricted, or to something that allows this.
    pub(crate) fn permitted(&self, verb: Verb, package: &PackageName) -> ApiResult<&User> {
        let identified = self.identified()?;
        let allows = |permissions: &Vec<Permission>| permissions.iter().any(|permission| permission.allows(verb, package));
        if identified.token.permissions.as_ref().is_none_or(allows) {
            return Ok(&identified.user);
        }
        Err(Code::MissingPermission
            .because(format!("the credential is restricted and does not allow to {} {package}", verb.as_str()))
            .into())
    }

    /// The user, provided they belong to the scope of the package, and the credential allows to do this with it.
    pub(crate) async fn member_to(&self, verb: Verb, tx: &mut ReadTx, package: &PackageName) -> ApiResult<UserId> {
        let user = self.permitted(verb, package)?;
        match tx.membership(package.scope(), user.id).await? {
            Some(_) => open_to(verb, tx, package.scope()).await.map(|()| user.id),
            None => Code::ActorNotScopeMember.err(),
        }
    }

    /// The user, provided they run the scope of the package, and the credential allows to do this with it.
    pub(crate) async fn admin_to(&self, verb: Verb, tx: &mut ReadTx, package: &PackageName) -> ApiResult<UserId> {
        let user = self.permitted(verb, package)?;
        run_by(tx, package.scope(), user).await?;
        open_to(verb, tx, package.scope()).await.map(|()| user.id)
    }

    /// The user, provided they belong to the scope.
    pub(crate) async fn member(&self, tx: &mut ReadTx, scope: &ScopeName) -> ApiResult<UserId> {
        let user = self.user()?;
        match tx.membership(scope, user.id).await? {
            Some(_) => Ok(user.id),
            None => Code::ActorNotScopeMember.err(),
        }
    }

    /// The user, provided they run the scope.
    pub(crate) async fn admin(&self, tx: &mut ReadTx, scope: &ScopeName) -> ApiResult<UserId> {
        run_by(tx, scope, self.user()?).await
    }

    /// Whether the user runs the scope; nobody is refused.
    pub(crate) async fn is_admin(&self, tx: &mut ReadTx, scope: &ScopeName) -> ApiResult<bool> {
        match self.user() {
            Ok(user) => Ok(tx.membership(scope, user.id).await? == Some(true)),
            Err(_) => Ok(false),
        }
    }

    /// Whether the actor may look over the shoulder of a publish: whoever asked for it, with whatever credential, the admins of its
    /// scope, and staff.
    pub(crate) async fn may_watch(&self, tx: &mut ReadTx, publish: &Publish) -> ApiResult<bool> {
        let Ok(identified) = self.identified() else { return Ok(false) };
        Ok(publish.user_id == Some(identified.user.id) || self.staff().is_ok() || self.is_admin(tx, publish.package.scope()).await?)
    }

    /// Whether the actor may publish a version to the package's scope, and on which bytes the credential insists.
    pub(crate) async fn publish(
        &self,
        tx: &mut ReadTx,
        scope: Option<&Scope>,
        package: &PackageName,
        version: &Version,
    ) -> ApiResult<MayPublish> {
        if let Self::Ci(token) = self {
            let right = ci::judge(tx, token, scope, package, version).await?;
            scope.map_or(Ok(()), thawed)?;
            return Ok(MayPublish::Ci(Box::new(right)));
        }
        let identified = self.identified()?;
        let tarball_hash = match &identified.token.permissions {
            None => None,
            Some(permissions) => match permissions.iter().find(|permission| permission.publishes(package, version)) {
                None => return Err(refused_permission(package, version)),
                Some(Permission::PublishVersion { tarball_hash, .. }) => Some(tarball_hash.clone()),
                Some(_) => None,
            },
        };
        let Some(scope) = scope else { return Code::ScopeNotFound.err() };
        let membership = tx.membership(package.scope(), identified.user.id).await?;
        if scope.is_private && membership.is_none() {
            return Code::ScopeNotFound.err();
        }
        if scope.require_publishing_from_ci {
            return Code::ScopeRequiresPublishingFromCi.err();
        }
        match membership {
            Some(_) => thawed(scope).map(|()| MayPublish::User { id: identified.user.id, tarball_hash }),
            None => Code::ActorNotScopeMember.err(),
        }
    }
}

/// Refuses what is more than looking, in a scope that staff has frozen.
async fn open_to(verb: Verb, tx: &mut ReadTx, scope: &ScopeName) -> ApiResult<()> {
    if verb == Verb::Read {
        return Ok(());
    }
    tx.scope(scope).await?.as_ref().map_or(Ok(()), thawed)
}

/// Refuses what would change a scope that staff has frozen. Whoever is no member hears that first.
pub(crate) fn thawed(scope: &Scope) -> ApiResult<()> {
    match &scope.frozen {
        None => Ok(()),
        Some(reason) => Err(Code::ScopeFrozen.because(format!("@{} is frozen by the staff of this registry: {reason}", scope.name)).into()),
    }
}

/// The user, provided they run the scope.
async fn run_by(tx: &mut ReadTx, scope: &ScopeName, user: &User) -> ApiResult<UserId> {
    match tx.membership(scope, user.id).await? {
        Some(true) => Ok(user.id),
        Some(false) => Code::ActorNotScopeAdmin.err(),
        None => Code::ActorNotScopeMember.err(),
    }
}

/// The right to publish one version.
#[derive(Debug)]
pub(crate) enum MayPublish {
    /// On behalf of a person.
    User {
        /// Who.
        id: UserId,
        /// `sha256-…` of the only upload that is allowed, if the credential names one.
        tarball_hash: Option<String>,
    },
    /// On behalf of a CI job.
    Ci(Box<CiRight>),
}

impl MayPublish {
    /// The person, if it is one.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Ci(_) => None,
        }
    }

    /// Refuses bytes other than those that the credential insists on.
    pub(crate) fn allows(&self, upload: &Sha256) -> ApiResult<()> {
        let tarball_hash = match self {
            Self::User { tarball_hash, .. } => tarball_hash,
            Self::Ci(right) => &right.tarball_hash,
        };
        match tarball_hash {
            Some(allowed) if *allowed != upload.checksum() => Err(Code::MissingPermission
                .because(format!("the credential allows the upload {allowed}, and this one is {}", upload.checksum()))
                .into()),
            _ => Ok(()),
        }
    }
}

fn refused_permission(package: &PackageName, version: &Version) -> ApiError {
    Code::MissingPermission.because(format!("the credential is restricted and does not allow to publish {package}@{version}")).into()
}
