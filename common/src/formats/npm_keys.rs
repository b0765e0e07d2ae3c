//! The keys that npm versions are signed with: what `GET /-/npm/v1/keys` answers.
//!
//! The key in use does not expire. A key that was replaced stays, because the versions that it signed keep their signatures; clients
//! compare its end with the time at which a version was published.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;

/// What npm calls ECDSA on the curve P-256 with SHA-256.
const KIND: &str = "ecdsa-sha2-nistp256";

/// How long a key may still sign after another one took its place: processes are restarted one after the other, and what the last of
/// them publishes meanwhile with the old key has to be as good as what was published before.
const GRACE: TimeDelta = TimeDelta::hours(1);

/// The document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpmKeys {
    /// The key in use, then those of before, the last first.
    pub keys: Vec<NpmKey>,
}

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpmKey {
    expires: Option<Instant>,
    keyid: String,
    keytype: String,
    scheme: String,
    key: String,
}

impl NpmKey {
    /// A key in use: its name, and its public half as base64 of `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn new(id: String, spki: String) -> Self {
        Self { expires: None, keyid: id, keytype: KIND.to_owned(), scheme: KIND.to_owned(), key: spki }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.keyid
    }

    /// The public half, in base64 of DER.
    #[must_use]
    pub fn spki(&self) -> &str {
        &self.key
    }

    /// From when on what it signed is not believed. Nothing while it is in use.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        self.expires
    }
}

impl NpmKeys {
    /// The same list with this key in use from now on.
    #[must_use]
    pub fn with(&self, current: NpmKey, now: Instant) -> Self {
        let replaced = self.keys.iter().filter(|key| key.keyid != current.keyid);
        let replaced = replaced.map(|key| NpmKey { expires: key.expires.or(Some(now + GRACE)), ..key.clone() });
        let keys = replaced.collect::<Vec<_>>();
        Self { keys: [vec![current], keys].concat() }
    }

    /// The bytes of the document.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_what_npm_reads() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let first = NpmKeys::default().with(NpmKey::new("SHA256:a".into(), "QQ==".into()), at("2025-01-01T00:00:00Z"));
        let second = first.with(NpmKey::new("SHA256:b".into(), "Qg==".into()), at("2025-02-01T00:00:00Z"));
        let third = second.with(NpmKey::new("SHA256:c".into(), "Qw==".into()), at("2025-03-01T00:00:00Z"));
        let document: serde_json::Value = serde_json::from_slice(&third.to_bytes()).unwrap();
        let key = |expires: serde_json::Value, id: &str, key: &str| serde_json::json!({ "expires": expires, "keyid": id, "keytype": KIND, "scheme": KIND, "key": key });
        assert_eq!(
            document["keys"],
            serde_json::json!([
                key(serde_json::Value::Null, "SHA256:c", "Qw=="),
                key("2025-03-01T01:00:00Z".into(), "SHA256:b", "Qg=="),
                key("2025-02-01T01:00:00Z".into(), "SHA256:a", "QQ=="),
            ])
        );
        // Whoever goes back to a key has it in use again.
        let back = third.with(NpmKey::new("SHA256:a".into(), "QQ==".into()), at("2025-04-01T00:00:00Z"));
        assert_eq!(back.keys.iter().map(|key| key.expires.is_none()).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(serde_json::from_slice::<NpmKeys>(&back.to_bytes()).unwrap(), back);
    }
}
