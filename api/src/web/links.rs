//! A link that signs somebody in once. Opening it uses nothing up, since mail programs and chats do that as well; the button does.

use askama::Template;
use axum::extract::State;
use http::HeaderMap;

use super::login::{see_other, session_cookie, so_far};
use super::page::{self, PageResult};
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::origin;
use crate::error::ApiResult;
use crate::extract::{ClientAddress, Text};
use crate::service::links;

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    user: &'a str,
    login: &'a str,
}

/// Whom it signs in.
pub(super) async fn show(State(app): State<App>, Text(secret): Text) -> PageResult {
    let user = links::show(&app, &secret).await?;
    Ok(page::render(&LinkPage { user: &user.name, login: &user.login }))
}

/// Signs them in.
pub(super) async fn follow(
    State(app): State<App>,
    actor: ApiResult<Actor>,
    ClientAddress(from): ClientAddress,
    Text(secret): Text,
    headers: HeaderMap,
) -> PageResult {
    origin::check(&headers, &app.context.config.public_url)?;
    let session = links::follow(&app, &secret, &so_far(actor)?, from).await?;
    Ok(see_other("/account/identities", &[session_cookie(&app, &session)]))
}
