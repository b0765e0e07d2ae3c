//! The private read room: what the read path does not find, for whoever may read private packages.
//!
//! Whoever asks is looked at only when the public store has nothing, so credentials change nothing for public packages, and reading those
//! needs no database. Who may not read a package is answered what everybody hears of one that does not exist, to the letter. What comes out
//! of here is kept by nobody.

use axum::extract::FromRequestParts as _;
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use slipway_common::model::package::Visibility;

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult};
use crate::extract::Credential;
use crate::registry::{Found, Reader, hide, refused};
use crate::service::{tokens, visibility};

/// Answers a request that the public store has nothing for: the same, or what only some may read.
pub(crate) async fn answer(app: &App, reader: &Reader, request: &mut Parts, found: &Found, public: Response) -> Response {
    let is_head = request.method == Method::HEAD;
    let Some(package) = found.address.package().filter(|_| is_head || request.method == Method::GET) else { return public };
    let may_read = async {
        let actor = match Credential::from_request_parts(request, app).await? {
            Credential::Known(Actor::Anonymous) => return Ok(false),
            credential => credential.identify(&mut app.context.db.read().await?).await?,
        };
        tokens::note_use(app, &actor).await;
        visibility::may_read_private(&mut app.context.db.read().await?, &actor, package).await
    };
    let outcome: ApiResult<bool> = may_read.await;
    let mut response = match outcome {
        Ok(false) => public,
        Ok(true) => reader.answer(request, found, Visibility::Private).await,
        Err(ApiError::Refused(refusal)) => refused(found.kind, refusal.code.status(), &refusal.message, is_head),
        Err(fault @ ApiError::Faulted(_)) => {
            let refusal = fault.into_refusal();
            refused(found.kind, StatusCode::SERVICE_UNAVAILABLE, &refusal.message, is_head)
        }
    };
    hide(response.headers_mut());
    response
}
