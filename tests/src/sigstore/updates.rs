//! A TUF repository on loopback that tells which root of trust is the right one: real signatures with thresholds, and every way of lying.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use slipway_common::ids::Sha256;
use tempfile::NamedTempFile;

use super::Sigstore;
use crate::loopback::{self, Loopback};

/// Until when what changes seldom is valid.
const FAR: &str = "2049-01-01T00:00:00Z";

/// A repository.
pub struct Repository {
    inside: Arc<Inside>,
    keys: Keys,
    /// Until when the lists that change often are valid.
    until: String,
    first: NamedTempFile,
    _server: Loopback,
}

struct Inside {
    url: String,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    is_down: AtomicBool,
    /// How many more are told that it is busy.
    busy: AtomicUsize,
    asked: AtomicUsize,
}

struct Keys {
    /// Two of them sign who signs.
    roots: [Key; 3],
    /// One of them signs everything else.
    others: [Key; 2],
}

/// A key with the name under which it is known.
struct Key {
    name: String,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate().expect("randomness is there");
        Self { name: Sha256::of(pair.public_key().as_ref()).hex(), pair }
    }

    /// Another key that is called the same.
    fn forged(&self) -> Self {
        Self { name: self.name.clone(), ..Self::new() }
    }
}

/// What a repository says at a time.
#[derive(Clone)]
pub struct Edition {
    /// Its number in every list.
    pub number: u64,
    /// The root of trust.
    pub target: Value,
    /// Until when the shortest-lived list is valid, if it is not as ever.
    pub until: Option<&'static str>,
    /// Whether keys sign that nobody named.
    pub is_forged: bool,
    /// What is served in place of the target that is listed.
    pub swapped: Option<Value>,
    /// What stands before its shortest-lived list, which is valid all the same.
    pub padding: usize,
}

impl Edition {
    /// A root of trust under a number.
    #[must_use]
    pub fn new(number: u64, target: &Value) -> Self {
        Self { number, target: target.clone(), until: None, is_forged: false, swapped: None, padding: 0 }
    }
}

/// Who signs a new root of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signers {
    /// As many as it takes.
    Enough,
    /// One too few.
    TooFew,
    /// One, twice.
    OneTwice,
    /// Nobody who was named before.
    Strangers,
}

impl Repository {
    /// Starts one whose lists that change often are valid until then. It says nothing yet.
    ///
    /// # Panics
    /// When loopback has no port.
    #[must_use]
    pub fn start(until: &str) -> Self {
        let (inside, server) = loopback::serve(|url| {
            let inside = Arc::new(Inside {
                url,
                files: Mutex::default(),
                is_down: AtomicBool::new(false),
                busy: AtomicUsize::new(0),
                asked: AtomicUsize::new(0),
            });
            let router = Router::new().fallback(file).with_state(inside.clone());
            (inside, router)
        });
        let keys = Keys { roots: [(); 3].map(|()| Key::new()), others: [(); 2].map(|()| Key::new()) };
        let mut first = NamedTempFile::new().expect("a file can be made");
        let root = signed(root(1, &keys), &[&keys.roots[0], &keys.roots[1]]);
        first.write_all(&root).expect("a file can be written");
        Self { inside, keys, until: until.to_owned(), first, _server: server }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inside.url
    }

    /// The settings with which a registry believes an instance at first, and then what this says.
    ///
    /// # Panics
    /// When the path of a file is no text.
    #[must_use]
    pub fn settings(&self, at_first: &Sigstore) -> Vec<(&'static str, String)> {
        let root = self.first.path().to_str().expect("a path is text").to_owned();
        let own = [("sigstore.tuf_url", self.url().to_owned()), ("sigstore.tuf_root", root)];
        at_first.settings().into_iter().chain(own).collect()
    }

    /// Says something else from now on.
    ///
    /// # Panics
    /// When another test of this repository panicked.
    pub fn publish(&self, edition: &Edition) {
        let forged = self.keys.others.each_ref().map(Key::forged);
        let [quick, slow] = if edition.is_forged { &forged } else { &self.keys.others };
        let (number, until) = (edition.number, self.until.as_str());
        let target = edition.target.to_string();
        let digest = Sha256::of(target.as_bytes()).hex();
        let targets = signed(
            json!({
                "_type": "targets", "spec_version": "1.0.31", "version": number, "expires": FAR,
                "targets": { "trusted_root.json": { "length": target.len(), "hashes": { "sha256": digest } } },
            }),
            &[slow],
        );
        let snapshot = signed(
            json!({
                "_type": "snapshot", "spec_version": "1.0.31", "version": number, "expires": until,
                "meta": { "targets.json": { "version": number } },
            }),
            &[quick],
        );
        let mut timestamp = signed(
            json!({
                "_type": "timestamp", "spec_version": "1.0.31", "version": number, "expires": edition.until.unwrap_or(until),
                "meta": { "snapshot.json": { "version": number } },
            }),
            &[quick],
        );
        timestamp.splice(0..0, std::iter::repeat_n(b' ', edition.padding));
        let served = edition.swapped.as_ref().map_or(target, ToString::to_string);
        let files = [
            (format!("targets/{digest}.trusted_root.json"), served.into_bytes()),
            (format!("{number}.targets.json"), targets),
            (format!("{number}.snapshot.json"), snapshot),
            ("timestamp.json".to_owned(), timestamp),
        ];
        self.inside.files.lock().expect("nobody panics here").extend(files);
    }

    /// Replaces the keys that sign who signs, and the others with them. Returns a repository that signs with the new ones at the same place.
    ///
    /// # Panics
    /// When another test of this repository panicked.
    #[must_use]
    pub fn rotated(mut self, signers: Signers) -> Self {
        let keys = Keys { roots: [(); 3].map(|()| Key::new()), others: [(); 2].map(|()| Key::new()) };
        let ([old, other, _], [new, another, _]) = (&self.keys.roots, &keys.roots);
        let by: &[&Key] = match signers {
            Signers::Enough => &[old, other, new, another],
            Signers::TooFew => &[old, new, another],
            Signers::OneTwice => &[old, old, new, another],
            Signers::Strangers => &[new, another],
        };
        let root = signed(root(2, &keys), by);
        self.inside.files.lock().expect("nobody panics here").insert("2.root.json".to_owned(), root);
        self.keys = keys;
        self
    }

    /// Stops answering, or begins again.
    pub fn go_down(&self, is_down: bool) {
        self.inside.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Tells the next few that it is busy.
    pub fn be_busy(&self, times: usize) {
        self.inside.busy.store(times, Ordering::SeqCst);
    }

    /// How many files were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.inside.asked.load(Ordering::SeqCst)
    }
}

/// The variable of the environment for a setting.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("SLIPWAY_{}", key.replace('.', "_").to_uppercase())
}

/// Who signs what in a repository.
fn root(version: u64, keys: &Keys) -> Value {
    let described = |key: &Key| {
        let public = hex(key.pair.public_key().as_ref());
        (key.name.clone(), json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } }))
    };
    let all: Map<_, _> = keys.roots.iter().chain(&keys.others).map(described).collect();
    let role = |keys: &[&Key], threshold| json!({ "keyids": keys.iter().map(|key| &key.name).collect::<Vec<_>>(), "threshold": threshold });
    let ([first, second, third], [quick, slow]) = (&keys.roots, &keys.others);
    json!({
        "_type": "root", "spec_version": "1.0.31", "version": version, "expires": FAR, "consistent_snapshot": true, "keys": all,
        "roles": {
            "root": role(&[first, second, third], 2), "timestamp": role(&[quick], 1), "snapshot": role(&[quick], 1), "targets": role(&[slow], 1),
        },
    })
}

/// A list with its signatures, which are over it in the order of its keys.
fn signed(list: Value, keys: &[&Key]) -> Vec<u8> {
    let list = ordered(list);
    let text = list.to_string();
    let sign = |key: &&Key| json!({ "keyid": key.name, "sig": hex(key.pair.sign(text.as_bytes()).as_ref()) });
    json!({ "signatures": keys.iter().map(sign).collect::<Vec<_>>(), "signed": list }).to_string().into_bytes()
}

fn ordered(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.into_iter().map(|(key, value)| (key, ordered(value))).collect();
            sorted.into_iter().collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(ordered).collect(),
        other => other,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn file(State(inside): State<Arc<Inside>>, uri: Uri) -> Response {
    inside.asked.fetch_add(1, Ordering::SeqCst);
    let is_busy = inside.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if is_busy || inside.is_down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let files = inside.files.lock().expect("nobody panics here");
    files
        .get(uri.path().trim_start_matches('/'))
        .cloned()
        .map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}
