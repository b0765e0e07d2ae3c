//! Secrets that people and scanners recognise: a prefix, randomness, a checksum.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use slipway_common::ids::{IdSource, Sha256};
use slipway_common::model::token::TokenKind;

/// The alphabet of the random part and the checksum.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of randomness: 172 bits.
const RANDOM_CHARACTERS: usize = 29;
/// Characters of the checksum: enough for 32 bits in base 62.
const CHECKSUM_CHARACTERS: usize = 6;

/// Makes a secret of a kind: `jsrp_`, 29 random characters, and a checksum by which a scanner knows it for real.
#[must_use]
pub fn generate(kind: TokenKind, ids: &IdSource) -> String {
    let mut secret = format!("{}_", kind.prefix());
    while secret.len() < kind.prefix().len() + 1 + RANDOM_CHARACTERS {
        let mut random = [0; RANDOM_CHARACTERS];
        ids.fill(&mut random);
        // Bytes from 248 up are thrown away: taking them modulo 62 would favour the first letters.
        let usable = random.iter().filter(|byte| **byte < 248).map(|byte| char::from(BASE62[usize::from(byte % 62)]));
        secret.extend(usable.take(kind.prefix().len() + 1 + RANDOM_CHARACTERS - secret.len()));
    }
    let checksum = checksum(&secret);
    secret.push_str(&checksum);
    secret
}

/// Makes a secret that is shown once and soon void: 256 bits that fit into an address.
#[must_use]
pub fn passing(ids: &IdSource) -> String {
    let mut random = [0; 32];
    ids.fill(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// Whether a text has the shape and the checksum of a secret. One that has not need not be looked up.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('_') else { return false };
    TokenKind::ALL.iter().any(|kind| kind.prefix() == prefix)
        && rest.len() == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && checksum(&text[..text.len() - CHECKSUM_CHARACTERS]) == text[text.len() - CHECKSUM_CHARACTERS..]
}

/// What is stored of a secret.
#[must_use]
pub fn hash(secret: &str) -> Sha256 {
    Sha256::of(secret.as_bytes())
}

fn checksum(text: &str) -> String {
    let mut number = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[number % 62];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_a_shape() {
        let ids = IdSource::counting();
        for kind in TokenKind::ALL {
            let secret = generate(kind, &ids);
            assert_eq!(secret.len(), 40);
            assert!(secret.starts_with(kind.prefix()) && is_well_formed(&secret), "{secret}");
            let mut wrong = secret.clone().into_bytes();
            wrong[10] = if wrong[10] == b'a' { b'b' } else { b'a' };
            assert!(!is_well_formed(&String::from_utf8(wrong).unwrap()));
        }
        for bad in ["", "jsrp_", "jsrp_é", "npm_0123", "jsrp_ééééééééééééééééé0"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
