//! The token as it was shown: three parts, of which nothing is believed until the signature holds.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use slipway_common::ids::Sha256;
use slipway_common::model::ci::MAX_TEXT;

/// Longest token, in bytes. GitHub's has two kilobytes of claims; sixteen permissions with the longest names there are come to eight
/// more once they are encoded.
const MAX_TOKEN: usize = 16 * 1024;
/// Longest name of a key, in bytes. Issuers use digests.
const MAX_KEY_NAME: usize = 256;

/// A token that was read and not verified.
#[derive(Debug)]
pub(crate) struct Shown<'t> {
    text: &'t str,
    algorithm: Algorithm,
    /// The name of the key that is said to have signed it.
    pub(crate) key: String,
    /// Who is said to have signed it.
    pub(crate) issuer: String,
}

impl<'t> Shown<'t> {
    pub(crate) fn read(text: &'t str) -> Result<Self, Cow<'static, str>> {
        if text.len() > MAX_TOKEN {
            return Err(format!("it is longer than {MAX_TOKEN} bytes").into());
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, _] = parts[..] else { return Err("it is no JSON Web Token: that has three parts".into()) };
        let header = object(header).ok_or("its header cannot be read")?;
        let payload = object(payload).ok_or("its claims cannot be read")?;
        let word = |map: &Map<String, Value>, name: &str, most: usize| {
            map.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= most).map(ToOwned::to_owned)
        };
        let named = word(&header, "alg", MAX_KEY_NAME).ok_or("its header has no `alg`")?;
        let algorithm = asymmetric(&named).ok_or("its `alg` is not one that a public key verifies")?;
        if header.contains_key("crit") {
            return Err("its header demands extensions (`crit`) that nobody here knows".into());
        }
        let key = word(&header, "kid", MAX_KEY_NAME).ok_or("its header has no `kid`, so no key can be found")?;
        let issuer = word(&payload, "iss", MAX_TEXT).ok_or("it has no `iss`")?;
        if issuer.chars().any(char::is_control) {
            return Err("its `iss` is no address".into());
        }
        Ok(Self { text, algorithm, key, issuer })
    }

    /// The claims, once the signature holds. When they are in time is decided elsewhere, by the registry's own clock.
    pub(crate) fn verify(&self, key: &Jwk) -> Result<Map<String, Value>, Cow<'static, str>> {
        if !fits(key, self.algorithm) {
            return Err(format!("its `alg` is {:?}, and the key `{}` is of another kind", self.algorithm, self.key).into());
        }
        let decoding = DecodingKey::from_jwk(key).map_err(|_| "the issuer's key cannot be used")?;
        let mut validation = Validation::new(self.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(self.text, &decoding, &validation);
        decoded.map(|decoded| decoded.claims).map_err(|_| "its signature does not hold".into())
    }

    /// What tells this token from every other one: the digest of what was signed. Signatures can be written in more than one way.
    pub(crate) fn digest(&self) -> String {
        let signed = self.text.rsplit_once('.').map_or(self.text, |(signed, _)| signed);
        Sha256::of(signed.as_bytes()).checksum()
    }
}

/// Whether a token can be read, whoever signed it.
///
/// # Errors
/// When it cannot.
pub fn can_be_read(text: &str) -> Result<(), Cow<'static, str>> {
    Shown::read(text).map(drop)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The algorithms that need a public key only. `none` and those with a shared secret are not among them.
fn asymmetric(name: &str) -> Option<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA].into_iter().find(|algorithm| format!("{algorithm:?}") == name)
}

/// Whether a key is for an algorithm: by its type, and by what it says of itself.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_type: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    };
    of_type.contains(&algorithm)
        && key.common.key_algorithm.is_none_or(|own| own == algorithm.into())
        && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(header), part(payload))
    }

    #[test]
    fn what_cannot_be_verified_is_not_looked_at_further() {
        let payload = json!({"iss": "https://i.example"});
        let good = token(&json!({"alg": "RS256", "kid": "k"}), &payload);
        let shown = Shown::read(&good).unwrap();
        assert_eq!((shown.key.as_str(), shown.issuer.as_str(), shown.algorithm), ("k", "https://i.example", Algorithm::RS256));
        for (header, word) in [
            (json!({"alg": "none", "kid": "k"}), "`alg`"),
            (json!({"alg": "HS256", "kid": "k"}), "`alg`"),
            (json!({"alg": "rs256", "kid": "k"}), "`alg`"),
            (json!({"kid": "k"}), "no `alg`"),
            (json!({"alg": "RS256"}), "no `kid`"),
            (json!({"alg": "RS256", "kid": ""}), "no `kid`"),
            (json!({"alg": "RS256", "kid": "k".repeat(257)}), "no `kid`"),
            (json!({"alg": "RS256", "kid": "k", "crit": ["b64"]}), "`crit`"),
            (json!([]), "header"),
        ] {
            let text = token(&header, &payload);
            assert!(Shown::read(&text).unwrap_err().contains(word), "{header}");
        }
        for (text, word) in [
            ("a".repeat(MAX_TOKEN + 1), "longer"),
            ("a.b".to_owned(), "three parts"),
            ("a.b.c.d".to_owned(), "three parts"),
            ("..".to_owned(), "header"),
            (good.replace('.', "=."), "header"),
            (token(&json!({"alg": "RS256", "kid": "k"}), &json!({})), "`iss`"),
        ] {
            assert!(Shown::read(&text).unwrap_err().contains(word), "{word}");
        }
    }

    #[test]
    fn a_key_decides_about_the_algorithm() {
        let key = |value: Value| serde_json::from_value::<Jwk>(value).unwrap();
        let rsa = key(json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}));
        let es = key(json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": "AQ", "y": "AQ"}));
        let shared = key(json!({"kty": "oct", "kid": "k", "k": "AQAB"}));
        assert!(fits(&rsa, Algorithm::RS256) && fits(&es, Algorithm::ES256));
        assert!(!fits(&rsa, Algorithm::ES256) && !fits(&es, Algorithm::RS256) && !fits(&es, Algorithm::ES384));
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::EdDSA] {
            assert!(!fits(&shared, algorithm));
        }
        assert!(!fits(&rsa, Algorithm::HS256));
        let pinned = key(json!({"kty": "RSA", "alg": "RS512", "use": "sig", "n": "AQAB", "e": "AQAB"}));
        assert!(fits(&pinned, Algorithm::RS512) && !fits(&pinned, Algorithm::RS256));
        let other = key(json!({"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"}));
        assert!(!fits(&other, Algorithm::RS256));
    }

    #[test]
    fn what_fuzzing_found_stays_found() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus/token");
        let mut seen = 0;
        for file in std::fs::read_dir(corpus).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_read = can_be_read(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())).is_ok();
            assert!(!name.starts_with("good-") || is_read, "{name} is refused");
            assert!(!name.starts_with("bad-") || !is_read, "{name} is read");
            seen += 1;
        }
        assert!(seen > 2, "the corpus is there");
    }
}
