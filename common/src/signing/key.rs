//! The key itself: where it is read from, what it signs, and the little of it that may be shown.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey as EcdsaKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use sigstore_verify::types::DerPublicKey;

use super::subject;
use crate::config::Secret;
use crate::formats::npm_keys::NpmKey;
use crate::ids::{IdSource, PackageName, Sha256, Version};

/// How a key in PEM begins.
const PEM: &str = "-----BEGIN";

/// Why there is no key. The text says what to do, and nothing of the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

/// A private key on the curve P-256.
#[derive(Clone)]
pub struct SigningKey {
    key: EcdsaKey,
    /// The public half as npm clients want it: `SubjectPublicKeyInfo` in DER.
    public: Vec<u8>,
}

impl SigningKey {
    /// A new key.
    #[must_use]
    pub fn generate(ids: &IdSource) -> Self {
        loop {
            let mut bytes = [0; 32];
            ids.fill(&mut bytes);
            // Of all numbers of 32 bytes one in four thousand million is none on the curve.
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                return Self::of(&secret);
            }
        }
    }

    /// The key that the setting `signing_key` means: its text, or the name of the file it is in.
    ///
    /// # Errors
    /// When the file cannot be read, or what it holds is no such key.
    pub fn load(setting: &Secret) -> Result<Self, KeyError> {
        let text = setting.expose();
        if text.contains(PEM) {
            // A file of variables holds one line for each; whoever writes one there has the ends of lines as two characters.
            return Self::from_pem(&text.replace("\\n", "\n")).map_err(|error| KeyError(format!("`signing_key` {error}")));
        }
        let read = std::fs::read_to_string(Path::new(text));
        // The name is not told: it could be a key that somebody wrote without the lines around it.
        let read = read.map_err(|error| KeyError(format!("`signing_key` names a file that cannot be read: {error}")))?;
        Self::from_pem(&read).map_err(|error| KeyError(format!("the file of `signing_key` {error}")))
    }

    /// Reads a key in PEM.
    fn from_pem(text: &str) -> Result<Self, KeyError> {
        let secret = SecretKey::from_pkcs8_pem(text.trim()).map_err(|_| {
            // What the parser complains about is left out: it could quote what it read.
            KeyError("is no P-256 key in PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`): make one with `slipway admin key new`".to_owned())
        })?;
        Ok(Self::of(&secret))
    }

    fn of(secret: &SecretKey) -> Self {
        let public = secret.public_key().to_public_key_der().expect("a point of the curve always encodes");
        Self { key: secret.into(), public: public.into_vec() }
    }

    /// The key in PKCS#8 PEM, for the file or the operator that keeps it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.key.to_pkcs8_pem(LineEnding::LF).expect("a key of the curve always encodes").to_string()
    }

    /// The name of the key, which npm makes of the public half: `SHA256:` and its digest.
    #[must_use]
    pub fn id(&self) -> String {
        format!("SHA256:{}", Sha256::of(&self.public).base64())
    }

    /// The public half: `SubjectPublicKeyInfo`.
    pub(crate) fn public_der(&self) -> DerPublicKey {
        DerPublicKey::from_bytes(&self.public)
    }

    /// What the list of keys says of it.
    #[must_use]
    pub fn public(&self) -> NpmKey {
        NpmKey::new(self.id(), STANDARD.encode(&self.public))
    }

    /// Vouches for a version, in base64 of DER.
    #[must_use]
    pub fn sign(&self, package: &PackageName, version: &Version, integrity: &str) -> String {
        STANDARD.encode(self.sign_bytes(subject(package, version, integrity).as_bytes()))
    }

    /// The signature over some bytes, in DER.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.key.sign(bytes);
        signature.as_bytes().to_vec()
    }
}

/// The public name alone.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`; the name of it is what npm's own rule gives:
    /// `openssl pkey -pubout -outform DER | openssl dgst -sha256 -binary | base64`.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCOGe7H9W3Hn1BQUr
NeZOjDUg7p18706pr91mxHtNB82hRANCAAQ9N9qp8B0XlJ1hmHI5Tga4dqv6E8+m
CtGDQXkNslL6/rqOWC+Su4fTnrHBzNKMUDvuD/m5gke9KVCGVcwr18m9
-----END PRIVATE KEY-----
";
    const ID: &str = "SHA256:/gLYL4Jv37nV+5X3uIWSni1Kk5P78gN6sln5TgRi3lo=";

    fn load(text: &str) -> Result<SigningKey, String> {
        SigningKey::load(&Secret::new(text.to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_of_another_program_is_read_and_named_as_npm_names_it() {
        let key = load(PEM).unwrap();
        assert_eq!(key.id(), ID);
        assert_eq!(load(&PEM.replace('\n', "\\n")).unwrap().id(), ID);
        assert_eq!(load(&key.to_pem()).unwrap().id(), ID);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("k");
        std::fs::write(&file, PEM).unwrap();
        assert_eq!(load(&file.display().to_string()).unwrap().id(), ID);
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_word_of_it() {
        let (other_form, damaged) = (PEM.replace("PRIVATE KEY", "EC PRIVATE KEY"), PEM.replace("MIGH", "AAAA"));
        for bad in [other_form, damaged, format!("{PEM:.60}"), "no/such/file".to_owned()] {
            let said = load(&bad).unwrap_err();
            assert!(said.contains("`signing_key`"), "{said}");
            assert!(!said.contains("MIGH"), "{said}");
        }
        let key = load(PEM).unwrap();
        let shown = format!("{key:?} {:?}", key.public());
        assert!(shown.contains(ID) && !shown.contains("MIGH"), "{shown}");
    }

    #[test]
    fn new_keys_are_different_and_signatures_are_the_same() {
        let ids = IdSource::counting();
        let (one, other) = (SigningKey::generate(&ids), SigningKey::generate(&ids));
        assert_ne!(one.id(), other.id());
        let (package, version) = (PackageName::try_from("@aa/bb").unwrap(), Version::try_from("1.0.0").unwrap());
        let sign = |key: &SigningKey| key.sign(&package, &version, "sha512-x");
        assert_eq!(sign(&one), sign(&one));
        assert_ne!(sign(&one), sign(&other));
    }
}
