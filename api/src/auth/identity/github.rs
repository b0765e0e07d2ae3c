//! GitHub, which has no OpenID Connect for people: the flow of OAuth, and then its own interface.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use slipway_common::config::{IdentityProvider, Secret};
use slipway_common::model::ci::MAX_TEXT;
use slipway_common::model::identity::ProviderKind;
use url::Url;

use super::exchange::exchange;
use super::{Attempt, Person, Problem, Provider, picture, shown};
use crate::auth::issuer::{ask, client};

/// Most addresses of an account that are looked at.
const MAX_EMAILS: usize = 100;

#[derive(Deserialize)]
struct Account {
    id: u64,
    login: String,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    #[serde(rename = "email")]
    address: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

fn below(config: &IdentityProvider, path: &str) -> Url {
    let mut url = config.place();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}{path}"));
    url
}

/// Where people are sent.
pub(super) fn authorization(config: &IdentityProvider) -> Url {
    below(config, "/login/oauth/authorize")
}

/// Where its interface is: github.com and what it hosts have a host for it, GitHub Enterprise Server a path.
fn interface(config: &IdentityProvider, path: &str) -> Url {
    let mut url = config.place();
    match url.host_str().map(ToOwned::to_owned) {
        Some(host) if host == "github.com" || host.ends_with(".ghe.com") => {
            url.set_host(Some(&format!("api.{host}"))).expect("a host with a word before it is one");
            url.set_path(path);
            url
        }
        _ => below(config, &format!("/api/v3{path}")),
    }
}

/// Who came back.
pub(super) async fn identify(provider: &Provider, attempt: &Attempt, code: &str) -> Result<Person, Problem> {
    let config = &provider.config;
    let tokens = exchange(provider, &below(config, "/login/oauth/access_token"), attempt, code, true).await?;
    let token = tokens.access().ok_or_else(|| Problem::odd("it gives no token"))?;
    let account = look(config, &token, "/user").await?.ok_or_else(|| Problem::odd("it does not show who you are"))?;
    let account: Account = serde_json::from_value(account).map_err(|_| Problem::odd("it does not say who you are"))?;
    let login = shown(Some(&account.login), MAX_TEXT).ok_or_else(|| Problem::odd("it does not say what you are called"))?;
    // An app that may not see addresses is one that knows none.
    let email = look(config, &token, "/user/emails").await?.and_then(|body| verified(&body));
    Ok(Person {
        kind: ProviderKind::Github,
        issuer: config.issuer.clone(),
        subject: account.id.to_string(),
        name: shown(account.name.as_deref(), MAX_TEXT).or_else(|| Some(login.clone())),
        login: Some(login.to_ascii_lowercase()),
        email,
        avatar_url: picture(account.avatar_url.as_deref()),
    })
}

/// Asks the interface. Nothing when it does not show that.
async fn look(config: &IdentityProvider, token: &Secret, path: &str) -> Result<Option<Value>, Problem> {
    let url = interface(config, path);
    let client = client().map_err(Problem::Away)?;
    let request = client.get(url.clone()).header("accept", "application/vnd.github+json").bearer_auth(token.expose());
    let answer = ask(request, url.as_str()).await.map_err(Problem::Away)?;
    match answer.status {
        status if status.is_success() => Ok(Some(answer.body)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
        status => Err(Problem::Away(format!("{url}: {status}"))),
    }
}

/// The address that the account's owner prefers, as long as they have shown that it is theirs; else any that is.
fn verified(body: &Value) -> Option<String> {
    let emails = body.as_array()?.iter().take(MAX_EMAILS).filter_map(|email| Email::deserialize(email).ok());
    let mut verified: Vec<Email> = emails.filter(|email| email.verified).collect();
    verified.sort_by_key(|email| !email.primary);
    verified.first().and_then(|email| shown(Some(&email.address), MAX_TEXT))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(issuer: &str) -> IdentityProvider {
        IdentityProvider {
            name: "github".to_owned(),
            kind: ProviderKind::Github,
            title: "GitHub".to_owned(),
            issuer: issuer.to_owned(),
            client_id: "a".to_owned(),
            client_secret: None,
            scopes: String::new(),
            makes_accounts: true,
        }
    }

    #[test]
    fn every_github_has_its_doors() {
        for (place, door, user) in [
            ("https://github.com", "https://github.com/login/oauth/authorize", "https://api.github.com/user"),
            ("https://acme.ghe.com", "https://acme.ghe.com/login/oauth/authorize", "https://api.acme.ghe.com/user"),
            ("https://code.acme.example", "https://code.acme.example/login/oauth/authorize", "https://code.acme.example/api/v3/user"),
            ("https://acme.example/github", "https://acme.example/github/login/oauth/authorize", "https://acme.example/github/api/v3/user"),
        ] {
            assert_eq!((authorization(&at(place)).as_str(), interface(&at(place), "/user").as_str()), (door, user));
        }
    }

    #[test]
    fn only_verified_addresses_are_somebodys() {
        let email = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified});
        let of = |emails: Vec<Value>| verified(&Value::from(emails));
        assert_eq!(of(vec![email("a@x", false, true), email("b@x", true, true)]).as_deref(), Some("b@x"));
        assert_eq!(of(vec![email("a@x", false, true), email("b@x", true, false)]).as_deref(), Some("a@x"));
        assert_eq!(of(vec![email("b@x", true, false)]), None);
        assert_eq!(of(vec![json!({"email": "a@x", "verified": "true"}), json!({"email": "b@x"}), json!(5)]), None);
        assert_eq!(verified(&json!({"email": "a@x", "verified": true})), None);
    }
}
