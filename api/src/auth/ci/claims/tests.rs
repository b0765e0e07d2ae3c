//! Claims as each CI system writes them down in its documentation.

use chrono::DateTime;
use serde_json::json;

use super::*;

const NOW: i64 = 1_700_000_000;

fn issuer(kind: CiKind) -> CiIssuer {
    CiIssuer { kind, issuer: "https://i.example".to_owned(), jwks_url: None }
}

fn said(kind: CiKind, claims: &Value) -> Result<CiIdentity, String> {
    identity(&issuer(kind), claims.as_object().unwrap())
}

fn github() -> Value {
    json!({
        "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod", "ref": "refs/heads/main",
        "sha": "example-sha", "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "actor_id": "12",
        "repository_visibility": "private", "repository_id": "74", "repository_owner_id": "65", "run_id": "example-run-id",
        "run_number": "10", "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat", "workflow": "example-workflow",
        "head_ref": "", "base_ref": "", "event_name": "workflow_dispatch", "ref_type": "branch",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/publish.yml@refs/heads/main"
    })
}

#[test]
fn github_says_it_so() {
    let job = said(CiKind::Github, &github()).unwrap();
    assert_eq!(
        (job.repository.as_str(), job.repository_id.as_str(), job.reference.as_str()),
        ("octo-org/octo-repo", "74", "refs/heads/main")
    );
    assert_eq!((job.workflow.as_deref(), job.environment.as_deref()), (Some("publish.yml"), Some("prod")));
    assert_eq!((job.actor.as_deref(), job.actor_id.as_deref(), job.commit.as_deref()), (Some("octocat"), Some("12"), Some("example-sha")));
    // Numbers may be numbers.
    let mut claims = github();
    claims["repository_id"] = json!(74);
    assert_eq!(said(CiKind::Github, &claims).unwrap().repository_id, "74");
}

#[test]
fn a_workflow_of_elsewhere_is_none_of_ours() {
    for odd in [
        "octo-org/octo-repo-2/.github/workflows/publish.yml@refs/heads/main",
        "octo-org/octo-repo/.github/workflows/deep/publish.yml@refs/heads/main",
        "octo-org/octo-repo/publish.yml@refs/heads/main",
        "octo-org/octo-repo/.github/workflows/publish.yml",
        "octo-org/octo-repo/.github/workflows/@refs/heads/publish.yml",
    ] {
        let mut claims = github();
        claims["workflow_ref"] = json!(odd);
        assert_eq!(said(CiKind::Github, &claims).unwrap().workflow.as_deref(), Some(odd));
    }
}

#[test]
fn gitlab_says_it_so() {
    let claims = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/my-project", "user_id": "1",
        "user_login": "sample-user", "pipeline_id": "574", "job_id": "302", "ref": "feature-branch-1", "ref_type": "branch",
        "ref_path": "refs/heads/feature-branch-1", "environment": "test-environment2", "sha": "714a",
        "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main"
    });
    let job = said(CiKind::Gitlab, &claims).unwrap();
    assert_eq!((job.repository.as_str(), job.repository_id.as_str()), ("my-group/my-project", "20"));
    assert_eq!((job.reference.as_str(), job.workflow.as_deref()), ("refs/heads/feature-branch-1", Some(".gitlab-ci.yml")));
    let mut old = claims.clone();
    old["ref_path"] = Value::Null;
    old["ref_type"] = json!("tag");
    old["ci_config_ref_uri"] = json!("gitlab.example.com/my-group/other//.gitlab-ci.yml@refs/heads/main");
    let job = said(CiKind::Gitlab, &old).unwrap();
    assert_eq!(job.reference, "refs/tags/feature-branch-1");
    assert_eq!(job.workflow.as_deref(), Some("gitlab.example.com/my-group/other//.gitlab-ci.yml@refs/heads/main"));
}

#[test]
fn buildkite_and_others_say_it_so() {
    let claims = json!({
        "sub": "organization:acme:pipeline:widgets:ref:refs/heads/main:commit:9f3:step:release", "organization_slug": "acme",
        "pipeline_slug": "widgets", "pipeline_id": "0184990a", "build_number": 1, "build_branch": "main", "build_tag": "v1.0.0",
        "build_commit": "9f3", "step_key": "release"
    });
    let job = said(CiKind::Buildkite, &claims).unwrap();
    assert_eq!(
        (job.repository.as_str(), job.repository_id.as_str(), job.reference.as_str()),
        ("acme/widgets", "0184990a", "refs/tags/v1.0.0")
    );
    let mut without = claims.clone();
    without.as_object_mut().unwrap().remove("pipeline_id");
    assert!(said(CiKind::Buildkite, &without).unwrap_err().contains("--claim pipeline_id"));
    let job = said(CiKind::Generic, &json!({"sub": "job:7", "ref": "refs/heads/main"})).unwrap();
    assert_eq!((job.repository.as_str(), job.repository_id.as_str()), ("job:7", "job:7"));
}

#[test]
fn claims_are_short_texts() {
    for (name, value, word) in [
        ("repository_id", json!(null), "no `repository_id`"),
        ("repository_id", json!(""), "no `repository_id`"),
        ("repository_id", json!(-1), "`repository_id` is no text"),
        ("repository_id", json!(1.5), "`repository_id` is no text"),
        ("repository_id", json!(["74"]), "`repository_id` is no text"),
        ("ref", json!("a".repeat(513)), "`ref` is longer"),
        ("environment", json!("a\u{0}b"), "`environment`"),
    ] {
        let mut claims = github();
        claims[name] = value;
        assert!(said(CiKind::Github, &claims).unwrap_err().contains(word), "{name}");
    }
}

#[test]
fn only_now_is_the_time() {
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let judge = |claims: Value| in_time(claims.as_object().unwrap(), now).map(|ends| ends.timestamp() - NOW);
    let times = |iat: i64, exp: i64| json!({"iat": NOW + iat, "exp": NOW + exp});
    assert_eq!(judge(times(0, 300)), Ok(300));
    assert_eq!(judge(times(60, 300)), Ok(300), "the issuer's clock may be ahead");
    assert_eq!(judge(times(-300, -59)), Ok(-59), "or behind");
    assert_eq!(judge(json!({"iat": 1_700_000_000.5, "exp": 1_700_000_009.9})), Ok(9));
    for (claims, word) in [
        (times(-300, -60), "expired"),
        (times(61, 300), "`iat`"),
        (json!({"iat": NOW, "nbf": NOW + 61, "exp": NOW + 300}), "`nbf`"),
        (times(0, 24 * 3600 + 1), "longer than 24 hours"),
        (json!({"iat": NOW}), "no `exp`"),
        (json!({"exp": NOW}), "no `iat`"),
        (json!({"iat": NOW, "exp": "tomorrow"}), "`exp` is no time"),
        (json!({"iat": NOW, "exp": u64::MAX}), "`exp` is no time"),
        (json!({"iat": NOW, "exp": 1e300}), "`exp` is no time"),
        (json!({"iat": i64::MIN, "exp": NOW}), "`iat` is no time"),
        (json!({"iat": NOW, "exp": NOW + 5, "nbf": false}), "`nbf` is no time"),
    ] {
        assert!(judge(claims.clone()).unwrap_err().contains(word), "{claims}");
    }
}

#[test]
fn accounts_are_known_where_people_sign_in() {
    let of = |kind: CiKind, issuer: &str, actor: Option<&str>| {
        let row = CiIssuer { kind, issuer: issuer.to_owned(), jwks_url: None };
        let job = CiIdentity { actor_id: actor.map(ToOwned::to_owned), ..said(CiKind::Github, &github()).unwrap() };
        account(&row, &job).map(|account| format!("{} {}", account.issuer, account.subject))
    };
    for (kind, issuer, expected) in [
        (CiKind::Github, "https://token.actions.githubusercontent.com", Some("https://github.com 12")),
        (CiKind::Github, "https://token.actions.githubusercontent.com/acme", Some("https://github.com 12")),
        (CiKind::Github, "https://token.actions.githubusercontent.com.evil.example", None),
        (CiKind::Github, "https://code.acme.example/_services/token", Some("https://code.acme.example 12")),
        (CiKind::Gitlab, "https://gitlab.com", Some("https://gitlab.com 12")),
        (CiKind::Gitlab, "https://lab.example/", Some("https://lab.example 12")),
        (CiKind::Generic, "https://github.com", None),
    ] {
        assert_eq!(of(kind, issuer, Some("12")).as_deref(), expected, "{issuer}");
    }
    assert_eq!(of(CiKind::Gitlab, "https://gitlab.com", None), None);
}
