//! The approval of a device: it asks, a person decides, it collects the answer.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use slipway_common::ids::Sha256;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::authorization::{Authorization, AuthorizationState};
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_common::model::user::User;
use subtle::ConstantTimeEq;

use super::rates::{self, Rate, Whose};
use super::tokens;
use crate::app::App;
use crate::auth::actor::Actor;
use crate::auth::secret;
use crate::error::{ApiError, ApiResult, Code, Refusal};

/// How long a person has to decide. JSR's figure.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a device may publish with what it was given. JSR's figure.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Letters of a code. I and O are left out: people read them as digits.
const CODE_LETTERS: &[u8; 24] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Permissions in one request. `deno publish` asks for one for each member of a workspace; no workspace is this large.
const MAX_PERMISSIONS: usize = 1_000;
/// Longest challenge: the base64 of a digest has 44 characters.
const MAX_CHALLENGE: usize = 128;

/// Seconds after which a refused device may ask again: some of those that wait are decided by then.
const RETRY_AFTER: u32 = 60;

/// A request that was taken down, with the secret only its device gets.
pub(crate) struct Requested {
    pub(crate) authorization: Authorization,
    pub(crate) exchange_token: String,
}

/// Takes a request down that came from an address.
pub(crate) async fn request(
    app: &App,
    from: Option<IpAddr>,
    challenge: String,
    permissions: Option<Vec<Permission>>,
) -> ApiResult<Requested> {
    let is_base64 = challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte));
    if challenge.is_empty() || challenge.len() > MAX_CHALLENGE || !is_base64 {
        return Err(Code::MalformedRequest.because("the challenge must be the base64 of a SHA-256 digest").into());
    }
    if permissions.as_ref().is_some_and(|permissions| permissions.len() > MAX_PERMISSIONS) {
        return Err(Code::MalformedRequest.because(format!("a request may ask for at most {MAX_PERMISSIONS} permissions")).into());
    }
    let mut random = [0; 20];
    app.context.ids.fill(&mut random);
    let exchange_token = hex::encode(random);
    let mut tx = app.context.db.write("authorization.request").await?;
    rates::spend(&app.context, &mut tx, Rate::Authorizations, Whose::Address(from)).await?;
    // On PostgreSQL racing requests may go a few over, which the bound bears.
    if tx.count_open_authorizations().await? >= app.context.config.open_authorizations {
        return Err(Refusal { retry_after: Some(RETRY_AFTER), ..Code::TooManyAuthorizations.refusal() }.into());
    }
    let authorization = Authorization {
        id: app.context.ids.next(),
        code: code(app),
        challenge,
        permissions,
        state: AuthorizationState::Pending,
        user_id: None,
        networks: None,
        expires_at: tx.now() + LIFETIME,
    };
    tx.create_authorization(&authorization, &Sha256::of(exchange_token.as_bytes())).await?;
    tx.commit().await?;
    Ok(Requested { authorization, exchange_token })
}

/// `ABCD-EFGH`: 36 bits, alive for ten minutes, and of no use without a signed-in person.
fn code(app: &App) -> String {
    let mut letters = String::with_capacity(9);
    while letters.len() < 9 {
        let mut random = [0; 16];
        app.context.ids.fill(&mut random);
        // Bytes from 240 up are thrown away: taking them modulo 24 would favour the first letters.
        for byte in random.into_iter().filter(|byte| *byte < 240) {
            if letters.len() == 4 {
                letters.push('-');
            }
            if letters.len() < 9 {
                letters.push(char::from(CODE_LETTERS[usize::from(byte % 24)]));
            }
        }
    }
    letters
}

/// A request that waits for a decision.
pub(crate) async fn show(app: &App, code: &str) -> ApiResult<Authorization> {
    let mut tx = app.context.db.read().await?;
    match tx.open_authorization(code).await? {
        Some(authorization) => Ok(authorization),
        None => Code::AuthorizationNotFound.err(),
    }
}

/// Decides a request.
pub(crate) async fn decide(app: &App, actor: &Actor, code: &str, decision: AuthorizationState) -> ApiResult<()> {
    let user = actor.interactive()?;
    let mut tx = app.context.db.write("authorization.decide").await?;
    let Some(asked) = tx.open_authorization(code).await? else { return Code::AuthorizationNotFound.err() };
    if !tx.decide_authorization(code, user.id, actor.networks(), decision).await? {
        return Code::AuthorizationNotFound.err();
    }
    let act = if decision == AuthorizationState::Approved { Act::DeviceApprove } else { Act::DeviceDeny };
    let deed = Deed::new(act).with("authorization", asked.id.to_string()).with("permissions", tokens::shown(asked.permissions.as_deref()));
    tx.audit(app.context.ids.next(), &actor.doer(), &deed).await?;
    tx.commit().await?;
    tracing::info!(user = %user.id, decision = decision.as_str(), "decided about a device");
    Ok(())
}

/// Gives a device at an address the answer, once.
pub(crate) async fn exchange(app: &App, from: Option<IpAddr>, exchange_token: &str, verifier: &str) -> ApiResult<(String, User)> {
    let mut tx = app.context.db.write("authorization.exchange").await?;
    let Some(authorization) = tx.authorization_by_exchange(&Sha256::of(exchange_token.as_bytes())).await? else {
        return Code::AuthorizationNotFound.err();
    };
    if authorization.state == AuthorizationState::Pending {
        return if authorization.expires_at <= tx.now() { Code::AuthorizationExpired.err() } else { Code::AuthorizationPending.err() };
    }
    // The answer is given out once. A wrong verifier uses it up as well: whoever sent it had stolen the exchange token.
    if !tx.take_authorization(&authorization).await? {
        return Code::AuthorizationNotFound.err();
    }
    let challenge = STANDARD.encode(Sha256::of(verifier.as_bytes()).as_bytes());
    let is_verified = bool::from(challenge.as_bytes().ct_eq(authorization.challenge.as_bytes()));
    let user = match authorization.user_id {
        Some(id) => tx.user(id).await?,
        None => None,
    };
    let deed = Deed::new(Act::DeviceExchange);
    let doer = match &user {
        Some(user) => Doer::with(user, "authorization", authorization.id.uuid(), None).from(from),
        None => Doer::anonymous(from),
    };
    let outcome = match (authorization.state, user) {
        _ if authorization.expires_at <= tx.now() => Code::AuthorizationExpired.err(),
        _ if !is_verified => Code::AuthorizationInvalidVerifier.err(),
        (AuthorizationState::Denied, _) => Code::AuthorizationDenied.err(),
        (_, None) => Code::UserNotFound.err(),
        (_, Some(user)) => {
            let secret = secret::generate(TokenKind::Device, &app.context.ids);
            let now = tx.now();
            let token = Token {
                permissions: authorization.permissions,
                networks: authorization.networks,
                expires_at: Some(now + TOKEN_LIFETIME),
                ..Token::new(app.context.ids.next(), user.id, TokenKind::Device, now)
            };
            tx.create_token(&token, &secret::hash(&secret)).await?;
            Ok((secret, user, token))
        }
    };
    let deed = match &outcome {
        Ok((_, _, token)) => tokens::described(deed, token),
        Err(ApiError::Refused(refusal)) => deed.because(refusal.code.as_str()),
        Err(ApiError::Faulted(_)) => deed,
    };
    tx.audit(app.context.ids.next(), &doer, &deed).await?;
    tx.commit().await?;
    outcome.map(|(secret, user, _)| (secret, user))
}
