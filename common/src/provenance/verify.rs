//! Verification, pure given the trust root: chain at the log's time, SCT, promise and proof of the log, signature, and the binding of the
//! entry to the bundle are `sigstore-verify`'s; what the statement says, and Deno's dialect of it, are ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sigstore_verify::bundle::Error as Incomplete;
use sigstore_verify::crypto::{parse_certificate_info, sha256};
use sigstore_verify::types::{
    Artifact, Bundle, DerCertificate, DsseEnvelope, KindVersion, MediaType, MessageSignature, Rfc3161Timestamp, Sha256Hash,
    SignatureContent, TransparencyLogEntry,
};
use sigstore_verify::{Error, TimestampError, VerificationPolicy, VerificationResult, Verifier};

use super::bundle::Sent;
use super::root::Root;
use super::{About, Expected, identity};
use crate::clock::Instant;
use crate::ids::Sha256;
use crate::model::ci::CiIdentity;
use crate::model::provenance::{Failure, Provenance, Step, TimeFrom};

/// What [`Verifier::verify`] says when every step before the last one held: see [`deno`].
const ONLY_THE_LAST_STEP: &str = "Rekor entry intoto/0.0.2 is incompatible with a message signature";
/// Most signed times in a bundle. One is enough; somebody who believes in none alone has two or three.
const MAX_TIMESTAMPS: usize = 8;
/// Largest signed time, in bytes. One has a kilobyte, and with the whole chain of its authority six.
pub(super) const MAX_TIMESTAMP: usize = 16 * 1024;
/// What a statement about a build is.
const SLSA: &str = "https://slsa.dev/provenance/";

/// What a bundle says of itself: what it is about, and whose it is.
pub(super) struct Claim {
    predicate_type: String,
    job: CiIdentity,
}

/// When a certificate was used.
#[derive(Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) from: TimeFrom,
    pub(super) logged_at: Option<Instant>,
}

/// Compares what a bundle says of itself with what it should. That is cheap, says most to people, and needs no log; whether it is true is
/// told by [`all`].
pub(super) fn claim(sent: &Sent, about: &About, expected: &Expected) -> Result<Claim, Failure> {
    let (envelope, certificate) = match sent {
        Sent::Standard(bundle) => (envelope(bundle)?, certificate(bundle)?),
        Sent::Deno(partial) => (&partial.envelope, &partial.certificate),
    };
    let predicate_type = statement(envelope, about)?;
    let certificate = parse_certificate_info(certificate).map_err(|error| Step::Certificate.fails(error.to_string()))?;
    Ok(Claim { predicate_type, job: identity::matches(expected, &certificate)? })
}

/// Whether what a bundle says of itself is true.
pub(super) fn all(root: &Root, bundle: &Bundle, is_deno: bool, about: About, claim: Claim, now: Instant) -> Result<Provenance, Failure> {
    let moment = if is_deno { deno(root, bundle)? } else { standard(root, bundle, &about)? };
    let json = bundle.to_json().ok().and_then(|json| serde_json::from_str(&json).ok());
    Ok(Provenance {
        package: about.package,
        version: about.version,
        predicate_type: claim.predicate_type,
        job: claim.job,
        time_from: moment.from,
        log_index: bundle.verification_material.tlog_entries.first().map(|entry| entry.log_index.to_string()),
        logged_at: moment.logged_at,
        bundle: json.ok_or_else(|| Step::Bundle.fails("it cannot be written down"))?,
        created_at: now,
    })
}

fn envelope(bundle: &Bundle) -> Result<&DsseEnvelope, Failure> {
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => Ok(envelope),
        _ => Err(Step::Bundle.fails("it has no statement: a `dsseEnvelope` is expected")),
    }
}

fn certificate(bundle: &Bundle) -> Result<&DerCertificate, Failure> {
    bundle.signing_certificate().ok_or_else(|| Step::Bundle.fails("it has no certificate"))
}

/// Verifies a standard bundle: certificate, log and signature.
fn standard(root: &Root, bundle: &Bundle, about: &About) -> Result<Moment, Failure> {
    let material = &bundle.verification_material;
    let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
    bounded(timestamps)?;
    match &root.witness {
        _ if !material.tlog_entries.is_empty() => {
            let verified = by_library(&root.verifier, bundle, &root.policy(), digest(&about.meta))?;
            let logged_at = verified.integrated_time().and_then(|time| Instant::from_timestamp(time.as_second(), 0));
            // Entries of newer logs have no time of their own; the library demands a signed one besides.
            Ok(Moment { from: if logged_at.is_some() { TimeFrom::Log } else { TimeFrom::Timestamp }, logged_at })
        }
        // A time that somebody else signed would do for the library.
        None => Err(Step::Log.fails("it has no log entry")),
        Some(_) if !timestamps.is_empty() => {
            by_library(&root.verifier, bundle, &root.policy().skip_tlog_unsafe(), digest(&about.meta))?;
            Ok(Moment { from: TimeFrom::Timestamp, logged_at: None })
        }
        Some(witness) => {
            witness.verify(bundle, about)?;
            Ok(Moment { from: TimeFrom::Publish, logged_at: None })
        }
    }
}

/// Each signed time is tried with each authority, and holds a chain of certificates of its own.
pub(super) fn bounded(timestamps: &[Rfc3161Timestamp]) -> Result<(), Failure> {
    if timestamps.len() > MAX_TIMESTAMPS {
        return Err(Step::Time.fails(format!("it has {} signed times, of which {MAX_TIMESTAMPS} are looked at", timestamps.len())));
    }
    if timestamps.iter().any(|timestamp| timestamp.signed_timestamp.as_bytes().len() > MAX_TIMESTAMP) {
        return Err(Step::Time.fails(format!("a signed time is larger than {MAX_TIMESTAMP} bytes")));
    }
    Ok(())
}

/// Has the library verify a standard bundle about something, by its digest.
pub(super) fn by_library<'a>(
    verifier: &Verifier,
    bundle: &Bundle,
    policy: &VerificationPolicy,
    digest: impl Into<Artifact<'a>>,
) -> Result<VerificationResult, Failure> {
    verifier.verify(digest, bundle, policy).map_err(|error| failure(&error))
}

/// A digest as the library has it.
pub(super) fn digest(of: &Sha256) -> Sha256Hash {
    Sha256Hash::try_from(of.as_bytes()).expect("both have 32 bytes")
}

/// Verifies a bundle whose statement the library does not read, because its type is under a key of another name.
///
/// A signature over an envelope is one over the envelope's encoding, so it is verified as that. The library then does everything but its
/// last step, which binds the entry to the bundle: an entry about an envelope is not one about plain bytes, and it says so in these words.
/// Any other answer is a refusal, success included. The last step is [`is_about`]. The version of the library is pinned, and the suite
/// breaks each of its steps with a bundle of this kind.
pub(super) fn deno(root: &Root, bundle: &Bundle) -> Result<Moment, Failure> {
    let envelope = envelope(bundle)?;
    let signed = envelope.pae();
    let plain = SignatureContent::MessageSignature(MessageSignature::new(envelope.signature.sig.clone()));
    let plain = Bundle::new(MediaType::Bundle0_3, bundle.verification_material.clone(), plain);
    match root.verifier.verify(signed.as_slice(), &plain, &root.policy()) {
        Err(Error::UnsupportedBundle(said)) if said == ONLY_THE_LAST_STEP => {}
        Err(error) => return Err(failure(&error)),
        Ok(_) => return Err(Step::Log.fails("the log entry is not about an envelope")),
    }
    let [entry] = bundle.verification_material.tlog_entries.as_slice() else {
        return Err(Step::Log.fails("one log entry is expected"));
    };
    is_about(entry, envelope, certificate(bundle)?).ok_or_else(|| Step::Log.fails("the log entry is about another signature"))?;
    // Without a signed time in it, the certificate would not have been believed.
    let logged_at = entry.integrated_time.and_then(|time| Instant::from_timestamp(time.as_second(), 0));
    Ok(Moment { from: TimeFrom::Log, logged_at })
}

/// Whether a log entry is about this envelope and this certificate.
fn is_about(entry: &TransparencyLogEntry, envelope: &DsseEnvelope, certificate: &DerCertificate) -> Option<()> {
    if entry.kind_version != KindVersion::IntotoV002 {
        return None;
    }
    let body: Value = serde_json::from_slice(entry.canonicalized_body.as_bytes()).ok()?;
    let content = body.pointer("/spec/content")?;
    let text = |pointer: &str| content.pointer(pointer).and_then(Value::as_str);
    let [logged] = content.pointer("/envelope/signatures")?.as_array()?.as_slice() else { return None };
    // The log's format has Base64 in Base64 for the signature, and Base64 of PEM for the certificate.
    let once = STANDARD.decode(logged.get("sig")?.as_str()?).ok()?;
    let signature = STANDARD.decode(once).ok()?;
    let pem = String::from_utf8(STANDARD.decode(logged.get("publicKey")?.as_str()?).ok()?).ok()?;
    let logged_certificate = DerCertificate::from_pem(&pem).ok()?;
    let payload = envelope.payload.as_bytes();
    // The client takes the digest of the encoded payload, the log that of the payload; either tells it from every other one.
    let digests = [sha256(payload).to_hex(), sha256(STANDARD.encode(payload).as_bytes()).to_hex()];
    let is_same = (body.get("kind")?.as_str()?, body.get("apiVersion")?.as_str()?) == ("intoto", "0.0.2")
        && text("/envelope/payloadType")? == envelope.payload_type
        && signature == envelope.signature.sig.as_bytes()
        && logged_certificate.as_bytes() == certificate.as_bytes()
        && text("/payloadHash/algorithm")? == "sha256"
        && digests.iter().any(|digest| Some(digest.as_str()) == text("/payloadHash/value"));
    is_same.then_some(())
}

/// What the library says, as the step that it is about.
pub(super) fn failure(error: &Error) -> Failure {
    let step = match error {
        // A promise that is signed in a way in which no log of the root signs.
        Error::InvalidTrustRoot(_) => Step::Certificate,
        Error::Certificate(_) | Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => Step::Certificate,
        Error::Bundle(
            Incomplete::MissingInclusionPromise(_)
            | Incomplete::MissingInclusionProof(_)
            | Incomplete::MissingSigningTimeEvidence
            | Incomplete::MissingTimestamp
            | Incomplete::MissingCheckpoint
            | Incomplete::LogIndexOutOfRange { .. }
            | Incomplete::CheckpointRootMismatch,
        ) => Step::Log,
        Error::Timestamp(TimestampError::Invalid(_) | TimestampError::OutsideAuthorityValidity { .. }) => Step::Time,
        // Neither a log nor anybody else says when.
        Error::TransparencyLog(_) | Error::Timestamp(_) => Step::Log,
        Error::SignatureInvalid(_) | Error::Crypto(_) => Step::Signature,
        Error::ArtifactMismatch(_) => Step::Statement,
        _ => Step::Bundle,
    };
    step.fails(error.to_string())
}

/// Checks that the statement of a bundle is about this version: its manifest, by digest, and nothing else. Returns its kind.
fn statement(envelope: &DsseEnvelope, about: &About) -> Result<String, Failure> {
    if envelope.payload_type != "application/vnd.in-toto+json" {
        return Err(Step::Statement.fails("it is no in-toto statement"));
    }
    let statement: Value = serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|error| Step::Statement.fails(format!("it cannot be read: {error}")))?;
    let Some(kind) = statement.get("predicateType").and_then(Value::as_str).filter(|kind| kind.starts_with(SLSA)) else {
        return Err(Step::Statement.fails(format!("its `predicateType` is not one of {SLSA}")));
    };
    let subject = match statement.get("subject") {
        // Old clients send the subject alone.
        Some(one @ Value::Object(_)) => one,
        Some(Value::Array(all)) => match all.as_slice() {
            [one] => one,
            _ => return Err(Step::Statement.fails(format!("it has {} subjects, expected 1", all.len()))),
        },
        _ => return Err(Step::Statement.fails("it has no subject")),
    };
    let name = subject.get("name").and_then(Value::as_str).unwrap_or_default();
    let expected = format!("pkg:jsr/{}@{}", about.package, about.version);
    if name != expected {
        return Err(Step::Statement.fails(format!("its subject is `{}`, expected `{expected}`", shortened(name))));
    }
    let (digest, expected) = (subject.pointer("/digest/sha256").and_then(Value::as_str).unwrap_or_default(), about.meta.hex());
    if !digest.eq_ignore_ascii_case(&expected) {
        return Err(Step::Statement.fails(format!("its subject has the digest `{}`, expected `{expected}`", shortened(digest))));
    }
    Ok(shortened(kind))
}

/// Enough of a text to know it again.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
