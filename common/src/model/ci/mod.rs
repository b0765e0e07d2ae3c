//! Jobs of CI systems that publish, and whom a package trusts among them.
//!
//! An identity is what a verified token says, in words that are the same for every CI system; which claim of which system says it
//! is not known here. Repositories are told apart by the number or name that their system never gives out twice: what a repository is
//! called can change hands.

mod pattern;

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{PackageName, PublisherId, UserId};

pub use pattern::matches;

/// Longest text of an identity or of a publisher, in bytes. A repository and its branch have at most 255 bytes each on the systems that
/// we know; what is longer is no name.
pub const MAX_TEXT: usize = 512;

/// A CI system, as far as the claims of its tokens differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CiKind {
    /// GitHub Actions, also of GitHub Enterprise.
    Github,
    /// GitLab CI, also self-managed.
    Gitlab,
    /// Forgejo and Gitea Actions.
    Forgejo,
    /// Buildkite.
    Buildkite,
    /// Anything else that signs tokens of this kind.
    Generic,
}

impl CiKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Github, Self::Gitlab, Self::Forgejo, Self::Buildkite, Self::Generic];

    /// The word in the configuration and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Forgejo => "forgejo",
            Self::Buildkite => "buildkite",
            Self::Generic => "generic",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The job that asks, as its token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CiIdentity {
    /// Who signed the token.
    pub issuer: String,
    /// What the repository is called now.
    pub repository: String,
    /// What it will be known by when it is called otherwise.
    pub repository_id: String,
    /// The branch or tag, in full: `refs/heads/main`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The file that describes the job.
    pub workflow: Option<String>,
    /// The environment that the job was let into.
    pub environment: Option<String>,
    /// Who set the job off, by name.
    pub actor: Option<String>,
    /// Who set the job off, by the number that the system never gives out twice.
    pub actor_id: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The run, as the system numbers it.
    pub run: Option<String>,
}

/// What a package demands of a CI job that publishes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demands {
    /// Who signed the token, to the letter.
    pub issuer: String,
    /// What the repository was called when it was trusted; for people.
    pub repository: String,
    /// By what it is known.
    pub repository_id: String,
    /// The file that describes the job; any when it is absent.
    pub workflow: Option<String>,
    /// A pattern for the branch or tag; any of these when it is absent.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The environment; any or none when it is absent.
    pub environment: Option<String>,
}

/// A CI identity that a package trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPublisher {
    /// The identifier.
    pub id: PublisherId,
    /// The package, which may have no version yet.
    pub package: PackageName,
    /// What it demands.
    pub demands: Demands,
    /// Who trusted it; nobody, when it was the operator.
    pub created_by: Option<UserId>,
    /// Since when.
    pub created_at: Instant,
}

/// A demand, and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Which.
    pub claim: &'static str,
    /// What was demanded.
    pub expected: String,
    /// What the token says.
    pub actual: Option<String>,
    /// Whether that is it.
    pub holds: bool,
}

impl Demands {
    /// Compares a job with what is demanded, claim by claim. Of a repository that is another one nothing else is said: what a package
    /// demands of its own is not for strangers.
    #[must_use]
    pub fn judge(&self, job: &CiIdentity) -> Vec<Judged> {
        let judged = |claim, expected: &str, actual: Option<&str>, holds| Judged {
            claim,
            expected: expected.to_owned(),
            actual: actual.map(ToOwned::to_owned),
            holds,
        };
        let mut all = vec![judged("issuer", &self.issuer, Some(&job.issuer), self.issuer == job.issuer)];
        let named = |name: &str, id: &str| format!("{name} (id {id})");
        let is_own = self.repository_id == job.repository_id;
        let actual = named(&job.repository, &job.repository_id);
        all.push(judged("repository", &named(&self.repository, &self.repository_id), Some(&actual), is_own));
        if !all.iter().all(|judged| judged.holds) {
            return all;
        }
        if let Some(workflow) = &self.workflow {
            all.push(judged("workflow", workflow, job.workflow.as_deref(), job.workflow.as_ref() == Some(workflow)));
        }
        all.push(match &self.reference {
            Some(pattern) => judged("ref", pattern, Some(&job.reference), matches(pattern, &job.reference)),
            // What is proposed and nobody has accepted yet runs in the same repository under a ref of its own.
            None => judged("ref", "a branch or a tag", Some(&job.reference), is_branch_or_tag(&job.reference)),
        });
        if let Some(environment) = &self.environment {
            let holds = job.environment.as_ref().is_some_and(|actual| actual.eq_ignore_ascii_case(environment));
            all.push(judged("environment", environment, job.environment.as_deref(), holds));
        }
        all
    }
}

fn is_branch_or_tag(reference: &str) -> bool {
    ["refs/heads/", "refs/tags/"].iter().any(|prefix| reference.strip_prefix(prefix).is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> CiIdentity {
        CiIdentity {
            issuer: "https://i.example".to_owned(),
            repository: "acme/widgets".to_owned(),
            repository_id: "1".to_owned(),
            reference: "refs/heads/main".to_owned(),
            workflow: Some("publish.yml".to_owned()),
            environment: Some("Release".to_owned()),
            actor: None,
            actor_id: None,
            commit: None,
            run: None,
        }
    }

    fn demands() -> Demands {
        Demands {
            issuer: "https://i.example".to_owned(),
            repository: "acme/old-name".to_owned(),
            repository_id: "1".to_owned(),
            workflow: Some("publish.yml".to_owned()),
            reference: Some("refs/heads/main".to_owned()),
            environment: Some("release".to_owned()),
        }
    }

    fn failing(demands: &Demands, job: &CiIdentity) -> Vec<&'static str> {
        demands.judge(job).into_iter().filter(|judged| !judged.holds).map(|judged| judged.claim).collect()
    }

    #[test]
    fn every_demand_is_compared() {
        assert_eq!(failing(&demands(), &job()), [""; 0]);
        assert_eq!(failing(&demands(), &CiIdentity { reference: "refs/heads/evil".into(), ..job() }), ["ref"]);
        assert_eq!(failing(&demands(), &CiIdentity { workflow: None, environment: None, ..job() }), ["workflow", "environment"]);
        let open = Demands { workflow: None, reference: None, environment: None, ..demands() };
        assert_eq!(failing(&open, &CiIdentity { workflow: None, environment: None, ..job() }), [""; 0]);
        for odd in ["refs/pull/7/merge", "refs/merge-requests/7/head", "refs/heads/", "main", ""] {
            assert_eq!(failing(&open, &CiIdentity { reference: odd.into(), ..job() }), ["ref"], "{odd}");
        }
    }

    #[test]
    fn strangers_learn_the_repository_and_nothing_else() {
        // The name was given up and taken by somebody else.
        let stranger = CiIdentity { repository: "acme/old-name".into(), repository_id: "2".into(), ..job() };
        let judged = demands().judge(&stranger);
        assert_eq!(judged.iter().map(|judged| judged.claim).collect::<Vec<_>>(), ["issuer", "repository"]);
        assert_eq!(judged[1].expected, "acme/old-name (id 1)");
        assert_eq!(judged[1].actual.as_deref(), Some("acme/old-name (id 2)"));
        assert_eq!(failing(&demands(), &CiIdentity { issuer: "https://i.example.evil".into(), ..job() }), ["issuer"]);
    }
}
