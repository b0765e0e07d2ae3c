//! Bundles as clients send them: the standard ones of Sigstore, and that of `deno publish`, which looks like one and is none.
//!
//! Deno sends the certificate as PEM where a standard bundle has DER, and of the log entry its index alone. Its statement says `type` where
//! an in-toto statement says `_type`, which stays as it is: the signature is over it.

use serde::Deserialize;
use serde_json::Value;
use sigstore_verify::types::{
    Bundle, CertificateContent, DerCertificate, DsseEnvelope, MediaType, SignatureContent, TransparencyLogEntry, VerificationMaterial,
    VerificationMaterialContent,
};

use crate::model::provenance::{Failure, Step};

/// Largest bundle, in bytes. A certificate, a statement and a proof come to ten kilobytes.
const MAX_BUNDLE: usize = 256 * 1024;

/// A bundle as it was sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// A standard one.
    Standard(Box<Bundle>),
    /// One of `deno publish`.
    Deno(Box<Partial>),
}

/// A bundle without its log entry.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) envelope: DsseEnvelope,
    pub(super) certificate: DerCertificate,
    /// Where the entry is.
    pub(super) log_index: u64,
}

impl Partial {
    /// The standard bundle, with the entry from the log.
    pub(super) fn complete(&self, entry: TransparencyLogEntry) -> Bundle {
        let certificate = VerificationMaterialContent::Certificate(CertificateContent::new(self.certificate.clone()));
        let material = VerificationMaterial::new(certificate).with_tlog_entries(vec![entry]);
        Bundle::new(MediaType::Bundle0_3, material, SignatureContent::DsseEnvelope(self.envelope.clone()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoBundle {
    content: DenoContent,
    verification_material: DenoMaterial,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoContent {
    dsse_envelope: DsseEnvelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoMaterial {
    content: DenoChain,
    tlog_entries: Vec<DenoEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoChain {
    x509_certificate_chain: DenoCertificates,
}

#[derive(Deserialize)]
struct DenoCertificates {
    certificates: Vec<DenoCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoCertificate {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DenoEntry {
    log_index: u64,
}

/// Whether a bundle can be read, whatever it says.
///
/// # Errors
/// When it cannot.
pub fn can_be_read(sent: &Value) -> Result<(), Failure> {
    read(sent).map(drop)
}

/// Reads a bundle.
pub(super) fn read(sent: &Value) -> Result<Sent, Failure> {
    let text = sent.to_string();
    if text.len() > MAX_BUNDLE {
        return Err(Step::Bundle.fails(format!("it is larger than {MAX_BUNDLE} bytes")));
    }
    if sent.get("content").is_some() {
        return deno(&text).map(|partial| Sent::Deno(Box::new(partial)));
    }
    let bundle = Bundle::from_json(&text).map_err(|error| Step::Bundle.fails(format!("it is no Sigstore bundle: {error}")))?;
    match &bundle.content {
        SignatureContent::DsseEnvelope(_) => Ok(Sent::Standard(Box::new(bundle))),
        _ => Err(Step::Bundle.fails("it has no statement: a `dsseEnvelope` is expected")),
    }
}

fn deno(text: &str) -> Result<Partial, Failure> {
    let bundle: DenoBundle =
        serde_json::from_str(text).map_err(|error| Step::Bundle.fails(format!("it is no bundle of `deno publish`: {error}")))?;
    let material = bundle.verification_material;
    let ([certificate], [entry]) = (material.content.x509_certificate_chain.certificates.as_slice(), material.tlog_entries.as_slice())
    else {
        return Err(Step::Bundle.fails("one certificate and one log entry are expected"));
    };
    let certificate = DerCertificate::from_pem(&certificate.raw_bytes)
        .map_err(|error| Step::Bundle.fails(format!("its certificate is no PEM: {error}")))?;
    Ok(Partial { envelope: bundle.content.dsse_envelope, certificate, log_index: entry.log_index })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_bundle_is_told_so() {
        let deno = json!({
            "mediaType": "application/vnd.in-toto+json",
            "content": {"$case": "dsseSignature", "dsseEnvelope": {"payloadType": "t", "payload": "e30=", "signatures": [{"keyid": "", "sig": "AA=="}]}},
            "verificationMaterial": {
                "content": {"$case": "x509CertificateChain", "x509CertificateChain": {"certificates": [{"rawBytes": "no certificate"}]}},
                "tlogEntries": [{"logIndex": 7}],
            },
        });
        let with = |pointer: &str, value: Value| {
            let mut changed = deno.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed
        };
        for (bundle, word) in [
            (json!({}), "no Sigstore bundle"),
            (json!(null), "no Sigstore bundle"),
            (json!({"content": {}}), "no bundle of `deno publish`"),
            (deno.clone(), "no PEM"),
            (with("/content/dsseEnvelope/signatures", json!([])), "exactly one signature"),
            (with("/verificationMaterial/tlogEntries", json!([])), "one log entry"),
            (with("/verificationMaterial/tlogEntries/0/logIndex", json!(-1)), "`deno publish`"),
            (json!({"mediaType": "a".repeat(MAX_BUNDLE)}), "larger"),
        ] {
            let failure = read(&bundle).unwrap_err();
            assert!(failure.step == Step::Bundle && failure.why.contains(word), "{failure:?}");
        }
    }
}
