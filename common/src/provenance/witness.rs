//! Whoever stands in for the transparency log where none is required: this process, which says when the certificate was used.
//!
//! The library verifies no certificate without a time that somebody signed. So an entry is made as a log would make it, for the time of
//! the publish, and signed with a key that lives as long as the process; with that key for a log, the library then does all that it
//! does otherwise: chain, promise of the log of certificates, signature, binding. The entry proves nothing to others and is not kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, SignatureContent, TransparencyLogEntry};
use sigstore_verify::{VerificationPolicy, Verifier};

use super::{About, verify};
use crate::ids::{IdSource, Sha256};
use crate::model::provenance::{Failure, Step};

/// How far from the publish a certificate may have been issued, in seconds. Clients ask for one when the version is published; it is
/// valid for ten minutes.
const AROUND_THE_PUBLISH: i64 = 600;

/// A log of one entry, which forgets it.
pub(super) struct Witness {
    verifier: Verifier,
    key: SigningKey,
    id: Sha256,
    policy: VerificationPolicy,
}

impl Witness {
    /// A witness beside everybody else in a root of trust.
    pub(super) fn new(mut root: Value, ids: &IdSource) -> Result<Self, sigstore_verify::Error> {
        let secret = loop {
            let mut bytes = [0; 32];
            ids.fill(&mut bytes);
            // Of all numbers of 32 bytes one in four thousand million is none on the curve.
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let public = secret.public_key().to_public_key_der().expect("a point of the curve always encodes").into_vec();
        let id = Sha256::of(&public);
        root["tlogs"] = json!([{
            "baseUrl": "", "hashAlgorithm": "SHA2_256", "logId": { "keyId": STANDARD.encode(id.as_bytes()) },
            "publicKey": {
                "rawBytes": STANDARD.encode(&public), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": { "start": "1970-01-01T00:00:00Z" },
            },
        }]);
        let root = TrustedRoot::from_json(&root.to_string())?;
        let policy = VerificationPolicy::any_identity().skip_tlog_unsafe();
        let policy = if root.ctlogs.is_empty() { policy.skip_sct() } else { policy };
        Ok(Self { verifier: Verifier::new(&root)?, key: secret.into(), id, policy })
    }

    /// Verifies a standard bundle without a log entry.
    pub(super) fn verify(&self, bundle: &Bundle, about: &About) -> Result<(), Failure> {
        let certificate = bundle.signing_certificate().ok_or_else(|| Step::Bundle.fails("it has no certificate"))?;
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Err(Step::Bundle.fails("it has no statement")) };
        let known = parse_certificate_info(certificate).map_err(|error| Step::Certificate.fails(error.to_string()))?;
        let published = about.published_at.timestamp();
        let moment = published.max(known.not_before.as_second()).min(known.not_after.as_second());
        if moment.abs_diff(published) > AROUND_THE_PUBLISH.unsigned_abs() {
            return Err(Step::Certificate.fails(format!(
                "without a log it has to be issued when the version is published, {}: it is valid from {} to {}",
                about.published_at.to_rfc3339(),
                known.not_before,
                known.not_after
            )));
        }
        let signature = STANDARD.encode(STANDARD.encode(envelope.signature.sig.as_bytes()));
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "intoto",
            "spec": { "content": {
                "envelope": {
                    "payloadType": envelope.payload_type,
                    "signatures": [{ "publicKey": STANDARD.encode(certificate.to_pem()), "sig": signature }],
                },
                "hash": { "algorithm": "sha256", "value": Sha256::of(envelope.signature.sig.as_bytes()).hex() },
                "payloadHash": { "algorithm": "sha256", "value": Sha256::of(envelope.payload.as_bytes()).hex() },
            } },
        });
        let entry = self.entry(&body.to_string(), moment)?;
        let mut witnessed = bundle.clone();
        witnessed.verification_material.tlog_entries = vec![entry];
        verify::by_library(&self.verifier, &witnessed, &self.policy, verify::digest(&about.meta)).map(drop)
    }

    /// An entry of a log with its promise.
    fn entry(&self, body: &str, time: i64) -> Result<TransparencyLogEntry, Failure> {
        let body = STANDARD.encode(body);
        // In the order of the keys, which is how it is signed.
        let promised = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{}","logIndex":0}}"#, self.id.hex());
        let signature: DerSignature = self.key.sign(promised.as_bytes());
        let entry = json!({
            "logIndex": "0", "logId": { "keyId": STANDARD.encode(self.id.as_bytes()) },
            "kindVersion": { "kind": "intoto", "version": "0.0.2" }, "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(signature.as_bytes()) },
            "canonicalizedBody": body,
        });
        serde_json::from_value(entry).map_err(|error| Step::Certificate.fails(format!("its time cannot be witnessed: {error}")))
    }
}
