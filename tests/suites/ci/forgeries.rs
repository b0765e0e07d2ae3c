//! Every step of a verification that a forged bundle does not get past, each with its own code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use slipway_tests::sigstore::{Signed, Sigstore, now};

use crate::provenance::{PROVENANCE, Published};

/// Makes something else of a value.
type Change<'a> = &'a dyn Fn(&Value) -> Value;

/// The same text with one letter of it changed.
fn bent(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if text.as_bytes()[middle] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
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
    assert!(said.starts_with("400 provenanceCertificateInvalid") && said.contains("SCT"), "{said}");
    // Of this authority, and promised to nobody.
    let unpromised = published.sigstore.certify_unpromised(&published.claims);
    let signed = published.sigstore.logged(unpromised.sign(&published.statement), &unpromised.pem);
    let said = published.refused(&signed.as_deno()).await;
    assert!(said.starts_with("400 provenanceCertificateInvalid") && said.contains("missing SCT"), "{said}");
    // Over when it was used.
    let old = published.sigstore.certify_at(&published.claims, now() - 1_300);
    let signed = published.sigstore.logged(old.sign(&published.statement), &old.pem);
    let said = published.refused(&signed.as_deno()).await;
    assert!(said.starts_with("400 provenanceCertificateInvalid"), "{said}");
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn an_authority_that_is_over_vouches_for_nobody() {
    let sigstore = Sigstore::start();
    let root = sigstore.root_with(|root| root["certificateAuthorities"][0]["validFor"]["end"] = json!("2021-01-01T00:00:00Z"));
    let settings = [("sigstore.trusted_root", root.path().to_str().unwrap().to_owned()), ("sigstore.rekor_url", sigstore.url().to_owned())];
    let published = Published::configured(sigstore, &settings).await;
    let said = published.refused(&published.sigstore.signed(&published.claims, &published.statement).as_deno()).await;
    assert!(said.starts_with("400 provenanceCertificateInvalid") && said.contains("no trusted certificate authority"), "{said}");
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
    let other = sigstore.standard(&sigstore.signed(&published.claims, &published.standard()));
    let entry = "/verificationMaterial/tlogEntries/0";
    let bend = |value: &Value| json!(bent(value.as_str().unwrap()));
    let changes: [(&str, Change<'_>); 8] = [
        ("/inclusionPromise/signedEntryTimestamp", &bend),
        ("/integratedTime", &|_| json!("1700000000")),
        ("/inclusionProof/rootHash", &|_| json!(STANDARD.encode([7; 32]))),
        ("/inclusionProof/checkpoint/envelope", &|text| json!(text.as_str().unwrap().replacen("\n1\n", "\n2\n", 1))),
        ("/inclusionProof/treeSize", &|_| json!("3")),
        ("/logId/keyId", &|_| json!(STANDARD.encode([7; 32]))),
        ("/canonicalizedBody", &|_| other.pointer(&format!("{entry}/canonicalizedBody")).unwrap().clone()),
        ("", &|_| other.pointer(entry).unwrap().clone()),
    ];
    for (place, change) in changes {
        let mut bundle = standard.clone();
        let value = bundle.pointer_mut(&format!("{entry}{place}")).unwrap();
        *value = change(value);
        let said = published.refused(&bundle).await;
        assert!(said.starts_with("400 provenanceNotLogged"), "{place}: {said}");
    }
    for (place, left_out) in [("/verificationMaterial", "tlogEntries"), (entry, "inclusionProof")] {
        let mut bundle = standard.clone();
        drop(bundle.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(left_out).unwrap());
        let said = published.refused(&bundle).await;
        assert!(said.starts_with("400 provenanceNotLogged"), "{left_out}: {said}");
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

/// What a log, or who stands between, answers for an entry of the stock client.
#[tokio::test]
async fn a_log_is_not_taken_at_its_word() {
    let published = Published::start().await;
    let sigstore = &published.sigstore;
    let proof = |name: &'static str| format!("/verification/inclusionProof/{name}");
    let changes: [(String, Change<'_>); 6] = [
        ("/verification/signedEntryTimestamp".to_owned(), &|text| json!(bent(text.as_str().unwrap()))),
        ("/integratedTime".to_owned(), &|time| json!(time.as_u64().unwrap() + 1)),
        ("/body".to_owned(), &|text| json!(bent(text.as_str().unwrap()))),
        (proof("rootHash"), &|_| json!("07".repeat(32))),
        (proof("checkpoint"), &|text| json!(text.as_str().unwrap().replacen("\n1\n", "\n2\n", 1))),
        ("/verification".to_owned(), &|_| json!({})),
    ];
    for (place, change) in changes {
        let signed = sigstore.signed(&published.claims, &published.statement);
        sigstore.spoil(signed.log_index, |entry| {
            let value = entry.pointer_mut(&place).unwrap();
            *value = change(value);
        });
        let said = published.refused(&signed.as_deno()).await;
        assert!(said.starts_with("400 provenanceNotLogged"), "{place}: {said}");
    }
    // An entry of another number.
    let signed = sigstore.signed(&published.claims, &published.statement);
    sigstore.spoil(signed.log_index, |entry| entry["logIndex"] = json!(77));
    let said = published.refused(&signed.as_deno()).await;
    assert!(said.starts_with("400 provenanceNotLogged") && said.contains("the log gave the entry 77"), "{said}");
    published.bench.registry.drain().await;
}
