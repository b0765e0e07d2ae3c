//! Where a version came from, as a signature says that others can check.
//!
//! A bundle carries a statement about a version's manifest, the signature over it, the certificate of the job that signed, and the entry
//! of a public log. [`verify`] is pure given the trust root and the time; [`log`] is the door to the log, for clients that send an index
//! in place of an entry; [`identity`] compares the certificate with the job that published.
//!
//! What was verified is kept as a standard bundle, whatever the client sent, so that everybody can verify it again.

mod bundle;
mod identity;
mod log;
mod verify;

use std::sync::Arc;

use serde_json::Value;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use slipway_common::clock::Instant;
use slipway_common::config::Config;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, Sha256, Version};
use slipway_common::model::provenance::Provenance;
use slipway_common::shutdown::aside;
use url::Url;

use crate::error::{ApiError, ApiResult, Code, Refusal};
use bundle::Sent;
pub(crate) use identity::Expected;

/// Seconds after which a client asks again when the log is away.
const RETRY_AFTER: u32 = 5;

/// The step that a bundle did not get past, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    /// Which.
    step: Step,
    /// What is wrong.
    why: String,
}

/// The steps of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The bundle can be read.
    Bundle,
    /// The certificate was issued by an authority of the trust root, valid when it was used, and logged.
    Certificate,
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
    fn code(self) -> Code {
        match self {
            Self::Bundle => Code::ProvenanceBundleInvalid,
            Self::Certificate => Code::ProvenanceCertificateInvalid,
            Self::Log => Code::ProvenanceNotLogged,
            Self::Signature => Code::ProvenanceSignatureInvalid,
            Self::Statement => Code::ProvenanceOfSomethingElse,
            Self::Identity => Code::ProvenanceByAnotherJob,
        }
    }

    /// That something is wrong with it.
    fn fails(self, why: impl Into<String>) -> Failure {
        Failure { step: self, why: why.into() }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let code = failure.step.code();
        code.because(format!("{}: {}", code.message(), failure.why)).into()
    }
}

/// The version that a bundle is to be about.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) package: PackageName,
    pub(crate) version: Version,
    /// The digest of its manifest.
    pub(crate) meta: Sha256,
}

/// Verifies bundles against a root of trust.
pub(crate) struct Notary {
    /// Absent when the root cannot be used.
    root: Option<Arc<Verifier>>,
    rekor_url: Url,
}

impl Notary {
    /// A notary who trusts whom the configuration names. A root that cannot be used is told once, and then nothing is accepted.
    pub(crate) fn new(config: &Config) -> Self {
        let root = match root(config) {
            Ok(root) => Some(Arc::new(root)),
            Err(error) => {
                tracing::error!(error, "provenance cannot be verified");
                None
            }
        };
        Self { root, rekor_url: config.sigstore.rekor_url.clone() }
    }

    /// Verifies a bundle as it was sent, or says which step it does not get past.
    pub(crate) async fn verify(&self, sent: &Value, about: About, expected: Expected, now: Instant) -> ApiResult<Provenance> {
        let Some(root) = self.root.clone() else {
            return Err(AnyFault::never("the root of trust for provenance cannot be used, see the log").into());
        };
        let (bundle, is_deno) = match bundle::read(sent)? {
            Sent::Standard(bundle) => (*bundle, false),
            Sent::Deno(partial) => match log::fetch(&self.rekor_url, partial.log_index).await {
                Ok(entry) => (partial.complete(entry), true),
                Err(log::NoEntry::Refused(failure)) => return Err(failure.into()),
                Err(log::NoEntry::Away(error)) => {
                    tracing::warn!(error, "the transparency log does not answer");
                    return Err(Refusal { retry_after: Some(RETRY_AFTER), ..Code::ProvenanceLogUnavailable.refusal() }.into());
                }
            },
        };
        Ok(aside(move || verify::all(&root, &bundle, is_deno, about, &expected, now)).await?)
    }
}

fn root(config: &Config) -> Result<Verifier, String> {
    let json = match &config.sigstore.trusted_root {
        None => SIGSTORE_PRODUCTION_TRUSTED_ROOT.to_owned(),
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| format!("`sigstore.trusted_root`: cannot read `{}`: {error}", file.display()))?
        }
    };
    let root = TrustedRoot::from_json(&json).map_err(|error| format!("`sigstore.trusted_root` is no Sigstore TrustedRoot: {error}"))?;
    Verifier::new(&root).map_err(|error| format!("`sigstore.trusted_root` cannot be used: {error}"))
}
