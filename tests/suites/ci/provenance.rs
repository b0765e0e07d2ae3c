//! Where versions came from: what is accepted, what everybody can read then, and what waits while the log is away.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::storage::StorageKey;
use slipway_tests::sigstore::{Signer, Sigstore};
use slipway_tests::{Answer, Client};
use slipway_worker::reconcile::Repair;

use crate::bench::{Bench, said, small};

const AT: &str = "/api/scopes/acme/packages/maths/versions/1.0.0";
pub(crate) const PROVENANCE: &str = "/api/scopes/acme/packages/maths/versions/1.0.0/provenance";

/// A version that a job published, and what the job would sign.
pub(crate) struct Published {
    pub(crate) bench: Bench,
    pub(crate) sigstore: Sigstore,
    pub(crate) job: Client,
    pub(crate) claims: Value,
    pub(crate) statement: Value,
}

impl Published {
    pub(crate) async fn start() -> Self {
        let sigstore = Sigstore::start();
        let settings = sigstore.settings();
        Self::configured(sigstore, &settings).await
    }

    pub(crate) async fn configured(sigstore: Sigstore, settings: &[(&'static str, String)]) -> Self {
        let bench = Bench::configured("github", settings).await.trusting().await;
        let package = small("1.0.0");
        let claims = bench.claims(&[&package]);
        let job = bench.job(&claims);
        assert_eq!(job.publish_through(&package).await["status"], "success");
        let meta = bench.registry.anonymous().get("/@acme/maths/1.0.0_meta.json").await.expect(200);
        let digest = slipway_common::ids::Sha256::of(meta.text().as_bytes()).hex();
        let statement = json!({
            "type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": "pkg:jsr/@acme/maths@1.0.0", "digest": { "sha256": digest } }],
            "predicateType": "https://slsa.dev/provenance/v1", "predicate": { "buildDefinition": {} },
        });
        Self { bench, sigstore, job, claims, statement }
    }

    /// The statement as the standard has it.
    pub(crate) fn standard(&self) -> Value {
        let mut statement = self.statement.clone();
        let kind = statement.as_object_mut().unwrap().remove("type").unwrap();
        statement["_type"] = kind;
        statement
    }

    pub(crate) fn claims_with(&self, name: &str, value: &str) -> Value {
        let mut claims = self.claims.clone();
        claims[name] = json!(value);
        claims
    }

    pub(crate) fn statement_with(&self, pointer: &str, value: Value) -> Value {
        let mut statement = self.statement.clone();
        *statement.pointer_mut(pointer).unwrap() = value;
        statement
    }

    pub(crate) async fn send(&self, bundle: &Value) -> Answer {
        self.job.post(PROVENANCE, json!({ "bundle": bundle })).await
    }

    pub(crate) async fn refused(&self, bundle: &Value) -> String {
        said(&self.send(bundle).await)
    }
}

#[tokio::test]
async fn what_the_stock_client_sends_is_verified_and_everybody_reads_it() {
    let published = Published::start().await;
    let (bench, nobody) = (&published.bench, published.bench.registry.anonymous());
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 provenanceNotFound");
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    drop(published.send(&signed.as_deno()).await.expect(204));
    published.sigstore.go_down(true);
    drop(published.send(&signed.as_deno()).await.expect(204));
    published.sigstore.go_down(false);
    let shown = nobody.get(PROVENANCE).await.expect(200).json();
    let job = &shown["job"];
    assert_eq!((&job["repository"], &job["repositoryId"], &job["commit"]), (&json!("acme/widgets"), &json!("1"), &json!("deadbeef")));
    assert_eq!((&job["workflow"], &job["ref"], &shown["logIndex"]), (&json!("publish.yml"), &json!("refs/heads/main"), &json!("0")));
    assert_eq!(shown["bundle"]["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    let version = nobody.get(AT).await.expect(200).json();
    assert_eq!((&version["rekorLogId"], &version["provenance"]["job"]["repository"]), (&json!("0"), &json!("acme/widgets")));
    let page = nobody.get("/@acme/maths").await.expect(200).text();
    assert!(page.contains("<code>publish.yml</code> of <code>acme/widgets</code>"), "{page}");

    bench.registry.drain().await;
    let attested = nobody.get("/-/npm/v1/attestations/@jsr/acme__maths@1.0.0").await.expect(200).json();
    // Behind what the registry attests itself.
    assert_eq!(attested["attestations"].as_array().unwrap().len(), 2);
    assert_eq!(attested["attestations"][0]["bundle"]["verificationMaterial"].get("certificate"), None);
    assert_eq!(attested["attestations"][1]["bundle"], shown["bundle"]);
    assert_eq!(attested["attestations"][1]["predicateType"], "https://slsa.dev/provenance/v1");
    // npm would take it for a statement about its tarball, and call the package tampered with.
    let document = nobody.get("/npm/@jsr/acme__maths").await.expect(200).json();
    assert_eq!(document["versions"]["1.0.0"]["dist"].get("attestations"), None);
    let key = StorageKey::ProvenanceRecord { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    assert!(bench.registry.context().storage.get(&key).await.is_ok());
    assert_eq!(bench.registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_is_attested_of_a_held_version_is_kept_with_it() {
    let published = Published::start().await;
    let (bench, nobody) = (&published.bench, published.bench.registry.anonymous());
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    bench.registry.drain().await;
    let attested = "/-/npm/v1/attestations/@jsr/acme__maths@1.0.0";
    let before = nobody.get(attested).await.expect(200).body;
    let root = bench.registry.person("root").await;
    bench.registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'root'").await;
    let held = "/api/admin/scopes/acme/packages/maths/versions/1.0.0/quarantine";
    drop(root.put(held, json!({ "reason": "It steals." })).await.expect(200));
    bench.registry.drain().await;
    assert_eq!(nobody.get(attested).await.status, 404);
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 packageVersionQuarantined");
    assert!(!bench.registry.compare(Repair::Nothing).await.iter().any(|problem| problem.contains("maths")));
    drop(root.delete(held).await.expect(200));
    bench.registry.drain().await;
    assert_eq!(nobody.get(attested).await.expect(200).body, before);
    drop(nobody.get(PROVENANCE).await.expect(200));
    assert!(!bench.registry.compare(Repair::Nothing).await.iter().any(|problem| problem.contains("maths")));
}

#[tokio::test]
async fn a_standard_bundle_is_verified() {
    let published = Published::start().await;
    let signed = published.sigstore.signed(&published.claims, &published.standard());
    let bundle = published.sigstore.standard(&signed);
    drop(published.send(&bundle).await.expect(204));
    let shown = published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json();
    assert_eq!(shown["bundle"]["dsseEnvelope"]["payload"], bundle["dsseEnvelope"]["payload"]);
    assert_eq!(shown["timeFrom"], "log");
    // What was accepted never changes.
    let other = published.sigstore.signed(&published.claims, &published.standard());
    assert_eq!(published.send(&published.sigstore.standard(&other)).await.refusal(), "409 provenanceAlreadyKnown");
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn bundles_of_older_formats_are_verified() {
    for (version, is_proof_needed) in [("0.1", false), ("0.2", true)] {
        let published = Published::start().await;
        let signed = published.sigstore.signed(&published.claims, &published.standard());
        let mut bundle = published.sigstore.standard(&signed);
        bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
        let certificate = bundle["verificationMaterial"].as_object_mut().unwrap().remove("certificate").unwrap();
        bundle["verificationMaterial"]["x509CertificateChain"] = json!({ "certificates": [certificate] });
        if !is_proof_needed {
            drop(bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionProof").unwrap());
        }
        drop(published.send(&bundle).await.expect(204));
        let shown = published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json();
        assert_eq!((&shown["bundle"]["mediaType"], &shown["job"]["commit"]), (&bundle["mediaType"], &json!("deadbeef")));
        published.bench.registry.drain().await;
    }
}

#[tokio::test]
async fn it_outlives_the_database() {
    let mut published = Published::start().await;
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    let before = published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json();
    let (left_out, difference) = published.bench.lose_the_database().await;
    assert_eq!((left_out, difference), (Vec::new(), Vec::new()));
    assert_eq!(published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json(), before);
    assert_eq!(published.bench.registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn what_is_lost_of_it_is_written_again() {
    let published = Published::start().await;
    let registry = &published.bench.registry;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    drop(published.send(&bundle).await.expect(204));
    registry.drain().await;
    let (package, version) = ("@acme/maths".try_into().unwrap(), "1.0.0".try_into().unwrap());
    let record = StorageKey::ProvenanceRecord { package, version };
    let (package, version) = ("@acme/maths".try_into().unwrap(), "1.0.0".try_into().unwrap());
    let attested = StorageKey::NpmAttestations { package, version };
    let storage = &registry.context().storage;
    for key in [&record, &attested] {
        let before = storage.get(key).await.unwrap();
        storage.delete(key).await.unwrap();
        let text = key.text();
        assert_eq!(registry.compare(Repair::Nothing).await, [format!("documentMissing {text}")]);
        assert_eq!(registry.compare(Repair::Documents).await, [format!("documentMissing {text} repaired")]);
        assert_eq!(storage.get(key).await.unwrap(), before);
    }
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn only_who_may_publish_hands_it_in() {
    let published = Published::start().await;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    let body = json!({ "bundle": bundle });
    let stranger = published.bench.registry.person("eve").await;
    assert_eq!(published.bench.registry.anonymous().post(PROVENANCE, body.clone()).await.refusal(), "401 missingAuthentication");
    assert_eq!(stranger.post(PROVENANCE, body.clone()).await.refusal(), "403 actorNotScopeMember");
    assert_eq!(published.job.post(&PROVENANCE.replace("1.0.0", "2.0.0"), body.clone()).await.refusal(), "403 missingPermission");
    // A member hands in late what a job has signed.
    drop(published.bench.author.post(PROVENANCE, body).await.expect(204));
    published.bench.registry.drain().await;
}

/// What the page of the package and the version say of a bundle that is not verified.
async fn said_of_the_unverified(published: &Published) -> (Value, String) {
    let nobody = published.bench.registry.anonymous();
    let version = nobody.get(AT).await.expect(200).json();
    assert_eq!((&version["provenance"], &version["rekorLogId"]), (&Value::Null, &Value::Null));
    (version["unverifiedProvenance"].clone(), nobody.get("/@acme/maths").await.expect(200).text())
}

/// How many statements about the version everybody can read.
async fn attested_by(published: &Published) -> usize {
    let document = published.bench.registry.anonymous().get("/-/npm/v1/attestations/@jsr/acme__maths@1.0.0").await.expect(200).json();
    document["attestations"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_bundle_waits_for_a_log_that_is_away() {
    let published = Published::start().await;
    let (registry, nobody) = (&published.bench.registry, published.bench.registry.anonymous());
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    published.sigstore.go_down(true);
    drop(published.send(&bundle).await.expect(202));
    registry.drain().await;
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 provenanceNotVerified");
    let (said, page) = said_of_the_unverified(&published).await;
    assert_eq!((&said["status"], &said["code"]), (&json!("waiting"), &Value::Null));
    assert!(page.contains("not verified yet"), "{page}");
    // It is tried again, and again, and found when the log is back.
    for _ in 0..3 {
        registry.advance(TimeDelta::minutes(2));
        registry.drain().await;
    }
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 provenanceNotVerified");
    published.sigstore.go_down(false);
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let shown = nobody.get(PROVENANCE).await.expect(200).json();
    assert_eq!((&shown["job"]["commit"], &shown["timeFrom"]), (&json!("deadbeef"), &json!("log")));
    assert_eq!(nobody.get(AT).await.expect(200).json()["unverifiedProvenance"], Value::Null);
    assert!(nobody.get("/@acme/maths").await.expect(200).text().contains("as a verified signature says"));
    assert_eq!(attested_by(&published).await, 2);
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn a_bundle_that_waited_in_vain_is_dropped_and_that_is_told() {
    let published = Published::start().await;
    let (registry, nobody) = (&published.bench.registry, published.bench.registry.anonymous());
    let (signer, forger) = (published.sigstore.certify(&published.claims), published.sigstore.certify(&published.claims));
    let forged = published.sigstore.logged(forger.sign(&published.statement), &signer.pem).as_deno();
    published.sigstore.go_down(true);
    // What can be told without the log is told at once.
    let elsewhere = published.sigstore.signed(&published.claims_with("sha", "cafebabe"), &published.statement).as_deno();
    assert!(published.refused(&elsewhere).await.starts_with("403 provenanceByAnotherJob"));
    drop(published.send(&forged).await.expect(202));
    published.sigstore.go_down(false);
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let refusal = nobody.get(PROVENANCE).await;
    assert_eq!(refusal.refusal(), "404 provenanceNotFound");
    assert!(said(&refusal).contains("the signature of the bundle does not hold"), "{}", said(&refusal));
    let (said, page) = said_of_the_unverified(&published).await;
    assert_eq!((&said["status"], &said["code"]), (&json!("refused"), &json!("provenanceSignatureInvalid")));
    assert!(page.contains("What was handed in is refused"), "{page}");
    assert_eq!(attested_by(&published).await, 1, "the registry alone");
    // A good one is taken all the same.
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    assert_eq!(nobody.get(AT).await.expect(200).json()["unverifiedProvenance"], Value::Null);
    registry.drain().await;
}

#[tokio::test]
async fn one_that_is_verified_meanwhile_ends_the_wait() {
    let published = Published::start().await;
    let (registry, nobody) = (&published.bench.registry, published.bench.registry.anonymous());
    published.sigstore.go_down(true);
    let waiting = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    drop(published.send(&waiting).await.expect(202));
    // It carries its entry, so the log need not be asked.
    let standard = published.sigstore.standard(&published.sigstore.signed(&published.claims, &published.standard()));
    drop(published.send(&standard).await.expect(204));
    assert_eq!(published.send(&waiting).await.refusal(), "409 provenanceAlreadyKnown");
    published.sigstore.go_down(false);
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
    let shown = nobody.get(PROVENANCE).await.expect(200).json();
    assert_eq!(shown["bundle"]["dsseEnvelope"]["payload"], standard["dsseEnvelope"]["payload"]);
}

#[tokio::test]
async fn a_private_authority_may_have_no_log() {
    let sigstore = Sigstore::start();
    let root = sigstore.root_with(|root| root["tlogs"] = json!([]));
    let root = ("sigstore.trusted_root", root.path().to_str().unwrap().to_owned());
    let published = Published::configured(sigstore, &[root, ("sigstore.require_log", "false".to_owned())]).await;
    let (registry, sigstore) = (&published.bench.registry, &published.sigstore);
    let at = u64::try_from(registry.now().timestamp()).unwrap();
    let bundle = |signer: &Signer, by: &Signer| sigstore.unlogged(&by.sign(&published.standard()), &signer.pem);
    let certified = |at| sigstore.certify_at(&published.claims, at);
    // Issued too early or too late for the publish; by another authority; signed by another key.
    let (signer, stranger) = (certified(at + 20), Sigstore::start().certify_at(&published.claims, at));
    for (bundle, code) in [
        (bundle(&certified(at - 1300), &certified(at)), "provenanceCertificateInvalid"),
        (bundle(&certified(at + 700), &certified(at)), "provenanceCertificateInvalid"),
        (bundle(&stranger, &stranger), "provenanceCertificateInvalid"),
        (bundle(&signer, &certified(at)), "provenanceSignatureInvalid"),
    ] {
        let said = published.refused(&bundle).await;
        assert!(said.starts_with(&format!("400 {code}")), "{said}");
    }
    drop(published.send(&bundle(&signer, &signer)).await.expect(204));
    let shown = registry.anonymous().get(PROVENANCE).await.expect(200).json();
    assert_eq!((&shown["timeFrom"], &shown["logIndex"], &shown["loggedAt"]), (&json!("publish"), &Value::Null, &Value::Null));
    assert_eq!(shown["bundle"]["verificationMaterial"].get("tlogEntries").filter(|entries| **entries != json!([])), None);
    let page = registry.anonymous().get("/@acme/maths").await.expect(200).text();
    assert!(page.contains("No log was asked for"), "{page}");
    registry.drain().await;
}
