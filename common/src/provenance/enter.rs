//! The door to the transparency log in the other direction: what the registry attests is entered there.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::types::{ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm, KindVersion, TransparencyLogEntry};
use url::Url;

use super::verify::failure;
use super::{Notary, Obstacle, log};
use crate::clock::Instant;
use crate::ids::Sha512;
use crate::model::provenance::{Failure, Step};
use crate::shutdown::aside;

/// How long one answer may take. A log answers when the entry is in its tree, which takes seconds; others wait behind it.
const PATIENCE: Duration = Duration::from_secs(10);

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

impl Notary {
    /// Has a log take in what the registry attests, and returns the entry as bundles have it. What was entered before is found again.
    ///
    /// # Errors
    /// When the log does not take it, or its entry does not hold by the root of trust, or it does not answer.
    pub async fn enter(&self, rekor_url: &Url, own: Own, now: Instant) -> Result<Value, Obstacle> {
        let entry = enter(rekor_url, &own).await?;
        let written = serde_json::to_value(&entry).map_err(|error| unreadable(&error))?;
        let mut logged = own.bundle;
        logged["verificationMaterial"]["tlogEntries"] = json!([written]);
        let bundle = Bundle::from_json(&logged.to_string()).map_err(|error| unreadable(&error))?;
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::from_bytes(&own.key));
        let digest = ArtifactDigest::new(HashAlgorithm::Sha2512, own.tarball.as_bytes()).expect("both have 64 bytes");
        let root = self.root(now).await;
        aside(move || root.verifier.verify(digest, &bundle, &policy).map(drop).map_err(|error| failure(&error))).await?;
        Ok(written)
    }
}

async fn enter(rekor_url: &Url, own: &Own) -> Result<TransparencyLogEntry, Obstacle> {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).build().map_err(|error| away(&error))?;
    let entries = rekor_url.join("api/v1/log/entries").map_err(|error| away(&error))?;
    let verifier = DerPublicKey::from_bytes(&own.key).to_pem();
    let proposed = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": { "envelope": own.bundle["dsseEnvelope"].to_string(), "verifiers": [STANDARD.encode(verifier)] } },
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
    let status = answer.status();
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY) {
        return Err(Step::Log.fails(format!("the log does not take it ({status})")).into());
    }
    if !status.is_success() {
        return Err(Obstacle::LogAway(status.to_string()));
    }
    let body = log::body(answer).await?;
    Ok(log::only(&body, KindVersion::DsseV001)?)
}

/// The number of an entry that is there already: hexadecimal, and the end of an address.
fn place(answer: &Response) -> Option<String> {
    let place = answer.headers().get("location")?.to_str().ok()?.rsplit('/').next()?;
    (!place.is_empty() && place.len() <= 80 && place.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| place.to_owned())
}

fn away(error: &dyn std::fmt::Display) -> Obstacle {
    Obstacle::LogAway(error.to_string())
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Step::Log.fails(format!("the log's entry cannot be read: {error}"))
}
