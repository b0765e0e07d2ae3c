//! Who may know of a package or a scope, and how that changes.
//!
//! What somebody may not know of is refused with the very words that are used of what does not exist.

use slipway_common::db::{ReadTx, WriteTx};
use slipway_common::ids::{PackageName, ScopeName, UserId};
use slipway_common::model::ci::Demands;
use slipway_common::model::job::Job;
use slipway_common::model::package::{Package, Visibility};
use slipway_common::model::publish::Publish;
use slipway_common::model::scope::Scope;
use slipway_common::model::token::Verb;

use crate::auth::actor::Actor;
use crate::error::{ApiResult, Code};

/// The package, if the actor may know of it.
pub(crate) async fn package(tx: &mut ReadTx, actor: &Actor, name: &PackageName) -> ApiResult<Package> {
    match tx.package(name).await? {
        Some(package) if package.visibility.is_public() || may_read_private(tx, actor, name).await? => Ok(package),
        _ => Code::PackageNotFound.err(),
    }
}

/// The scope, if the actor may know of it.
pub(crate) async fn scope(tx: &mut ReadTx, actor: &Actor, name: &ScopeName) -> ApiResult<Scope> {
    match tx.scope(name).await? {
        Some(scope) if !scope.is_private || belongs(tx, actor, name).await? => Ok(scope),
        _ => Code::ScopeNotFound.err(),
    }
}

/// Whether the actor may read a package although it is private: a member of its scope, with a credential that reaches it, or a CI job that
/// may publish it.
pub(crate) async fn may_read_private(tx: &mut ReadTx, actor: &Actor, package: &PackageName) -> ApiResult<bool> {
    match actor {
        Actor::Anonymous => Ok(false),
        Actor::User(_) => Ok(actor.permitted(Verb::Read, package).is_ok() && belongs(tx, actor, package.scope()).await?),
        Actor::Ci(token) => {
            let trusts = |demands: &Demands| demands.judge(&token.identity).iter().all(|claim| claim.holds);
            Ok(token.grant.reaches(package) && tx.publishers_of(package).await?.iter().any(|publisher| trusts(&publisher.demands)))
        }
    }
}

/// Whether the actor may know of what a publish is.
pub(crate) async fn may_name(tx: &mut ReadTx, actor: &Actor, publish: &Publish) -> ApiResult<bool> {
    let package = tx.package(&publish.package).await?;
    Ok(package.is_some_and(|package| package.visibility.is_public())
        || actor.may_watch(tx, publish).await?
        || may_read_private(tx, actor, &publish.package).await?)
}

async fn belongs(tx: &mut ReadTx, actor: &Actor, scope: &ScopeName) -> ApiResult<bool> {
    match actor.known() {
        Some(user) => Ok(tx.membership(scope, user.id).await?.is_some()),
        None => Ok(false),
    }
}

/// Who lists packages and sees private ones among them: a user whose credential is not restricted.
pub(crate) fn reader(actor: &Actor) -> Option<UserId> {
    actor.user().ok().map(|user| user.id)
}

/// Changes who may read a package, which its generation has been counted for. Returns what has to be done.
pub(super) async fn change(tx: &mut WriteTx, package: &mut Package, is_private: bool) -> ApiResult<Vec<Job>> {
    let name = &package.name;
    let to = match (package.visibility, is_private) {
        (Visibility::Private, true) | (Visibility::Public | Visibility::Opening, false) => return Ok(Vec::new()),
        (Visibility::Opening, true) => return Code::PackageIsPublic.err(),
        (Visibility::Public, true) => {
            if tx.has_versions(name).await? || tx.unfinished_publishes(name).await? > 0 {
                return Code::PackageIsPublic.err();
            }
            Visibility::Private
        }
        (Visibility::Private, false) => {
            // Nobody makes the scope private meanwhile.
            if tx.scope_to_change(name.scope()).await?.is_some_and(|scope| scope.is_private) {
                return Code::ScopeIsPrivate.err();
            }
            if let Some(needed) = tx.private_dependencies(name).await?.first() {
                let why = format!("{name} depends on {needed}, which is private: make that public first");
                return Err(Code::DependsOnPrivate.because(why).into());
            }
            if tx.has_versions(name).await? || tx.unfinished_publishes(name).await? > 0 { Visibility::Opening } else { Visibility::Public }
        }
    };
    if !tx.set_visibility(name, package.visibility, to).await? {
        return Code::Unavailable.err();
    }
    package.visibility = to;
    Ok(if to == Visibility::Opening { vec![Job::Open { package: name.clone() }] } else { Vec::new() })
}

/// Refuses to make a scope private that has a package that is not.
pub(super) async fn close_scope(tx: &mut WriteTx, scope: &ScopeName) -> ApiResult<()> {
    match tx.open_package_of(scope).await? {
        None => Ok(()),
        Some(package) => {
            let why =
                format!("{package} is public: a private scope has private packages only, and what is published of a public one stays so");
            Err(Code::PackageIsPublic.because(why).into())
        }
    }
}
