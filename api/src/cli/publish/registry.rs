//! The registry at the other end: its API as far as publishing needs it.
//!
//! Requests have time limits, answers have a largest size, redirects are not followed: a token goes to the address that was given,
//! and nowhere else.

use std::error::Error as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use slipway_common::ids::TaskId;
use url::{Host, Url};

use super::report::clean;
use super::tarball::Packed;
use super::{Target, permission, tell};

/// How long it may take to be connected.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long an answer may take. The registry holds requests about a publish open for a moment, not this long.
const ANSWER_TIME: Duration = Duration::from_mins(1);
/// How long an upload may take. Twenty mebibytes over a slow line take this long.
const UPLOAD_TIME: Duration = Duration::from_mins(15);
/// Largest answer that is read. A hundred findings take a tenth of it.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Why the registry did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistryError {
    /// It cannot be reached, or broke off.
    #[error("cannot reach the registry at {url}: {why}; does it run, and is `--registry` right?")]
    Unreachable {
        /// Its address.
        url: Url,
        /// What went wrong.
        why: String,
    },
    /// It said no.
    #[error("the registry refuses: {message} ({code})")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The stable code.
        code: String,
        /// What it says.
        message: String,
        /// The whole answer.
        body: Value,
    },
    /// It answers, but not as a registry does.
    #[error("{url} does not answer as a registry does ({why}); is `--registry` right?")]
    Strange {
        /// Its address.
        url: Url,
        /// What came instead.
        why: String,
    },
}

impl RegistryError {
    /// Whether the registry says that there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, .. })
    }

    /// Whether it may be different in a moment.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Strange { .. } => false,
        }
    }

    /// The code of a refusal.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unreachable { .. } | Self::Strange { .. } => "",
        }
    }
}

/// What there is of a package.
struct Known {
    has_scope: bool,
    package: Option<KnownPackage>,
}

#[derive(Deserialize)]
struct KnownPackage {
    /// Other registries have public packages only, and do not say so.
    visibility: Option<String>,
}

/// What is there of a version.
#[derive(Deserialize)]
pub(super) struct KnownVersion {
    /// The job that published it, if one did and the registry says so.
    ci: Option<KnownJob>,
}

#[derive(Deserialize)]
struct KnownJob {
    commit: Option<String>,
}

impl KnownVersion {
    /// What the job built that published it.
    pub(super) fn commit(&self) -> Option<&str> {
        self.ci.as_ref()?.commit.as_deref()
    }
}

/// A registry, and what we may do there.
pub(super) struct Registry {
    client: Client,
    site: Url,
    api: Url,
    authorization: Option<HeaderValue>,
}

impl Registry {
    /// The registry at an address. The API is at the root of its host, as for all clients of such registries.
    pub(super) fn new(site: &Url, token: Option<&str>) -> anyhow::Result<Self> {
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(ANSWER_TIME)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")));
        // A proxy that the environment names cannot mean this machine.
        if is_this_machine(site) {
            client = client.no_proxy();
        }
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        Ok(Self {
            client: client.build().context("cannot make requests")?,
            site: site.clone(),
            api: site.join("/api/").context("the address of the registry cannot carry `/api/`")?,
            authorization: token.map(|token| shown("Bearer", token)).transpose()?,
        })
    }

    /// Whether there is a token.
    pub(super) fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// The same registry with another token.
    pub(super) fn with_token(mut self, token: &str) -> anyhow::Result<Self> {
        self.authorization = Some(shown("Bearer", token)?);
        Ok(self)
    }

    /// The same registry with the token of a CI job, which is called by another name here than everywhere else.
    pub(super) fn with_token_of_job(mut self, token: &str) -> anyhow::Result<Self> {
        self.authorization = Some(shown("githuboidc", token)?);
        Ok(self)
    }

    /// Where people look at a version.
    pub(super) fn page(&self, target: &Target) -> String {
        format!("{}{}@{}", self.site, target.package, target.version)
    }

    /// The version, if it is there, so that nothing has to be done.
    pub(super) async fn version(&self, target: &Target) -> Result<Option<KnownVersion>, RegistryError> {
        self.find(&format!("{}/versions/{}", package_path(target), target.version)).await
    }

    /// Makes sure that the package exists and that there is a token to publish it with. With `is_private`, that nobody but members of the
    /// scope reads it.
    ///
    /// Returns the registry as it answers now, and whether everybody reads the package.
    pub(super) async fn admitted(self, target: &Target, packed: &Packed, is_private: bool) -> anyhow::Result<(Self, bool)> {
        let mut known = self.known(target).await?;
        let registry = if self.has_token() {
            self
        } else {
            let registry = permission::ask(self, target, packed, known.package.is_some()).await?;
            // What is private shows itself only now.
            known = registry.known(target).await?;
            registry
        };
        if !known.has_scope {
            let created = registry.create("scopes", &json!({ "scope": target.package.scope(), "description": "" })).await;
            created
                .with_context(|| format!("there is no scope @{} yet, and it cannot be created with this token", target.package.scope()))?;
            tell(&format!("created the scope @{}", target.package.scope()));
        }
        if known.package.is_none() {
            let mut body = json!({ "package": target.package.name() });
            if is_private {
                body["visibility"] = json!("private");
            }
            match registry.create(&format!("scopes/{}/packages", target.package.scope()), &body).await {
                Ok(made) => {
                    known.package = serde_json::from_value(made).ok();
                    tell(&format!("created the package {}{}", target.package, if is_private { ", which is private" } else { "" }));
                }
                // Somebody else may have been faster.
                Err(error) if error.code() == "packageAlreadyExists" => known = registry.known(target).await?,
                Err(error) => {
                    let what = format!("there is no package {} yet, and it cannot be created with this token", target.package);
                    return Err(anyhow::Error::new(error).context(what));
                }
            }
        }
        let is_public = known.package.as_ref().is_some_and(|package| package.visibility.as_deref().is_none_or(|seen| seen == "public"));
        if is_private && is_public {
            bail!("{} is public, and `--private` was given: nothing was sent", target.package);
        }
        Ok((registry, is_public))
    }

    /// What there is of a package, as far as it shows itself.
    async fn known(&self, target: &Target) -> Result<Known, RegistryError> {
        let package: Option<KnownPackage> = self.find(&package_path(target)).await?;
        let has_scope = package.is_some() || self.has(&format!("scopes/{}", target.package.scope())).await?;
        Ok(Known { has_scope, package })
    }

    async fn has(&self, path: &str) -> Result<bool, RegistryError> {
        Ok(self.find::<Value>(path).await?.is_some())
    }

    /// Asks for something that may not be there.
    async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, RegistryError> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(&self, path: &str, body: &Value) -> Result<Value, RegistryError> {
        self.post(path, body).await
    }

    /// Whether it is known where a version came from, or it waits for that.
    pub(super) async fn has_provenance(&self, target: &Target) -> Result<bool, RegistryError> {
        self.has(&format!("{}/versions/{}/provenance", package_path(target), target.version)).await
    }

    /// Asks how a publish stands, as nobody: whoever has its number may, and the token of a job may be over by then.
    pub(super) async fn stands<T: DeserializeOwned>(&self, id: TaskId) -> Result<T, RegistryError> {
        self.answer(self.client.get(self.address(&format!("publish_status/{id}")))).await
    }

    /// Asks for something.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RegistryError> {
        self.send(self.client.get(self.address(path))).await
    }

    /// Sends JSON.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, RegistryError> {
        self.send(self.client.post(self.address(path)).json(body)).await
    }

    /// Uploads a package.
    pub(super) async fn upload<T: DeserializeOwned>(&self, target: &Target, tarball: Bytes) -> Result<T, RegistryError> {
        let mut address = self.address(&format!("{}/versions/{}", package_path(target), target.version));
        address.query_pairs_mut().append_pair("config", target.config.as_str());
        let request = self.client.post(address).timeout(UPLOAD_TIME).header(CONTENT_ENCODING, "gzip").body(tarball);
        self.send(request).await
    }

    /// Hands in where a version came from.
    pub(super) async fn hand_in<T: DeserializeOwned>(&self, target: &Target, body: &Value) -> Result<T, RegistryError> {
        self.post(&format!("{}/versions/{}/provenance", package_path(target), target.version), body).await
    }

    /// The manifest of a version, as everybody reads it.
    pub(super) async fn manifest(&self, target: &Target) -> Result<Vec<u8>, RegistryError> {
        let address = self.site.join(&format!("{}/{}_meta.json", target.package, target.version)).expect("names and versions are paths");
        let mut response = self.client.get(address).send().await.map_err(|error| self.unreachable(&error))?;
        let body = self.body(&mut response).await?;
        if response.status().is_success() { Ok(body) } else { Err(self.strange(&format!("its manifest: status {}", response.status()))) }
    }

    fn address(&self, path: &str) -> Url {
        self.api.join(path).expect("names, versions and ids are paths")
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RegistryError> {
        let request = match &self.authorization {
            Some(token) => request.header(AUTHORIZATION, token),
            None => request,
        };
        self.answer(request).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RegistryError> {
        let mut response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let body = self.body(&mut response).await?;
        let status = response.status();
        if status.is_success() {
            // Some have nothing to say.
            let body = if body.is_empty() { b"null".to_vec() } else { body };
            return serde_json::from_slice(&body).map_err(|error| self.strange(&format!("its answer cannot be read: {error}")));
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(clean);
        match (text("code"), text("message")) {
            (Some(code), Some(message)) => Err(RegistryError::Refused { status, code, message, body }),
            _ if status.is_redirection() => Err(self.strange(&format!("status {status}; redirects are not followed"))),
            _ => Err(self.strange(&format!("status {status}"))),
        }
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, RegistryError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.strange("its answer does not end"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> RegistryError {
        let why = if error.is_timeout() { "it does not answer in time".to_owned() } else { innermost(error) };
        RegistryError::Unreachable { url: self.site.clone(), why }
    }

    fn strange(&self, why: &str) -> RegistryError {
        RegistryError::Strange { url: self.site.clone(), why: clean(why) }
    }
}

fn package_path(target: &Target) -> String {
    format!("scopes/{}/packages/{}", target.package.scope(), target.package.name())
}

fn shown(scheme: &str, token: &str) -> anyhow::Result<HeaderValue> {
    let Ok(mut value) = HeaderValue::try_from(format!("{scheme} {token}")) else { bail!("the token holds characters that no token has") };
    value.set_sensitive(true);
    Ok(value)
}

/// What went wrong at the bottom of it. The layers above only say that something did.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
