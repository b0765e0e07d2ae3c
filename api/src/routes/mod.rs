//! The JSON API, on one page.

mod audit;
mod authorizations;
mod health;
mod invites;
mod me;
mod members;
mod packages;
mod provenance;
mod publishers;
mod publishes;
mod quarantine;
mod scopes;
mod staff;
mod tags;
mod tickets;
mod users;
mod versions;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};

use crate::app::App;
use crate::error::Code;
use crate::extract::credential;

/// Everything below `/api`.
pub(crate) fn api(app: &App) -> Router<App> {
    checked()
        // A credential that is presented must hold, also where nobody asks for one.
        .route_layer(from_fn_with_state(app.clone(), credential))
        // The one route that judges it by itself: it has to take in the upload before it can refuse it.
        .route("/scopes/{scope}/packages/{package}/versions/{version}", post(publishes::create))
        .fallback(|| async { Code::NotFound.refusal() })
        .method_not_allowed_fallback(|| async { Code::MethodNotAllowed.refusal() })
}

fn checked() -> Router<App> {
    Router::new()
        .route("/admin/audit", get(audit::all))
        .route("/admin/users", get(staff::users))
        .route("/admin/users/{id}", patch(staff::change_user))
        .route("/admin/scopes", get(staff::scopes).post(staff::assign))
        .route("/admin/scopes/{scope}", patch(scopes::set_limits))
        .route("/admin/scopes/{scope}/freeze", put(scopes::freeze).delete(scopes::unfreeze))
        .route("/admin/scopes/{scope}/packages/{package}/versions/{version}/quarantine", put(quarantine::hold).delete(quarantine::release))
        .route("/admin/quarantine", get(quarantine::list))
        .route("/admin/packages", get(staff::packages))
        .route("/admin/publishing_tasks", get(staff::publishes))
        .route("/admin/publishing_tasks/{id}/requeue", post(publishes::requeue))
        .route("/admin/tickets", get(tickets::all))
        .route("/admin/tickets/{id}", patch(tickets::close))
        .route("/packages", get(packages::find))
        .route("/publishing_tasks/{id}", get(publishes::show))
        .route("/publishing_tasks/{id}/cancel", post(publishes::cancel))
        .route("/publishing_tasks/{id}/retry", post(publishes::retry))
        .route("/publish_status/{id}", get(publishes::show))
        .route("/authorizations", post(authorizations::request))
        .route("/authorizations/details/{code}", get(authorizations::show))
        .route("/authorizations/approve/{code}", post(authorizations::approve))
        .route("/authorizations/deny/{code}", post(authorizations::deny))
        .route("/authorizations/exchange", post(authorizations::exchange))
        .route("/user", get(me::show))
        .route("/user/audit", get(audit::own))
        .route("/user/scopes", get(me::scopes))
        .route("/user/identities", get(me::identities))
        .route("/user/identities/{id}", delete(me::unlink))
        .route("/user/invites", get(invites::own))
        .route("/user/invites/{scope}", post(invites::accept).delete(invites::decline))
        .route("/user/member/{scope}", get(members::own))
        .route("/user/tickets", get(tickets::own))
        .route("/tickets", post(tickets::create))
        .route("/tickets/{id}", get(tickets::show).post(tickets::say))
        .route("/user/tokens", get(me::tokens).post(me::create_token))
        .route("/user/tokens/{id}", delete(me::delete_token))
        .route("/users/{id}", get(users::show))
        .route("/users/{id}/scopes", get(users::scopes))
        .route("/users/{id}/packages", get(users::packages))
        .route("/scopes", post(scopes::create))
        .route("/scopes/{scope}", get(scopes::show).patch(scopes::change).delete(scopes::delete))
        .route("/scopes/{scope}/audit", get(audit::of_scope))
        .route("/scopes/{scope}/invites", get(invites::list))
        .route("/scopes/{scope}/invites/{id}", delete(invites::withdraw))
        .route("/scopes/{scope}/members", get(members::list).post(invites::create))
        .route("/scopes/{scope}/members/{id}", patch(members::change).delete(members::remove))
        .route("/scopes/{scope}/packages", get(packages::list).post(packages::create))
        .route("/scopes/{scope}/packages/{package}", get(packages::show).patch(packages::change).delete(packages::delete))
        .route("/scopes/{scope}/packages/{package}/dist-tags", get(tags::list))
        .route("/scopes/{scope}/packages/{package}/dist-tags/{tag}", put(tags::set).delete(tags::remove))
        .route("/scopes/{scope}/packages/{package}/publishing_tasks", get(publishes::of_package))
        .route("/scopes/{scope}/packages/{package}/publishers", get(publishers::list).post(publishers::add))
        .route("/scopes/{scope}/packages/{package}/publishers/{id}", delete(publishers::remove))
        .route("/scopes/{scope}/packages/{package}/transfer", post(packages::transfer))
        .route("/scopes/{scope}/packages/{package}/versions", get(versions::list))
        .route("/scopes/{scope}/packages/{package}/versions/{version}", get(versions::show).patch(versions::yank))
        .route("/scopes/{scope}/packages/{package}/versions/{version}/dependencies", get(versions::dependencies))
        .route("/scopes/{scope}/packages/{package}/versions/{version}/provenance", get(provenance::show).post(provenance::add))
        .route("/scopes/{scope}/packages/{package}/versions/{version}/tarball", get(versions::tarball))
}

/// What npm clients change. What they read belongs to the read path, and so does every other address below `/npm`.
pub(crate) fn npm() -> Router<App> {
    Router::new().route("/npm/-/package/{*tag}", put(tags::of_npm).delete(tags::of_npm))
}

/// What asks whether the process lives, and whether its doors answer.
pub(crate) fn health() -> Router<App> {
    Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready))
}
