//! A CI system that signs tokens: discovery, keys and tokens over real HTTP on loopback, real signatures, and faults on demand.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is somebody else's server, with a clock of its own")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::loopback::{self, Loopback};

/// The secret with which a job asks for tokens.
pub const REQUEST_TOKEN: &str = "reqtok";

/// A CI system that signs tokens.
pub struct Issuer {
    inside: Arc<Inside>,
    _server: Loopback,
}

struct Inside {
    url: String,
    state: Mutex<Keys>,
    /// How often the keys were asked for.
    asked: AtomicUsize,
    /// How many tokens jobs were given.
    given: AtomicUsize,
    made: AtomicUsize,
}

struct Keys {
    /// The keys that are published, the last of which signs.
    keys: Vec<Key>,
    is_down: bool,
    /// What jobs get in their tokens, besides `aud`.
    job: Value,
}

struct Key {
    name: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Pair {
    fn jwk(&self, name: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let number = |bytes: &[u8]| text(bytes);
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": name, "n": number(modulus), "e": number(exponent)})
            }
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": name, "x": text(&point[1..33]), "y": text(&point[33..])})
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a key signs");
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message).expect("a key signs").as_ref().to_vec(),
        }
    }
}

impl Issuer {
    /// An issuer with a key on P-256.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness is there")))
    }

    /// An issuer with an RSA key, as GitHub has.
    #[must_use]
    pub fn with_rsa() -> Self {
        Self::with(Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness is there")))
    }

    fn with(pair: Pair) -> Self {
        let (inside, server) = loopback::serve(|url| {
            let keys = Keys { keys: vec![Key { name: "first".to_owned(), pair }], is_down: false, job: json!({}) };
            let inside = Arc::new(Inside {
                url,
                state: Mutex::new(keys),
                asked: AtomicUsize::new(0),
                given: AtomicUsize::new(0),
                made: AtomicUsize::new(0),
            });
            let router = Router::new()
                .route("/.well-known/openid-configuration", get(discovery))
                .route("/keys", get(keys_of))
                .route("/token", get(token))
                .with_state(inside.clone());
            (inside, router)
        });
        Self { inside, _server: server }
    }

    /// What its tokens say in `iss`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inside.url
    }

    /// The setting with which a registry believes it.
    #[must_use]
    pub fn setting(&self, kind: &str) -> String {
        format!("{kind} {}", self.url())
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.inside.asked.load(Ordering::SeqCst)
    }

    /// How many tokens jobs were given.
    #[must_use]
    pub fn given(&self) -> usize {
        self.inside.given.load(Ordering::SeqCst)
    }

    /// Signs claims with its newest key, as they are.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.inside.sign(claims, None)
    }

    /// The same with something else in the header.
    #[must_use]
    pub fn sign_with_header(&self, claims: &Value, header: &Value) -> String {
        self.inside.sign(claims, Some(header))
    }

    /// Signs with a new key from now on. The old ones stay published when `keeps` says so.
    ///
    /// # Panics
    /// When another test of this issuer panicked.
    pub fn rotate(&self, name: &str, keeps: bool) {
        let mut state = self.inside.state.lock().expect("nobody panics here");
        if !keeps {
            state.keys.clear();
        }
        let pair = Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness is there"));
        state.keys.push(Key { name: name.to_owned(), pair });
    }

    /// Stops answering, or begins again.
    ///
    /// # Panics
    /// When another test of this issuer panicked.
    pub fn go_down(&self, is_down: bool) {
        self.inside.state.lock().expect("nobody panics here").is_down = is_down;
    }

    /// What the tokens say that jobs ask for by themselves, besides `iss`, `aud`, `jti` and times.
    ///
    /// # Panics
    /// When another test of this issuer panicked.
    pub fn employ(&self, job: Value) {
        self.inside.state.lock().expect("nobody panics here").job = job;
    }
}

impl Inside {
    fn sign(&self, claims: &Value, header: Option<&Value>) -> String {
        let state = self.state.lock().expect("nobody panics here");
        let key = state.keys.last().expect("an issuer has a key");
        let mut head = json!({"alg": key.pair.algorithm(), "kid": key.name, "typ": "JWT"});
        for (name, value) in header.and_then(Value::as_object).into_iter().flatten() {
            head[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&head), part(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.pair.sign(message.as_bytes())))
    }

    /// A token for a job of now. Its payload reads the same in both alphabets of Base64: the stock client knows only one.
    fn employ(&self, audience: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_secs();
        let job = self.state.lock().expect("nobody panics here").job.clone();
        loop {
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let mut claims = job.clone();
            for (name, value) in [
                ("iss", json!(self.url)),
                ("aud", json!(audience)),
                ("jti", json!(format!("job-{number}"))),
                ("iat", json!(now)),
                ("nbf", json!(now)),
                ("exp", json!(now + 600)),
            ] {
                claims[name] = value;
            }
            let token = self.sign(&claims, None);
            if !token.split('.').nth(1).is_some_and(|payload| payload.contains(['-', '_'])) {
                return token;
            }
        }
    }
}

async fn discovery(State(inside): State<Arc<Inside>>) -> Result<Json<Value>, StatusCode> {
    if inside.state.lock().expect("nobody panics here").is_down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({"issuer": inside.url, "jwks_uri": format!("{}/keys", inside.url)})))
}

async fn keys_of(State(inside): State<Arc<Inside>>) -> Result<Json<Value>, StatusCode> {
    inside.asked.fetch_add(1, Ordering::SeqCst);
    let state = inside.state.lock().expect("nobody panics here");
    if state.is_down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let odd = json!({"kty": "LWE", "kid": "of a kind that nobody knows"});
    let keys: Vec<Value> = std::iter::once(odd).chain(state.keys.iter().map(|key| key.pair.jwk(&key.name))).collect();
    Ok(Json(json!({ "keys": keys })))
}

#[derive(Deserialize)]
struct Asked {
    audience: String,
}

async fn token(State(inside): State<Arc<Inside>>, headers: HeaderMap, Query(asked): Query<Asked>) -> Result<Json<Value>, StatusCode> {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if !shown.is_some_and(|shown| shown.eq_ignore_ascii_case(&format!("Bearer {REQUEST_TOKEN}"))) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    inside.given.fetch_add(1, Ordering::SeqCst);
    Ok(Json(json!({ "value": inside.employ(&asked.audience) })))
}
