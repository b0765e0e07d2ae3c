//! Where versions came from: what is accepted, what everybody can read then, and every step that an attack does not get past.

use serde_json::{Value, json};
use slipway_common::storage::StorageKey;
use slipway_tests::sigstore::{Signed, Sigstore};
use slipway_tests::{Answer, Client};
use slipway_worker::reconcile::Repair;

use crate::bench::{Bench, said, small};

const AT: &str = "/api/scopes/acme/packages/maths/versions/1.0.0";
const PROVENANCE: &str = "/api/scopes/acme/packages/maths/versions/1.0.0/provenance";

/// A version that a job published, and what the job would sign.
struct Published {
    bench: Bench,
    sigstore: Sigstore,
    job: Client,
    claims: Value,
    statement: Value,
}

impl Published {
    async fn start() -> Self {
        let sigstore = Sigstore::start();
        let bench = Bench::configured("github", &sigstore.settings()).await.trusting().await;
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
    fn standard(&self) -> Value {
        let mut statement = self.statement.clone();
        let kind = statement.as_object_mut().unwrap().remove("type").unwrap();
        statement["_type"] = kind;
        statement
    }

    fn claims_with(&self, name: &str, value: &str) -> Value {
        let mut claims = self.claims.clone();
        claims[name] = json!(value);
        claims
    }

    fn statement_with(&self, pointer: &str, value: Value) -> Value {
        let mut statement = self.statement.clone();
        *statement.pointer_mut(pointer).unwrap() = value;
        statement
    }

    async fn send(&self, bundle: &Value) -> Answer {
        self.job.post(PROVENANCE, json!({ "bundle": bundle })).await
    }

    async fn refused(&self, bundle: &Value) -> String {
        said(&self.send(bundle).await)
    }
}

/// The same text with one letter of it changed.
fn bent(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if text.as_bytes()[middle] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
}

#[tokio::test]
async fn what_the_stock_client_sends_is_verified_and_everybody_reads_it() {
    let published = Published::start().await;
    let (bench, nobody) = (&published.bench, published.bench.registry.anonymous());
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 provenanceNotFound");
    let signed = published.sigstore.signed(&published.claims, &published.statement);
    drop(published.send(&signed.as_deno()).await.expect(204));
    drop(published.send(&signed.as_deno()).await.expect(204));
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
    assert_eq!(attested["attestations"][0]["bundle"], shown["bundle"]);
    assert_eq!(attested["attestations"][0]["predicateType"], "https://slsa.dev/provenance/v1");
    let key = StorageKey::ProvenanceRecord { package: "@acme/maths".try_into().unwrap(), version: "1.0.0".try_into().unwrap() };
    assert!(bench.registry.context().storage.get(&key).await.is_ok());
    assert_eq!(bench.registry.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn a_standard_bundle_is_verified() {
    let published = Published::start().await;
    let signed = published.sigstore.signed(&published.claims, &published.standard());
    let bundle = published.sigstore.standard(&signed);
    drop(published.send(&bundle).await.expect(204));
    let shown = published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json();
    assert_eq!(shown["bundle"]["dsseEnvelope"]["payload"], bundle["dsseEnvelope"]["payload"]);
    // What was accepted never changes.
    let other = published.sigstore.signed(&published.claims, &published.standard());
    assert_eq!(published.send(&published.sigstore.standard(&other)).await.refusal(), "409 provenanceAlreadyKnown");
    published.bench.registry.drain().await;
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

#[tokio::test]
async fn a_statement_about_something_else_is_refused() {
    let published = Published::start().await;
    let digest = published.statement["subject"][0]["digest"]["sha256"].as_str().unwrap().to_owned();
    for (pointer, value, word) in [
        ("/subject/0/name", json!("pkg:jsr/@acme/maths@1.0.1"), "expected `pkg:jsr/@acme/maths@1.0.0`"),
        ("/subject/0/name", json!("pkg:npm/@acme/maths@1.0.0"), "expected `pkg:jsr/"),
        ("/subject/0/digest/sha256", json!(digest.replace(&digest[..4], "0000")), "has the digest `0000"),
        ("/subject", json!([]), "0 subjects"),
        ("/predicateType", json!("https://example.com/opinion"), "`predicateType`"),
    ] {
        let statement = published.statement_with(pointer, value);
        let said = published.refused(&published.sigstore.signed(&published.claims, &statement).as_deno()).await;
        assert!(said.starts_with("400 provenanceOfSomethingElse") && said.contains(word), "{said}");
    }
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn a_certificate_of_another_job_is_refused() {
    let published = Published::start().await;
    for (name, value, word) in [
        ("repository_id", "2", "`repository`"),
        ("workflow_ref", "acme/widgets/.github/workflows/other.yml@refs/heads/main", "`workflow` is `other.yml`"),
        ("ref", "refs/heads/evil", "`ref` is `refs/heads/evil`"),
        ("sha", "cafebabe", "commit `cafebabe`"),
        ("iss", "https://issuer.example", "`issuer`"),
    ] {
        let signed = published.sigstore.signed(&published.claims_with(name, value), &published.statement);
        let said = published.refused(&signed.as_deno()).await;
        assert!(said.starts_with("403 provenanceByAnotherJob") && said.contains(word), "{name}: {said}");
    }
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let published = Published::start().await;
    // Of another authority, with an entry in the log that is believed.
    let elsewhere = Sigstore::start().certify(&published.claims);
    let signed = published.sigstore.logged(elsewhere.sign(&published.statement), &elsewhere.pem);
    let said = published.refused(&signed.as_deno()).await;
    assert!(said.starts_with("400 provenanceCertificateInvalid"), "{said}");
    // Of this authority, promised to a log that nobody knows.
    let hidden = published.sigstore.certify_elsewhere(&published.claims);
    let signed = published.sigstore.logged(hidden.sign(&published.statement), &hidden.pem);
    let said = published.refused(&signed.as_deno()).await;
    assert!(said.starts_with("400 provenance"), "{said}");
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let published = Published::start().await;
    let sigstore = &published.sigstore;
    // Another key signs under the certificate of the job.
    let (signer, forger) = (sigstore.certify(&published.claims), sigstore.certify(&published.claims));
    for statement in [&published.statement, &published.standard()] {
        let signed = sigstore.logged(forger.sign(statement), &signer.pem);
        let bundle = if statement["_type"].is_null() { signed.as_deno() } else { sigstore.standard(&signed) };
        let said = published.refused(&bundle).await;
        assert!(said.starts_with("400 provenanceSignatureInvalid"), "{said}");
    }
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn an_entry_that_proves_nothing_is_refused() {
    let published = Published::start().await;
    let sigstore = &published.sigstore;
    let mine = sigstore.signed(&published.claims, &published.statement);
    let of_another = sigstore.signed(&published.claims, &published.statement);
    let swapped = Signed { log_index: of_another.log_index, ..mine.clone() };
    let nowhere = Signed { log_index: 4242, ..mine };
    for (signed, word) in [(swapped, "another signature"), (nowhere, "no entry 4242")] {
        let said = published.refused(&signed.as_deno()).await;
        assert!(said.starts_with("400 provenanceNotLogged") && said.contains(word), "{said}");
    }
    let standard = sigstore.standard(&sigstore.signed(&published.claims, &published.standard()));
    let entry = "/verificationMaterial/tlogEntries/0";
    let changed = |pointer: &str, change: &dyn Fn(&Value) -> Value| {
        let mut bundle = standard.clone();
        let place = bundle.pointer_mut(pointer).unwrap();
        *place = change(place);
        bundle
    };
    let bend = |value: &Value| json!(bent(value.as_str().unwrap()));
    for bundle in [
        changed(&format!("{entry}/inclusionPromise/signedEntryTimestamp"), &bend),
        changed(&format!("{entry}/integratedTime"), &|_| json!("1700000000")),
        changed(&format!("{entry}/inclusionProof/rootHash"), &bend),
        changed("/verificationMaterial/tlogEntries", &|_| json!([])),
    ] {
        let answer = published.send(&bundle).await;
        assert!(answer.status == 400 && said(&answer).starts_with("400 provenance"), "{}", said(&answer));
    }
    let nobody = published.bench.registry.anonymous();
    assert_eq!(nobody.get(PROVENANCE).await.refusal(), "404 provenanceNotFound", "nothing of this was taken in");
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let published = Published::start().await;
    for bundle in [json!({}), json!(null), json!([]), json!({ "content": {} }), json!({ "mediaType": "a".repeat(300_000) })] {
        let said = published.refused(&bundle).await;
        assert!(said.starts_with("400 provenanceBundleInvalid"), "{said}");
    }
    assert_eq!(published.job.post(PROVENANCE, json!({})).await.refusal(), "400 malformedRequest");
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn a_log_that_is_away_is_asked_again() {
    let published = Published::start().await;
    let bundle = published.sigstore.signed(&published.claims, &published.statement).as_deno();
    published.sigstore.go_down(true);
    let answer = published.send(&bundle).await;
    assert_eq!((answer.refusal(), answer.header("retry-after")), ("503 provenanceLogUnavailable".to_owned(), "5"));
    published.sigstore.go_down(false);
    drop(published.send(&bundle).await.expect(204));
    published.bench.registry.drain().await;
}
