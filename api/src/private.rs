//! The private read room: what the read path does not find, for whoever may read private packages, and for staff what it keeps from
//! everybody.
//!
//! Whoever asks is looked at only when the public store has nothing, so credentials change nothing for public packages, and reading those
//! needs no database. Who may not read a package is answered what everybody hears of one that does not exist, to the letter. What comes out
//! of here is kept by nobody.

use axum::extract::FromRequestParts as _;
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};

use crate::app::App;
use crate::auth::actor::Actor;
use crate::error::{ApiError, ApiResult};
use crate::extract::Credential;
use crate::registry::{Found, Reader, Readers, hide, refused};
use crate::service::{quarantine, tokens, visibility};

/// Answers a request that the public store has nothing for: the same, or what only some may read.
pub(crate) async fn answer(app: &App, reader: &Reader, request: &mut Parts, found: &Found, public: Response) -> Response {
    let is_head = request.method == Method::HEAD;
    let Some(package) = found.address.package().filter(|_| is_head || request.method == Method::GET) else { return public };
    let readers = async {
        let actor = match Credential::from_request_parts(request, app).await? {
            Credential::Known(Actor::Anonymous) => return Ok(Readers::Everybody),
            credential => credential.identify(&mut app.context.db.read().await?).await?,
        };
        tokens::note_use(app, &actor).await;
        let mut tx = app.context.db.read().await?;
        if let Some((package, version)) = found.address.version()
            && quarantine::may_look(&mut tx, &actor, package, version).await?
        {
            return Ok(Readers::Staff);
        }
        Ok(if visibility::may_read_private(&mut tx, &actor, package).await? { Readers::Members } else { Readers::Everybody })
    };
    let outcome: ApiResult<Readers> = readers.await;
    let mut response = match outcome {
        Ok(Readers::Everybody) => public,
        Ok(readers) => reader.answer(request, found, readers).await,
        Err(ApiError::Refused(refusal)) => refused(found.kind, refusal.code.status(), &refusal.message, is_head),
        Err(fault @ ApiError::Faulted(_)) => {
            let refusal = fault.into_refusal();
            refused(found.kind, StatusCode::SERVICE_UNAVAILABLE, &refusal.message, is_head)
        }
    };
    hide(response.headers_mut());
    response
}
