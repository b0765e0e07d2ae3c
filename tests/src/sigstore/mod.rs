//! A certificate authority, a log of its certificates, and a log of signatures, as Sigstore has them: real keys, real certificates and
//! real proofs over HTTP on loopback, with a root of trust of their own.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is somebody else's server, with a clock of its own")]

mod authority;
mod log;
mod second;
pub mod timestamps;
pub mod updates;

use std::io::Write as _;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use tempfile::NamedTempFile;

use authority::Authority;
pub use authority::Temper;
use timestamps::Timestamper;

use crate::loopback::{self, Loopback};

/// What a statement about a build is sent as.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An instance of Sigstore.
pub struct Sigstore {
    inside: Arc<Inside>,
    root: NamedTempFile,
    _server: Loopback,
}

struct Inside {
    url: String,
    authority: Authority,
    timestamper: Timestamper,
    /// The log of signatures.
    log: Key,
    entries: Mutex<Vec<Value>>,
    made: AtomicUsize,
    /// What the log of the second kind has.
    timeless: Mutex<Vec<Value>>,
    is_down: AtomicBool,
    is_without_time: AtomicBool,
    temper: Mutex<Temper>,
}

/// A key on P-256.
struct Key(EcdsaKeyPair);

impl Key {
    fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("randomness is there"))
    }

    /// The public key as certificates have it.
    fn public(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().expect("a key can be written");
        der.as_ref().to_vec()
    }

    fn id(&self) -> Sha256 {
        Sha256::of(&self.public())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).expect("a key signs").as_ref().to_vec()
    }
}

/// A job with a certificate and the key that it is for.
pub struct Signer {
    key: Key,
    /// The certificate.
    pub pem: String,
}

/// What a bundle is made of.
#[derive(Clone)]
pub struct Signed {
    /// The envelope with the statement and one signature.
    pub envelope: Value,
    /// The certificate.
    pub pem: String,
    /// Where the log has it.
    pub log_index: usize,
}

/// What is signed of a statement in an envelope.
fn encoded(payload: &str) -> String {
    format!("DSSEv1 {} {PAYLOAD_TYPE} {} {payload}", PAYLOAD_TYPE.len(), payload.len())
}

impl Signer {
    /// An envelope with a statement.
    #[must_use]
    pub fn sign(&self, statement: &Value) -> Value {
        let payload = statement.to_string();
        let signature = STANDARD.encode(self.key.sign(encoded(&payload).as_bytes()));
        json!({
            "payloadType": PAYLOAD_TYPE, "payload": STANDARD.encode(&payload), "signatures": [{ "keyid": "", "sig": signature }],
        })
    }
}

impl Signed {
    /// The bundle as `deno publish` sends it.
    #[must_use]
    pub fn as_deno(&self) -> Value {
        json!({
            "mediaType": PAYLOAD_TYPE,
            "content": { "$case": "dsseSignature", "dsseEnvelope": self.envelope },
            "verificationMaterial": {
                "content": { "$case": "x509CertificateChain", "x509CertificateChain": { "certificates": [{ "rawBytes": self.pem }] } },
                "tlogEntries": [{ "logIndex": self.log_index }],
            },
        })
    }
}

impl Sigstore {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no port.
    #[must_use]
    pub fn start() -> Self {
        let (inside, server) = loopback::serve(|url| {
            let inside = Arc::new(Inside {
                url,
                authority: Authority::new(),
                timestamper: Timestamper::new(),
                log: Key::generate(),
                entries: Mutex::default(),
                made: AtomicUsize::new(0),
                timeless: Mutex::default(),
                is_down: AtomicBool::new(false),
                is_without_time: AtomicBool::new(false),
                temper: Mutex::new(Temper::Fair),
            });
            let router = Router::new()
                .route("/api/v1/log/entries", get(log::entry).post(log::add))
                .route("/api/v1/log/entries/{name}", get(log::named))
                .route("/api/v2/log/entries", post(second::add))
                .route("/api/v2/signingCert", post(authority::certify))
                .route("/api/v1/timestamp", post(timestamps::sign))
                .route("/platform/{token}", get(authority::hand_out))
                .with_state(inside.clone());
            (inside, router)
        });
        let root = write(&inside.trusted_root());
        Self { inside, root, _server: server }
    }

    /// Where both logs and the authority answer.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inside.url
    }

    /// The settings with which a registry believes it.
    ///
    /// # Panics
    /// When the path of a file is no text.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 2] {
        let root = self.root.path().to_str().expect("a path is text").to_owned();
        [("sigstore.trusted_root", root), ("sigstore.rekor_url", self.url().to_owned())]
    }

    /// The settings with which a registry enters what it attests in the log.
    #[must_use]
    pub fn entering(&self) -> Vec<(&'static str, String)> {
        [self.settings().as_slice(), &[("attestation.rekor_url", self.url().to_owned())]].concat()
    }

    /// The same in the log of the second kind, with the authority that signs times.
    #[must_use]
    pub fn entering_second(&self) -> Vec<(&'static str, String)> {
        [self.entering().as_slice(), &[("attestation.rekor_version", "2".to_owned()), self.timing()]].concat()
    }

    /// The setting with which a registry has its times signed.
    #[must_use]
    pub fn timing(&self) -> (&'static str, String) {
        ("attestation.timestamp_url", format!("{}/api/v1/timestamp", self.url()))
    }

    /// The settings with which a registry has its keys certified by whoever this token names.
    #[must_use]
    pub fn certifying(&self, token: &str) -> [(&'static str, String); 2] {
        [("attestation.fulcio_url", self.url().to_owned()), ("attestation.identity_token", token.to_owned())]
    }

    /// The address at which a platform hands this token out to its machines.
    #[must_use]
    pub fn platform(&self, token: &str) -> String {
        format!("{}/platform/{token}?audience=sigstore", self.url())
    }

    /// The root of trust that goes with it.
    #[must_use]
    pub fn root(&self) -> Value {
        self.inside.trusted_root()
    }

    /// How many entries the logs have.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn entries(&self) -> usize {
        let timeless = self.inside.timeless.lock().expect("nobody panics here").len();
        self.inside.entries.lock().expect("nobody panics here").len() + timeless
    }

    /// Certifies a job by the claims of its token.
    #[must_use]
    pub fn certify(&self, claims: &Value) -> Signer {
        self.certify_at(claims, now())
    }

    /// The same with a promise of a log that nobody knows.
    #[must_use]
    pub fn certify_elsewhere(&self, claims: &Value) -> Signer {
        self.certify_by(claims, Some(&Key::generate()), now())
    }

    /// The same without any promise.
    #[must_use]
    pub fn certify_unpromised(&self, claims: &Value) -> Signer {
        self.certify_by(claims, None, now())
    }

    /// Certifies a job for the ten minutes after some second since 1970.
    #[must_use]
    pub fn certify_at(&self, claims: &Value, at: u64) -> Signer {
        self.certify_by(claims, Some(&self.inside.authority.log), at)
    }

    fn certify_by(&self, claims: &Value, log: Option<&Key>, at: u64) -> Signer {
        let key = Key::generate();
        let pem = self.inside.authority.certify(claims, &key.public(), log, at);
        Signer { key, pem }
    }

    /// Signs a statement and has the log take it in.
    #[must_use]
    pub fn signed(&self, claims: &Value, statement: &Value) -> Signed {
        let signer = self.certify(claims);
        self.logged(signer.sign(statement), &signer.pem)
    }

    /// Has the log take an envelope in.
    #[must_use]
    pub fn logged(&self, envelope: Value, pem: &str) -> Signed {
        let log_index = self.inside.take(&log::body(&envelope, pem));
        Signed { envelope, pem: pem.to_owned(), log_index }
    }

    /// The standard bundle of something signed.
    #[must_use]
    pub fn standard(&self, signed: &Signed) -> Value {
        let entry = self.inside.bundle_entry(signed.log_index);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "certificate": { "rawBytes": authority::der_of(&signed.pem) }, "tlogEntries": [entry] },
            "dsseEnvelope": signed.envelope,
        })
    }

    /// The bundle of an envelope in a log that says no time, as newer ones are.
    #[must_use]
    pub fn timeless(&self, envelope: &Value, pem: &str) -> Value {
        let mut bundle = self.unlogged(envelope, pem);
        bundle["verificationMaterial"]["tlogEntries"] = json!([self.inside.timeless_entry(envelope, pem)]);
        bundle
    }

    /// The authority that signs times.
    #[must_use]
    pub fn timestamper(&self) -> &Timestamper {
        &self.inside.timestamper
    }

    /// The same without a log entry.
    #[must_use]
    pub fn unlogged(&self, envelope: &Value, pem: &str) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "certificate": { "rawBytes": authority::der_of(pem) }, "tlogEntries": [] },
            "dsseEnvelope": envelope,
        })
    }

    /// Has the log say something else of an entry.
    ///
    /// # Panics
    /// When it has no such entry.
    pub fn spoil(&self, index: usize, change: impl FnOnce(&mut Value)) {
        change(&mut self.inside.entries.lock().expect("nobody panics here")[index]);
    }

    /// Its root of trust.
    #[must_use]
    pub fn trusted_root(&self) -> Value {
        self.inside.trusted_root()
    }

    /// A root of trust that is a little different.
    ///
    /// # Panics
    /// When no file can be written.
    #[must_use]
    pub fn root_with(&self, change: impl FnOnce(&mut Value)) -> NamedTempFile {
        let mut root = self.inside.trusted_root();
        change(&mut root);
        write(&root)
    }

    /// Stops answering, as a log that is overloaded, or begins again.
    pub fn go_down(&self, is_down: bool) {
        self.inside.is_down.store(is_down, SeqCst);
    }

    /// Signs no more times, or begins again.
    pub fn stop_the_clock(&self, is_stopped: bool) {
        self.inside.is_without_time.store(is_stopped, SeqCst);
    }

    /// Certifies keys otherwise from now on.
    ///
    /// # Panics
    /// Never.
    pub fn turn(&self, temper: Temper) {
        *self.inside.temper.lock().expect("nobody panics here") = temper;
    }
}

impl Inside {
    fn trusted_root(&self) -> Value {
        let since = json!({ "start": "2020-01-01T00:00:00.000Z" });
        let log = |key: &Key| {
            json!({
                "baseUrl": self.url, "hashAlgorithm": "SHA2_256", "logId": { "keyId": STANDARD.encode(key.id().as_bytes()) },
                "publicKey": { "rawBytes": STANDARD.encode(key.public()), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.log)],
            "certificateAuthorities": [{
                "subject": { "organization": "test", "commonName": "test" }, "uri": self.url, "validFor": since,
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.authority.certificate()) }] },
            }],
            "ctlogs": [log(&self.authority.log)],
            "timestampAuthorities": [self.timestamper.trusted()],
        })
    }
}

fn write(root: &Value) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file can be made");
    file.write_all(root.to_string().as_bytes()).expect("a file can be written");
    file
}

/// The token of a machine's account, as platforms hand it out, which is over some seconds from now. Whether its signature holds nobody asks
/// here.
#[must_use]
pub fn token(issuer: &str, account: &str, seconds: u64) -> String {
    let claims = json!({ "iss": issuer, "sub": "7", "email": account, "aud": "sigstore", "exp": now() + seconds });
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_secs()
}
