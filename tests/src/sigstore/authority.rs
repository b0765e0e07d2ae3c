//! Certificates of jobs that live for minutes, each promised to a log.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use der::{Decode as _, Encode as _};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use serde_json::{Value, json};
use slipway_common::ids::Sha256;
use x509_cert::Certificate;

use super::{Inside, Key, now};

/// Where the extension with the promises of logs is.
const PROMISES: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// Bytes of a point on P-256.
pub(super) const POINT: usize = 65;

/// How the authority answers who wants a key certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// With a certificate.
    Fair,
    /// With a certificate of another key.
    Mistaken,
    /// With one that no log of certificates is promised.
    Unpromised,
    /// With something else.
    Confused,
    /// With more than anybody reads.
    Chatty,
    /// Not.
    Silent,
}

/// An authority with the log of what it certified.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The log.
    pub(super) log: Key,
}

/// A public key that somebody sent.
pub(super) struct Public(pub(super) Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("randomness is there");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2049, 1, 1);
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate can be made"), log: Key::generate() }
    }

    /// Its own certificate.
    pub(super) fn certificate(&self) -> Vec<u8> {
        self.issuer.as_ref().der().to_vec()
    }

    /// Certifies a key for a job, by the claims of its token, as PEM. Without a log there is no promise in it.
    pub(super) fn certify(&self, claims: &Value, public: &[u8], log: Option<&Key>, at: u64) -> String {
        let public = Public(public[public.len() - POINT..].to_vec());
        let mut params = described(claims, at);
        let draft = params.signed_by(&public, &self.issuer).expect("a certificate can be made");
        let issuer = Sha256::of(&self.issuer.key().subject_public_key_info());
        if let Some(log) = log {
            let promise = promise(log, &issuer, signed_part(draft.der()));
            params.custom_extensions.push(CustomExtension::from_oid_content(&PROMISES, promise));
        }
        params.signed_by(&public, &self.issuer).expect("a certificate can be made").pem()
    }
}

/// What a certificate says about a job, or about any machine or account, which is valid for ten minutes from then.
fn described(claims: &Value, at: u64) -> CertificateParams {
    let claim = |name: &str| claims[name].as_str().unwrap_or_default();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(now()));
    let since_1970 = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    params.not_before = since_1970(at);
    params.not_after = since_1970(at + 600);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let extension = |(number, text): (u64, String)| {
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, number], tagged(0x0c, text.as_bytes()))
    };
    let ascii = |text: &str| text.try_into().expect("it is ASCII");
    if claims.get("workflow_ref").is_none() {
        let machine = claims["email"].as_str().map(|address| SanType::Rfc822Name(ascii(address)));
        params.subject_alt_names = vec![machine.unwrap_or_else(|| SanType::URI(ascii(claim("sub"))))];
        params.custom_extensions = vec![extension((8, claim("iss").to_owned()))];
        return params;
    }
    let repository = format!("https://github.com/{}", claim("repository"));
    let workflow = format!("https://github.com/{}", claim("workflow_ref"));
    params.subject_alt_names = vec![SanType::URI(ascii(&workflow))];
    let said = [
        (8, claim("iss").to_owned()),
        (9, workflow.clone()),
        (12, repository.clone()),
        (13, claim("sha").to_owned()),
        (14, claim("ref").to_owned()),
        (15, claim("repository_id").to_owned()),
        (18, workflow),
        (21, format!("{repository}/actions/runs/{}/attempts/1", claim("run_id"))),
    ];
    params.custom_extensions = said.into_iter().map(extension).collect();
    params
}

/// A value with its tag and length.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("a test writes short texts").to_be_bytes();
    let head = match length {
        [0, short @ ..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), value].concat()
}

/// The part of a certificate that is signed.
fn signed_part(certificate: &[u8]) -> &[u8] {
    let inner = &certificate[header(certificate).0..];
    let (head, length) = header(inner);
    &inner[..head + length]
}

/// How long the head of a value is, and how long the value.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 0x7f);
            (2 + bytes, der[2..2 + bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    }
}

/// The promise of a log to take a certificate in, as the extension has it.
fn promise(log: &Key, issuer: &Sha256, certificate: &[u8]) -> Vec<u8> {
    let time = (now() * 1000).to_be_bytes();
    let length = u32::try_from(certificate.len()).expect("a certificate is short").to_be_bytes();
    let signed = [&[0, 0], time.as_slice(), &[0, 1], issuer.as_bytes(), &length[1..], certificate, &[0, 0]].concat();
    let signature = log.sign(&signed);
    let sized = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("a promise is short").to_be_bytes(), bytes].concat();
    let promise = [&[0], log.id().as_bytes(), &time, &[0, 0, 4, 3], &sized(&signature)].concat();
    tagged(0x04, &sized(&sized(&promise)))
}

/// A certificate as standard bundles have it.
pub(super) fn der_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect()
}

/// The key that a certificate is for.
pub(super) fn certified_key(certificate: &[u8]) -> Option<VerifyingKey> {
    let key = Certificate::from_der(certificate).ok()?.tbs_certificate.subject_public_key_info;
    VerifyingKey::from_public_key_der(&key.to_der().ok()?).ok()
}

/// Certifies the key of a job or a machine that shows its token, and that it has the key.
pub(super) async fn certify(State(inside): State<Arc<Inside>>, Json(asked): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let text = |pointer: &str| asked.pointer(pointer).and_then(Value::as_str).ok_or(StatusCode::BAD_REQUEST);
    let token = text("/credentials/oidcIdentityToken")?;
    let payload = token.split('.').nth(1).ok_or(StatusCode::BAD_REQUEST)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| StatusCode::BAD_REQUEST)?;
    let claims: Value = serde_json::from_slice(&payload).map_err(|_| StatusCode::BAD_REQUEST)?;
    let public = STANDARD.decode(der_of(text("/publicKeyRequest/publicKey/content")?)).map_err(|_| StatusCode::BAD_REQUEST)?;
    if claims["exp"].as_u64().is_none_or(|end| end <= now()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let name = claims["email"].as_str().or_else(|| claims["sub"].as_str()).ok_or(StatusCode::BAD_REQUEST)?;
    let proof = STANDARD.decode(text("/publicKeyRequest/proofOfPossession")?).map_err(|_| StatusCode::BAD_REQUEST)?;
    let key = VerifyingKey::from_public_key_der(&public).map_err(|_| StatusCode::BAD_REQUEST)?;
    let proof = Signature::from_der(&proof).map_err(|_| StatusCode::BAD_REQUEST)?;
    key.verify(name.as_bytes(), &proof).map_err(|_| StatusCode::BAD_REQUEST)?;
    let temper = *inside.temper.lock().expect("nobody panics here");
    let public = if temper == Temper::Mistaken { Key::generate().public() } else { public };
    let log = (temper != Temper::Unpromised).then_some(&inside.authority.log);
    let pem = match temper {
        Temper::Fair | Temper::Mistaken | Temper::Unpromised => inside.authority.certify(&claims, &public, log, now()),
        Temper::Confused => "no certificate".to_owned(),
        Temper::Chatty => "a".repeat(1 << 20),
        Temper::Silent => return Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    Ok(Json(json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": [pem] } } })))
}

/// Hands out the token that is asked for, to whoever asks as no page in a browser can.
pub(super) async fn hand_out(Path(token): Path<String>, headers: HeaderMap) -> Result<String, StatusCode> {
    if headers.get("metadata-flavor").is_some_and(|flavor| flavor == "Google") { Ok(token) } else { Err(StatusCode::FORBIDDEN) }
}
