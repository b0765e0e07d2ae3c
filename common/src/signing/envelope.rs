//! Statements that the key signs, in the shape that others check: an envelope (DSSE) in a standard bundle, which names the key.

use serde_json::Value;
use sigstore_verify::types::{
    Bundle, CertificateContent, DerCertificate, DsseEnvelope, DsseSignature, KeyId, MediaType, PayloadBytes, PublicKeyIdentifier,
    SignatureBytes, SignatureContent, VerificationMaterial, VerificationMaterialContent, pae,
};

use super::SigningKey;
use super::verify::{Verdict, holds};
use crate::clock::Instant;
use crate::formats::npm_keys::NpmKeys;

/// What is in the envelope: an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

impl SigningKey {
    /// Signs an in-toto statement. The bundle names the key as `-/npm/v1/keys` does, and has no log entry.
    #[must_use]
    pub fn attest(&self, statement: Vec<u8>) -> Value {
        let bundle =
            self.bundle(statement, KeyId::new(self.id()), VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(self.id())));
        serde_json::to_value(bundle).expect("maps with text keys always serialise")
    }

    /// Signs an in-toto statement with a key that somebody else certified. Nobody lists it: the bundle has the certificate.
    pub(crate) fn attest_certified(&self, statement: Vec<u8>, certificate: DerCertificate) -> Bundle {
        let certificate = CertificateContent::new(certificate);
        self.bundle(statement, KeyId::default(), VerificationMaterialContent::Certificate(certificate))
    }

    fn bundle(&self, statement: Vec<u8>, name: KeyId, key: VerificationMaterialContent) -> Bundle {
        let signature = DsseSignature::new(SignatureBytes::new(self.sign_bytes(&pae(PAYLOAD_TYPE, &statement))), name);
        let envelope = DsseEnvelope::new(PAYLOAD_TYPE, PayloadBytes::new(statement), signature);
        Bundle::new(MediaType::Bundle0_3, VerificationMaterial::new(key), SignatureContent::DsseEnvelope(envelope))
    }
}

/// Checks the signature of a bundle that the registry made at some time, by its list of keys, and reads the statement.
///
/// # Errors
/// When no listed key signed it, or the one that did had expired by then.
pub fn open(keys: &NpmKeys, bundle: &Value, signed_at: Instant) -> Result<Value, Verdict> {
    let bundle = Bundle::from_json(&bundle.to_string()).map_err(|_| Verdict::Unsigned)?;
    let SignatureContent::DsseEnvelope(envelope) = bundle.content else { return Err(Verdict::Unsigned) };
    let id = envelope.signature.keyid.as_str();
    let Some(key) = keys.keys.iter().find(|key| key.id() == id) else { return Err(Verdict::UnknownKey(id.to_owned())) };
    if key.expires().is_some_and(|end| end <= signed_at) {
        return Err(Verdict::Expired(id.to_owned()));
    }
    let is_signed = envelope.payload_type == PAYLOAD_TYPE && holds(key, &envelope.pae(), envelope.signature.sig.as_bytes());
    let statement = if is_signed { serde_json::from_slice(envelope.payload.as_bytes()).ok() } else { None };
    statement.ok_or_else(|| Verdict::Wrong(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::ids::IdSource;

    #[test]
    fn what_was_signed_is_read_and_nothing_else() {
        let ids = IdSource::counting();
        let (key, later) = (SigningKey::generate(&ids), SigningKey::generate(&ids));
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let signed_at = at("2025-02-01T00:00:00Z");
        let keys = NpmKeys::default().with(key.public(), at("2025-01-01T00:00:00Z"));
        let statement = json!({ "_type": "https://in-toto.io/Statement/v1", "subject": [] });
        let bundle = key.attest(statement.to_string().into_bytes());
        assert_eq!(key.attest(statement.to_string().into_bytes()).to_string(), bundle.to_string(), "the same each time");
        assert_eq!(open(&keys, &bundle, signed_at), Ok(statement));
        let with = |pointer: &str, value: &str| {
            let mut changed = bundle.clone();
            *changed.pointer_mut(pointer).unwrap() = value.into();
            open(&keys, &changed, signed_at)
        };
        let wrong = || Err(Verdict::Wrong(key.id()));
        assert_eq!(with("/dsseEnvelope/payload", &STANDARD.encode("{}")), wrong());
        assert_eq!(with("/dsseEnvelope/payloadType", "text/plain"), wrong());
        assert_eq!(with("/dsseEnvelope/signatures/0/sig", "QQ=="), wrong());
        assert_eq!(with("/dsseEnvelope/signatures/0/keyid", "SHA256:x"), Err(Verdict::UnknownKey("SHA256:x".to_owned())));
        assert_eq!(open(&keys, &json!({}), signed_at), Err(Verdict::Unsigned));
        let keys = keys.with(later.public(), at("2025-01-15T00:00:00Z"));
        assert_eq!(open(&keys, &bundle, signed_at), Err(Verdict::Expired(key.id())));
        let other = json!({ "signed": "as another" }).to_string().into_bytes();
        let mut forged = later.attest(other);
        forged["dsseEnvelope"]["signatures"][0]["keyid"] = key.id().into();
        let keys = NpmKeys::default().with(key.public(), signed_at);
        assert_eq!(open(&keys, &forged, signed_at), wrong());
    }
}
