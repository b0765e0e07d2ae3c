//! A log of signatures. Every entry is the only one of a tree of its own: its proof is short, and a proof all the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_common::ids::Sha256;

use super::authority::{certified_key, der_of};
use super::{Inside, encoded, now};

/// By whom checkpoints are signed: npm compares it with the address of the log.
const HOST: &str = "127.0.0.1";

/// What a log says of an envelope with its certificate. Keys are in order, as logs have them.
pub(super) fn body(envelope: &Value, pem: &str) -> Value {
    let payload = STANDARD.decode(envelope["payload"].as_str().expect("an envelope has a payload")).expect("it is Base64");
    let signature = envelope["signatures"][0]["sig"].as_str().expect("an envelope has a signature");
    content(&envelope["payloadType"], &STANDARD.encode(signature), &STANDARD.encode(pem), &payload)
}

fn content(kind: &Value, signature: &str, certificate: &str, payload: &[u8]) -> Value {
    json!({
        "apiVersion": "0.0.2",
        "kind": "intoto",
        "spec": { "content": {
            "envelope": { "payloadType": kind, "signatures": [{ "publicKey": certificate, "sig": signature }] },
            "hash": { "algorithm": "sha256", "value": Sha256::of(signature.as_bytes()).hex() },
            "payloadHash": { "algorithm": "sha256", "value": Sha256::of(payload).hex() },
        } },
    })
}

impl Inside {
    /// Takes an entry in and returns its number.
    pub(super) fn take(&self, body: &Value) -> usize {
        let index = self.made.fetch_add(1, Ordering::SeqCst);
        let (body, id, time) = (body.to_string(), self.log.id(), now());
        let encoded = STANDARD.encode(&body);
        // In the order of the keys, which is how it is signed.
        let promised = format!(r#"{{"body":"{encoded}","integratedTime":{time},"logID":"{}","logIndex":{index}}}"#, id.hex());
        let root = Sha256::of(&[&[0], body.as_bytes()].concat());
        let entry = json!({
            "body": encoded, "integratedTime": time, "logID": id.hex(), "logIndex": index,
            "verification": {
                "signedEntryTimestamp": STANDARD.encode(self.log.sign(promised.as_bytes())),
                "inclusionProof": {
                    "checkpoint": self.checkpoint(&root),
                    "hashes": [], "logIndex": 0, "rootHash": root.hex(), "treeSize": 1,
                },
            },
        });
        self.entries.lock().expect("nobody panics here").push(entry);
        index
    }

    /// A tree of one entry, signed.
    pub(super) fn checkpoint(&self, root: &Sha256) -> String {
        let note = format!("test log\n1\n{}\n", STANDARD.encode(root.as_bytes()));
        let signature = [&self.log.id().as_bytes()[..4], &self.log.sign(note.as_bytes())].concat();
        format!("{note}\n\u{2014} {HOST} {}\n", STANDARD.encode(signature))
    }

    /// What it answers when it has taken an entry in.
    fn taken(&self, index: usize) -> Response {
        let entry = self.entries.lock().expect("nobody panics here")[index].clone();
        (StatusCode::CREATED, Json(json!({ "24296fb24b8ad77a": entry }))).into_response()
    }

    /// Takes an envelope in, once, if its signature holds.
    fn add_envelope(&self, envelope: &str, verifier: &str) -> Result<Response, StatusCode> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": Sha256::of(bytes).hex() });
        let parsed: Value = serde_json::from_str(envelope).map_err(|_| StatusCode::BAD_REQUEST)?;
        let payload = parsed["payload"].as_str().and_then(|payload| STANDARD.decode(payload).ok()).ok_or(StatusCode::BAD_REQUEST)?;
        is_signed(&parsed, &payload, verifier).filter(|holds| *holds).ok_or(StatusCode::BAD_REQUEST)?;
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(envelope.as_bytes()), "payloadHash": hash(&payload),
                "signatures": [{ "signature": parsed["signatures"][0]["sig"], "verifier": verifier }],
            },
        });
        let encoded = STANDARD.encode(body.to_string());
        let known = self.entries.lock().expect("nobody panics here").iter().position(|entry| entry["body"] == encoded);
        Ok(match known {
            Some(index) => (StatusCode::CONFLICT, [("location", format!("/api/v1/log/entries/{index:064x}"))]).into_response(),
            None => self.taken(self.take(&body)),
        })
    }

    /// An entry as standard bundles have it.
    pub(super) fn bundle_entry(&self, index: usize) -> Value {
        let entry = self.entries.lock().expect("nobody panics here")[index].clone();
        let proof = &entry["verification"]["inclusionProof"];
        let body = STANDARD.decode(entry["body"].as_str().expect("an entry has a body")).expect("it is Base64");
        let root = Sha256::of(&[&[0], body.as_slice()].concat());
        json!({
            "logIndex": index.to_string(), "logId": { "keyId": STANDARD.encode(self.log.id().as_bytes()) },
            "kindVersion": { "kind": "intoto", "version": "0.0.2" }, "integratedTime": entry["integratedTime"].to_string(),
            "inclusionPromise": { "signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"] },
            "inclusionProof": {
                "logIndex": "0", "rootHash": STANDARD.encode(root.as_bytes()), "treeSize": "1", "hashes": [],
                "checkpoint": { "envelope": proof["checkpoint"] },
            },
            "canonicalizedBody": entry["body"],
        })
    }
}

/// Whether a key or the key of a certificate, in Base64 of PEM, signed an envelope.
fn is_signed(envelope: &Value, payload: &[u8], verifier: &str) -> Option<bool> {
    let pem = String::from_utf8(STANDARD.decode(verifier).ok()?).ok()?;
    let der = STANDARD.decode(der_of(&pem)).ok()?;
    let key = if pem.contains("CERTIFICATE") { certified_key(&der)? } else { VerifyingKey::from_public_key_der(&der).ok()? };
    let signature = STANDARD.decode(envelope["signatures"][0]["sig"].as_str()?).ok()?;
    Some(key.verify(encoded(std::str::from_utf8(payload).ok()?).as_bytes(), &Signature::from_der(&signature).ok()?).is_ok())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    log_index: usize,
}

/// An entry by its number.
pub(super) async fn entry(State(inside): State<Arc<Inside>>, Query(asked): Query<Asked>) -> Result<Json<Value>, StatusCode> {
    if inside.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    let entry = inside.entries.lock().expect("nobody panics here").get(asked.log_index).cloned().ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({ "24296fb24b8ad77a": entry })))
}

/// An entry by its name.
pub(super) async fn named(State(inside): State<Arc<Inside>>, Path(name): Path<String>) -> Result<Json<Value>, StatusCode> {
    let index = usize::from_str_radix(&name, 16).map_err(|_| StatusCode::BAD_REQUEST)?;
    entry(State(inside), Query(Asked { log_index: index })).await
}

/// Takes in what a client proposes.
pub(super) async fn add(State(inside): State<Arc<Inside>>, Json(proposed): Json<Value>) -> Result<Response, StatusCode> {
    let text = |pointer: &str| proposed.pointer(pointer).and_then(Value::as_str).ok_or(StatusCode::BAD_REQUEST);
    if proposed["kind"] == "dsse" {
        return inside.add_envelope(text("/spec/proposedContent/envelope")?, text("/spec/proposedContent/verifiers/0")?);
    }
    let envelope = "/spec/content/envelope";
    let twice = text(&format!("{envelope}/payload"))?;
    let decode = |text: &[u8]| STANDARD.decode(text).map_err(|_| StatusCode::BAD_REQUEST);
    let payload = decode(&decode(twice.as_bytes())?)?;
    let signature = text(&format!("{envelope}/signatures/0/sig"))?;
    let certificate = text(&format!("{envelope}/signatures/0/publicKey"))?;
    let index = inside.take(&content(&proposed["spec"]["content"]["envelope"]["payloadType"], signature, certificate, &payload));
    Ok(inside.taken(index))
}
