//! Digests as types. Hex and base64 appear only at the edge.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use super::InvalidName;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $length:literal, $hasher:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// The digest of `bytes`.
            #[must_use]
            pub fn of(bytes: &[u8]) -> Self {
                Self(<$hasher>::digest(bytes).into())
            }

            /// The digest a running hasher arrived at.
            #[must_use]
            pub fn from_hasher(hasher: $hasher) -> Self {
                Self(hasher.finalize().into())
            }

            /// The raw bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// A digest that was stored as raw bytes.
            ///
            /// # Errors
            /// When the length is not that of this digest.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidName> {
                bytes.try_into().map(Self).map_err(|_| InvalidName(format!("a {} digest has {} bytes, not {}", stringify!($name), $length, bytes.len())))
            }

            /// Lower-case hexadecimal.
            #[must_use]
            pub fn hex(&self) -> String {
                hex::encode(self.0)
            }

            /// Standard base64 with padding.
            #[must_use]
            pub fn base64(&self) -> String {
                STANDARD.encode(self.0)
            }

            /// Reads hexadecimal of either case.
            ///
            /// # Errors
            /// When the text is not hexadecimal of the right length.
            pub fn from_hex(text: &str) -> Result<Self, InvalidName> {
                let mut bytes = [0; $length];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|error| InvalidName(format!("not a {} digest in hexadecimal: {error}", stringify!($name))))?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::from_hex(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

digest!(
    /// SHA-256: files, manifests, uploads, tokens at rest.
    Sha256, 32, sha2::Sha256
);
digest!(
    /// SHA-512: the integrity of npm tarballs.
    Sha512, 64, sha2::Sha512
);
digest!(
    /// SHA-1: only because npm's `shasum` field is one. Nothing trusts it.
    Sha1, 20, sha1::Sha1
);

impl Sha256 {
    /// How JSR writes a checksum: `sha256-` and lower-case hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> String {
        format!("sha256-{}", self.hex())
    }
}

/// Prints the checksum form, so that a digest in a message can be compared with a manifest by eye.
impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.checksum())
    }
}

impl Sha512 {
    /// How npm writes an integrity: `sha512-` and base64.
    #[must_use]
    pub fn integrity(&self) -> String {
        format!("sha512-{}", self.base64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let digest = Sha256::of(b"abc");
        assert_eq!(digest.checksum(), "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Sha256::from_hex(&digest.hex().to_uppercase()).unwrap(), digest);
        assert!(Sha256::from_hex("abc").is_err());
        assert!(Sha512::of(b"").integrity().starts_with("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8"));
        assert_eq!(Sha1::of(b"").hex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}
