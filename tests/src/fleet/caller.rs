//! Somebody who asks a registry over the network, and does what clients do when it goes away.

use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, HOST, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::PUBLIC_URL;
use crate::bells::PATIENCE;
use crate::package::PackageBuilder;

/// The owner of a registry.
#[derive(Debug, Clone)]
pub struct Caller {
    http: reqwest::Client,
    base: String,
    authorization: String,
}

/// What is said to a caller.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The seconds after which it is worth asking again.
    pub retry_after: Option<u64>,
    /// The body, or null when it is no JSON.
    pub body: Value,
}

impl Reply {
    async fn of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let answer = request.send().await?;
        let status = answer.status();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let text = answer.text().await?;
        Ok(Self { status, retry_after, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }
}

impl Caller {
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client can be made");
        Self { http, base: format!("http://{address}"), authorization: format!("Bearer {token}") }
    }

    /// The same one, who asks somebody else from now on.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { base: format!("http://{address}"), ..self.clone() }
    }

    /// Asks. An error is a connection that broke.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<(StatusCode, Value)> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let reply = Reply::of(request).await?;
        Ok((reply.status, reply.body))
    }

    /// Asks how a publish stands. Each question is held open for a moment.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn status(&self, task: &str) -> reqwest::Result<Reply> {
        Reply::of(self.request(Method::GET, &format!("/api/publish_status/{task}"))).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let host = PUBLIC_URL.trim_start_matches("http://").trim_end_matches('/');
        self.http.request(method, format!("{}{path}", self.base)).header(HOST, host).header(AUTHORIZATION, &self.authorization)
    }

    /// Creates a package in the owner's scope.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create_package(&self, name: &str) {
        let path = format!("/api/scopes/{}/packages", super::SCOPE);
        let (status, body) = self.ask(Method::POST, &path, Some(json!({ "package": name }))).await.expect("it answers");
        assert!(status.is_success(), "{status} {body}");
    }

    /// Sends a package.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn upload(&self, package: &PackageBuilder) -> reqwest::Result<(StatusCode, Value)> {
        self.send(&package.address(), package.tarball()).await
    }

    /// Sends a tarball.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, address: &str, tarball: Bytes) -> reqwest::Result<(StatusCode, Value)> {
        let reply = self.offer(address, tarball).await?;
        Ok((reply.status, reply.body))
    }

    /// The same, with all that the answer says.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn offer(&self, address: &str, tarball: impl Into<reqwest::Body>) -> reqwest::Result<Reply> {
        Reply::of(self.request(Method::POST, address).header(CONTENT_ENCODING, "gzip").body(tarball)).await
    }

    /// Goes on with a publish that was begun, as clients do: what was not answered is sent again, and "there is one already" is
    /// followed to its end.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Panics
    /// When the registry refuses it.
    pub async fn go_on(&self, package: &PackageBuilder, begun: Option<Value>) -> reqwest::Result<Value> {
        let mut task = match begun {
            Some(task) => task,
            None => match self.upload(package).await? {
                (StatusCode::OK, task) => task,
                (StatusCode::BAD_REQUEST, body) if body["code"] == "duplicateVersionPublish" => body["task"].clone(),
                (status, body) => panic!("{status} {body}"),
            },
        };
        let id = task["id"].as_str().expect("a task has an id").to_owned();
        while !["success", "failure"].iter().any(|end| task["status"] == *end) {
            let Reply { status, body, .. } = self.status(&id).await?;
            assert_eq!(status, StatusCode::OK, "{body}");
            task = body;
        }
        Ok(task)
    }
}
