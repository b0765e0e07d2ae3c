//! A tarball on its way in, and the config file it is published by.

use axum::extract::{FromRequest, Request};
use futures::{StreamExt, TryStreamExt};
use http::header;
use slipway_common::ids::PackagePath;
use url::form_urlencoded;

use super::body::broken_body;
use crate::error::{ApiError, ApiResult, Code};
use crate::service::publish::{Label, Tarball};

/// The body and the `config` of a publish.
pub(crate) struct Upload {
    /// The config file, or why it is none: that is judged after the credential.
    pub(crate) config: ApiResult<PackagePath>,
    pub(crate) tarball: Tarball,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        let config = config(query);
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let tarball = Tarball {
            label: Label {
                declared_bytes: header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
                is_gzip: header(header::CONTENT_ENCODING) == Some("gzip"),
            },
            bytes: body.into_data_stream().map_err(|error| broken_body(&error, "the upload").into()).boxed(),
        };
        Ok(Self { config, tarball })
    }
}

fn config(query: &str) -> ApiResult<PackagePath> {
    let config = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "config").map(|(_, value)| value);
    let config = config.ok_or_else(|| Code::MalformedRequest.because("the query must name the config file: `?config=/jsr.json`"))?;
    PackagePath::try_from(&*config)
        .map_err(|error| Code::MalformedRequest.because(format!("`config` is not a path in the package: {error}")).into())
}
