//! Checks a signature as npm's own clients do: by the list of keys, and by when the version was published.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::Value;

use super::subject;
use crate::clock::Instant;
use crate::formats::npm_keys::{NpmKey, NpmKeys};
use crate::ids::{PackageName, Version};

/// What a client makes of the signatures of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A listed key vouches for it.
    Vouched,
    /// It has none.
    Unsigned,
    /// Its key is not in the list.
    UnknownKey(String),
    /// Its key had expired when it was published.
    Expired(String),
    /// The key of that name did not sign this.
    Wrong(String),
}

/// Judges what the npm documents say of a version, `dist` and all. Every signature has to hold.
#[must_use]
pub fn judge(keys: &NpmKeys, package: &PackageName, version: &Version, manifest: &Value, published: Instant) -> Verdict {
    let text = subject(package, version, manifest["dist"]["integrity"].as_str().unwrap_or_default());
    let signatures = manifest["dist"]["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let verdict = |signature: &Value| {
        let id = signature["keyid"].as_str().unwrap_or_default();
        let Some(key) = keys.keys.iter().find(|key| key.id() == id) else { return Verdict::UnknownKey(id.to_owned()) };
        if key.expires().is_some_and(|end| end <= published) {
            return Verdict::Expired(id.to_owned());
        }
        let signature = STANDARD.decode(signature["sig"].as_str().unwrap_or_default()).unwrap_or_default();
        if holds(key, text.as_bytes(), &signature) { Verdict::Vouched } else { Verdict::Wrong(id.to_owned()) }
    };
    let mut verdicts = signatures.iter().map(verdict);
    match (signatures.is_empty(), verdicts.find(|verdict| *verdict != Verdict::Vouched)) {
        (true, _) => Verdict::Unsigned,
        (false, Some(bad)) => bad,
        (false, None) => Verdict::Vouched,
    }
}

/// Whether a listed key signed some bytes.
pub(super) fn holds(key: &NpmKey, bytes: &[u8], signature: &[u8]) -> bool {
    let key = STANDARD.decode(key.spki()).ok().and_then(|key| VerifyingKey::from_public_key_der(&key).ok());
    let signature = DerSignature::try_from(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify(bytes, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::SigningKey;
    use super::*;
    use crate::ids::IdSource;

    #[test]
    fn every_way_to_be_wrong_is_told() {
        let ids = IdSource::counting();
        let (key, later) = (SigningKey::generate(&ids), SigningKey::generate(&ids));
        let (package, version) = (PackageName::try_from("@aa/bb").unwrap(), Version::try_from("1.0.0+c").unwrap());
        let signed = |key: &SigningKey, integrity: &str| {
            let signature = key.sign(&package, &version, integrity);
            json!({ "dist": { "integrity": integrity, "signatures": [{ "keyid": key.id(), "sig": signature }] } })
        };
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let keys = NpmKeys::default().with(key.public(), at("2025-01-01T00:00:00Z"));
        let verdict = |keys: &NpmKeys, manifest: &Value, published: &str| judge(keys, &package, &version, manifest, at(published));
        let sound = signed(&key, "sha512-x");
        assert_eq!(verdict(&keys, &sound, "2025-02-01T00:00:00Z"), Verdict::Vouched);
        assert_eq!(verdict(&keys, &json!({ "dist": { "integrity": "sha512-x" } }), "2025-02-01T00:00:00Z"), Verdict::Unsigned);
        assert_eq!(verdict(&keys, &signed(&later, "sha512-x"), "2025-02-01T00:00:00Z"), Verdict::UnknownKey(later.id()));
        let mut other = sound.clone();
        other["dist"]["integrity"] = "sha512-y".into();
        assert_eq!(verdict(&keys, &other, "2025-02-01T00:00:00Z"), Verdict::Wrong(key.id()));
        other = sound.clone();
        other["dist"]["signatures"][0]["sig"] = "bm9uZQ==".into();
        assert_eq!(verdict(&keys, &other, "2025-02-01T00:00:00Z"), Verdict::Wrong(key.id()));
        // Replaced in March: what was published before stays vouched for.
        let keys = keys.with(later.public(), at("2025-03-01T00:00:00Z"));
        assert_eq!(verdict(&keys, &sound, "2025-02-01T00:00:00Z"), Verdict::Vouched);
        assert_eq!(verdict(&keys, &sound, "2025-03-02T00:00:00Z"), Verdict::Expired(key.id()));
        assert_eq!(verdict(&keys, &signed(&later, "sha512-x"), "2025-03-02T00:00:00Z"), Verdict::Vouched);
    }
}
