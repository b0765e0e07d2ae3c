//! What the registry attests, entered in a transparency log: when it is, when it waits, and who is told of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, Verifier};
use slipway_tests::sigstore::Sigstore;
use slipway_tests::{Client, PackageBuilder, TestRegistry};
use slipway_worker::reconcile::Repair;

use crate::bench::small;
use crate::provenance::Published;

pub(crate) const ATTESTED: &str = "/-/npm/v1/attestations/@jsr/acme__maths@1.0.0";
pub(crate) const TARBALL: &str = "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz";

/// A registry with these settings beside those of the log.
async fn registry(sigstore: &Sigstore, more: &[(&'static str, &str)]) -> (TestRegistry, Client) {
    let settings = sigstore.entering();
    let settings = settings.iter().map(|(key, value)| (*key, value.as_str())).chain(more.iter().copied());
    let registry = TestRegistry::configured(&settings.collect::<Vec<_>>()).await;
    let author = registry.author("@acme/maths").await;
    (registry, author)
}

pub(crate) async fn publish(registry: &TestRegistry, author: &Client, version: &str) {
    assert_eq!(author.publish_through(&PackageBuilder::small("@acme/maths", version)).await["status"], "success");
    registry.drain().await;
}

/// The bundle of the registry itself, whoever else attests something.
async fn own(reader: &Client) -> Value {
    reader.get(ATTESTED).await.expect(200).json()["attestations"][0]["bundle"].clone()
}

pub(crate) fn entries(bundle: &Value) -> usize {
    bundle["verificationMaterial"]["tlogEntries"].as_array().unwrap().len()
}

/// What the npm document says is attested of the version.
async fn named(registry: &TestRegistry) -> Option<Value> {
    let document = registry.anonymous().get("/npm/@jsr/acme__maths").await.expect(200).json();
    document["versions"]["1.0.0"]["dist"].get("attestations").cloned()
}

/// Whether the verifier of Sigstore believes a bundle, its log entry included.
async fn is_verified(registry: &TestRegistry, sigstore: &Sigstore, bundle: &Value) -> bool {
    let keys = registry.anonymous().get("/-/npm/v1/keys").await.expect(200).json();
    let key = STANDARD.decode(keys["keys"][0]["key"].as_str().unwrap()).unwrap();
    let tarball = registry.anonymous().get(TARBALL).await.expect(200).body;
    let verifier = Verifier::new(&TrustedRoot::from_json(&sigstore.root().to_string()).unwrap()).unwrap();
    let bundle = Bundle::from_json(&bundle.to_string()).unwrap();
    verifier.verify(&tarball[..], &bundle, &PublicKeyVerificationPolicy::new(DerPublicKey::from_bytes(&key))).is_ok()
}

#[tokio::test]
async fn it_is_entered_and_others_verify_the_entry() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore, &[]).await;
    publish(&registry, &author, "1.0.0").await;
    let bundle = own(&registry.anonymous()).await;
    assert_eq!((entries(&bundle), sigstore.entries()), (1, 1));
    assert!(is_verified(&registry, &sigstore, &bundle).await);
    assert!(!is_verified(&registry, &Sigstore::start(), &bundle).await, "a log that nobody knows");
    let mut other = bundle.clone();
    other["verificationMaterial"]["tlogEntries"] = json!([]);
    assert!(!is_verified(&registry, &sigstore, &other).await, "without an entry");
    assert_eq!(named(&registry).await, None, "npm clients know the public-good log alone");
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn npm_documents_name_what_is_entered_where_that_is_wanted() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore, &[("attestation.in_npm_documents", "true")]).await;
    sigstore.go_down(true);
    publish(&registry, &author, "1.0.0").await;
    assert_eq!((named(&registry).await, entries(&own(&registry.anonymous()).await)), (None, 0));
    sigstore.go_down(false);
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let named = named(&registry).await.expect("it is entered");
    assert_eq!(named["provenance"]["predicateType"], "https://slsa.dev/provenance/v1");
    // As npm asks: the path of the address, at the host of the registry.
    let url = named["url"].as_str().unwrap();
    let path = &url[url.find("/npm/").unwrap()..];
    let found = registry.anonymous().get(path).await.expect(200).json();
    let [one] = found["attestations"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert!(is_verified(&registry, &sigstore, &one["bundle"]).await);
    let short = registry.anonymous().with("accept", "application/vnd.npm.install-v1+json").get("/npm/@jsr/acme__maths").await.expect(200);
    assert_eq!(short.json()["versions"]["1.0.0"]["dist"]["attestations"], named);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_a_job_signed_is_not_where_npm_is_sent() {
    let sigstore = Sigstore::start();
    let mut settings = sigstore.entering();
    settings.push(("attestation.in_npm_documents", "true".to_owned()));
    let published = Published::configured(sigstore, &settings).await;
    let (registry, nobody) = (&published.bench.registry, published.bench.registry.anonymous());
    registry.drain().await;
    let before = nobody.get(ATTESTED).await.expect(200).body;
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    registry.drain().await;
    // Its subject is the manifest. npm would compare that with the tarball and call it tampered with.
    assert_eq!(nobody.get(ATTESTED).await.expect(200).body, before);
    assert!(named(registry).await.is_some());
    assert_eq!(nobody.get(crate::provenance::PROVENANCE).await.expect(200).json()["job"]["commit"], "deadbeef");
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn a_log_that_is_away_holds_nothing_up() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore, &[]).await;
    sigstore.go_down(true);
    publish(&registry, &author, "1.0.0").await;
    for _ in 0..4 {
        registry.advance(TimeDelta::minutes(2));
        registry.drain().await;
    }
    let waiting = own(&registry.anonymous()).await;
    assert_eq!((entries(&waiting), sigstore.entries()), (0, 0));
    sigstore.go_down(false);
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let bundle = own(&registry.anonymous()).await;
    assert_eq!(bundle["dsseEnvelope"], waiting["dsseEnvelope"], "what was signed stays");
    assert!(is_verified(&registry, &sigstore, &bundle).await);
}

#[tokio::test]
async fn what_was_entered_before_is_found_again() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore, &[]).await;
    publish(&registry, &author, "1.0.0").await;
    let before = own(&registry.anonymous()).await;
    // As a process leaves it that did not live to note the entry; and what was published before a log was configured.
    registry.database().execute("UPDATE versions SET logged = NULL").await;
    registry.reconcile().await;
    registry.drain().await;
    assert_eq!(own(&registry.anonymous()).await, before);
    assert_eq!(sigstore.entries(), 1, "nothing is entered twice");
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn an_entry_that_does_not_hold_is_not_kept() {
    // The root of trust knows another log than the one that answers.
    let (sigstore, known) = (Sigstore::start(), Sigstore::start());
    let settings = [known.settings()[0].clone(), ("attestation.rekor_url", sigstore.url().to_owned())];
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let registry = TestRegistry::configured(&settings).await;
    let author = registry.author("@acme/maths").await;
    publish(&registry, &author, "1.0.0").await;
    for _ in 0..4 {
        registry.advance(TimeDelta::minutes(2));
        registry.drain().await;
    }
    assert_eq!((sigstore.entries(), entries(&own(&registry.anonymous()).await)), (1, 0));
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0], "the version is as good as before");
    // It was tried three times, and a person should look.
    let world = registry.world().await;
    assert!(world.lines().any(|line| line.contains("kind=log") && line.contains("state=parked")), "{world}");
}

#[tokio::test]
async fn nothing_of_a_private_package_is_entered_before_it_is_public() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore, &[("attestation.in_npm_documents", "true")]).await;
    let package = "/api/scopes/acme/packages/maths";
    drop(author.patch(package, json!({ "visibility": "private" })).await.expect(200));
    publish(&registry, &author, "1.0.0").await;
    registry.reconcile().await;
    registry.drain().await;
    assert_eq!((entries(&own(&author).await), sigstore.entries()), (0, 0));
    drop(author.patch(package, json!({ "visibility": "public" })).await.expect(200));
    registry.drain().await;
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    registry.reconcile().await;
    registry.drain().await;
    assert_eq!((entries(&own(&registry.anonymous()).await), sigstore.entries()), (1, 1));
    assert!(named(&registry).await.is_some());
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn it_outlives_the_database() {
    let sigstore = Sigstore::start();
    let settings = sigstore.entering();
    let mut bench = crate::bench::Bench::configured("github", &settings).await;
    assert_eq!(bench.author.publish_through(&small("1.0.0")).await["status"], "success");
    bench.registry.drain().await;
    let before = own(&bench.registry.anonymous()).await;
    assert_eq!(entries(&before), 1);
    assert_eq!(bench.lose_the_database().await, (Vec::new(), Vec::new()));
    assert_eq!(own(&bench.registry.anonymous()).await, before);
    assert_eq!(bench.registry.compare(Repair::Nothing).await, [""; 0]);
}
