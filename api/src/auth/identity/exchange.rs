//! A code for tokens (RFC 6749, 4.1.3), with what only the browser that set out can show (RFC 7636).

use serde_json::Value;
use slipway_common::config::Secret;
use url::{Url, form_urlencoded};

use super::{Attempt, Problem, Provider};
use crate::auth::issuer::{ask, client};

/// What a code was exchanged for. It lives as long as one request, and cannot print itself.
pub(super) struct Tokens(Value);

impl Tokens {
    /// With what more can be asked.
    pub(super) fn access(&self) -> Option<Secret> {
        self.text("access_token").map(|token| Secret::new(token.to_owned()))
    }

    /// What says who it is.
    pub(super) fn id(&self) -> Option<&str> {
        self.text("id_token")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// Exchanges a code. The secret goes into the header, unless the provider takes it in the body alone.
pub(super) async fn exchange(
    provider: &Provider,
    token_url: &Url,
    attempt: &Attempt,
    code: &str,
    takes_secret_in_body: bool,
) -> Result<Tokens, Problem> {
    let config = &provider.config;
    let client = client().map_err(Problem::Away)?;
    let mut request = client.post(token_url.clone()).header("accept", "application/json");
    let in_body = config.client_secret.as_ref().filter(|_| takes_secret_in_body);
    if let (Some(secret), None) = (&config.client_secret, in_body) {
        request = request.basic_auth(encoded(&config.client_id), Some(encoded(secret.expose())));
    }
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(provider, attempt, code, in_body));
    let answer = ask(request, token_url.as_str()).await.map_err(Problem::Away)?;
    if answer.status.is_server_error() || answer.status.as_u16() == 429 {
        return Err(Problem::Away(format!("{token_url}: {}", answer.status)));
    }
    // GitHub says with success that it went wrong.
    let error = answer.body.get("error").and_then(Value::as_str);
    if error.is_some() || !answer.status.is_success() {
        tracing::warn!(provider = provider.name(), status = %answer.status, error, "a code is not exchanged");
        return Err(Problem::odd("it does not take the code that you came back with; sign in again"));
    }
    Ok(Tokens(answer.body))
}

/// What is sent: the code, and all that it has to fit.
fn form(provider: &Provider, attempt: &Attempt, code: &str, secret: Option<&Secret>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", provider.callback.as_str())
        .append_pair("code_verifier", &attempt.verifier())
        .append_pair("client_id", &provider.config.client_id);
    if let Some(secret) = secret {
        form.append_pair("client_secret", secret.expose());
    }
    form.finish()
}

/// A part of the header as the standard has it (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
