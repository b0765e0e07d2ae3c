//! Whether a CI job may publish a version: what its token was made for, and whom the package trusts.

use slipway_common::clock::Instant;
use slipway_common::db::ReadTx;
use slipway_common::ids::{PackageName, Version};
use slipway_common::model::ci::{CiIdentity, Demands, Judged};
use slipway_common::model::scope::Scope;
use slipway_common::model::token::Permission;

use super::{CiToken, Grant};
use crate::error::{ApiError, ApiResult, Code};

/// The right of a CI job, and what of its token is used up by it.
#[derive(Debug, Clone)]
pub(crate) struct CiRight {
    /// The job.
    pub(crate) identity: CiIdentity,
    /// The token.
    pub(crate) token: String,
    /// What publishes once: a package, or one version of it.
    pub(crate) subject: String,
    /// How long that has to be remembered.
    pub(crate) void_at: Instant,
    /// `sha256-…` of the only upload that is allowed, if the token names one.
    pub(crate) tarball_hash: Option<String>,
}

/// Judges whether a job may publish a version.
pub(crate) async fn judge(
    tx: &mut ReadTx,
    token: &CiToken,
    scope: Option<&Scope>,
    package: &PackageName,
    version: &Version,
) -> ApiResult<CiRight> {
    let (subject, tarball_hash) = granted(token, package, version)?;
    let Some(scope) = scope else { return Code::ScopeNotFound.err() };
    let Some(found) = tx.package(package).await? else { return Code::PackageNotFound.err() };
    let trusted = tx.publishers_of(package).await?;
    let knows = |demands: &Demands| (&demands.issuer, &demands.repository_id) == (&token.identity.issuer, &token.identity.repository_id);
    // Of a private package nobody hears but the jobs of a repository that it trusts.
    if !found.visibility.is_public() && !trusted.iter().any(|publisher| knows(&publisher.demands)) {
        return if scope.is_private { Code::ScopeNotFound.err() } else { Code::PackageNotFound.err() };
    }
    let judged = trusted.iter().map(|publisher| publisher.demands.judge(&token.identity));
    // The one that comes closest is the one to talk about.
    let closest = judged.max_by_key(|claims| (claims.iter().all(|claim| claim.holds), held(claims)));
    match closest {
        None => return Err(untrusted(package, &token.identity)),
        Some(claims) if claims.iter().any(|claim| !claim.holds) => return Err(mismatch(package, &claims)),
        Some(_) => {}
    }
    if scope.verify_oidc_actor {
        verify_actor(tx, token, scope).await?;
    }
    Ok(CiRight { identity: token.identity.clone(), token: token.id.clone(), subject, void_at: token.void_at, tarball_hash })
}

/// Refuses a job that was set off by somebody who does not belong to the scope, as far as anybody knows.
async fn verify_actor(tx: &mut ReadTx, token: &CiToken, scope: &Scope) -> ApiResult<()> {
    let user = match &token.actor {
        Some(account) => tx.identity(&account.issuer, &account.subject).await?.map(|identity| identity.user_id),
        None => None,
    };
    let said = token.identity.actor.as_deref().map_or_else(|| "the actor".to_owned(), |actor| format!("`{actor}`"));
    let demand = format!("@{} lets CI publish on behalf of its members only (`ghActionsVerifyActor`)", scope.name);
    let Some(user) = user else {
        let why = format!("{demand}, and this registry does not know which account {said} is: they have to sign in here with it");
        return Err(Code::ActorNotScopeMember.because(why).into());
    };
    if tx.user(user).await?.is_none_or(|user| user.is_blocked) {
        return Code::Blocked.err();
    }
    if tx.membership(&scope.name, user).await?.is_none() {
        return Err(Code::ActorNotScopeMember.because(format!("{demand}, and {said} is none of them")).into());
    }
    Ok(())
}

/// What of the token covers the version.
fn granted(token: &CiToken, package: &PackageName, version: &Version) -> ApiResult<(String, Option<String>)> {
    let Grant::Versions(permissions) = &token.grant else { return Ok((package.to_string(), None)) };
    match permissions.iter().find(|permission| permission.publishes(package, version)) {
        Some(Permission::PublishVersion { tarball_hash, .. }) => Ok((format!("{package}@{version}"), Some(tarball_hash.clone()))),
        _ => Err(Code::MissingPermission.because(format!("the CI token was not made for {package}@{version}")).into()),
    }
}

fn held(claims: &[Judged]) -> usize {
    claims.iter().filter(|claim| claim.holds).count()
}

fn untrusted(package: &PackageName, job: &CiIdentity) -> ApiError {
    Code::ActorNotAuthorized
        .because(format!(
            "{package} trusts no CI job; an admin of the scope can add `{}` (id {}) of `{}` as a publisher",
            job.repository, job.repository_id, job.issuer
        ))
        .into()
}

fn mismatch(package: &PackageName, claims: &[Judged]) -> ApiError {
    let said = |claim: &Judged| {
        let actual = claim.actual.as_deref().map_or_else(|| "missing".to_owned(), |actual| format!("`{actual}`"));
        format!("`{}` is {actual}, expected `{}`", claim.claim, claim.expected)
    };
    let failing: Vec<String> = claims.iter().filter(|claim| !claim.holds).map(said).collect();
    let claims = serde_json::to_value(claims).expect("texts and booleans always serialise");
    Code::ActorNotAuthorized.because(format!("{package} does not trust this CI job: {}", failing.join("; "))).with("claims", claims).into()
}
