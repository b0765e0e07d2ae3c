//! The doors to the transparency log in the other direction, and to those who vouch for what is entered there: what the registry attests is
//! signed, its time is, and the log takes it in. Whatever all of them answer is verified like the bundle of somebody else before it is kept.
//! What a client signs ([`sign`]) goes through the same doors, and is verified by whoever is handed it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info, sha256};
use sigstore_verify::rekor::{HashedRekordV2, RekorV2KeyDetails};
use sigstore_verify::types::{
    ArtifactDigest, Bundle, DerCertificate, DerPublicKey, DsseEnvelope, HashAlgorithm, KindVersion, Rfc3161Timestamp, SignatureContent,
    TimestampToken, TransparencyLogEntry,
};
use url::Url;

use super::certificate::{self, Identity};
use super::root::Root;
use super::verify::{MAX_TIMESTAMP, bounded, failure};
use super::{Notary, Obstacle, door, log};
use crate::clock::Instant;
use crate::config::{Edition, Keyless, Log};
use crate::ids::{IdSource, Sha512};
use crate::model::provenance::{Failure, Step};
use crate::shutdown::aside;
use crate::signing::SigningKey;

/// How long the answer of a log may take. It comes when the entry is in its tree, which takes seconds; others wait behind it. Clients of
/// Sigstore wait as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an authority is asked to sign the time of (RFC 3161, 2.4.1), up to the 32 bytes of the digest: version 1, SHA-256. There is no nonce:
/// a time that was signed before of the same signature is as true.
const QUESTION: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];
/// What comes behind the digest: that the certificate is wanted with the answer.
const END_OF_QUESTION: [u8; 3] = [0x01, 0x01, 0xff];

/// A bundle that the registry signed itself.
#[derive(Debug)]
pub struct Own {
    /// The bundle, without a log entry.
    pub bundle: Value,
    /// The public half of the key, in DER.
    pub key: Vec<u8>,
    /// The digest of the tarball that it is about.
    pub tarball: Sha512,
}

/// By what others tell who signed.
#[derive(Clone)]
enum Signer {
    Key(DerPublicKey),
    Certificate(DerCertificate),
}

impl Notary {
    /// Has a log take in what the registry attests, and returns the bundle with the entry. What was entered before is found again by a first
    /// Rekor.
    ///
    /// # Errors
    /// When the log does not take it, or its entry does not hold by the root of trust, or somebody who is needed does not answer.
    pub async fn enter(&self, log: &Log, own: Own, now: Instant) -> Result<Value, Obstacle> {
        let bundle = Bundle::from_json(&own.bundle.to_string()).map_err(|error| unreadable(&error))?;
        self.take_in(log, bundle, Signer::Key(DerPublicKey::from_bytes(&own.key)), own.tarball, now).await
    }

    /// Signs a statement about a tarball with a key that an authority certifies for this once, has a log take it in, and returns the bundle.
    ///
    /// # Errors
    /// As [`Self::enter`], and when nobody certifies it.
    pub async fn enter_certified(
        &self,
        (log, keyless): (&Log, &Keyless),
        statement: Vec<u8>,
        tarball: Sha512,
        now: Instant,
    ) -> Result<Value, Obstacle> {
        let key = SigningKey::generate(&self.ids);
        let certificate = certificate::request(keyless, &key).await.map_err(Obstacle::Away)?;
        let known = of_key(&certificate, &key)?;
        let bundle = key.attest_certified(statement, certificate.clone());
        let entered = self.take_in(log, bundle, Signer::Certificate(certificate), tarball, now).await?;
        tracing::info!(identity = ?known.identity, issuer = known.issuer, "a statement is signed with a certificate, and entered");
        Ok(entered)
    }

    /// Verifies again what a log has of what the registry attests of a tarball. `key` is the one that signed it, in DER; without one a
    /// certificate has to be in it.
    ///
    /// # Errors
    /// When it does not hold by the root of trust.
    pub async fn examine_entered(&self, bundle: &Value, key: Option<&[u8]>, tarball: Sha512, now: Instant) -> Result<(), Failure> {
        let bundle = Bundle::from_json(&bundle.to_string()).map_err(|error| unreadable(&error))?;
        let certificate = || bundle.signing_certificate().cloned().map(Signer::Certificate);
        let signer = key.map(|key| Signer::Key(DerPublicKey::from_bytes(key))).or_else(certificate);
        let signer = signer.ok_or_else(|| Step::Bundle.fails("it has no certificate"))?;
        let root = self.root(now).await;
        aside(move || verify(&root, &bundle, &signer, &tarball, true)).await
    }

    async fn take_in(&self, log: &Log, mut bundle: Bundle, signer: Signer, tarball: Sha512, now: Instant) -> Result<Value, Obstacle> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(unreadable(&"it has no statement").into()) };
        let envelope = envelope.clone();
        if let Some(url) = &log.timestamp_url {
            let time = timestamp(url, &envelope).await?;
            bundle.verification_material.timestamp_verification_data.rfc3161_timestamps = vec![time];
        }
        let root = self.root(now).await;
        // The log comes last: what it has it keeps. Without a time of somebody else nothing can be said before.
        if log.timestamp_url.is_some() {
            let (root, bundle, signer) = (root.clone(), bundle.clone(), signer.clone());
            aside(move || verify(&root, &bundle, &signer, &tarball, false)).await?;
        }
        let client = door::patient(PATIENCE).map_err(log::NoEntry::from)?;
        let entry = match log.edition {
            Edition::One => by_first(&client, &log.rekor_url, &envelope, &signer).await?,
            Edition::Two => by_second(&client, &log.rekor_url, &envelope, &signer).await?,
        };
        bundle.verification_material.tlog_entries = vec![entry];
        let written = serde_json::to_value(&bundle).map_err(|error| unreadable(&error))?;
        aside(move || verify(&root, &bundle, &signer, &tarball, true)).await?;
        Ok(written)
    }
}

/// Signs a statement with a key that an authority certifies for whom a token names, has a log (Rekor 1) take it in, and returns the bundle. The
/// authority and the log are named first. Nothing is verified here: whoever is handed the bundle does that.
///
/// # Errors
/// When somebody does not answer, or not with what he is asked for.
pub async fn sign((fulcio_url, rekor_url): &(Url, Url), token: &str, statement: Vec<u8>, ids: &IdSource) -> Result<Value, Obstacle> {
    let identity = Identity::read(token).ok_or_else(|| Step::Certificate.fails("the token that it is asked for with cannot be read"))?;
    let key = SigningKey::generate(ids);
    let certificate = certificate::certify(fulcio_url, &identity, &key).await.map_err(Obstacle::Away)?;
    of_key(&certificate, &key)?;
    let mut bundle = key.attest_certified(statement, certificate.clone());
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(unreadable(&"it has no statement").into()) };
    let client = door::patient(PATIENCE).map_err(log::NoEntry::from)?;
    bundle.verification_material.tlog_entries = vec![by_first(&client, rekor_url, envelope, &Signer::Certificate(certificate)).await?];
    serde_json::to_value(&bundle).map_err(|error| unreadable(&error).into())
}

/// What a certificate says, if it is of this key.
fn of_key(certificate: &DerCertificate, key: &SigningKey) -> Result<CertificateInfo, Failure> {
    let known = parse_certificate_info(certificate).map_err(|error| Step::Certificate.fails(error.to_string()))?;
    if known.public_key == key.public_der() {
        return Ok(known);
    }
    Err(Step::Certificate.fails("it is of another key than the one that was shown"))
}

/// Verifies a bundle about a tarball, with what the log has or before it has anything. Whoever an authority certifies is believed: which of its
/// certificates are ours, the token told it, and readers compare.
fn verify(root: &Root, bundle: &Bundle, signer: &Signer, tarball: &Sha512, is_entered: bool) -> Result<(), Failure> {
    bounded(&bundle.verification_material.timestamp_verification_data.rfc3161_timestamps)?;
    let digest = ArtifactDigest::new(HashAlgorithm::Sha2512, tarball.as_bytes()).expect("both have 64 bytes");
    let verified = match (signer, is_entered) {
        (Signer::Key(key), true) => root.verifier.verify(digest, bundle, &PublicKeyVerificationPolicy::new(key.clone())),
        (Signer::Key(key), false) => {
            root.verifier.verify(digest, bundle, &PublicKeyVerificationPolicy::new(key.clone()).skip_tlog_unsafe())
        }
        (Signer::Certificate(_), true) => root.verifier.verify(digest, bundle, &root.policy()),
        (Signer::Certificate(_), false) => root.verifier.verify(digest, bundle, &root.policy().skip_tlog_unsafe()),
    };
    verified.map(drop).map_err(|error| failure(&error))
}

/// When the signature was there, as an authority signs it. The crate made for it reads an answer of any length.
async fn timestamp(url: &Url, envelope: &DsseEnvelope) -> Result<Rfc3161Timestamp, Obstacle> {
    const AUTHORITY: &str = "the authority that signs times";
    let silent = |silence: door::Silence| Obstacle::Away(silence.of(AUTHORITY));
    let question = [&QUESTION, sha256(envelope.signature.sig.as_bytes()).as_bytes().as_slice(), &END_OF_QUESTION].concat();
    let request = door::client().map_err(silent)?.post(url.clone()).header(header::CONTENT_TYPE, "application/timestamp-query");
    let (status, body) = door::ask(request.body(question), MAX_TIMESTAMP).await.map_err(silent)?;
    if !status.is_success() {
        return Err(Obstacle::Away(format!("{AUTHORITY} does not ({status})")));
    }
    Ok(Rfc3161Timestamp::new(TimestampToken::new(body)))
}

/// Has a first Rekor take an envelope in.
async fn by_first(client: &Client, rekor_url: &Url, envelope: &DsseEnvelope, signer: &Signer) -> Result<TransparencyLogEntry, Obstacle> {
    let entries = rekor_url.join("api/v1/log/entries").map_err(|error| away(&error))?;
    let envelope = serde_json::to_string(envelope).map_err(|error| unreadable(&error))?;
    let verifier = match signer {
        Signer::Key(key) => key.to_pem(),
        Signer::Certificate(certificate) => certificate.to_pem(),
    };
    let proposed = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": { "envelope": envelope, "verifiers": [STANDARD.encode(verifier)] } },
    });
    let answer = ask(client.post(entries.clone()).json(&proposed)).await?;
    let answer = match answer.status() {
        // It was entered before, by a process that did not live to note it. Where it is stands in the answer.
        StatusCode::CONFLICT => {
            let place = place(&answer).ok_or_else(|| Step::Log.fails("the log has the entry already and does not say where"))?;
            ask(client.get(entries.join(&format!("entries/{place}")).map_err(|error| away(&error))?)).await?
        }
        _ => answer,
    };
    Ok(log::only(&taken(answer).await?, KindVersion::DsseV001)?)
}

/// Has a second Rekor take an envelope in: the digest of what was signed, and the signature, which is all that it takes of anything.
async fn by_second(client: &Client, rekor_url: &Url, envelope: &DsseEnvelope, signer: &Signer) -> Result<TransparencyLogEntry, Obstacle> {
    const P256: RekorV2KeyDetails = RekorV2KeyDetails::PkixEcdsaP256Sha256;
    let entries = rekor_url.join("api/v2/log/entries").map_err(|error| away(&error))?;
    let (digest, signature) = (sha256(&envelope.pae()), &envelope.signature.sig);
    let proposed = match signer {
        Signer::Key(key) => HashedRekordV2::new_with_public_key(&digest, signature, key, P256),
        Signer::Certificate(certificate) => HashedRekordV2::new_with_certificate(&digest, signature, certificate, P256),
    };
    let answer = ask(client.post(entries).json(&proposed)).await?;
    if answer.status() == StatusCode::CONFLICT {
        return Err(Step::Log.fails("the log has this signature already, and a second Rekor does not say where").into());
    }
    serde_json::from_slice(&taken(answer).await?).map_err(|error| unreadable(&error).into())
}

async fn ask(request: RequestBuilder) -> Result<Response, Obstacle> {
    request.send().await.map_err(|error| away(&door::chain(&error.without_url())))
}

/// What a log answers, if it took something in.
async fn taken(answer: Response) -> Result<Vec<u8>, Obstacle> {
    let status = answer.status();
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY) {
        return Err(Step::Log.fails(format!("the log does not take it ({status})")).into());
    }
    if !status.is_success() {
        return Err(away(&status));
    }
    Ok(log::body(answer).await?)
}

/// The number of an entry that is there already: hexadecimal, and the end of an address.
fn place(answer: &Response) -> Option<String> {
    let place = answer.headers().get(header::LOCATION)?.to_str().ok()?.rsplit('/').next()?;
    (!place.is_empty() && place.len() <= 80 && place.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| place.to_owned())
}

fn away(error: &dyn std::fmt::Display) -> Obstacle {
    log::NoEntry::Away(error.to_string()).into()
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Step::Log.fails(format!("the log's entry cannot be read: {error}"))
}
