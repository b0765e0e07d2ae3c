//! Forms that only our own pages can send.

use axum::extract::{FromRequest, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use slipway_common::ids::Sha256;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::page::PageError;
use crate::error::{ApiError, Code};
use crate::extract::broken_body;

/// A form's fields, in order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of a field, or the empty text.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        // A form of ours is short; axum's limit on bodies stands.
        let body = Bytes::from_request(request, state).await.map_err(|error| ApiError::from(broken_body(&error, "the form")))?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }
}

/// What a form of a session carries, so that no other site can send it. It follows from the session's secret and tells nothing
/// about it.
pub(super) fn guard(session: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::of(format!("slipway form {session}").as_bytes()).as_bytes())
}

/// Checks the guard of a form.
pub(super) fn check_guard(session: &str, given: &str) -> Result<(), Code> {
    if bool::from(guard(session).as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(Code::CrossSiteRequest) }
}

/// Where to go after signing in: a path of ours, whatever was asked for.
pub(super) fn local_path(text: &str) -> &str {
    let is_local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\') && !text.chars().any(char::is_control);
    if is_local { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths() {
        assert_eq!(local_path("/auth?code=A"), "/auth?code=A");
        for bad in ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a\nb"] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn guards_belong_to_sessions() {
        assert!(check_guard("a", &guard("a")).is_ok());
        assert!(check_guard("a", &guard("b")).is_err());
        assert!(check_guard("a", "").is_err());
    }
}
