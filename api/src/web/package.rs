//! The pages clients send people to: a package, how to make one, and how a publish stands.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use slipway_common::db::Page;
use slipway_common::ids::{PackageName, ScopeName, TaskId};
use slipway_common::model::finding::Finding;
use url::form_urlencoded;

use super::page::{self, PageResult};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::Id;
use crate::service::{packages, versions};

#[derive(Template)]
#[template(path = "package.html")]
struct PackagePage<'a> {
    name: String,
    npm_name: String,
    description: String,
    latest: Option<String>,
    versions: Vec<Row>,
    public_url: &'a str,
    npm_url: &'a str,
}

struct Row {
    version: String,
    published: String,
    is_yanked: bool,
    license: String,
}

/// The page of `/@scope/package` or `/@scope/package@version`, if that is what the request is for.
pub(super) async fn show(app: &App, path: &str) -> Option<Response> {
    let rest = path.strip_prefix("/@")?;
    let (scope, rest) = rest.split_once('/')?;
    let name = rest.split(['@', '/']).next()?;
    let package = PackageName::new(ScopeName::try_from(scope).ok()?, name).ok()?;
    Some(match overview(app, &package).await {
        Ok(response) => response,
        Err(error) => page::refusal(&error.into_refusal()),
    })
}

async fn overview(app: &App, package: &PackageName) -> Result<Response, ApiError> {
    let counted = packages::show(app, package).await?;
    let listing = versions::list(app, package, Page::default()).await?;
    let row = |version: slipway_common::model::version::PackageVersion| Row {
        version: version.version.to_string(),
        published: version.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        is_yanked: version.is_yanked,
        license: version.content.license.unwrap_or_default(),
    };
    let config = &app.context.config;
    Ok(page::render(&PackagePage {
        name: package.to_string(),
        npm_name: package.npm_name(),
        description: counted.package.description,
        latest: counted.latest.map(|latest| latest.version.to_string()),
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
pub(super) async fn status(State(app): State<App>, Id(id): Id<TaskId>) -> PageResult {
    let mut tx = app.context.db.read().await.map_err(ApiError::from)?;
    let Some(publish) = tx.publish(id).await.map_err(ApiError::from)? else { return Err(Code::PublishNotFound.into()) };
    Ok(page::render(&StatusPage {
        title: format!("{}@{}", publish.package, publish.version),
        status: publish.state.as_str(),
        is_final: publish.state.is_final(),
        findings: publish.findings.iter().map(Finding::to_string).collect(),
    }))
}
