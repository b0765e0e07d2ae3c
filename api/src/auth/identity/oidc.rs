//! OpenID Connect: any issuer that has a discovery document, GitLab among them.
//!
//! The flow is short enough to stand here, on what reads the tokens of CI systems already. A library for it would bring a second reader of
//! tokens and keys into the process, beside the one that is fuzzed.

use serde_json::{Map, Value};
use slipway_common::clock::Instant;
use slipway_common::config::Secret;
use slipway_common::model::ci::MAX_TEXT;
use url::Url;

use super::exchange::exchange;
use super::{Attempt, Person, Problem, Provider, picture, shown};
use crate::auth::issuer::{Endpoints, Shown, Times, ask, client, text};

/// Where people are sent.
pub(super) async fn authorization(provider: &Provider, now: Instant) -> Result<Url, Problem> {
    Ok(endpoints(provider, now).await?.authorization)
}

async fn endpoints(provider: &Provider, now: Instant) -> Result<Endpoints, Problem> {
    provider.discovery.find(provider.issuer(), now).await.map_err(|lacking| Problem::lacking("discovery document", lacking))
}

/// Who came back.
pub(super) async fn identify(
    provider: &Provider,
    attempt: &Attempt,
    code: &str,
    said_by: Option<&str>,
    now: Instant,
) -> Result<Person, Problem> {
    let endpoints = endpoints(provider, now).await?;
    // Who says whose answer it is must be the one that was asked: otherwise the code would go to somebody else.
    if said_by.map_or(endpoints.says_issuer, |issuer| issuer != provider.issuer()) {
        return Err(Problem::odd("the answer is that of another issuer"));
    }
    let tokens = exchange(provider, &endpoints.token, attempt, code, endpoints.takes_secret_in_body).await?;
    let token = tokens.id().ok_or_else(|| Problem::odd("it gives no ID token"))?;
    let claims = verify(provider, token, &attempt.nonce(), now).await?;
    let subject = text(&claims, "sub").map_err(Problem::Odd)?.ok_or_else(|| Problem::odd("it has no `sub`"))?;
    let mut known = Known::of(&claims);
    if !known.is_whole()
        && let (Some(url), Some(access)) = (&endpoints.userinfo, tokens.access())
    {
        known.complete(more(url, &access, &subject).await?);
    }
    Ok(Person {
        kind: provider.config.kind,
        issuer: provider.issuer().to_owned(),
        subject,
        login: known.login,
        name: known.name,
        email: known.email,
        avatar_url: known.avatar_url,
    })
}

/// The claims of an ID token that its issuer signed, for us, now, and in answer to this attempt.
async fn verify(provider: &Provider, token: &str, nonce: &str, now: Instant) -> Result<Map<String, Value>, Problem> {
    let shown = Shown::read(token).map_err(Problem::odd)?;
    if shown.issuer != provider.issuer() {
        return Err(Problem::odd(format!("its `iss` is not `{}`", provider.issuer())));
    }
    let key = provider.keys.find(&shown.key, now).await.map_err(|lacking| Problem::lacking("key", lacking))?;
    let claims = shown.verify(&key).map_err(Problem::odd)?;
    Times::now(&claims, now).map_err(Problem::Odd)?;
    is_for(&claims, &provider.config.client_id).map_err(Problem::Odd)?;
    if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err(Problem::odd("its `nonce` belongs to another sign-in"));
    }
    Ok(claims)
}

/// Whether a token was made for us, and, where it was made for others too, whether it was us who asked for it.
fn is_for(claims: &Map<String, Value>, client: &str) -> Result<(), String> {
    let (is_named, is_alone) = match claims.get("aud") {
        Some(Value::String(one)) => (one == client, true),
        Some(Value::Array(all)) => (all.iter().any(|one| one == client), all.len() == 1),
        _ => (false, true),
    };
    let asked_by = claims.get("azp").and_then(Value::as_str);
    let is_ours = asked_by.map_or(is_alone, |party| party == client);
    if is_named && is_ours { Ok(()) } else { Err("its `aud` is not this registry, or not this registry alone".to_owned()) }
}

/// More about somebody. Nothing when the provider does not show it, and nothing of anybody else.
async fn more(url: &Url, access: &Secret, subject: &str) -> Result<Known, Problem> {
    let client = client().map_err(Problem::Away)?;
    let answer = ask(client.get(url.clone()).bearer_auth(access.expose()), url.as_str()).await.map_err(Problem::Away)?;
    if answer.status.is_server_error() {
        return Err(Problem::Away(format!("{url}: {}", answer.status)));
    }
    let Some(claims) = answer.body.as_object().filter(|_| answer.status.is_success()) else { return Ok(Known::default()) };
    if text(claims, "sub").map_err(Problem::Odd)?.as_deref() != Some(subject) {
        return Err(Problem::odd("what it says of you is about somebody else"));
    }
    Ok(Known::of(claims))
}

/// What claims say of somebody besides who they are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    login: Option<String>,
    name: Option<String>,
    email: Option<String>,
    avatar_url: String,
}

impl Known {
    fn of(claims: &Map<String, Value>) -> Self {
        let word = |name: &str| shown(claims.get(name).and_then(Value::as_str), MAX_TEXT);
        // Some providers write it as a text.
        let is_verified = claims.get("email_verified").is_some_and(|verified| verified == true || verified == "true");
        Self {
            login: word("preferred_username").or_else(|| word("nickname")).map(|login| login.to_ascii_lowercase()),
            name: word("name"),
            email: word("email").filter(|_| is_verified),
            avatar_url: picture(claims.get("picture").and_then(Value::as_str)),
        }
    }

    fn is_whole(&self) -> bool {
        self.login.is_some() && self.name.is_some() && self.email.is_some()
    }

    fn complete(&mut self, more: Self) {
        self.login = self.login.take().or(more.login);
        self.name = self.name.take().or(more.name);
        self.email = self.email.take().or(more.email);
        if self.avatar_url.is_empty() {
            self.avatar_url = more.avatar_url;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_for_one_registry() {
        let judge = |claims: Value| is_for(claims.as_object().unwrap(), "us").is_ok();
        for good in
            [json!({"aud": "us"}), json!({"aud": ["us"]}), json!({"aud": ["us"], "azp": "us"}), json!({"aud": ["them", "us"], "azp": "us"})]
        {
            assert!(judge(good.clone()), "{good}");
        }
        for bad in [
            json!({}),
            json!({"aud": "them"}),
            json!({"aud": []}),
            json!({"aud": ["them", "us"]}),
            json!({"aud": "us", "azp": "them"}),
            json!({"aud": ["them"], "azp": "us"}),
            json!({"aud": {"us": true}}),
        ] {
            assert!(!judge(bad.clone()), "{bad}");
        }
    }

    #[test]
    fn an_address_counts_when_it_was_verified() {
        let email = |claims: Value| Known::of(claims.as_object().unwrap()).email;
        assert_eq!(email(json!({"email": "a@x", "email_verified": true})).as_deref(), Some("a@x"));
        assert_eq!(email(json!({"email": "a@x", "email_verified": "true"})).as_deref(), Some("a@x"));
        for bad in [json!(false), json!("false"), json!(1), json!(null)] {
            assert_eq!(email(json!({"email": "a@x", "email_verified": bad})), None, "{bad}");
        }
        assert_eq!(email(json!({"email": "a@x"})), None);
    }

    #[test]
    fn what_is_shown_is_one_line() {
        let known = Known::of(json!({"preferred_username": "Ada\n", "name": "a\u{0}b", "picture": "http://x/"}).as_object().unwrap());
        assert_eq!(known, Known { login: Some("ada".to_owned()), ..Known::default() });
    }
}
