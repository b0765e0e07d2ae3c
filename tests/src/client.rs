//! A client of a registry in the same process: anonymous, with a token, or with a browser's session.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use url::form_urlencoded;

use crate::package::PackageBuilder;

/// How often a publish is asked for before it counts as stuck. Each question is held open for a second and a half.
const QUESTIONS: usize = 60;

/// Where the registry is to be found. Clients keep it over a restart, as they keep an address.
#[derive(Debug, Clone)]
pub(crate) struct Door(Arc<Mutex<Router>>);

impl Door {
    /// The door of a registry.
    pub(crate) fn new(router: Router) -> Self {
        Self(Arc::new(Mutex::new(router)))
    }

    /// From now on another registry is behind it.
    pub(crate) fn lead_to(&self, router: Router) {
        *self.0.lock().expect("no holder panics") = router;
    }

    fn router(&self) -> Router {
        self.0.lock().expect("no holder panics").clone()
    }
}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub struct Client {
    door: Door,
    headers: HeaderMap,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Client {
    /// Somebody without credentials who calls the registry by `host`.
    #[must_use]
    pub(crate) fn new(door: Door, host: &str) -> Self {
        Self { door, headers: HeaderMap::new() }.with("host", host)
    }

    /// The same one, with a header on every request. It takes the place of one of the same name.
    ///
    /// # Panics
    /// When the header is none.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a test writes valid names of headers");
        self.headers.insert(name, HeaderValue::from_str(value).expect("a test writes valid headers"));
        self
    }

    /// The same one, with a token.
    #[must_use]
    pub fn bearer(self, secret: &str) -> Self {
        self.with("authorization", &format!("Bearer {secret}"))
    }

    /// The same one, with a browser's session.
    #[must_use]
    pub fn cookie(self, secret: &str) -> Self {
        self.with("cookie", &format!("token={secret}"))
    }

    /// The secret of the token or session it carries.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        text(header::COOKIE)
            .and_then(|cookie| cookie.strip_prefix("token="))
            .or_else(|| text(header::AUTHORIZATION)?.strip_prefix("Bearer "))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// HEAD.
    pub async fn head(&self, path: &str) -> Answer {
        self.send(Method::HEAD, path, &[], Bytes::new()).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Bytes::new()).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, &body).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    /// POST of a form, as a browser sends it.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], body.into()).await
    }

    /// Sends a package and waits for the answer, which comes with the end of the publish if that is quick.
    pub async fn publish(&self, package: &PackageBuilder) -> Answer {
        self.upload(&package.address(), package.tarball()).await
    }

    /// Sends a package and follows the publish to its end, as clients do.
    ///
    /// # Panics
    /// When it is not accepted, or does not end.
    pub async fn publish_through(&self, package: &PackageBuilder) -> Value {
        self.follow(self.publish(package).await.expect(200).json()).await
    }

    /// Follows a publish to its end. Each question is held open for a moment.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn follow(&self, mut task: Value) -> Value {
        for _ in 0..QUESTIONS {
            if ["success", "failure"].iter().any(|end| task["status"] == *end) {
                return task;
            }
            let id = task["id"].as_str().expect("a task has an id");
            task = self.get(&format!("/api/publish_status/{id}")).await.expect(200).json();
        }
        panic!("the publish does not end: {task}");
    }

    /// Sends a tarball to an address.
    pub async fn upload(&self, address: &str, tarball: impl Into<Bytes>) -> Answer {
        self.send(Method::POST, address, &[("content-encoding", "gzip")], tarball.into()).await
    }

    /// Sends a tarball bit by bit, without saying how long it will be; an error is a client that goes away.
    pub async fn stream(&self, address: &str, chunks: Vec<Result<Bytes, &'static str>>) -> Answer {
        let chunks = chunks.into_iter().map(|chunk| chunk.map_err(std::io::Error::other));
        let body = Body::from_stream(futures::stream::iter(chunks));
        self.ask(self.request(Method::POST, address, &[("content-encoding", "gzip")]).body(body)).await
    }

    /// Begins to send a tarball to an address, and never goes on.
    pub async fn stall(&self, address: &str) -> Answer {
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        self.ask(self.request(Method::POST, address, &[]).body(body)).await
    }

    /// The same with a tarball, of which nobody says how long it will be.
    pub async fn hold(&self, address: &str) -> Answer {
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        self.ask(self.request(Method::POST, address, &[("content-encoding", "gzip")]).body(body)).await
    }

    /// Any request.
    ///
    /// # Panics
    /// When the request is none.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut request = self.request(method, path, headers);
        if !body.is_empty() {
            request = request.header(header::CONTENT_LENGTH, body.len());
        }
        self.ask(request.body(Body::from(body))).await
    }

    fn request(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Builder {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    async fn ask(&self, request: http::Result<Request<Body>>) -> Answer {
        let request = request.expect("a test writes valid requests");
        let response = self.door.router().oneshot(request).await.expect("a router answers everything");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body in the same process does not break off").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The same answer, provided it has this status.
    ///
    /// # Panics
    /// When it has another; the text says what came instead.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header, or the empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("(not text)"))
    }

    /// The status, and the code of the error: `404 scopeNotFound`. What it says is checked on the way: a refusal has a code, a
    /// message, and the headers that keep it from being stored.
    ///
    /// # Panics
    /// When the body is no refusal.
    #[must_use]
    pub fn refusal(&self) -> String {
        let body = self.json();
        let code = body["code"].as_str().unwrap_or_else(|| panic!("no refusal: {} {}", self.status, self.text()));
        assert!(!self.is_success(), "a refusal with status {}", self.status);
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "a refusal without a message: {body}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        format!("{} {code}", self.status)
    }

    fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}
