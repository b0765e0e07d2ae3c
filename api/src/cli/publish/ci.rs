//! The CI job that this process is part of: the tokens that it may ask for, and what it builds.
//!
//! That is what GitHub's runners tell in the environment, and others that are made like them. The tokens are asked for by the bytes of the
//! upload, so that one is of no use for anything else.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use http::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use url::Url;

use super::Target;

/// How long the CI system may take for a token.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Largest answer that is read. A token has two kilobytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The authorities that sign where packages come from, when the environment names no others.
const FULCIO: &str = "https://fulcio.sigstore.dev/";
const REKOR: &str = "https://rekor.sigstore.dev/";
/// What a statement about a workflow of GitHub is, as GitHub's own are.
const BUILD_TYPE: &str = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1";

/// What a runner says of its job, by the names of GitHub's. They are flags that nobody is told of, because that is how commands read the
/// environment.
#[derive(Debug, Args)]
pub(in crate::cli) struct JobArguments {
    #[arg(long, hide = true, env = "GITHUB_ACTIONS", hide_env_values = true)]
    github_actions: Option<String>,
    #[arg(long, hide = true, env = "ACTIONS_ID_TOKEN_REQUEST_URL", hide_env_values = true)]
    token_request_url: Option<String>,
    #[arg(long, hide = true, env = "ACTIONS_ID_TOKEN_REQUEST_TOKEN", hide_env_values = true)]
    token_request_token: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_SERVER_URL")]
    github_server_url: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_REPOSITORY")]
    github_repository: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_REPOSITORY_ID")]
    github_repository_id: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_REPOSITORY_OWNER_ID")]
    github_repository_owner_id: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_REF")]
    github_ref: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_SHA")]
    github_sha: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_WORKFLOW_REF")]
    github_workflow_ref: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_EVENT_NAME")]
    github_event_name: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_RUN_ID")]
    github_run_id: Option<String>,
    #[arg(long, hide = true, env = "GITHUB_RUN_ATTEMPT")]
    github_run_attempt: Option<String>,
    #[arg(long, hide = true, env = "RUNNER_ENVIRONMENT")]
    runner_environment: Option<String>,
    /// Who certifies keys, by the name that all clients know.
    #[arg(long, hide = true, env = "FULCIO_URL")]
    fulcio_url: Option<String>,
    /// Which log has what they sign.
    #[arg(long, hide = true, env = "REKOR_URL")]
    rekor_url: Option<String>,
}

/// A job that may have tokens.
pub(super) struct Job<'a> {
    url: Url,
    token: &'a str,
    said: &'a JobArguments,
}

#[derive(Deserialize)]
struct Given {
    value: String,
}

impl<'a> Job<'a> {
    /// The job that this process is part of, if it may have tokens: in GitHub's words, if it has the permission `id-token: write`.
    pub(super) fn here(said: &'a JobArguments) -> Option<Self> {
        if said.github_actions.as_deref() != Some("true") {
            return None;
        }
        let url = Url::parse(said.token_request_url.as_deref()?).ok()?;
        Some(Self { url, token: said.token_request_token.as_deref().filter(|token| !token.is_empty())?, said })
    }

    /// A token for somebody who wants it addressed so.
    pub(super) async fn token(&self, audience: &str) -> anyhow::Result<String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", self.token)).context("the job has no token to ask with")?;
        authorization.set_sensitive(true);
        let client = reqwest::Client::builder().timeout(ANSWER_TIME).redirect(reqwest::redirect::Policy::none()).build()?;
        let answer = client.get(url).header(AUTHORIZATION, authorization).send().await.map_err(reqwest::Error::without_url);
        let mut answer = answer.context("the CI system does not answer")?;
        if !answer.status().is_success() {
            bail!("the CI system gives the job no token ({})", answer.status());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                bail!("the CI system answers with more than a token");
            }
        }
        let given: Given = serde_json::from_slice(&body).ok().context("the CI system answers with something else than a token")?;
        Ok(given.value)
    }

    /// Who certifies its keys, and which log has what they sign.
    pub(super) fn authorities(&self) -> anyhow::Result<(Url, Url)> {
        Ok((address(self.said.fulcio_url.as_ref(), "FULCIO_URL", FULCIO)?, address(self.said.rekor_url.as_ref(), "REKOR_URL", REKOR)?))
    }

    /// What the job says of the version that it published: in-toto's words for what was built from which commit by whom.
    pub(super) fn statement(&self, target: &Target, manifest: &Sha256) -> anyhow::Result<Value> {
        let said = self.said;
        let server = required(said.github_server_url.as_ref(), "GITHUB_SERVER_URL")?;
        let repository = required(said.github_repository.as_ref(), "GITHUB_REPOSITORY")?;
        let reference = required(said.github_ref.as_ref(), "GITHUB_REF")?;
        let commit = required(said.github_sha.as_ref(), "GITHUB_SHA")?;
        let (run, attempt) =
            (required(said.github_run_id.as_ref(), "GITHUB_RUN_ID")?, required(said.github_run_attempt.as_ref(), "GITHUB_RUN_ATTEMPT")?);
        let runner = required(said.runner_environment.as_ref(), "RUNNER_ENVIRONMENT")?;
        // `owner/repository/.github/workflows/file.yml@refs/heads/main`
        let workflow = said.github_workflow_ref.as_deref().unwrap_or_default();
        let (path, workflow_ref) = workflow.split_once('@').unwrap_or((workflow, reference));
        let path = path.strip_prefix(repository).unwrap_or(path).trim_start_matches('/');
        Ok(json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": format!("pkg:jsr/{}@{}", target.package, target.version), "digest": { "sha256": manifest.hex() } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": {
                        "workflow": { "ref": workflow_ref, "repository": format!("{server}/{repository}"), "path": path },
                    },
                    "internalParameters": { "github": {
                        "event_name": said.github_event_name,
                        "repository_id": said.github_repository_id,
                        "repository_owner_id": said.github_repository_owner_id,
                    } },
                    "resolvedDependencies": [
                        { "uri": format!("git+{server}/{repository}@{reference}"), "digest": { "gitCommit": commit } },
                    ],
                },
                "runDetails": {
                    "builder": { "id": format!("https://github.com/actions/runner/{runner}") },
                    "metadata": { "invocationId": format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}") },
                },
            },
        }))
    }
}

fn required<'a>(value: Option<&'a String>, name: &str) -> anyhow::Result<&'a str> {
    value.map(String::as_str).filter(|value| !value.is_empty()).with_context(|| format!("the CI system does not say {name}"))
}

/// An address that others are appended to.
fn address(value: Option<&String>, name: &str, usual: &str) -> anyhow::Result<Url> {
    let text = value.map(String::as_str).filter(|value| !value.is_empty()).unwrap_or(usual);
    let mut url = Url::parse(text).with_context(|| format!("{name} is no address"))?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}
