//! A publish, its states, and which may follow which.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::ids::{PackageName, PackagePath, Sha256, TaskId, UserId, Version};
use crate::model::ci::CiIdentity;
use crate::model::finding::Findings;
use crate::model::package::Visibility;

/// One attempt to publish one version; the task of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The identifier, made before the upload was stored.
    pub id: TaskId,
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// Who asked, if a person did.
    pub user_id: Option<UserId>,
    /// The config file named in the request.
    pub config: PackagePath,
    /// Where it stands.
    pub state: PublishState,
    /// The publish that the upload came with, which names the object: this one, or a failed one that it tries again.
    pub upload_id: TaskId,
    /// Digest of the compressed upload.
    pub upload: Sha256,
    /// Length of the compressed upload in bytes.
    pub upload_bytes: u64,
    /// Why it came to nothing.
    pub error: Option<PublishError>,
    /// Everything that was found, warnings included.
    pub findings: Findings,
    /// When the upload was accepted.
    pub created_at: Instant,
    /// When it last moved.
    pub updated_at: Instant,
}

/// A publish that was taken up, with what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The publish.
    pub publish: Publish,
    /// Who may read its package.
    pub visibility: Visibility,
    /// What its scope says about the size of uploads.
    pub upload_limits: Option<serde_json::Value>,
    /// The CI job that asked for it, if one did.
    pub ci: Option<CiIdentity>,
}

/// What speaks for or against another publish of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Whether the package is frozen.
    pub is_archived: bool,
    /// Who may read it.
    pub visibility: Visibility,
    /// The publish that keeps the version from being published: a live one, or the one that succeeded. One that differs in build
    /// metadata alone keeps it, too.
    pub blocking: Option<TaskId>,
    /// Publishes that its scope had within seven days, whatever became of them.
    pub this_week: i64,
    /// Publishes that wait for a worker, in all.
    pub waiting: i64,
}

/// Why a publish came to nothing, as clients show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishError {
    /// A stable code: that of a finding, `internalServerError`, or `cancelled`.
    pub code: String,
    /// The text, with every finding a line of its own.
    pub message: String,
}

/// A step that a publish has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Upload, row and job are in place.
    Accepted,
    /// A worker took it up for the first time.
    Claimed,
    /// The package was judged to be sound, and everything that will be stored is made.
    Planned,
    /// The version exists.
    Committed,
    /// All its bytes are in place.
    Stored,
    /// Resolvers can see it.
    Announced,
    /// The package has findings.
    Rejected,
    /// We could not do it.
    Failed,
    /// It was called off.
    Cancelled,
}

impl Stage {
    /// The last stage of a publish in a final state.
    #[must_use]
    pub fn last(state: PublishState) -> Option<Self> {
        match state {
            PublishState::Published => Some(Self::Announced),
            PublishState::Rejected => Some(Self::Rejected),
            PublishState::Failed => Some(Self::Failed),
            PublishState::Cancelled => Some(Self::Cancelled),
            PublishState::Queued | PublishState::Checking | PublishState::Committed => None,
        }
    }
}

/// What a publish still has to do with the objects that are stored for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadUse {
    /// Where it stands.
    pub state: PublishState,
    /// The attempt whose plan pack was committed.
    pub plan_attempt: Option<i64>,
    /// When it last moved.
    pub updated_at: Instant,
}

/// Where a publish stands. Its task row holds exactly one of these; every change is a compare-and-set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PublishState {
    /// Row, upload and job exist.
    Queued,
    /// A worker holds the lease and judges the package.
    Checking,
    /// The version exists and its bytes are fixed; some may not be stored yet. From here there is no refusing.
    Committed,
    /// Resolvers can see the version.
    Published,
    /// The package has findings.
    Rejected,
    /// We could not do it; the task carries an incident id.
    Failed,
    /// The owner changed their mind in time.
    Cancelled,
}

impl PublishState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Checking, Self::Committed, Self::Published, Self::Rejected, Self::Failed, Self::Cancelled];

    /// The state as the database stores it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Checking => "checking",
            Self::Committed => "committed",
            Self::Published => "published",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The status clients see. `deno publish` knows exactly these five words.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Queued => "pending",
            Self::Checking => "processing",
            Self::Committed => "processed",
            Self::Published => "success",
            Self::Rejected | Self::Failed | Self::Cancelled => "failure",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Published | Self::Rejected | Self::Failed | Self::Cancelled)
    }

    /// Whether a second publish of the same version has to be turned away.
    #[must_use]
    pub fn blocks_version(self) -> bool {
        !matches!(self, Self::Rejected | Self::Failed | Self::Cancelled)
    }

    /// The one table of what may follow what.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use PublishState::{Cancelled, Checking, Committed, Failed, Published, Queued, Rejected};
        matches!(
            (self, next),
            (Queued, Checking | Failed | Cancelled)
                // Back to `Queued`: the lease was lost, or the fault is one that time heals.
                | (Checking, Queued | Committed | Rejected | Failed)
                // Right of the hinge the only way is on.
                | (Committed, Published)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for state in PublishState::ALL {
            assert_eq!(PublishState::parse(state.as_str()), Some(state));
        }
        assert_eq!(PublishState::parse("success"), None);
    }

    #[test]
    fn the_whole_table() {
        let mut table = String::new();
        for from in PublishState::ALL {
            let to: Vec<_> = PublishState::ALL.into_iter().filter(|to| from.may_become(*to)).map(PublishState::as_str).collect();
            let to_text = if to.is_empty() { "-".to_owned() } else { to.join(" ") };
            table.push_str(&[from.as_str(), " (", from.wire(), "): ", &to_text, "\n"].concat());
            assert_eq!(from.is_final(), to.is_empty(), "{from:?}");
        }
        assert_eq!(
            table,
            "queued (pending): checking failed cancelled\n\
             checking (processing): queued committed rejected failed\n\
             committed (processed): published\n\
             published (success): -\n\
             rejected (failure): -\n\
             failed (failure): -\n\
             cancelled (failure): -\n"
        );
    }
}
