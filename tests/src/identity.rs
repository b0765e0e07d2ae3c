//! A provider of accounts on loopback: OpenID Connect and GitHub's interface at one address, with real signatures, and every way of
//! behaving badly.
//!
//! It believes whoever comes: [`Provider::let_in`] is what a person does there. What it gives out, it wants back as the standards have it:
//! each code once, from who proves to be the registry, with the verifier of the browser that was sent.

#![expect(clippy::disallowed_types, reason = "this is somebody else's server")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use slipway_common::ids::Sha256;
use tokio::sync::Notify;
use url::{Url, form_urlencoded};

use crate::issuer::Issuer;
use crate::loopback::{self, Loopback};

/// As whom registries are known there. Both have letters that have to be encoded.
pub const CLIENT: &str = "the registry";
/// How they prove it.
pub const SECRET: &str = "s&cret:+%2C";
/// With what more can be asked. No registry has reason to keep it.
pub const ACCESS: &str = "access-of-somebody";

/// How it behaves, until it is told otherwise.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Claims of the ID token besides those of every token, or instead of them; null leaves one out.
    pub claims: Value,
    /// What stands in the header of the ID token.
    pub header: Value,
    /// The ID token, whatever it says.
    pub token: Option<String>,
    /// What is said of the person to who asks more.
    pub userinfo: Value,
    /// The account as GitHub shows it.
    pub user: Value,
    /// Its addresses; null has none shown.
    pub emails: Value,
    /// Claims of the discovery document besides its own, or instead.
    pub discovery: Value,
    /// Doors that answer 503, by their path.
    pub shut: Vec<&'static str>,
    /// Doors that answer without end.
    pub endless: Vec<&'static str>,
    /// Doors that say nothing until it behaves otherwise.
    pub silent: Vec<&'static str>,
}

/// A provider of accounts.
pub struct Provider {
    inside: Arc<Inside>,
    _server: Loopback,
}

struct Inside {
    url: String,
    keys: Issuer,
    manner: Mutex<Manner>,
    granted: Mutex<BTreeMap<String, Grant>>,
    made: AtomicUsize,
    exchanged: AtomicUsize,
    /// How many wait at a silent door.
    held: AtomicUsize,
    release: Notify,
}

/// What belongs to a code.
struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    now: i64,
}

/// With what somebody is sent back.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where to.
    pub path: String,
    /// The code.
    pub code: String,
    /// What ties it to their browser.
    pub state: String,
}

impl Way {
    /// The address as it is asked for.
    #[must_use]
    pub fn address(&self) -> String {
        self.with(&[])
    }

    /// The same with more in it.
    #[must_use]
    pub fn with(&self, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", &self.code).append_pair("state", &self.state).extend_pairs(more);
        format!("{}?{}", self.path, query.finish())
    }
}

impl Provider {
    /// A provider at an address of its own.
    ///
    /// # Panics
    /// When loopback has no free port.
    #[must_use]
    pub fn start() -> Self {
        let keys = Issuer::start();
        let (inside, server) = loopback::serve(|url| {
            let inside = Arc::new(Inside {
                url,
                keys,
                manner: Mutex::default(),
                granted: Mutex::default(),
                made: AtomicUsize::new(1),
                exchanged: AtomicUsize::new(0),
                held: AtomicUsize::new(0),
                release: Notify::new(),
            });
            let router = Router::new()
                .route("/.well-known/openid-configuration", get(discovery))
                .route("/token", post(exchange))
                .route("/userinfo", get(userinfo))
                .route("/login/oauth/access_token", post(exchange))
                .route("/api/v3/user", get(user))
                .route("/api/v3/user/emails", get(emails))
                .layer(axum::middleware::from_fn_with_state(inside.clone(), doors))
                .with_state(inside.clone());
            (inside, router)
        });
        Self { inside, _server: server }
    }

    /// Where it is, and what its tokens say in `iss`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inside.url
    }

    /// The setting with which a registry has people sign in there.
    #[must_use]
    pub fn setting(&self, name: &str, kind: &str) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("name", name)
            .append_pair("kind", kind)
            .append_pair("title", &format!("The {name}"))
            .append_pair("issuer", self.url())
            .append_pair("client_id", CLIENT)
            .append_pair("client_secret", SECRET)
            .finish()
    }

    /// Behaves otherwise from now on, and answers who waits at a silent door.
    ///
    /// # Panics
    /// When another test of this provider panicked.
    pub fn behave(&self, manner: Manner) {
        *self.inside.manner.lock().expect("nobody panics here") = manner;
        self.inside.release.notify_waiters();
    }

    /// How many came to a silent door.
    #[must_use]
    pub fn held(&self) -> usize {
        self.inside.held.load(Ordering::SeqCst)
    }

    /// The keys it signs with.
    #[must_use]
    pub fn keys(&self) -> &Issuer {
        &self.inside.keys
    }

    /// How many codes were exchanged.
    #[must_use]
    pub fn exchanged(&self) -> usize {
        self.inside.exchanged.load(Ordering::SeqCst)
    }

    /// A person lets themselves in who was sent to this address, at this time, and is sent back.
    ///
    /// # Panics
    /// When the address is not as the standards have it.
    #[must_use]
    pub fn let_in(&self, address: &str, now: i64) -> Way {
        let url = Url::parse(address).expect("an address is one");
        assert!(address.starts_with(self.url()), "{address} is not here");
        let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let of = |name: &str| asked.get(name).cloned().unwrap_or_else(|| panic!("no `{name}` in {address}"));
        assert_eq!((of("response_type"), of("client_id"), of("code_challenge_method")), ("code".into(), CLIENT.into(), "S256".into()));
        for word in ["state", "nonce", "code_challenge"] {
            assert_eq!(of(word).len(), 43, "`{word}` has 256 bits");
        }
        let code = format!("code/{}", self.inside.made.fetch_add(1, Ordering::SeqCst));
        let (redirect_uri, state) = (of("redirect_uri"), of("state"));
        let grant = Grant { nonce: of("nonce"), challenge: of("code_challenge"), redirect_uri: redirect_uri.clone(), now };
        self.inside.granted.lock().expect("nobody panics here").insert(code.clone(), grant);
        let path = Url::parse(&redirect_uri).expect("it is an address").path().to_owned();
        Way { path, code, state }
    }
}

impl Inside {
    fn manner(&self) -> Manner {
        self.manner.lock().expect("nobody panics here").clone()
    }

    fn id_token(&self, grant: &Grant) -> String {
        let manner = self.manner();
        if let Some(token) = manner.token {
            return token;
        }
        let own = json!({
            "iss": self.url, "aud": CLIENT, "sub": "subject-1", "nonce": grant.nonce, "iat": grant.now, "exp": grant.now + 300,
        });
        self.keys.sign_with_header(&laid_over(own, &manner.claims), &manner.header)
    }
}

/// An object with some keys otherwise; null leaves one out.
fn laid_over(own: Value, changes: &Value) -> Value {
    let Value::Object(mut own) = own else { return own };
    for (name, value) in changes.as_object().unwrap_or(&Map::new()) {
        match value {
            Value::Null => drop(own.remove(name)),
            value => drop(own.insert(name.clone(), value.clone())),
        }
    }
    own.into()
}

async fn doors(State(inside): State<Arc<Inside>>, request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let released = inside.release.notified();
    let manner = inside.manner();
    let path = request.uri().path();
    if manner.silent.contains(&path) {
        inside.held.fetch_add(1, Ordering::SeqCst);
        released.await;
    }
    if manner.shut.contains(&path) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if manner.endless.contains(&path) {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
        return axum::body::Body::from_stream(chunks).into_response();
    }
    next.run(request).await
}

async fn discovery(State(inside): State<Arc<Inside>>) -> Json<Value> {
    let own = json!({
        "issuer": inside.url,
        "authorization_endpoint": format!("{}/authorize?tenant=1", inside.url),
        "token_endpoint": format!("{}/token", inside.url),
        "userinfo_endpoint": format!("{}/userinfo", inside.url),
        "jwks_uri": format!("{}/keys", inside.keys.url()),
    });
    Json(laid_over(own, &inside.manner().discovery))
}

/// Gives out tokens, to who proves to be the registry that the code is for.
async fn exchange(State(inside): State<Arc<Inside>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
    let is_basic = headers.get("authorization").is_some_and(|shown| shown.as_bytes() == basic.as_bytes());
    if of("client_id") != CLIENT || is_basic == (of("client_secret") == SECRET) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let grant = inside.granted.lock().expect("nobody panics here").remove(of("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::of(of("code_verifier").as_bytes()).as_bytes());
    let fits = |grant: &Grant| grant.redirect_uri == of("redirect_uri") && grant.challenge == challenge;
    let Some(grant) = grant.filter(|grant| fits(grant) && of("grant_type") == "authorization_code") else {
        // GitHub has another word for it, and says it with success.
        return Json(json!({ "error": "bad_verification_code", "error_description": "<b>internal</b>" })).into_response();
    };
    inside.exchanged.fetch_add(1, Ordering::SeqCst);
    Json(json!({ "access_token": ACCESS, "refresh_token": ACCESS, "token_type": "bearer", "id_token": inside.id_token(&grant) }))
        .into_response()
}

fn shown(headers: &HeaderMap, what: Value) -> Response {
    let has_access = headers.get("authorization").is_some_and(|shown| shown.as_bytes() == format!("Bearer {ACCESS}").as_bytes());
    match what {
        _ if !has_access => StatusCode::UNAUTHORIZED.into_response(),
        Value::Null => (StatusCode::FORBIDDEN, Json(json!({ "message": "no" }))).into_response(),
        what => Json(what).into_response(),
    }
}

async fn userinfo(State(inside): State<Arc<Inside>>, headers: HeaderMap) -> Response {
    shown(&headers, inside.manner().userinfo)
}

async fn user(State(inside): State<Arc<Inside>>, headers: HeaderMap) -> Response {
    shown(&headers, inside.manner().user)
}

async fn emails(State(inside): State<Arc<Inside>>, headers: HeaderMap) -> Response {
    shown(&headers, inside.manner().emails)
}
