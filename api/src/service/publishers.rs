//! Whom a package trusts among the jobs of CI systems.
//!
//! One that is added to a package that does not exist makes the package: empty, and in no list until its first version is there. The
//! first version needs no token that way, and the stock client, which stops at a package that does not exist, goes on.

use serde_json::json;
use slipway_common::config::CiIssuer;
use slipway_common::context::Context;
use slipway_common::db::{DbError, WriteTx};
use slipway_common::ids::{PackageName, PublisherId, UserId};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::ci::{CiKind, Demands, MAX_TEXT, TrustedPublisher};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::package::{Repository, Visibility};

use super::rates::{self, Rate, Whose};
use super::{packages, scopes};
use crate::app::App;
use crate::auth::actor::{Actor, thawed};
use crate::error::{ApiError, ApiResult, Code};

/// Most publishers of a package. Each publish from CI is compared with all of them.
const MAX_PUBLISHERS: usize = 20;

/// A publisher as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The name of a configured CI issuer, or its address.
    pub(crate) issuer: String,
    pub(crate) repository: String,
    pub(crate) repository_id: String,
    pub(crate) workflow: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) environment: Option<String>,
}

/// The publishers of a package, for its members.
pub(crate) async fn list(app: &App, actor: &Actor, package: &PackageName) -> ApiResult<Vec<TrustedPublisher>> {
    let mut tx = app.context.db.read().await?;
    actor.member(&mut tx, package.scope()).await?;
    packages::existing(&mut tx, package).await?;
    Ok(tx.publishers_of(package).await?)
}

/// Lets a package trust a CI job, for an admin of its scope.
pub(crate) async fn add(app: &App, actor: &Actor, package: &PackageName, asked: Asked) -> ApiResult<TrustedPublisher> {
    let mut tx = app.context.db.write("publisher.add").await?;
    let user = actor.admin(&mut tx, package.scope()).await?;
    thawed(&scopes::existing(&mut tx, package.scope()).await?)?;
    let demands = demands(&app.context, asked)?;
    let is_new = tx.package(package).await?.is_none();
    if is_new {
        rates::spend(&app.context, &mut tx, Rate::Packages, Whose::Account(user)).await?;
        packages::make(&mut tx, package, Visibility::Public).await?;
    }
    let publisher = trust(&app.context, &mut tx, package, demands, Some(user)).await?;
    audit(&app.context, &mut tx, &actor.doer(), &publisher, is_new).await?;
    finish(&app.context, tx, package, is_new).await?;
    tracing::info!(%package, publisher = %publisher.id, is_new, "a CI publisher is trusted");
    Ok(publisher)
}

/// The same at the operator's word, who stands above quotas.
pub(crate) async fn add_as_operator(context: &Context, package: &PackageName, asked: Asked) -> ApiResult<TrustedPublisher> {
    let demands = demands(context, asked)?;
    let mut tx = context.db.write("publisher.operator").await?;
    if tx.scope(package.scope()).await?.is_none() {
        return Err(Code::ScopeNotFound
            .because(format!("there is no scope @{0}; create it with `slipway admin scope assign {0} --user NAME`", package.scope()))
            .into());
    }
    let is_new = tx.create_package(package, Visibility::Public).await?;
    let publisher = match trust(context, &mut tx, package, demands, None).await {
        // The name is taken by one that differs in hyphens, or looks like it.
        Err(ApiError::Refused(refusal)) if refusal.code == Code::PackageNotFound => {
            return packages::taken(&mut context.db.read().await?, package).await;
        }
        outcome => outcome?,
    };
    audit(context, &mut tx, &Doer::operator(), &publisher, is_new).await?;
    finish(context, tx, package, is_new).await?;
    Ok(publisher)
}

/// Writes down whom a package trusts now, and that it was made for it.
async fn audit(context: &Context, tx: &mut WriteTx, doer: &Doer, publisher: &TrustedPublisher, is_new: bool) -> ApiResult<()> {
    if is_new {
        tx.audit(context.ids.next(), doer, &Deed::of_package(Act::PackageCreate, &publisher.package)).await?;
    }
    let deed = Deed::of_package(Act::PublisherAdd, &publisher.package).with("publisher", publisher.id.to_string());
    tx.audit(context.ids.next(), doer, &deed.with("demands", json!(publisher.demands))).await?;
    Ok(())
}

/// Takes trust back, for an admin of the scope.
pub(crate) async fn remove(app: &App, actor: &Actor, package: &PackageName, id: PublisherId) -> ApiResult<()> {
    let mut tx = app.context.db.write("publisher.remove").await?;
    actor.admin(&mut tx, package.scope()).await?;
    thawed(&scopes::existing(&mut tx, package.scope()).await?)?;
    packages::existing(&mut tx, package).await?;
    if !tx.remove_publisher(package, id).await? {
        return Code::PublisherNotFound.err();
    }
    let deed = Deed::of_package(Act::PublisherRemove, package).with("publisher", id.to_string());
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    packages::finish(&app.context, tx, &[record(package)]).await?;
    tracing::info!(%package, publisher = %id, "a CI publisher is trusted no more");
    Ok(())
}

/// JSR's way: a package has one repository on GitHub, any workflow of which publishes it. `None` takes it back.
pub(super) async fn link(
    context: &Context,
    tx: &mut WriteTx,
    package: &PackageName,
    user: UserId,
    repository: Option<&Repository>,
) -> ApiResult<()> {
    let before = tx.package(package).await?.and_then(|package| package.repository);
    if let Some(before) = before {
        let id = before.id.to_string();
        for old in tx.publishers_of(package).await?.into_iter().filter(|old| is_link(context, &old.demands, &id)) {
            tx.remove_publisher(package, old.id).await?;
        }
    }
    if let Some(repository) = repository {
        let asked = Asked {
            issuer: CiKind::Github.as_str().to_owned(),
            repository: format!("{}/{}", repository.owner, repository.name),
            repository_id: repository.id.to_string(),
            workflow: None,
            reference: None,
            environment: None,
        };
        match trust(context, tx, package, demands(context, asked)?, Some(user)).await {
            Err(ApiError::Refused(refusal)) if refusal.code == Code::PublisherAlreadyExists => {}
            outcome => drop(outcome?),
        }
    }
    tx.set_repository(package, repository).await?;
    Ok(())
}

/// Whether a publisher is what [`link`] made of a repository.
fn is_link(context: &Context, demands: &Demands, repository_id: &str) -> bool {
    let is_github = |issuer: &CiIssuer| issuer.kind == CiKind::Github && issuer.issuer == demands.issuer;
    demands.repository_id == repository_id
        && (&demands.workflow, &demands.reference, &demands.environment) == (&None, &None, &None)
        && context.config.ci_issuers.iter().any(is_github)
}

async fn trust(
    context: &Context,
    tx: &mut WriteTx,
    package: &PackageName,
    demands: Demands,
    created_by: Option<UserId>,
) -> ApiResult<TrustedPublisher> {
    if tx.publishers_of(package).await?.len() >= MAX_PUBLISHERS {
        return Err(Code::MalformedRequest.because(format!("a package has at most {MAX_PUBLISHERS} publishers; remove one first")).into());
    }
    let publisher = TrustedPublisher { id: context.ids.next(), package: package.clone(), demands, created_by, created_at: tx.now() };
    match tx.add_publisher(&publisher).await {
        Ok(true) => Ok(publisher),
        Ok(false) => Code::PublisherAlreadyExists.err(),
        // The package is not there, or was deleted a moment ago.
        Err(DbError::Conflict(_)) => Code::PackageNotFound.err(),
        Err(error) => Err(error.into()),
    }
}

/// Commits, has it written down, and has a package announced that was made.
async fn finish(context: &Context, tx: WriteTx, package: &PackageName, is_new: bool) -> ApiResult<()> {
    let mut work = vec![record(package)];
    if is_new {
        work.push(Job::Announce { package: package.clone() });
    }
    packages::finish(context, tx, &work).await
}

/// The job that writes down whom a package trusts.
pub(super) fn record(package: &PackageName) -> Job {
    Job::Record { subject: Subject::Publishers(package.clone()) }
}

/// What is asked for, as it is stored, or what is wrong with it.
fn demands(context: &Context, asked: Asked) -> ApiResult<Demands> {
    let issuer = issuer(&context.config.ci_issuers, &asked.issuer)?;
    let fault = |what: String| -> ApiResult<Demands> { Err(Code::MalformedRequest.because(what).into()) };
    let texts = [
        Some(&asked.repository),
        Some(&asked.repository_id),
        asked.workflow.as_ref(),
        asked.reference.as_ref(),
        asked.environment.as_ref(),
    ];
    if texts.into_iter().flatten().any(|text| text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control)) {
        return fault(format!("what a publisher demands has 1 to {MAX_TEXT} bytes each, on one line; leave out what it does not demand"));
    }
    let is_numbered = matches!(issuer.kind, CiKind::Github | CiKind::Gitlab | CiKind::Forgejo);
    if is_numbered && !asked.repository_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return fault(format!("the repository's id is its number on `{}`, not `{}`", issuer.issuer, asked.repository_id));
    }
    if is_numbered && !asked.repository.trim_matches('/').contains('/') {
        return fault(format!("`{}` is no repository; write `OWNER/REPO`", asked.repository));
    }
    if let Some(workflow) = asked.workflow.as_ref().filter(|workflow| is_actions(issuer.kind) && !is_workflow(workflow)) {
        return fault(format!("`{workflow}` is no workflow; write the name of its file alone, such as `publish.yml`"));
    }
    if let Some(reference) = asked.reference.as_ref().filter(|reference| !reference.starts_with("refs/")) {
        return fault(format!("`{reference}` is no ref; write `refs/heads/{reference}` for a branch or `refs/tags/{reference}` for tags"));
    }
    Ok(Demands {
        issuer: issuer.issuer.clone(),
        repository: asked.repository,
        repository_id: asked.repository_id,
        workflow: asked.workflow,
        reference: asked.reference,
        environment: asked.environment,
    })
}

fn is_actions(kind: CiKind) -> bool {
    matches!(kind, CiKind::Github | CiKind::Forgejo)
}

fn is_workflow(file: &str) -> bool {
    !file.contains('/') && [".yml", ".yaml"].iter().any(|ending| file.len() > ending.len() && file.ends_with(ending))
}

/// The issuer of this address, or the only one of this kind.
fn issuer<'c>(issuers: &'c [CiIssuer], asked: &str) -> ApiResult<&'c CiIssuer> {
    if let Some(exact) = issuers.iter().find(|issuer| issuer.issuer == asked) {
        return Ok(exact);
    }
    let mut of_kind = issuers.iter().filter(|issuer| issuer.kind.as_str() == asked);
    match (of_kind.next(), of_kind.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(Code::MalformedRequest.because(format!("several CI issuers are called `{asked}`; name one by its address")).into())
        }
        (None, _) => Err(Code::MalformedRequest
            .because(format!("`{asked}` is no CI issuer of this registry; its operator sets `[[ci_issuer]]` in the configuration"))
            .into()),
    }
}
