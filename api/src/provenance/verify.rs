//! Verification, pure given the trust root: chain at the log's time, SCT, promise and proof of the log, signature, and the binding of the
//! entry to the bundle are `sigstore-verify`'s; what the statement says, and Deno's dialect of it, are ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sigstore_verify::crypto::{parse_certificate_info, sha256};
use sigstore_verify::types::{
    Bundle, DerCertificate, DsseEnvelope, KindVersion, MediaType, MessageSignature, Sha256Hash, SignatureContent, TransparencyLogEntry,
};
use sigstore_verify::{Error, VerificationPolicy, Verifier};
use slipway_common::clock::Instant;
use slipway_common::ids::Sha256;
use slipway_common::model::provenance::Provenance;

use super::identity::{self, Expected};
use super::{About, Failure, Step};

/// What [`Verifier::verify`] says when every step before the last one held: see [`deno`].
const ONLY_THE_LAST_STEP: &str = "Rekor entry intoto/0.0.2 is incompatible with a message signature";
/// What a statement about a build is.
const SLSA: &str = "https://slsa.dev/provenance/";

/// Every step, for a bundle with its log entry. What a bundle is about is looked at first: it is the cheapest, and says most to people.
pub(super) fn all(
    root: &Verifier,
    bundle: &Bundle,
    is_deno: bool,
    about: About,
    expected: &Expected,
    now: Instant,
) -> Result<Provenance, Failure> {
    let predicate_type = statement(bundle, &about)?;
    if is_deno {
        deno(root, bundle)?;
    } else {
        standard(root, bundle, &about.meta)?;
    }
    let certificate = bundle.signing_certificate().ok_or_else(|| Step::Bundle.fails("it has no certificate"))?;
    let certificate = parse_certificate_info(certificate).map_err(|error| Step::Certificate.fails(error.to_string()))?;
    let job = identity::matches(expected, &certificate)?;
    let json = bundle.to_json().ok().and_then(|json| serde_json::from_str(&json).ok());
    let entry = bundle.verification_material.tlog_entries.first();
    Ok(Provenance {
        package: about.package,
        version: about.version,
        predicate_type,
        job,
        log_index: entry.map(|entry| entry.log_index.to_string()),
        logged_at: entry.and_then(|entry| entry.integrated_time).and_then(|time| Instant::from_timestamp(time.as_second(), 0)),
        bundle: json.ok_or_else(|| Step::Bundle.fails("it cannot be written down"))?,
        created_at: now,
    })
}

/// Verifies a standard bundle: certificate, log and signature.
fn standard(root: &Verifier, bundle: &Bundle, meta: &Sha256) -> Result<(), Failure> {
    // A timestamp of somebody else would do for the library.
    if bundle.verification_material.tlog_entries.is_empty() {
        return Err(Step::Log.fails("it has no log entry"));
    }
    let digest = Sha256Hash::try_from(meta.as_bytes()).map_err(|error| Step::Statement.fails(error.to_string()))?;
    root.verify(digest, bundle, &VerificationPolicy::any_identity()).map(drop).map_err(|error| failure(&error))
}

/// Verifies a bundle whose statement the library does not read, because its type is under a key of another name.
///
/// A signature over an envelope is one over the envelope's encoding, so it is verified as that. The library then does everything but its
/// last step, which binds the entry to the bundle: an entry about an envelope is not one about plain bytes, and it says so in these words.
/// Any other answer is a refusal, success included. The last step is [`is_about`]. The version of the library is pinned, and the suite
/// breaks each of its steps with a bundle of this kind.
fn deno(root: &Verifier, bundle: &Bundle) -> Result<(), Failure> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(Step::Bundle.fails("it has no statement")) };
    let signed = envelope.pae();
    let plain = SignatureContent::MessageSignature(MessageSignature::new(envelope.signature.sig.clone()));
    let plain = Bundle::new(MediaType::Bundle0_3, bundle.verification_material.clone(), plain);
    match root.verify(signed.as_slice(), &plain, &VerificationPolicy::any_identity()) {
        Err(Error::UnsupportedBundle(said)) if said == ONLY_THE_LAST_STEP => {}
        Err(error) => return Err(failure(&error)),
        Ok(_) => return Err(Step::Log.fails("the log entry is not about an envelope")),
    }
    let [entry] = bundle.verification_material.tlog_entries.as_slice() else {
        return Err(Step::Log.fails("one log entry is expected"));
    };
    let certificate = bundle.signing_certificate().ok_or_else(|| Step::Bundle.fails("it has no certificate"))?;
    is_about(entry, envelope, certificate).ok_or_else(|| Step::Log.fails("the log entry is about another signature"))
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
fn failure(error: &Error) -> Failure {
    let step = match error {
        Error::Certificate(_) | Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => Step::Certificate,
        Error::TransparencyLog(_) | Error::Timestamp(_) => Step::Log,
        Error::SignatureInvalid(_) | Error::Crypto(_) => Step::Signature,
        Error::ArtifactMismatch(_) => Step::Statement,
        _ => Step::Bundle,
    };
    step.fails(error.to_string())
}

/// Checks that the statement of a bundle is about this version: its manifest, by digest, and nothing else. Returns its kind.
fn statement(bundle: &Bundle, about: &About) -> Result<String, Failure> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(Step::Bundle.fails("it has no statement")) };
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
