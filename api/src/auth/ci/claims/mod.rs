//! The claims of a verified token: whether it is time, and what they say of the job in the words of each CI system.

use chrono::TimeDelta;
use serde_json::{Map, Value};
use slipway_common::clock::Instant;
use slipway_common::config::CiIssuer;
use slipway_common::model::ci::{CiIdentity, CiKind};
use url::Url;

use super::{Account, CiToken, audience};
use crate::auth::issuer::{LEEWAY, Shown, Times, text};

/// Longest life of a token. GitHub's have minutes, GitLab's as long as a job may run. What it was used for is remembered for as long.
const MAX_LIFE: TimeDelta = TimeDelta::hours(24);
/// How long a use is remembered after the token is void: the clock of another process may be behind this one's.
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);

/// Takes the claims for what they say, or says what is wrong with them.
pub(super) fn accept(
    issuer: &CiIssuer,
    public_url: &Url,
    shown: &Shown<'_>,
    claims: &Map<String, Value>,
    now: Instant,
) -> Result<CiToken, String> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer.issuer.as_str()) {
        return Err(format!("`iss` is not `{}`", issuer.issuer));
    }
    let ends = in_time(claims, now)?;
    let id = match text(claims, "jti")? {
        Some(id) => id,
        None if issuer.kind == CiKind::Github => return Err("it has no `jti`".to_owned()),
        None => shown.digest(),
    };
    let identity = identity(issuer, claims)?;
    Ok(CiToken {
        grant: audience::read(issuer.kind, public_url, claims)?,
        actor: account(issuer, &identity),
        identity,
        id,
        void_at: ends + LEEWAY + REMEMBERED,
        from: None,
    })
}

/// Whether the token is valid now; when it ends.
fn in_time(claims: &Map<String, Value>, now: Instant) -> Result<Instant, String> {
    let times = Times::now(claims, now)?;
    if times.ends - times.made > MAX_LIFE {
        return Err(format!("it lives longer than {} hours", MAX_LIFE.num_hours()));
    }
    Ok(times.ends)
}

/// The same for a claim that must be there.
fn required(claims: &Map<String, Value>, name: &str) -> Result<String, String> {
    text(claims, name)?.ok_or_else(|| format!("it has no `{name}`"))
}

/// What the claims say of the job.
fn identity(issuer: &CiIssuer, claims: &Map<String, Value>) -> Result<CiIdentity, String> {
    let optional = |name: &str| text(claims, name);
    let blank = |repository: String, repository_id: String, reference: String| CiIdentity {
        issuer: issuer.issuer.clone(),
        repository,
        repository_id,
        reference,
        workflow: None,
        environment: None,
        actor: None,
        actor_id: None,
        commit: None,
        run: None,
    };
    match issuer.kind {
        CiKind::Github | CiKind::Forgejo => {
            let repository = required(claims, "repository")?;
            let workflow = optional("workflow_ref")?.map(|at| workflow_file(&repository, &at));
            Ok(CiIdentity {
                workflow,
                environment: optional("environment")?,
                actor: optional("actor")?,
                actor_id: optional("actor_id")?,
                commit: optional("sha")?,
                run: optional("run_id")?,
                ..blank(repository, required(claims, "repository_id")?, required(claims, "ref")?)
            })
        }
        CiKind::Gitlab => {
            let reference = match optional("ref_path")? {
                Some(path) => path,
                None => full(&required(claims, "ref")?, optional("ref_type")?.as_deref() == Some("tag")),
            };
            let project = required(claims, "project_path")?;
            let workflow = optional("ci_config_ref_uri")?.map(|at| config_file(&project, &at));
            Ok(CiIdentity {
                workflow,
                environment: optional("environment")?,
                actor: optional("user_login")?,
                actor_id: optional("user_id")?,
                commit: optional("sha")?,
                run: optional("pipeline_id")?,
                ..blank(project, required(claims, "project_id")?, reference)
            })
        }
        CiKind::Buildkite => {
            let repository = format!("{}/{}", required(claims, "organization_slug")?, required(claims, "pipeline_slug")?);
            let reference = match optional("build_tag")? {
                Some(tag) => full(&tag, true),
                None => full(&required(claims, "build_branch")?, false),
            };
            let id = text(claims, "pipeline_id")?
                .ok_or("it has no `pipeline_id`: ask for it with `buildkite-agent oidc request-token --claim pipeline_id`")?;
            Ok(CiIdentity {
                workflow: optional("step_key")?,
                commit: optional("build_commit")?,
                run: optional("build_number")?,
                ..blank(repository, id, reference)
            })
        }
        CiKind::Generic => {
            let subject = required(claims, "sub")?;
            let repository = optional("repository")?.unwrap_or_else(|| subject.clone());
            let id = optional("repository_id")?.unwrap_or(subject);
            Ok(CiIdentity {
                workflow: optional("workflow")?,
                environment: optional("environment")?,
                actor: optional("actor")?,
                actor_id: optional("actor_id")?,
                commit: optional("sha")?,
                run: optional("run_id")?,
                ..blank(repository, id, optional("ref")?.unwrap_or_default())
            })
        }
    }
}

/// Who signs the tokens of jobs on github.com, also with the name of an enterprise behind it.
const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// What a GitHub Enterprise Server has behind its own address when it signs tokens.
const ENTERPRISE_ACTIONS: &str = "/_services/token";

/// The account that set a job off, as people sign in with it: by its number, since names change hands. Of systems that do not vouch for
/// people under an address that follows from their own, nothing is known.
fn account(issuer: &CiIssuer, job: &CiIdentity) -> Option<Account> {
    let vouching = match issuer.kind {
        CiKind::Github => match issuer.issuer.strip_prefix(GITHUB_ACTIONS) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => "https://github.com",
            _ => issuer.issuer.strip_suffix(ENTERPRISE_ACTIONS)?,
        },
        CiKind::Gitlab => issuer.issuer.trim_end_matches('/'),
        CiKind::Forgejo | CiKind::Buildkite | CiKind::Generic => return None,
    };
    Some(Account { issuer: vouching.to_owned(), subject: job.actor_id.clone()? })
}

fn full(name: &str, is_tag: bool) -> String {
    format!("refs/{}/{name}", if is_tag { "tags" } else { "heads" })
}

/// The file in `owner/repo/.github/workflows/file.yml@refs/heads/main`. One of another repository is left as it is, so that it is no
/// file of this one.
fn workflow_file(repository: &str, at: &str) -> String {
    let path = at.strip_prefix(repository).and_then(|path| path.strip_prefix('/'));
    let rest = path.and_then(|path| {
        [".github/workflows/", ".forgejo/workflows/", ".gitea/workflows/"].iter().find_map(|directory| path.strip_prefix(directory))
    });
    match rest.and_then(|rest| rest.split_once('@')) {
        Some((file, _)) if !file.is_empty() && !file.contains('/') => file.to_owned(),
        _ => at.to_owned(),
    }
}

/// The file in `gitlab.example/group/project//.gitlab-ci.yml@refs/heads/main`. One of another project is left as it is.
fn config_file(project: &str, at: &str) -> String {
    let file = match at.split_once("//") {
        Some((place, file)) if place.strip_suffix(project).is_some_and(|host| host.ends_with('/')) => file,
        _ => return at.to_owned(),
    };
    file.split_once('@').map_or(file, |(file, _)| file).to_owned()
}

#[cfg(test)]
mod tests;
