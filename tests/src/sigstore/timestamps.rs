//! An authority that signs when something was there, as RFC 3161 has it: a leaf under a root, and tokens in CMS.
//!
//! All of them are called the same and number their leaves alike, so that one of them can only be told from another by its keys.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos};
use der::asn1::{GeneralizedTime, Int, ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Decode as _, Sequence, Tag};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::authority::{POINT, Public};
use super::{Inside, Key, now};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TIMESTAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// A number of nobody's, for the policy that a token names.
const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.2");

/// An authority that signs times.
pub struct Timestamper {
    key: Key,
    leaf: Vec<u8>,
    root: Vec<u8>,
}

/// What a token says.
#[derive(Sequence)]
struct Said {
    version: u8,
    policy: ObjectIdentifier,
    imprint: Imprint,
    serial: u64,
    at: GeneralizedTime,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
}

/// What somebody asks for.
#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(default = "Default::default")]
    wants_certificates: bool,
}

#[derive(Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// An answer to who asks for a token.
#[derive(Sequence)]
struct Response {
    status: Status,
    #[asn1(optional = "true")]
    token: Option<ContentInfo>,
}

#[derive(Sequence)]
struct Status {
    granted: u8,
}

impl Timestamper {
    /// An authority whose leaf may sign times.
    #[must_use]
    pub fn new() -> Self {
        Self::meant_for(ExtendedKeyUsagePurpose::TimeStamping)
    }

    /// One whose leaf was made to sign code.
    #[must_use]
    pub fn of_code() -> Self {
        Self::meant_for(ExtendedKeyUsagePurpose::CodeSigning)
    }

    fn meant_for(usage: ExtendedKeyUsagePurpose) -> Self {
        let params = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params.serial_number = Some(SerialNumber::from(7));
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2049, 1, 1);
            params
        };
        let mut root = params("test time");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("randomness is there");
        let root = CertifiedIssuer::self_signed(root, pair).expect("a certificate can be made");
        let mut leaf = params("test clock");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![usage];
        let key = Key::generate();
        let public = key.public();
        let public = Public(public[public.len() - POINT..].to_vec());
        let leaf = leaf.signed_by(&public, &root).expect("a certificate can be made");
        Self { key, leaf: leaf.der().to_vec(), root: root.as_ref().der().to_vec() }
    }

    /// The authority as a root of trust names it.
    #[must_use]
    pub fn trusted(&self) -> Value {
        let certificate = |der: &[u8]| json!({ "rawBytes": STANDARD.encode(der) });
        json!({
            "subject": { "organization": "test", "commonName": "test time" }, "uri": "http://127.0.0.1/",
            "certChain": { "certificates": [certificate(&self.leaf), certificate(&self.root)] },
            "validFor": { "start": "2020-01-01T00:00:00.000Z" },
        })
    }

    /// Signs that the signature of an envelope was there in some second since 1970. The answer is as a bundle carries it.
    ///
    /// # Panics
    /// When the envelope has no signature.
    #[must_use]
    pub fn stamp(&self, envelope: &Value, at: u64) -> Vec<u8> {
        let signature = envelope["signatures"][0]["sig"].as_str().expect("an envelope has a signature");
        let digest = octets(Sha256::of(&STANDARD.decode(signature).expect("it is Base64")).as_bytes());
        self.answer(Imprint { algorithm: algorithm(SHA256), digest }, None, at)
    }

    fn answer(&self, imprint: Imprint, nonce: Option<Int>, at: u64) -> Vec<u8> {
        let at_time = GeneralizedTime::from_unix_duration(Duration::from_secs(at)).expect("it is before the year 10000");
        let said = Said { version: 1, policy: POLICY, imprint, serial: at, at: at_time, nonce };
        encode(&Response { status: Status { granted: 0 }, token: Some(self.sign(&encode(&said))) })
    }

    fn sign(&self, said: &[u8]) -> ContentInfo {
        let attributes = SetOfVec::try_from(vec![
            attribute(CONTENT_TYPE, Any::encode_from(&TIMESTAMP)),
            attribute(MESSAGE_DIGEST, Any::encode_from(&octets(Sha256::of(said).as_bytes()))),
        ]);
        let attributes = attributes.expect("two attributes are a set");
        let leaf = Certificate::from_der(&self.leaf).expect("it was just made").tbs_certificate;
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber { issuer: leaf.issuer, serial_number: leaf.serial_number }),
            digest_alg: algorithm(SHA256),
            signature: octets(&self.key.sign(&encode(&attributes))),
            signed_attrs: Some(attributes),
            signature_algorithm: algorithm(ECDSA_WITH_SHA256),
            unsigned_attrs: None,
        };
        let signed = SignedData {
            version: CmsVersion::V3,
            digest_algorithms: SetOfVec::try_from(vec![algorithm(SHA256)]).expect("one is a set"),
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: TIMESTAMP,
                econtent: Some(Any::new(Tag::OctetString, said).expect("it is short")),
            },
            certificates: None,
            crls: None,
            signer_infos: SignerInfos(SetOfVec::try_from(vec![signer]).expect("one is a set")),
        };
        ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&signed).expect("it can be written") }
    }
}

impl Default for Timestamper {
    fn default() -> Self {
        Self::new()
    }
}

/// Signs that what somebody shows the digest of was there.
pub(super) async fn sign(State(inside): State<Arc<Inside>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    if inside.is_without_time.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let request = Request::from_der(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(inside.timestamper.answer(request.imprint, request.nonce, now()))
}

/// An answer of an authority that would not sign.
#[must_use]
pub fn declined() -> Vec<u8> {
    encode(&Response { status: Status { granted: 2 }, token: None })
}

/// A bundle with these signed times in it.
#[must_use]
pub fn stamped(mut bundle: Value, times: &[Vec<u8>]) -> Value {
    let times: Vec<_> = times.iter().map(|time| json!({ "signedTimestamp": STANDARD.encode(time) })).collect();
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({ "rfc3161Timestamps": times });
    bundle
}

fn encode(value: &impl der::Encode) -> Vec<u8> {
    value.to_der().expect("it can be written")
}

fn octets(bytes: &[u8]) -> OctetString {
    OctetString::new(bytes).expect("it is short")
}

fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: None }
}

fn attribute(oid: ObjectIdentifier, value: der::Result<Any>) -> Attribute {
    let values = SetOfVec::try_from(vec![value.expect("it can be written")]).expect("one is a set");
    Attribute { oid, values }
}
