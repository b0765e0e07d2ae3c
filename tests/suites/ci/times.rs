//! Bundles whose time an authority signs and no log: what is accepted, and every way in which a signed time does not hold.

use serde_json::{Value, json};
use slipway_tests::sigstore::timestamps::{Timestamper, declined, stamped};
use slipway_tests::sigstore::{Sigstore, now};

use crate::provenance::{PROVENANCE, Published};

/// What the registry says of the version, once it has taken a bundle in.
async fn shown(published: &Published, bundle: &Value) -> Value {
    drop(published.send(bundle).await.expect(204));
    let shown = published.bench.registry.anonymous().get(PROVENANCE).await.expect(200).json();
    published.bench.registry.drain().await;
    shown
}

/// A registry that wants no log.
async fn without_log() -> Published {
    let sigstore = Sigstore::start();
    let root = sigstore.root_with(|root| root["tlogs"] = json!([]));
    let root = ("sigstore.trusted_root", root.path().to_str().unwrap().to_owned());
    Published::configured(sigstore, &[root, ("sigstore.require_log", "false".to_owned())]).await
}

#[tokio::test]
async fn a_log_that_says_no_time_needs_an_authority_that_does() {
    let published = Published::start().await;
    let (sigstore, signer) = (&published.sigstore, published.sigstore.certify(&published.claims));
    let envelope = signer.sign(&published.standard());
    let bundle = sigstore.timeless(&envelope, &signer.pem);
    let said = published.refused(&bundle).await;
    assert!(said.starts_with("400 provenanceNotLogged") && said.contains("no verified timestamp"), "{said}");
    let time = sigstore.timestamper().stamp(&envelope, now());
    // The entry is held against the bundle as any other is.
    let other = sigstore.timeless(&signer.sign(&published.standard()), &signer.pem);
    let mut swapped = stamped(bundle.clone(), std::slice::from_ref(&time));
    swapped["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
    let said = published.refused(&swapped).await;
    assert!(said.starts_with("400 provenanceNotLogged"), "{said}");

    let shown = shown(&published, &stamped(bundle, &[time])).await;
    assert_eq!((&shown["timeFrom"], &shown["logIndex"], &shown["loggedAt"]), (&json!("timestamp"), &json!("0"), &Value::Null));
    assert!(shown["bundle"]["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0].is_object());
    let page = published.bench.registry.anonymous().get("/@acme/maths").await.expect(200).text();
    assert!(page.contains("as a verified signature says") && !page.contains("No log was asked for"), "{page}");
}

#[tokio::test]
async fn a_log_that_does_not_promise_a_time_has_none() {
    let published = Published::start().await;
    let sigstore = &published.sigstore;
    let signed = sigstore.signed(&published.claims, &published.standard());
    let mut bundle = sigstore.standard(&signed);
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap();
    drop(entry.remove("inclusionPromise").unwrap());
    entry["integratedTime"] = json!("1700000000");
    let said = published.refused(&bundle).await;
    assert!(said.starts_with("400 provenanceNotLogged"), "{said}");
    let shown = shown(&published, &stamped(bundle, &[sigstore.timestamper().stamp(&signed.envelope, now())])).await;
    assert_eq!((&shown["timeFrom"], &shown["loggedAt"]), (&json!("timestamp"), &Value::Null), "what the entry says is not signed");
}

#[tokio::test]
async fn an_authority_beside_a_log_takes_nothing_from_it() {
    let published = Published::start().await;
    let sigstore = &published.sigstore;
    let signed = sigstore.signed(&published.claims, &published.standard());
    let time = |at| sigstore.timestamper().stamp(&signed.envelope, at);
    // Each time has to hold, whatever the others are.
    let said = published.refused(&stamped(sigstore.standard(&signed), &[time(now()), time(now() + 3_600)])).await;
    assert!(said.starts_with("400 provenanceCertificateInvalid"), "{said}");
    let shown = shown(&published, &stamped(sigstore.standard(&signed), &[time(now()), time(now() + 5)])).await;
    assert_eq!((&shown["timeFrom"], shown["loggedAt"].is_string()), (&json!("log"), true));
}

#[tokio::test]
async fn an_authority_alone_is_enough_where_no_log_is_required() {
    let published = Published::start().await;
    let bundle = |published: &Published, at| {
        let signer = published.sigstore.certify_at(&published.claims, at);
        let envelope = signer.sign(&published.standard());
        stamped(published.sigstore.unlogged(&envelope, &signer.pem), &[published.sigstore.timestamper().stamp(&envelope, at + 60)])
    };
    let said = published.refused(&bundle(&published, now())).await;
    assert!(said.starts_with("400 provenanceNotLogged") && said.contains("no log entry"), "{said}");
    published.bench.registry.drain().await;

    let published = without_log().await;
    // Long after the publish: somebody other than this registry says when.
    let shown = shown(&published, &bundle(&published, now() - 100_000)).await;
    assert_eq!((&shown["timeFrom"], &shown["logIndex"], &shown["loggedAt"]), (&json!("timestamp"), &Value::Null, &Value::Null));
    let page = published.bench.registry.anonymous().get("/@acme/maths").await.expect(200).text();
    assert!(page.contains("what an authority of times says"), "{page}");
}

#[tokio::test]
async fn a_time_that_does_not_hold_is_refused() {
    let published = without_log().await;
    let (sigstore, at) = (&published.sigstore, now());
    let signer = sigstore.certify_at(&published.claims, at);
    let (envelope, other) = (signer.sign(&published.standard()), signer.sign(&published.standard()));
    let good = sigstore.timestamper().stamp(&envelope, at + 60);
    let with = |times: &[Vec<u8>]| stamped(sigstore.unlogged(&envelope, &signer.pem), times);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut time = good.clone();
        change(&mut time);
        with(&[time])
    };
    // The last digit of `YYYYMMDDHHMMSSZ`.
    let second = good.windows(2).position(|head| *head == [0x18, 15]).unwrap() + 2 + 13;
    for (bundle, code, word) in [
        // Of an authority that nobody knows, which is called as the one that is known.
        (with(&[Timestamper::new().stamp(&envelope, at + 60)]), "provenanceTimeInvalid", "signature"),
        (with(&[sigstore.timestamper().stamp(&other, at + 60)]), "provenanceTimeInvalid", "hash mismatch"),
        (with(&[sigstore.timestamper().stamp(&envelope, at - 60)]), "provenanceCertificateInvalid", "CertNotValidYet"),
        (with(&[sigstore.timestamper().stamp(&envelope, at + 660)]), "provenanceCertificateInvalid", "CertExpired"),
        (with(&[good.clone(), declined()]), "provenanceTimeInvalid", "not granted"),
        (changed(&|time| time.truncate(time.len() - 1)), "provenanceTimeInvalid", "decode"),
        (changed(&|time| time.push(0)), "provenanceTimeInvalid", "decode"),
        (changed(&|time| *time.last_mut().unwrap() ^= 1), "provenanceTimeInvalid", "signature"),
        (changed(&|time| time[second] ^= 1), "provenanceTimeInvalid", "hash mismatch"),
        (with(&[Vec::new()]), "provenanceTimeInvalid", "decode"),
        (with(&[vec![0x30; 20_000]]), "provenanceTimeInvalid", "larger than 16384 bytes"),
        (with(&vec![good.clone(); 9]), "provenanceTimeInvalid", "9 signed times"),
    ] {
        let said = published.refused(&bundle).await;
        assert!(said.starts_with(&format!("400 {code}")) && said.contains(word), "{word}: {said}");
    }
    assert_eq!(published.bench.registry.anonymous().get(PROVENANCE).await.refusal(), "404 provenanceNotFound");
    drop(published.send(&with(&vec![good; 8])).await.expect(204));
    published.bench.registry.drain().await;
}

#[tokio::test]
async fn an_authority_that_may_not_sign_times_is_not_believed() {
    for (name, timestamper, until, word) in [
        ("made for code", Timestamper::of_code(), Value::Null, "chain validation failed"),
        ("over", Timestamper::new(), json!("2021-01-01T00:00:00Z"), "outside the validity period"),
    ] {
        let sigstore = Sigstore::start();
        let root = sigstore.root_with(|root| {
            root["tlogs"] = json!([]);
            root["timestampAuthorities"] = json!([timestamper.trusted()]);
            if !until.is_null() {
                root["timestampAuthorities"][0]["validFor"]["end"] = until.clone();
            }
        });
        let root = ("sigstore.trusted_root", root.path().to_str().unwrap().to_owned());
        let published = Published::configured(sigstore, &[root, ("sigstore.require_log", "false".to_owned())]).await;
        let signer = published.sigstore.certify(&published.claims);
        let envelope = signer.sign(&published.standard());
        let bundle = stamped(published.sigstore.unlogged(&envelope, &signer.pem), &[timestamper.stamp(&envelope, now())]);
        let said = published.refused(&bundle).await;
        assert!(said.starts_with("400 provenanceTimeInvalid") && said.contains(word), "{name}: {said}");
        published.bench.registry.drain().await;
    }
}
