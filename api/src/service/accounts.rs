//! New accounts, for people whom the operator or a provider of identities knows.

use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::ids::UserId;
use slipway_common::model::user::User;

use crate::auth::identity::Person;
use crate::error::{ApiResult, Code};

/// Longest login, in bytes. GitHub's is 39; room for the robots of large houses.
pub(crate) const MAX_LOGIN: usize = 64;
/// The account that the first start of a registry makes, and whose token it writes to a file: nobody becomes it by signing in.
pub(crate) const ADMIN: &str = "admin";
/// How many logins are tried that differ in a number. With so many people of one name the next one is known by their identifier.
const NAMESAKES: u32 = 20;
/// Room for a hyphen and such a number.
const NUMBER: usize = "-20".len();

/// Whether an account may be called so.
pub(crate) fn is_login(login: &str) -> bool {
    !login.is_empty() && login.len() <= MAX_LOGIN && login.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// An account as it begins.
pub(crate) fn draft(context: &Context, tx: &WriteTx, login: &str) -> User {
    let now = tx.now();
    User {
        id: context.ids.next::<UserId>(),
        login: login.to_ascii_lowercase(),
        name: login.to_owned(),
        email: None,
        avatar_url: String::new(),
        is_staff: false,
        is_blocked: false,
        scope_limit: context.config.scope_limit,
        created_at: now,
        updated_at: now,
    }
}

/// Makes an account for somebody who was not here before. It is called what they are called elsewhere, or nearly so when somebody else is.
pub(super) async fn create(context: &Context, tx: &mut WriteTx, person: &Person) -> ApiResult<User> {
    let base = login(person);
    let unlike = |number: u32| format!("{}-{number}", &base[..base.len().min(MAX_LOGIN - NUMBER)]);
    let numbered = (2..=NAMESAKES).map(unlike);
    let mut user = draft(context, tx, &base);
    user.avatar_url.clone_from(&person.avatar_url);
    let last = format!("user-{}", user.id);
    for login in [base.clone()].into_iter().chain(numbered).chain([last]).filter(|login| login != ADMIN) {
        user.name = person.name.clone().unwrap_or_else(|| login.clone());
        user.login = login;
        if tx.create_user(&user).await? {
            return Ok(user);
        }
    }
    Err(Code::Unavailable.because("somebody else has just been given the login that was meant for you; sign in again").into())
}

/// What somebody is called, in the letters that a login has.
fn login(person: &Person) -> String {
    let mailbox = person.email.as_deref().and_then(|email| email.split('@').next());
    let said = person.login.as_deref().or(mailbox).or(person.name.as_deref()).unwrap_or_default();
    // Some providers call people by their address.
    let said = said.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let plain: String = said.chars().map(|c| if is_login(c.encode_utf8(&mut [0; 4])) { c } else { '-' }).take(MAX_LOGIN).collect();
    let plain = plain.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() { "user".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use slipway_common::model::identity::ProviderKind;

    use super::*;

    #[test]
    fn people_are_called_what_they_are_called() {
        let of = |login: Option<&str>, email: Option<&str>| {
            super::login(&Person {
                kind: ProviderKind::Oidc,
                issuer: String::new(),
                subject: String::new(),
                login: login.map(ToOwned::to_owned),
                name: None,
                email: email.map(ToOwned::to_owned),
                avatar_url: String::new(),
            })
        };
        for (login, email, expected) in [
            (Some("Ada"), None, "ada"),
            (Some("ada.lovelace@example.org"), None, "ada.lovelace"),
            (Some("Ada Lovelace"), None, "ada-lovelace"),
            (Some("домен"), None, "user"),
            (Some("--"), None, "user"),
            (Some("_ada_"), None, "ada"),
            (None, Some("ada@example.org"), "ada"),
            (None, None, "user"),
        ] {
            let said = of(login, email);
            assert!(is_login(&said));
            assert_eq!(said, expected);
        }
        assert_eq!(of(Some(&"a".repeat(100)), None).len(), MAX_LOGIN);
    }
}
