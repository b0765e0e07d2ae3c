//! The query of a list.

use axum::extract::FromRequestParts;
use http::request::Parts;
use slipway_common::db::Page;
use url::form_urlencoded;

use crate::error::ApiError;

/// `?page`, `?limit` and `?query`. Numbers that do not read fall back to the default, as at JSR.
pub(crate) struct Paging {
    pub(crate) page: Page,
    pub(crate) query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let (mut number, mut limit, mut query) = (1, u32::MAX, String::new());
        for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            match &*key {
                "page" => number = value.parse().unwrap_or(number),
                "limit" => limit = value.parse().unwrap_or(limit),
                "query" => query = value.into_owned(),
                _ => {}
            }
        }
        Ok(Self { page: Page::new(number, limit), query })
    }
}
