//! What all pages have in common: the frame, the policy, and how a refusal looks.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};
use slipway_common::fault::{AnyFault, Retry};

use crate::error::{ApiError, Code, Refusal};

/// From nothing upwards: our own style sheet, and forms that go back to us. No scripts, no frames, nobody else's anything.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A rendered page.
pub(super) fn render(template: &impl Template) -> Response {
    render_as(StatusCode::OK, template)
}

/// A rendered page with a status of its own.
pub(super) fn render_as(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, frame(), Html(html)).into_response(),
        Err(error) => ApiError::Faulted(AnyFault::because("a page cannot be rendered", Retry::Never, error)).into_response(),
    }
}

fn frame() -> [(header::HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ]
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
}

/// A refusal as a page.
pub(super) fn refusal(refusal: &Refusal) -> Response {
    let status = refusal.code.status();
    render_as(status, &RefusalPage { status: status.as_u16(), code: refusal.code.as_str(), message: &refusal.message })
}

/// An error of a page: a refusal or a fault, shown to a person.
pub(super) struct PageError(Refusal);

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(error.into_refusal())
    }
}

impl From<Code> for PageError {
    fn from(code: Code) -> Self {
        Self(code.refusal())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        refusal(&self.0)
    }
}

/// The outcome of a page.
pub(super) type PageResult = Result<Response, PageError>;

/// The one style sheet.
pub(super) async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("../../static/site.css")).into_response()
}
