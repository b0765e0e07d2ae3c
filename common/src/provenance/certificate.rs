//! The door to an authority (Fulcio) that certifies keys: who shows it a token gets a certificate for a key that is his.
//!
//! The crate made for it, `sigstore-fulcio`, switches on transparent decompression for every HTTP client of the process, through what it
//! finds tokens with; objects that are stored compressed would come back otherwise than they were put. So the one request is made here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;
use sigstore_verify::types::DerCertificate;
use tokio::io::AsyncReadExt as _;
use url::Url;

use super::door;
use crate::clock::Instant;
use crate::config::{Keyless, TokenSource};
use crate::signing::SigningKey;

/// Longest token, in bytes. Those of platforms have one to three kilobytes; it is as much as is taken from CI jobs.
const MAX_TOKEN: usize = 16 * 1024;
/// Largest answer of an authority, in bytes. A certificate has one kilobyte, and comes with two or three above it.
const MAX_ANSWER: usize = 64 * 1024;
/// What it is called when it does not do so.
const AUTHORITY: &str = "the authority that certifies keys";

/// A token, and what it says. Only the authority can tell whether it is genuine. It is not shown to anybody else.
pub(super) struct Identity {
    token: String,
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    email: Option<String>,
    exp: i64,
}

impl Identity {
    /// Fetches the token of this process.
    async fn fetch(source: &TokenSource) -> Result<Self, String> {
        let bytes = match source {
            TokenSource::File(path) => {
                let mut bytes = Vec::new();
                let file = tokio::fs::File::open(path).await.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                let read = file.take(MAX_TOKEN as u64 + 1).read_to_end(&mut bytes).await;
                read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                bytes
            }
            TokenSource::Address(url) => answered(url).await?,
        };
        if bytes.len() > MAX_TOKEN {
            return Err(format!("it is longer than {MAX_TOKEN} bytes"));
        }
        let text = String::from_utf8(bytes).map_err(|_| "it is no text")?;
        Self::read(text.trim()).ok_or_else(|| "it is no token of OpenID Connect with `iss`, `sub` and `exp`".to_owned())
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Self { token: text.to_owned(), claims })
    }

    /// What is signed to show that the key is ours: the address of an account that has one, or else the subject. So do all clients of Sigstore.
    fn name(&self) -> &str {
        self.claims.email.as_deref().unwrap_or(&self.claims.sub)
    }

    /// Who that is, for people, or that the token is over.
    fn examine(&self, now: Instant) -> Result<String, String> {
        let (name, issuer) = (self.name(), &self.claims.iss);
        if self.claims.exp <= now.timestamp() {
            return Err(format!("the token of `{name}` from {issuer} is over"));
        }
        Ok(format!("`{name}` from {issuer}"))
    }
}

/// Says as whom the registry signs where an authority certifies it, for people, or why it cannot. Nobody but who has the token is asked.
///
/// # Errors
/// When there is no token, or it is over.
pub async fn introduce(settings: &Keyless, now: Instant) -> Result<String, String> {
    Identity::fetch(&settings.identity_token).await?.examine(now)
}

async fn answered(url: &Url) -> Result<Vec<u8>, String> {
    let host = url.host_str().unwrap_or_default();
    // Without the header Google's machines tell nobody anything, so that no page in a browser can ask for it.
    let request = door::near().map_err(|silence| silence.of(host))?.get(url.clone()).header("Metadata-Flavor", "Google");
    match door::ask(request, MAX_TOKEN).await.map_err(|silence| silence.of(host))? {
        (status, body) if status.is_success() => Ok(body),
        (status, _) => Err(format!("{host} answers {status}")),
    }
}

/// An authority without a log of certificates, or one whose promise does not stand in the certificate, answers under the other name. Where the
/// root of trust has such a log, the verification looks for the promise in the certificate.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "signedCertificateEmbeddedSct", alias = "signedCertificateDetachedSct")]
    certified: Certified,
}

#[derive(Deserialize)]
struct Certified {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Has a key certified for this process.
pub(super) async fn request(settings: &Keyless, key: &SigningKey) -> Result<DerCertificate, String> {
    let identity = Identity::fetch(&settings.identity_token).await.map_err(|error| format!("there is no identity token: {error}"))?;
    certify(&settings.fulcio_url, &identity, key).await
}

/// Has a key certified for whom a token names. What is answered is believed by nobody before it is verified.
pub(super) async fn certify(fulcio_url: &Url, identity: &Identity, key: &SigningKey) -> Result<DerCertificate, String> {
    let asked = json!({
        "credentials": { "oidcIdentityToken": identity.token },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public_der().to_pem() },
            "proofOfPossession": STANDARD.encode(key.sign_bytes(identity.name().as_bytes())),
        },
    });
    let url = fulcio_url.join("api/v2/signingCert").map_err(|error| error.to_string())?;
    // What is not encrypted is near, and a proxy that the environment names would read the token.
    let client = if url.scheme() == "http" { door::near() } else { door::client() };
    let request = client.map_err(|silence| silence.of(AUTHORITY))?.post(url).json(&asked);
    let (status, body) = door::ask(request, MAX_ANSWER).await.map_err(|silence| silence.of(AUTHORITY))?;
    if !status.is_success() {
        return Err(format!("{AUTHORITY} does not certify `{}` from {} ({status})", identity.name(), identity.claims.iss));
    }
    let answer: Option<Answer> = serde_json::from_slice(&body).ok();
    let leaf = answer.and_then(|answer| DerCertificate::from_pem(answer.certified.chain.certificates.first()?).ok());
    leaf.ok_or_else(|| format!("{AUTHORITY} answers something that is no certificate"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    async fn fetched(text: &[u8]) -> Result<Identity, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Identity::fetch(&TokenSource::File(file.path().to_owned())).await
    }

    #[tokio::test]
    async fn a_token_says_who_somebody_is_and_until_when() {
        let now = Instant::from_timestamp(1_800_000_000, 0).unwrap();
        let machine = json!({ "iss": "https://kubernetes.example", "sub": "system:serviceaccount:slipway:worker", "exp": 1_800_000_600 });
        let identity = fetched(format!("{}\n", token(&machine)).as_bytes()).await.unwrap();
        assert_eq!(identity.examine(now).unwrap(), "`system:serviceaccount:slipway:worker` from https://kubernetes.example");
        assert!(!identity.token.ends_with('\n'));
        let account = json!({ "iss": "https://accounts.example", "sub": "1", "email": "worker@example.org", "exp": 1_800_000_000 });
        let identity = fetched(token(&account).as_bytes()).await.unwrap();
        assert_eq!(identity.examine(now).unwrap_err(), "the token of `worker@example.org` from https://accounts.example is over");
    }

    #[tokio::test]
    async fn what_is_no_token_is_told_without_a_word_of_it() {
        let long = token(&json!({ "iss": "i", "sub": "s", "exp": 1, "more": "a".repeat(MAX_TOKEN) }));
        for (text, word) in [
            (b"".as_slice(), "no token"),
            (b"secret", "no token"),
            (b"secret.secret.secret", "no token"),
            (token(&json!({ "iss": "secret" })).as_bytes(), "no token"),
            (format!("{}.secret", token(&json!({ "iss": "i", "sub": "s", "exp": 1 }))).as_bytes(), "no token"),
            (b"\xffsecret", "no text"),
            (long.as_bytes(), "longer than 16384 bytes"),
        ] {
            let error = fetched(text).await.err().unwrap();
            assert!(error.contains(word) && !error.contains("secret"), "{error}");
        }
        let nowhere = Identity::fetch(&TokenSource::File("no/such/token".into())).await.err().unwrap();
        assert!(nowhere.contains("cannot read no/such/token"), "{nowhere}");
    }
}
