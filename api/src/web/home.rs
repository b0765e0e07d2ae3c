//! The front page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::page;
use crate::app::App;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    public_url: &'a str,
    npm_url: &'a str,
}

/// How to publish to this registry, and how to install from it.
pub(super) async fn show(State(app): State<App>) -> Response {
    let config = &app.context.config;
    page::render(&HomePage { public_url: config.public_url.as_str(), npm_url: config.npm_url.as_str() })
}
