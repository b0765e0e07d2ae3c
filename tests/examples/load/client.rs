//! A client that publishes: one connection, kept alive, and no work of its own while the clock runs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::package::Package;

/// Speaks to a registry as one user.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    patience: Duration,
}

/// How a publish ended.
pub(crate) struct Ended {
    /// From the first byte of the request to the answer that shows the end.
    pub(crate) took: Duration,
    /// Whether the answer to the upload itself showed it.
    pub(crate) at_once: bool,
    /// `success`, or the code of the refusal and its first line.
    pub(crate) answer: String,
}

impl Client {
    pub(crate) fn new(url: &str, token: &str, patience: Duration) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(patience).pool_max_idle_per_host(1).build()?;
        Ok(Self { http, url: url.to_owned(), token: token.to_owned(), patience })
    }

    /// The same user on another connection.
    pub(crate) fn another(&self) -> anyhow::Result<Self> {
        Self::new(&self.url, &self.token, self.patience)
    }

    /// The address of the registry, with a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The token of the user.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Fetches a JSON document.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    async fn make(&self, path: &str, what: Value) -> anyhow::Result<(StatusCode, Value)> {
        let request = self.http.request(Method::POST, format!("{}api/{path}", self.url)).bearer_auth(&self.token);
        let answer = request.json(&what).send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
    }

    /// Creates a scope.
    pub(crate) async fn open_scope(&self, scope: &str) -> anyhow::Result<()> {
        let (status, body) = self.make("scopes", json!({"scope": scope, "description": ""})).await?;
        ensure!(status.is_success(), "scope {scope}: {status} {body}");
        Ok(())
    }

    /// Creates a package.
    pub(crate) async fn open_package(&self, scope: &str, name: &str) -> anyhow::Result<()> {
        let (status, body) = self.make(&format!("scopes/{scope}/packages"), json!({"package": name})).await?;
        ensure!(status.is_success(), "package {name}: {status} {body}");
        Ok(())
    }

    /// Publishes a package and waits for the end.
    pub(crate) async fn publish(&self, package: &Package) -> anyhow::Result<Ended> {
        let Package { scope, name, version, tarball } = package;
        let url = format!("{}api/scopes/{scope}/packages/{name}/versions/{version}?config=/jsr.json", self.url);
        let request = self.http.post(url).bearer_auth(&self.token).header("content-encoding", "gzip").body(tarball.clone()).build()?;
        let start = Instant::now();
        let answer = self.http.execute(request).await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let mut task: Value = serde_json::from_slice(&body).with_context(|| format!("{status}: an answer that is no JSON"))?;
        let mut took = start.elapsed();
        if !status.is_success() {
            return Ok(Ended { took, at_once: true, answer: refusal(&task) });
        }
        let at_once = is_final(&task);
        while !is_final(&task) {
            ensure!(start.elapsed() < self.patience, "the publish of @{scope}/{name}@{version} does not end: {task}");
            let id = task["id"].as_str().context("a task has an id")?.to_owned();
            task = self.get(&format!("api/publish_status/{id}")).await?;
            took = start.elapsed();
        }
        let answer = if task["status"] == "success" { "success".to_owned() } else { refusal(&task["error"]) };
        Ok(Ended { took, at_once, answer })
    }

    /// Uploads a package, which must be accepted, and does not ask what became of it.
    pub(crate) async fn leave(&self, package: &Package) -> anyhow::Result<()> {
        let Package { scope, name, version, tarball } = package;
        let url = format!("{}api/scopes/{scope}/packages/{name}/versions/{version}?config=/jsr.json", self.url);
        let request = self.http.post(url).bearer_auth(&self.token).header("content-encoding", "gzip").body(tarball.clone());
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await?);
        Ok(())
    }

    /// Publishes a package, which must succeed.
    pub(crate) async fn succeed(&self, package: &Package) -> anyhow::Result<Ended> {
        let ended = self.publish(package).await?;
        if ended.answer != "success" {
            bail!("@{}/{}@{}: {}", package.scope, package.name, package.version, ended.answer);
        }
        Ok(ended)
    }
}

fn is_final(task: &Value) -> bool {
    task["status"] == "success" || task["status"] == "failure"
}

fn refusal(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or_default();
    let line: String = message.lines().next().unwrap_or_default().chars().take(160).collect();
    format!("`{}`: {line}", error["code"].as_str().unwrap_or("no code"))
}
