//! The CI job that this process is part of: the tokens that it may ask for, and what it builds.
//!
//! That is what GitHub's runners tell in the environment, and others that are made like them. The tokens are asked for by the bytes of the
//! upload, so that one is of no use for anything else.

use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use http::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use url::Url;

use super::Target;
use super::permission::permission;
use super::tarball::Packed;

/// How long the CI system may take for a token.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Largest answer that is read. A token has two kilobytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Who signs tokens of jobs at github.com; an enterprise there has its own below.
const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// Who certifies the keys of such jobs, and the log of what they sign, when the environment names no others.
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
    /// By which jobs say, to all clients, that where they come from is to be in no log.
    #[arg(long, hide = true, env = "DISABLE_JSR_PROVENANCE")]
    disable_jsr_provenance: Option<String>,
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

    /// Whether this is what it builds.
    pub(super) fn builds(&self, commit: &str) -> bool {
        self.said.github_sha.as_deref() == Some(commit)
    }

    /// Whether it says that where it comes from is to be in no log.
    pub(super) fn is_discreet(&self) -> bool {
        self.said.disable_jsr_provenance.as_deref().is_some_and(|value| !value.is_empty())
    }

    /// A token for the registry, of use for these bytes alone.
    pub(super) async fn token_for(&self, target: &Target, packed: &Packed) -> anyhow::Result<String> {
        let audience = json!({ "permissions": [permission(target, packed)] });
        self.token(&audience.to_string()).await
    }

    /// A token for somebody who wants it addressed so.
    pub(super) async fn token(&self, audience: &str) -> anyhow::Result<String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", self.token)).context("the job has no token to ask with")?;
        authorization.set_sensitive(true);
        let mut client = reqwest::Client::builder().timeout(ANSWER_TIME).redirect(reqwest::redirect::Policy::none());
        // What is not encrypted is near, and a proxy that the environment names would read it.
        if url.scheme() == "http" {
            client = client.no_proxy();
        }
        let client = client.build()?;
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

    /// Who certifies the keys of whom this token names, and which log has what they sign. Those of everybody are only asked about jobs of
    /// github.com, which they know: a job of somebody else would tell them of itself for nothing.
    pub(super) fn authorities(&self, token: &str) -> anyhow::Result<(Url, Url)> {
        let set = |value: &'a Option<String>| value.as_deref().filter(|value| !value.is_empty());
        match (set(&self.said.fulcio_url), set(&self.said.rekor_url)) {
            (Some(fulcio), Some(rekor)) => Ok((address(fulcio, "FULCIO_URL")?, address(rekor, "REKOR_URL")?)),
            (Some(_), None) => bail!("FULCIO_URL is set: set REKOR_URL to the log that goes with it"),
            (None, Some(_)) => bail!("REKOR_URL is set: set FULCIO_URL to the authority that goes with it"),
            (None, None) if is_of_github(token) => Ok((address(FULCIO, "FULCIO_URL")?, address(REKOR, "REKOR_URL")?)),
            (None, None) => {
                bail!("nobody is known who certifies jobs of this CI system: set FULCIO_URL and REKOR_URL, or say `--no-provenance`")
            }
        }
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

/// Whether a token is one of github.com, as far as it says so itself.
fn is_of_github(token: &str) -> bool {
    let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
    claims["iss"].as_str().is_some_and(|issuer| issuer == GITHUB || issuer.strip_prefix(GITHUB).is_some_and(|rest| rest.starts_with('/')))
}

/// An address that others are appended to.
fn address(text: &str, name: &str) -> anyhow::Result<Url> {
    let mut url = Url::parse(text).with_context(|| format!("{name} is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("{name} must start with `http://` or `https://`");
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use slipway_common::ids::{PackageName, PackagePath, Version};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        job: JobArguments,
    }

    fn said(more: &[&str]) -> JobArguments {
        let job = [
            "slipway",
            "--github-actions=true",
            "--token-request-url=https://ci.example/token?v=2",
            "--token-request-token=secret",
            "--github-server-url=https://github.com",
            "--github-repository=acme/widgets",
            "--github-ref=refs/tags/v1",
            "--github-sha=deadbeef",
            "--github-run-id=77",
            "--github-run-attempt=2",
            "--github-workflow-ref=acme/widgets/.github/workflows/publish.yml@refs/heads/main",
            "--runner-environment=github-hosted",
            "--fulcio-url=",
            "--rekor-url=",
        ];
        Line::try_parse_from(
            job.iter().filter(|flag| !more.iter().any(|other| flag.starts_with(&other[..=other.find('=').unwrap()]))).chain(more),
        )
        .unwrap()
        .job
    }

    #[test]
    fn a_statement_names_the_commit_the_workflow_and_the_run() {
        let target = Target {
            package: PackageName::try_from("@acme/base").unwrap(),
            version: Version::try_from("1.0.0").unwrap(),
            config: PackagePath::try_from("/jsr.json").unwrap(),
        };
        let said = said(&[]);
        let statement = Job::here(&said).unwrap().statement(&target, &Sha256::of(b"{}")).unwrap();
        assert_eq!(statement["subject"][0], json!({ "name": "pkg:jsr/@acme/base@1.0.0", "digest": { "sha256": Sha256::of(b"{}").hex() } }));
        let build = &statement["predicate"]["buildDefinition"];
        let workflow =
            json!({ "ref": "refs/heads/main", "repository": "https://github.com/acme/widgets", "path": ".github/workflows/publish.yml" });
        assert_eq!(build["externalParameters"]["workflow"], workflow);
        let source = json!({ "uri": "git+https://github.com/acme/widgets@refs/tags/v1", "digest": { "gitCommit": "deadbeef" } });
        assert_eq!(build["resolvedDependencies"], json!([source]));
        let run = &statement["predicate"]["runDetails"];
        assert_eq!(run["builder"]["id"], "https://github.com/actions/runner/github-hosted");
        assert_eq!(run["metadata"]["invocationId"], "https://github.com/acme/widgets/actions/runs/77/attempts/2");
    }

    #[test]
    fn a_job_has_a_right_to_tokens_or_is_none() {
        for without in ["--github-actions=", "--github-actions=1", "--token-request-url=", "--token-request-token="] {
            assert!(Job::here(&said(&[without])).is_none(), "{without}");
        }
    }

    #[test]
    fn only_jobs_of_github_are_certified_by_everybodys_authority() {
        let token = |issuer: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json!({ "iss": issuer }).to_string()));
        let asked = |more: &[&str], issuer: &str| {
            let said = said(more);
            Job::here(&said)
                .unwrap()
                .authorities(&token(issuer))
                .map(|(fulcio, rekor)| format!("{fulcio} {rekor}"))
                .map_err(|e| e.to_string())
        };
        let of_everybody = Ok(format!("{FULCIO} {REKOR}"));
        assert_eq!(asked(&[], GITHUB), of_everybody);
        assert_eq!(asked(&[], &format!("{GITHUB}/enterprise")), of_everybody);
        for issuer in ["https://forgejo.example", &format!("{GITHUB}.example.com"), ""] {
            assert!(asked(&[], issuer).unwrap_err().contains("nobody is known"), "{issuer}");
        }
        let own = ["--fulcio-url=https://fulcio.example", "--rekor-url=https://rekor.example/log"];
        assert_eq!(asked(&own, "https://forgejo.example").unwrap(), "https://fulcio.example/ https://rekor.example/log/");
        assert!(asked(&own[..1], GITHUB).unwrap_err().contains("set REKOR_URL"));
        assert!(asked(&own[1..], GITHUB).unwrap_err().contains("set FULCIO_URL"));
        assert!(asked(&["--fulcio-url=ftp://a", "--rekor-url=https://b"], GITHUB).unwrap_err().contains("FULCIO_URL must start"));
    }
}
