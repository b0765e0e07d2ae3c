//! The doors to the transparency log in the other direction, and to those who vouch for what is entered there: what the registry attests is
//! signed, its time is, and the log takes it in. Whatever all of them answer is verified like the bundle of somebody else before it is kept.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use sigstore_tsa::TimestampClient;
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::crypto::sha256;
use sigstore_verify::rekor::{HashedRekordV2, RekorV2KeyDetails};
use sigstore_verify::types::{
    ArtifactDigest, Bundle, DerCertificate, DerPublicKey, DsseEnvelope, HashAlgorithm, KindVersion, Rfc3161Timestamp, SignatureContent,
    TransparencyLogEntry,
};
use url::Url;

use super::certificate;
use super::verify::failure;
use super::{Notary, Obstacle, door, log};
use crate::clock::Instant;
use crate::config::{Edition, Keyless, Log};
use crate::ids::Sha512;
use crate::model::provenance::{Failure, Step};
use crate::shutdown::aside;
use crate::signing::SigningKey;

/// How long one answer may take. A log answers when the entry is in its tree, which takes seconds; others wait behind it. Clients of Sigstore
/// wait as long.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let bundle = key.attest_certified(statement, certificate.clone());
        self.take_in(log, bundle, Signer::Certificate(certificate), tarball, now).await
    }

    async fn take_in(&self, log: &Log, bundle: Bundle, signer: Signer, tarball: Sha512, now: Instant) -> Result<Value, Obstacle> {
        let entered = enter(log, bundle, &signer).await?;
        let written = serde_json::to_value(&entered).map_err(|error| unreadable(&error))?;
        let digest = ArtifactDigest::new(HashAlgorithm::Sha2512, tarball.as_bytes()).expect("both have 64 bytes");
        let root = self.root(now).await;
        aside(move || {
            let verified = match signer {
                Signer::Key(key) => root.verifier.verify(digest, &entered, &PublicKeyVerificationPolicy::new(key)),
                // That the key is ours is told by the signature; who we are, by the token.
                Signer::Certificate(_) => root.verifier.verify(digest, &entered, &root.policy()),
            };
            verified.map(drop).map_err(|error| failure(&error))
        })
        .await?;
        Ok(written)
    }
}

/// Has everybody vouch for a bundle who is to. The log comes last: what it has it keeps, also of a bundle that lacks a time.
async fn enter(log: &Log, mut bundle: Bundle, signer: &Signer) -> Result<Bundle, Obstacle> {
    let client = door::patient(PATIENCE).map_err(log::NoEntry::from)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(unreadable(&"it has no statement").into()) };
    let envelope = envelope.clone();
    let material = &mut bundle.verification_material;
    if let Some(url) = &log.timestamp_url {
        material.timestamp_verification_data.rfc3161_timestamps = vec![timestamp(&client, url, &envelope).await?];
    }
    material.tlog_entries = vec![match log.edition {
        Edition::One => by_first(&client, &log.rekor_url, &envelope, signer).await?,
        Edition::Two => by_second(&client, &log.rekor_url, &envelope, signer).await?,
    }];
    Ok(bundle)
}

/// When the signature was there, as an authority signs it.
async fn timestamp(client: &Client, url: &Url, envelope: &DsseEnvelope) -> Result<Rfc3161Timestamp, Obstacle> {
    let silent = |error: sigstore_tsa::Error| Obstacle::Away(format!("no authority signs the time: {error}"));
    let asked = TimestampClient::builder(url.as_str()).with_http_client(client.clone()).build().map_err(silent)?;
    Ok(Rfc3161Timestamp::new(asked.timestamp_signature(&envelope.signature.sig).await.map_err(silent)?))
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
    let answer = client.post(entries.clone()).json(&proposed).send().await.map_err(|error| away(&error.without_url()))?;
    let answer = match answer.status() {
        // It was entered before, by a process that did not live to note it. Where it is stands in the answer.
        StatusCode::CONFLICT => {
            let place = place(&answer).ok_or_else(|| Step::Log.fails("the log has the entry already and does not say where"))?;
            let place = entries.join(&format!("entries/{place}")).map_err(|error| away(&error))?;
            client.get(place).send().await.map_err(|error| away(&error.without_url()))?
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
    let answer = client.post(entries).json(&proposed).send().await.map_err(|error| away(&error.without_url()))?;
    serde_json::from_slice(&taken(answer).await?).map_err(|error| unreadable(&error).into())
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
    let place = answer.headers().get("location")?.to_str().ok()?.rsplit('/').next()?;
    (!place.is_empty() && place.len() <= 80 && place.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| place.to_owned())
}

fn away(error: &dyn std::fmt::Display) -> Obstacle {
    log::NoEntry::Away(error.to_string()).into()
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Step::Log.fails(format!("the log's entry cannot be read: {error}"))
}
