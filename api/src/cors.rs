//! Cross-origin reading: everything public may be read from any page. Credentials never travel along.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Seconds a browser may remember what a preflight allowed.
const PREFLIGHT_SECONDS: &str = "3600";

/// Answers the question a browser asks before it asks.
pub(crate) fn preflight(headers: &HeaderMap, methods: &'static str, allowed: &'static str) -> Response {
    if !headers.contains_key(header::ORIGIN) || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, methods)]).into_response();
    }
    let answer = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, allowed),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        (header::VARY, "Origin"),
    ];
    (StatusCode::NO_CONTENT, answer).into_response()
}

/// The headers of every answer of the API.
pub(crate) fn of_api(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
