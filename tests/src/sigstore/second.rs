//! A log of signatures of the second kind: it says no time, and has signatures over digests in place of envelopes. Every entry is the only
//! one of a tree of its own here, too.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;

use super::authority::{certified_key, der_of};
use super::{Inside, encoded};

impl Inside {
    /// The entry of an envelope in a log that promises nothing and says no time. The first one of its tree.
    pub(super) fn timeless_entry(&self, envelope: &Value, pem: &str) -> Value {
        let payload = STANDARD.decode(envelope["payload"].as_str().expect("an envelope has a payload")).expect("it is Base64");
        let signed = encoded(&String::from_utf8(payload).expect("a statement is text"));
        let digest = STANDARD.encode(Sha256::of(signed.as_bytes()).as_bytes());
        let certificate = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": der_of(pem) } });
        self.second_entry(&digest.into(), &json!({ "content": envelope["signatures"][0]["sig"], "verifier": certificate }))
    }

    fn second_entry(&self, digest: &Value, signature: &Value) -> Value {
        let content = json!({ "hashedRekordV002": { "data": { "algorithm": "SHA2_256", "digest": digest }, "signature": signature } });
        let body = json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": content }).to_string();
        let root = Sha256::of(&[&[0], body.as_bytes()].concat());
        json!({
            "logIndex": "0", "logId": { "keyId": STANDARD.encode(self.log.id().as_bytes()) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "inclusionProof": {
                "logIndex": "0", "rootHash": STANDARD.encode(root.as_bytes()), "treeSize": "1", "hashes": [],
                "checkpoint": { "envelope": self.checkpoint(&root) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        })
    }
}

/// Takes in what a client proposes, once, if the signature holds.
pub(super) async fn add(State(inside): State<Arc<Inside>>, Json(proposed): Json<Value>) -> Result<(StatusCode, Json<Value>), StatusCode> {
    if inside.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let request = &proposed["hashedRekordRequestV002"];
    is_signed(&request["digest"], &request["signature"]).filter(|holds| *holds).ok_or(StatusCode::BAD_REQUEST)?;
    let mut known = inside.timeless.lock().expect("nobody panics here");
    if known.contains(request) {
        return Err(StatusCode::CONFLICT);
    }
    known.push(request.clone());
    Ok((StatusCode::CREATED, Json(inside.second_entry(&request["digest"], &request["signature"]))))
}

fn is_signed(digest: &Value, signature: &Value) -> Option<bool> {
    let bytes = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    let verifier = &signature["verifier"];
    let key = match (&verifier["x509Certificate"]["rawBytes"], &verifier["publicKey"]["rawBytes"]) {
        (certificate, Value::Null) => certified_key(&bytes(certificate)?)?,
        (Value::Null, key) => VerifyingKey::from_public_key_der(&bytes(key)?).ok()?,
        _ => return None,
    };
    let signature = Signature::from_der(&bytes(&signature["content"])?).ok()?;
    Some(key.verify_prehash(&bytes(digest)?, &signature).is_ok())
}
