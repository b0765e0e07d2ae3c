//! Somebody who is on their way to a provider and back.
//!
//! Their browser keeps what they set out with in a cookie, with a secret of that browser in it. What the provider is handed (`state`, `nonce`,
//! the challenge of PKCE) is digests of the whole, so a changed cookie belongs to no answer, and an answer to no other browser. Nothing is
//! written down before they are back: anybody may set out, as often as they like.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use slipway_common::clock::Instant;
use slipway_common::ids::{IdSource, Sha256, UserId};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use crate::auth::secret;

/// How long somebody has to sign in at the provider. JSR's figure.
pub(crate) const LIFE: TimeDelta = TimeDelta::minutes(10);
/// Longest way back that is kept, in bytes: it has to fit into a cookie, in which a letter may need nine.
const MAX_REDIRECT: usize = 400;

/// Somebody who is on their way to a provider and back.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// All of it as the cookie has it.
    cookie: String,
    /// Which provider they went to.
    pub(crate) provider: String,
    /// The path to go on to, ours.
    pub(crate) redirect: String,
    /// Whose account the identity is to be linked to, if they do not sign in.
    pub(crate) link: Option<UserId>,
    /// When they are too late.
    pub(crate) ends: Instant,
}

impl Attempt {
    /// Somebody sets out now. A way back that is too long for a cookie leads to the front page.
    pub(crate) fn begin(ids: &IdSource, provider: &str, redirect: &str, link: Option<UserId>, now: Instant) -> Self {
        let ends = now + LIFE;
        let redirect = if redirect.len() > MAX_REDIRECT { "/" } else { redirect };
        let cookie = form_urlencoded::Serializer::new(String::new())
            .append_pair("secret", &secret::passing(ids))
            .append_pair("to", provider)
            .append_pair("back", redirect)
            .append_pair("link", &link.map(|user| user.to_string()).unwrap_or_default())
            .append_pair("ends", &ends.timestamp().to_string())
            .finish();
        Self { cookie, provider: provider.to_owned(), redirect: redirect.to_owned(), link, ends }
    }

    /// What a cookie says. Whether anybody set out with it is told by [`is_answered_by`](Self::is_answered_by).
    pub(crate) fn read(cookie: &str) -> Option<Self> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(cookie.as_bytes()).into_owned().collect();
        let [(_, _), (_, provider), (_, redirect), (_, link), (_, ends)] = <[_; 5]>::try_from(pairs).ok()?;
        let link = if link.is_empty() { None } else { Some(link.parse().ok()?) };
        let ends = DateTime::from_timestamp(ends.parse().ok()?, 0)?;
        Some(Self { cookie: cookie.to_owned(), provider, redirect, link, ends })
    }

    /// What the browser keeps.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What the provider hands back.
    pub(crate) fn state(&self) -> String {
        self.digest("state")
    }

    /// Whether an answer is one to this attempt.
    pub(crate) fn is_answered_by(&self, state: &str) -> bool {
        self.state().as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// What the provider writes into its token.
    pub(crate) fn nonce(&self) -> String {
        self.digest("nonce")
    }

    /// What only this browser can show when the code is exchanged (PKCE, RFC 7636).
    pub(crate) fn verifier(&self) -> String {
        self.digest("verifier")
    }

    /// What the provider is told of the verifier: its digest.
    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::of(self.verifier().as_bytes()).as_bytes())
    }

    fn digest(&self, of: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::of(format!("slipway sign-in {of} {}", self.cookie).as_bytes()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_hangs_on_the_cookie() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let ids = IdSource::counting();
        let attempt = Attempt::begin(&ids, "github", "/auth?code=ABCD&x=1", Some(ids.next()), now);
        let read = Attempt::read(attempt.cookie()).unwrap();
        assert_eq!(
            (&read.provider, &read.redirect, read.link, read.ends),
            (&attempt.provider, &attempt.redirect, attempt.link, now + LIFE)
        );
        assert!(read.is_answered_by(&attempt.state()));
        assert!(!attempt.cookie().contains([';', ',', ' ', '"']), "a cookie takes it: {}", attempt.cookie());
        let words = [attempt.state(), attempt.nonce(), attempt.verifier(), attempt.challenge()];
        assert!(words.iter().all(|word| word.len() == 43 && words.iter().filter(|other| *other == word).count() == 1));
        let other = Attempt::begin(&ids, "github", "/", None, now);
        assert!(!other.is_answered_by(&attempt.state()));
        for changed in [attempt.cookie().replace("to=github", "to=gitlab"), attempt.cookie().replace("ends=17000006", "ends=17000007")] {
            assert!(!Attempt::read(&changed).unwrap().is_answered_by(&attempt.state()), "{changed}");
        }
        for bad in ["", "secret=a", "secret=a&to=b&back=c&link=d&ends=5", "secret=a&to=b&back=c&link=&ends=x"] {
            assert!(Attempt::read(bad).is_none(), "{bad}");
        }
        assert_eq!(Attempt::begin(&ids, "github", &format!("/{}", "a".repeat(400)), None, now).redirect, "/");
    }
}
