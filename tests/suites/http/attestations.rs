//! What the registry attests of npm tarballs, checked by those who need not believe it: by somebody else's verifier, and by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::{Value, json};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, Verifier};
use slipway_common::ids::{Sha256, Sha512};
use slipway_common::storage::StorageKey;
use slipway_tests::{Client, PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

const AT: &str = "/-/npm/v1/attestations/@jsr/acme__maths@1.0.0";
const TARBALL: &str = "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz";
const UPLOAD: &str = "/api/scopes/acme/packages/maths/versions/1.0.0/tarball";
const MANIFEST: &str = "/@acme/maths/1.0.0_meta.json";

async fn published() -> (TestRegistry, Client) {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    publish(&registry, &author, "1.0.0").await;
    (registry, author)
}

async fn publish(registry: &TestRegistry, author: &Client, version: &str) {
    assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", version)).await["status"], "success");
    registry.drain().await;
}

/// What the registry itself attests.
async fn own(registry: &TestRegistry, path: &str) -> Value {
    let document = registry.anonymous().get(path).await.expect(200).json();
    document["attestations"][0]["bundle"].clone()
}

fn statement(bundle: &Value) -> Value {
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// The key of this name in the list that everybody reads, in DER.
async fn listed(registry: &TestRegistry, id: &Value) -> Vec<u8> {
    let keys = registry.anonymous().get("/-/npm/v1/keys").await.expect(200).json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["keyid"] == *id).expect("the key is listed");
    STANDARD.decode(key["key"].as_str().unwrap()).unwrap()
}

/// The bundle with an entry of nobody's log about it: the verifier looks at no bundle without one, and then compares both.
fn entered(bundle: &Value, key: &[u8]) -> Value {
    let envelope = &bundle["dsseEnvelope"];
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(key));
    let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": Sha256::of(bytes).hex() });
    let body = json!({
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": hash(envelope.to_string().as_bytes()), "payloadHash": hash(&payload),
            "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": STANDARD.encode(pem) }],
        },
    });
    let mut entered = bundle.clone();
    entered["verificationMaterial"]["tlogEntries"] = json!([{
        "logIndex": "0", "logId": { "keyId": STANDARD.encode([0; 32]) }, "kindVersion": { "kind": "dsse", "version": "0.0.1" },
        "integratedTime": "0", "canonicalizedBody": STANDARD.encode(body.to_string()),
    }]);
    entered
}

/// Whether a bundle is about a tarball and signed with a key, as the verifier of Sigstore has it.
fn is_verified(bundle: &Value, key: &[u8], tarball: &[u8]) -> bool {
    let verifier = Verifier::new(&TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap()).unwrap();
    let Ok(bundle) = Bundle::from_json(&entered(bundle, key).to_string()) else { return false };
    let policy = PublicKeyVerificationPolicy::new(DerPublicKey::from_bytes(key)).skip_tlog_unsafe();
    verifier.verify(tarball, &bundle, &policy).is_ok()
}

#[tokio::test]
async fn it_says_from_what_the_tarball_was_built() {
    let (registry, author) = published().await;
    let nobody = registry.anonymous();
    let document = nobody.get(AT).await.expect(200).json();
    assert_eq!(document["attestations"].as_array().unwrap().len(), 1);
    assert_eq!(document["attestations"][0]["predicateType"], "https://slsa.dev/provenance/v1");
    let bundle = &document["attestations"][0]["bundle"];
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    let statement = statement(bundle);
    let (tarball, upload) = (nobody.get(TARBALL).await.expect(200).body, author.get(UPLOAD).await.expect(200).body);
    let manifest = nobody.get(MANIFEST).await.expect(200).body;
    let version = nobody.get("/api/scopes/acme/packages/maths/versions/1.0.0").await.expect(200).json();
    let (sha256, home) = (|bytes: &[u8]| Sha256::of(bytes).hex(), registry.context().config.public_url.to_string());
    let times = &statement["predicate"]["runDetails"]["metadata"];
    assert_eq!(
        statement,
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": "pkg:npm/%40jsr/acme__maths@1.0.0", "digest": { "sha512": Sha512::of(&tarball).hex() } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "urn:slipway:npm-build:1",
                    "externalParameters": { "package": "@acme/maths", "version": "1.0.0", "config": "/jsr.json" },
                    "resolvedDependencies": [
                        { "name": "upload", "uri": format!("{home}{}", &UPLOAD[1..]), "digest": { "sha256": sha256(&upload) } },
                        { "name": "manifest", "uri": "pkg:jsr/@acme/maths@1.0.0", "digest": { "sha256": sha256(&manifest) } },
                    ],
                },
                "runDetails": {
                    "builder": { "id": home, "version": { "emit": version["npmRevision"].to_string() } },
                    "metadata": { "startedOn": times["startedOn"], "finishedOn": times["finishedOn"] },
                },
            },
        })
    );
    let time = |name: &str| times[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(time("startedOn") <= time("finishedOn") && time("finishedOn") <= registry.now());
}

#[tokio::test]
async fn others_verify_it() {
    let (mut registry, _) = published().await;
    let bundle = own(&registry, AT).await;
    let tarball = registry.anonymous().get(TARBALL).await.expect(200).body;
    let id = &bundle["verificationMaterial"]["publicKey"]["hint"];
    assert_eq!(bundle["dsseEnvelope"]["signatures"][0]["keyid"], *id);
    let key = listed(&registry, id).await;
    assert!(is_verified(&bundle, &key, &tarball));

    // By hand, as the specification of envelopes has it.
    let envelope = &bundle["dsseEnvelope"];
    let kind = envelope["payloadType"].as_str().unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let signed = [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), &payload].concat();
    let signature = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let signature = DerSignature::try_from(signature.as_slice()).unwrap();
    assert!(VerifyingKey::from_public_key_der(&key).unwrap().verify(&signed, &signature).is_ok());

    let with = |pointer: &str, value: String| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(pointer).unwrap() = value.into();
        changed
    };
    let forged = STANDARD.encode(String::from_utf8(payload).unwrap().replace("maths", "words"));
    assert!(!is_verified(&with("/dsseEnvelope/payload", forged), &key, &tarball));
    assert!(!is_verified(&with("/dsseEnvelope/payloadType", "application/json".to_owned()), &key, &tarball));
    assert!(!is_verified(&bundle, &key, b"another tarball"));
    let new = registry.restart_with_new_key().await;
    assert!(!is_verified(&bundle, &listed(&registry, &json!(new)).await, &tarball), "another key of ours");
    assert!(is_verified(&bundle, &listed(&registry, id).await, &tarball), "the old one is listed still");
}

#[tokio::test]
async fn the_same_version_is_attested_to_the_byte() {
    let (one, _) = published().await;
    let (other, _) = published().await;
    let attested = async |registry: &TestRegistry| registry.anonymous().get(AT).await.expect(200).body;
    assert_eq!(attested(&one).await, attested(&other).await);
}

#[tokio::test]
async fn it_stays_whatever_becomes_of_the_key_and_the_address() {
    let (mut registry, author) = published().await;
    let before = registry.anonymous().get(AT).await.expect(200).body;
    registry.advance(TimeDelta::days(30));
    let new = registry.restart_with_new_key().await;
    registry.advance(TimeDelta::days(1));
    publish(&registry, &author, "1.1.0").await;
    assert_eq!(registry.anonymous().get(AT).await.expect(200).body, before);
    let later = own(&registry, &AT.replace("1.0.0", "1.1.0")).await;
    assert_eq!(later["verificationMaterial"]["publicKey"]["hint"], new);
    drop(author.patch("/api/scopes/acme/packages/maths/versions/1.0.0", json!({ "yanked": true })).await.expect(204));
    registry.drain().await;
    registry.call_itself("https://elsewhere.test/").await;
    registry.drain().await;
    let key = StorageKey::NpmAttestations { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    assert_eq!(registry.context().storage.get(&key).await.unwrap(), before);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn it_is_read_like_every_object() {
    let (registry, _) = published().await;
    let first = registry.anonymous().get(AT).await.expect(200);
    let names = ["@jsr/acme__maths@1.0.0", "@jsr%2facme__maths@1.0.0", "%40jsr%2Facme__maths%401.0.0"];
    for prefix in ["/npm", ""] {
        for name in names {
            let path = format!("{prefix}/-/npm/v1/attestations/{name}");
            assert_eq!(registry.anonymous().get(&path).await.expect(200).body, first.body, "{path}");
            let missing = registry.anonymous().get(&path.replace("1.0.0", "2.0.0")).await.expect(404);
            let said = json!({ "error": "not found", "message": "not found" });
            assert_eq!((missing.header("content-type"), missing.json()), ("application/json", said), "{path}");
        }
    }
    assert_eq!((first.header("content-type"), first.header("cache-control")), ("application/json", "public, max-age=60, s-maxage=60"));
    assert_eq!(registry.anonymous().with("if-none-match", first.header("etag")).get(AT).await.status, 304);
}

#[tokio::test]
async fn what_is_lost_of_it_is_written_again_and_what_is_wrong_is_told() {
    let (registry, author) = published().await;
    let storage = &registry.context().storage;
    let key = StorageKey::NpmAttestations { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    let before = storage.get(&key).await.unwrap();
    storage.delete(&key).await.unwrap();
    assert_eq!(registry.compare(Repair::Nothing).await, [format!("documentMissing {}", key.text())]);
    assert_eq!(registry.compare(Repair::Documents).await, [format!("documentMissing {} repaired", key.text())]);
    storage.put(&key, "{\"attestations\":[]}".into()).await.unwrap();
    assert_eq!(registry.compare(Repair::Documents).await, [format!("documentStale {} repaired", key.text())]);
    assert_eq!(storage.get(&key).await.unwrap(), before);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
    // A signature that is none, and one of ours about something else.
    publish(&registry, &author, "1.1.0").await;
    let other = "(SELECT attestation FROM versions WHERE version = '1.1.0')";
    for wrong in ["REPLACE(attestation, '\"sig\":\"ME', '\"sig\":\"MA')", other] {
        let statement = format!("UPDATE versions SET attestation = {wrong} WHERE version = '1.0.0'");
        registry.database().execute(&statement).await;
        let told = registry.compare(Repair::Nothing).await;
        assert!(told.contains(&"signatureInvalid @acme/maths@1.0.0".to_owned()), "{wrong}: {told:?}");
        assert!(!told.iter().any(|line| line.contains("signatureInvalid @acme/maths@1.1.0")), "{told:?}");
    }
}

#[tokio::test]
async fn a_version_of_before_is_attested_by_housekeeping() {
    let (registry, author) = published().await;
    let storage = &registry.context().storage;
    let (package, version) = ("@acme/maths".try_into().unwrap(), "1.0.0".try_into().unwrap());
    let record = StorageKey::VersionRecord { package, version };
    let (package, version) = ("@acme/maths".try_into().unwrap(), "1.0.0".try_into().unwrap());
    let key = StorageKey::NpmAttestations { package, version };
    let (before, remembered) = (storage.get(&key).await.unwrap(), storage.get(&record).await.unwrap());
    // As the release before leaves it.
    registry.database().execute("UPDATE versions SET attestation = NULL").await;
    storage.delete(&key).await.unwrap();
    let mut older: Value = serde_json::from_slice(&remembered).unwrap();
    older.as_object_mut().unwrap().shift_remove("attestation").expect("it is remembered");
    storage.put(&record, older.to_string().into()).await.unwrap();
    publish(&registry, &author, "1.1.0").await;

    // It is work, and no damage.
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
    assert!(storage.get(&key).await.is_err(), "looking changes nothing");
    registry.reconcile().await;
    assert_eq!(storage.get(&key).await.unwrap(), before, "it follows from the rows");
    assert_eq!(storage.get(&record).await.unwrap(), remembered);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}
