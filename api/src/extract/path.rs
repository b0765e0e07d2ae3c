//! Names in the path of a request.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use slipway_common::ids::{PackageName, ScopeName, Version};

use crate::error::{ApiError, ApiResult, Code};
use crate::service::versions::Which;

async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> ApiResult<String> {
    let parameters = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Code::MalformedRequest.because("the address is not valid UTF-8"))?;
    let value = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    value.ok_or_else(|| Code::NotFound.into())
}

fn malformed(error: impl std::fmt::Display) -> ApiError {
    Code::MalformedRequest.because(error.to_string()).into()
}

/// `{scope}`.
pub(crate) struct ScopeAt(pub(crate) ScopeName);

impl<S: Send + Sync> FromRequestParts<S> for ScopeAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let scope = parameter(parts, state, "scope").await?;
        ScopeName::try_from(scope.as_str()).map(Self).map_err(malformed)
    }
}

/// `{scope}/…/{package}`.
pub(crate) struct PackageAt(pub(crate) PackageName);

impl<S: Send + Sync> FromRequestParts<S> for PackageAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let ScopeAt(scope) = ScopeAt::from_request_parts(parts, state).await?;
        let name = parameter(parts, state, "package").await?;
        PackageName::new(scope, &name).map(Self).map_err(malformed)
    }
}

/// `{scope}/…/{package}/…/{version}`, where the version may be `latest` for those who ask [`Self::which`].
pub(crate) struct VersionAt {
    pub(crate) package: PackageName,
    version: String,
}

impl VersionAt {
    /// The version, which must be one.
    pub(crate) fn exact(&self) -> ApiResult<Version> {
        Version::try_from(self.version.as_str()).map_err(malformed)
    }

    /// The version, or the latest.
    pub(crate) fn which(&self) -> ApiResult<Which> {
        if self.version == "latest" { Ok(Which::Latest) } else { self.exact().map(Which::Exactly) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VersionAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let PackageAt(package) = PackageAt::from_request_parts(parts, state).await?;
        let version = parameter(parts, state, "version").await?;
        Ok(Self { package, version })
    }
}

/// `{scope}/…/{package}/…/{tag}`, the tag as it came.
pub(crate) struct TagAt {
    pub(crate) package: PackageName,
    pub(crate) tag: String,
}

impl<S: Send + Sync> FromRequestParts<S> for TagAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let PackageAt(package) = PackageAt::from_request_parts(parts, state).await?;
        let tag = parameter(parts, state, "tag").await?;
        Ok(Self { package, tag })
    }
}

/// `{id}`.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let id = parameter(parts, state, "id").await?;
        id.parse().map(Self).map_err(|_| malformed("the identifier in the address is not a UUID"))
    }
}

/// `{code}`, as it came.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Text {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        parameter(parts, state, "code").await.map(Self)
    }
}
