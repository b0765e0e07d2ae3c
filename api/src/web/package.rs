//! The pages clients send people to: a package, how to make one, and how a publish stands.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use slipway_common::db::Page;
use slipway_common::ids::{PackageName, ScopeName, TaskId, Version};
use slipway_common::model::finding::Finding;
use slipway_common::model::provenance::{Provenance, Standing, TimeFrom, Unverified};
use slipway_common::model::version::PackageVersion;
use url::form_urlencoded;

use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult, Code};
use crate::extract::Id;
use crate::service::users::By;
use crate::service::versions::{self, Which};
use crate::service::{packages, visibility};

#[derive(Template)]
#[template(path = "package.html")]
struct PackagePage<'a> {
    name: String,
    npm_name: String,
    description: String,
    is_private: bool,
    latest: Option<String>,
    versions: Vec<Row>,
    origin: Option<Origin>,
    doubt: Option<Doubt>,
    public_url: &'a str,
    npm_url: &'a str,
}

/// Where the version that the page shows came from.
struct Origin {
    version: String,
    repository: String,
    reference: String,
    commit: String,
    workflow: String,
    /// Who says when it was signed, where no log has it.
    unlogged: &'static str,
}

/// Why it is not said where the version that the page shows came from, though somebody said it.
struct Doubt {
    version: String,
    /// None while nobody could look.
    refused: Option<String>,
}

impl Doubt {
    fn of(unverified: Unverified) -> Self {
        let refused = match unverified.standing {
            Standing::Waiting(_) => None,
            Standing::Refused(failure) => Some(format!("{}: {}", Code::of(failure.step).message(), failure.why)),
        };
        Self { version: unverified.version.to_string(), refused }
    }
}

struct Row {
    version: String,
    published: String,
    is_yanked: bool,
    license: String,
}

impl Origin {
    fn of(provenance: Provenance) -> Self {
        let job = provenance.job;
        Self {
            version: provenance.version.to_string(),
            repository: job.repository,
            reference: job.reference,
            commit: job.commit.unwrap_or_default(),
            workflow: job.workflow.unwrap_or_default(),
            unlogged: match (provenance.log_index, provenance.time_from) {
                (Some(_), _) | (None, TimeFrom::Log) => "",
                (None, TimeFrom::Timestamp) => "an authority of times says that this registry trusts",
                (None, TimeFrom::Publish) => "this registry says",
            },
        }
    }
}

/// What the page of a package is for: all of it, or one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    package: PackageName,
    version: Option<Version>,
}

impl At {
    /// Reads `/@scope/package` and `/@scope/package@version`. Everything below them is no page.
    pub(super) fn read(path: &str) -> Option<Self> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let (scope, rest) = path.strip_prefix("/@")?.split_once('/')?;
        let (name, version) = rest.split_once('@').map_or((rest, None), |(name, version)| (name, Some(version)));
        let package = PackageName::new(ScopeName::try_from(scope).ok()?, name).ok()?;
        let version = version.map(Version::try_from).transpose().ok()?;
        Some(Self { package, version })
    }
}

/// The page of a package, or of one of its versions.
pub(super) async fn show(app: &App, actor: &Actor, at: &At) -> PageResult {
    let package = &at.package;
    let counted = packages::show(app, actor, package).await?;
    let shown = at.version.clone().or_else(|| counted.latest.as_ref().map(|latest| latest.version.clone()));
    let (provenance, unverified) = match shown {
        Some(version) => {
            let seen = versions::show(app, actor, package, &Which::Exactly(version)).await?;
            (seen.provenance, seen.unverified)
        }
        None => (None, None),
    };
    let listing = versions::list(app, actor, package, Page::default()).await?;
    let row = |(version, _): (PackageVersion, By)| Row {
        version: version.version.to_string(),
        published: version.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        is_yanked: version.is_yanked,
        license: version.content.license.unwrap_or_default(),
    };
    let config = &app.context.config;
    Ok(page::render(&PackagePage {
        name: package.to_string(),
        npm_name: package.npm_name(),
        is_private: !counted.package.visibility.is_public(),
        description: counted.package.description,
        latest: counted.latest.map(|latest| latest.version.to_string()),
        origin: provenance.map(Origin::of),
        doubt: unverified.map(Doubt::of),
        versions: listing.items.into_iter().map(row).collect(),
        public_url: config.public_url.as_str(),
        npm_url: config.npm_url.as_str(),
    }))
}

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage<'a> {
    title: String,
    scope: String,
    package: String,
    public_url: &'a str,
}

/// How to make a package that `deno publish` did not find.
pub(super) async fn new(State(app): State<App>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let field = |name: &str| {
        let value = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        value.unwrap_or_default()
    };
    // What is shown is for a shell: only what is a name gets there, or a link could hold a command of its own.
    let scope = ScopeName::try_from(field("scope").as_str()).ok();
    let package = scope.and_then(|scope| PackageName::new(scope, &field("package")).ok());
    let (title, scope, package) = match package {
        Some(package) => (format!("Make {package}"), package.scope().to_string(), package.name().to_owned()),
        None => ("Make a package".to_owned(), "SCOPE".to_owned(), "PACKAGE".to_owned()),
    };
    page::render(&NewPage { title, scope, package, public_url: app.context.config.public_url.as_str() })
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    title: String,
    status: &'static str,
    is_final: bool,
    findings: Vec<String>,
}

/// How a publish stands.
pub(super) async fn status(State(app): State<App>, actor: ApiResult<Actor>, Id(id): Id<TaskId>) -> PageResult {
    let mut tx = app.context.db.read().await.map_err(ApiError::from)?;
    let Some(publish) = tx.publish(id).await.map_err(ApiError::from)? else { return Err(Code::PublishNotFound.into()) };
    let is_named = visibility::may_name(&mut tx, &actor.unwrap_or(Actor::Anonymous), &publish).await?;
    let findings = if is_named { publish.findings.iter().map(Finding::to_string).collect() } else { Vec::new() };
    Ok(page::render(&StatusPage {
        title: if is_named { format!("{}@{}", publish.package, publish.version) } else { "A publish".to_owned() },
        status: publish.state.as_str(),
        is_final: publish.state.is_final(),
        findings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pages() {
        let read = |path: &str| At::read(path).map(|at| (at.package.to_string(), at.version.map(|version| version.to_string())));
        let page = |version: Option<&str>| Some(("@acme/maths".to_owned(), version.map(ToOwned::to_owned)));
        assert_eq!(read("/@acme/maths"), page(None));
        assert_eq!(read("/%40acme/maths"), page(None));
        assert_eq!(read("/@acme/maths@1.0.0-rc.1"), page(Some("1.0.0-rc.1")));
        assert_eq!(read("/@acme/maths@1.0.0%2Bb"), page(Some("1.0.0+b")));
        for none in [
            "/@acme",
            "/@acme/",
            "/@acme/maths/",
            "/@acme/maths/1.0.0",
            "/@acme/maths/1.0.0/mod.ts",
            "/@acme/maths@1.0.0/mod.ts",
            "/@acme/maths@",
            "/@acme/maths@1",
            "/@acme/maths@latest",
            "/@Acme/maths",
            "/acme/maths",
            "/@acme/%ff",
            "/",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
