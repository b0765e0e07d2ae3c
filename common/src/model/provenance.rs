//! Where a version came from, as a signature says that everybody can check.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{PackageName, Version};
use crate::model::ci::CiIdentity;

/// A signed statement about where a version came from, after it was verified. A version has one, which never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// What kind of statement it is.
    pub predicate_type: String,
    /// The CI job that signed, as its certificate says.
    pub job: CiIdentity,
    /// Who says when the certificate was used.
    pub time_from: TimeFrom,
    /// The number of the entry in the transparency log.
    pub log_index: Option<String>,
    /// When the log took it in.
    pub logged_at: Option<Instant>,
    /// A standard Sigstore bundle, whatever the client sent.
    pub bundle: Value,
    /// When it was verified.
    pub created_at: Instant,
}

/// Who says when a certificate was used, which is valid for minutes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFrom {
    /// A transparency log.
    Log,
    /// An authority that signs times.
    Timestamp,
    /// Nobody but this registry: it is the time of the publish, for a certificate that was issued around it.
    Publish,
}

impl TimeFrom {
    const ALL: [Self; 3] = [Self::Log, Self::Timestamp, Self::Publish];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Timestamp => "timestamp",
            Self::Publish => "publish",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|from| from.as_str() == text)
    }
}

/// A bundle that was taken in and is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// The package.
    pub package: PackageName,
    /// The version.
    pub version: Version,
    /// What has become of it.
    pub standing: Standing,
    /// When it was handed in or, if it was refused, that.
    pub updated_at: Instant,
}

/// What has become of a bundle that was taken in before it could be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the transparency log, as it was sent.
    Waiting(Value),
    /// It was dropped, because it does not hold.
    Refused(Failure),
}

/// The step of a verification that a bundle did not get past, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// Which.
    pub step: Step,
    /// What is wrong.
    pub why: String,
}

/// The steps of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bundle can be read.
    Bundle,
    /// The certificate was issued by an authority of the trust root, valid when it was used, and logged.
    Certificate,
    /// An authority of the trust root signed when the signature was there, where the bundle says that one did.
    Time,
    /// The signature is in the transparency log.
    Log,
    /// The signature holds.
    Signature,
    /// The statement is about this version.
    Statement,
    /// The certificate is that of the job that published.
    Identity,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 7] = [Self::Bundle, Self::Certificate, Self::Time, Self::Log, Self::Signature, Self::Statement, Self::Identity];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Certificate => "certificate",
            Self::Time => "time",
            Self::Log => "log",
            Self::Signature => "signature",
            Self::Statement => "statement",
            Self::Identity => "identity",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// That something is wrong with it.
    #[must_use]
    pub fn fails(self, why: impl Into<String>) -> Failure {
        Failure { step: self, why: why.into() }
    }
}
