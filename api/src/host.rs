//! `api.<host>` and `npm.<host>` answer as well: their addresses are those of `/api` and `/npm` without the prefix.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Uri;
use http::header;
use http::uri::PathAndQuery;

use crate::app::App;

/// Puts the prefix in front of a request for one of the two hosts. Must run before the routes are looked at.
pub(crate) async fn rewrite(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(prefix) = prefix(&app, &request) {
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let is_prefixed = path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if !is_prefixed && let Ok(uri) = format!("{prefix}{path}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}

fn prefix(app: &App, request: &Request) -> Option<&'static str> {
    let host = request.headers().get(header::HOST)?.to_str().ok()?.to_ascii_lowercase();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let own = app.context.config.public_url.host_str()?;
    // Any host will do where the registry is only known by an address: `npm.registry.localhost` on a developer's machine.
    let is_own = |rest: &str| rest.eq_ignore_ascii_case(own) || own.parse::<std::net::IpAddr>().is_ok() || own == "localhost";
    if name.strip_prefix("api.").is_some_and(is_own) {
        Some("/api")
    } else if name.strip_prefix("npm.").is_some_and(is_own) {
        Some("/npm")
    } else {
        None
    }
}
