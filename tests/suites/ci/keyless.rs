//! What the registry attests, signed with keys that an authority certifies for once, in logs of both kinds.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{Policy, PublicKeyVerificationPolicy, VerificationPolicy, Verifier};
use slipway_common::config::{Config, Edition};
use slipway_tests::sigstore::{self, Sigstore, Temper};
use slipway_tests::{Client, TestRegistry};
use slipway_worker::reconcile::Repair;
use tempfile::NamedTempFile;

use crate::bench::small;
use crate::logged::{ATTESTED, TARBALL, entries, publish};

const ISSUER: &str = "https://accounts.example.org";
const WHO: &str = "worker@slipway.example.org";

/// The token of a worker, which is over some seconds from now.
fn token(seconds: u64) -> String {
    sigstore::token(ISSUER, WHO, seconds)
}

fn token_file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// A registry with these settings, and somebody who publishes there.
async fn registry(settings: &[(&'static str, String)]) -> (TestRegistry, Client) {
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let registry = TestRegistry::configured(&settings).await;
    let author = registry.author("@acme/maths").await;
    (registry, author)
}

fn keyless(sigstore: &Sigstore, token: &NamedTempFile) -> Vec<(&'static str, String)> {
    [sigstore.entering(), sigstore.certifying(token.path().to_str().unwrap()).to_vec()].concat()
}

/// The one thing that is attested of the version.
async fn own(registry: &TestRegistry) -> Value {
    let document = registry.anonymous().get(ATTESTED).await.expect(200).json();
    let [one] = document["attestations"].as_array().unwrap().as_slice() else { panic!("{document}") };
    one["bundle"].clone()
}

/// What the verifier of Sigstore says of a bundle about the tarball.
async fn verify(registry: &TestRegistry, root: &Sigstore, bundle: &Value, policy: &dyn Policy) -> Result<(), String> {
    let tarball = registry.anonymous().get(TARBALL).await.expect(200).body;
    let verifier = Verifier::new(&TrustedRoot::from_json(&root.root().to_string()).unwrap()).unwrap();
    let bundle = Bundle::from_json(&bundle.to_string()).unwrap();
    verifier.verify(&tarball[..], &bundle, policy).map(drop).map_err(|error| error.to_string())
}

/// Goes on when whatever failed is tried again.
async fn later(registry: &TestRegistry) {
    registry.advance(TimeDelta::minutes(2));
    registry.drain().await;
}

#[tokio::test]
async fn it_is_signed_by_whom_the_token_names() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let (registry, author) = registry(&keyless(&sigstore, &token)).await;
    publish(&registry, &author, "1.0.0").await;
    let bundle = own(&registry).await;
    assert_eq!((entries(&bundle), sigstore.entries()), (1, 1));
    let policy = VerificationPolicy::new(WHO, ISSUER);
    assert_eq!(verify(&registry, &sigstore, &bundle, &policy).await, Ok(()));
    for (whom, policy) in [
        ("another account", VerificationPolicy::new("somebody@example.org", ISSUER)),
        ("another issuer", VerificationPolicy::new(WHO, "https://accounts.example.com")),
    ] {
        assert!(verify(&registry, &sigstore, &bundle, &policy).await.is_err(), "{whom}");
    }
    assert!(verify(&registry, &Sigstore::start(), &bundle, &policy).await.is_err(), "an authority that nobody knows");
    let mut other = bundle.clone();
    other["verificationMaterial"]["tlogEntries"] = json!([]);
    assert!(verify(&registry, &sigstore, &other, &policy).await.is_err(), "without an entry");
    // The statement is the one that the registry's key signed in the commit, and repairs leave it.
    let statement = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    assert_eq!(statement["subject"][0]["name"], "pkg:npm/%40jsr/acme__maths@1.0.0");
    assert_eq!(registry.compare(Repair::Documents).await, [""; 0]);
    registry.drain().await;
    assert_eq!((own(&registry).await, sigstore.entries()), (bundle, 1));
}

#[tokio::test]
async fn a_second_rekor_takes_it_in_with_a_time_besides() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let (certified, author) = registry(&[sigstore.entering_second(), keyless(&sigstore, &token)].concat()).await;
    publish(&certified, &author, "1.0.0").await;
    let bundle = own(&certified).await;
    assert_eq!((entries(&bundle), sigstore.entries()), (1, 1));
    assert_eq!(verify(&certified, &sigstore, &bundle, &VerificationPolicy::new(WHO, ISSUER)).await, Ok(()));
    let mut untimed = bundle.clone();
    untimed["verificationMaterial"]["timestampVerificationData"] = json!({});
    assert!(verify(&certified, &sigstore, &untimed, &VerificationPolicy::new(WHO, ISSUER)).await.is_err(), "nobody says when");
    assert_eq!(certified.compare(Repair::Nothing).await, [""; 0]);

    let (signed, author) = registry(&sigstore.entering_second()).await;
    publish(&signed, &author, "1.0.0").await;
    let bundle = own(&signed).await;
    assert_eq!((entries(&bundle), sigstore.entries()), (1, 2));
    let keys = signed.anonymous().get("/-/npm/v1/keys").await.expect(200).json();
    let key = DerPublicKey::from_bytes(&STANDARD.decode(keys["keys"][0]["key"].as_str().unwrap()).unwrap());
    assert_eq!(verify(&signed, &sigstore, &bundle, &PublicKeyVerificationPolicy::new(key)).await, Ok(()));
    assert_eq!(bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"].as_array().unwrap().len(), 1);
    assert_eq!(signed.compare(Repair::Nothing).await, [""; 0]);
}

#[tokio::test]
async fn a_token_that_is_over_is_read_again() {
    let (sigstore, token_file) = (Sigstore::start(), token_file(&token(0)));
    let (registry, author) = registry(&keyless(&sigstore, &token_file)).await;
    publish(&registry, &author, "1.0.0").await;
    for _ in 0..4 {
        later(&registry).await;
    }
    let waiting = own(&registry).await;
    assert_eq!((entries(&waiting), sigstore.entries()), (0, 0), "the version is published, and its statement is signed with the key");
    fs::write(token_file.path(), token(600)).unwrap();
    later(&registry).await;
    let bundle = own(&registry).await;
    assert_eq!((entries(&bundle), sigstore.entries()), (1, 1));
    assert_eq!(bundle["dsseEnvelope"]["payload"], waiting["dsseEnvelope"]["payload"], "what was stated stays");
    assert_eq!(verify(&registry, &sigstore, &bundle, &VerificationPolicy::new(WHO, ISSUER)).await, Ok(()));
}

#[tokio::test]
async fn nothing_is_entered_while_somebody_is_away() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let (registry, author) = registry(&[sigstore.entering_second(), keyless(&sigstore, &token)].concat()).await;
    sigstore.stop_the_clock(true);
    publish(&registry, &author, "1.0.0").await;
    assert_eq!((entries(&own(&registry).await), sigstore.entries()), (0, 0));
    sigstore.stop_the_clock(false);
    sigstore.go_down(true);
    later(&registry).await;
    assert_eq!((entries(&own(&registry).await), sigstore.entries()), (0, 0));
    sigstore.go_down(false);
    later(&registry).await;
    assert_eq!((entries(&own(&registry).await), sigstore.entries()), (1, 1));
    assert_eq!(registry.compare(Repair::Nothing).await, [""; 0]);
}

/// How the job that enters the statement stands, and with what it failed last.
async fn job(registry: &TestRegistry) -> (String, String) {
    let world = registry.world().await;
    let line = world.lines().find(|line| line.contains("kind=log")).unwrap_or_else(|| panic!("{world}"));
    let state = line.split(' ').find_map(|part| part.strip_prefix("state=")).unwrap_or_default().to_owned();
    let faults = registry.database().connect().await.texts("SELECT last_fault FROM jobs WHERE kind = 'log'").await;
    (state, faults.into_iter().flatten().collect())
}

#[tokio::test]
async fn whatever_the_authority_answers_nothing_wrong_is_kept() {
    for (temper, state, word) in [
        (Temper::Silent, "queued", "does not certify `worker@slipway.example.org` from https://accounts.example.org (503"),
        (Temper::Confused, "queued", "something that is no certificate"),
        (Temper::Chatty, "queued", "answers more than is read"),
        // A person should look: what is certified is wrong.
        (Temper::Mistaken, "parked", "another key than the one that was shown"),
        (Temper::Unpromised, "parked", "SCT"),
    ] {
        let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
        let (registry, author) = registry(&[keyless(&sigstore, &token), vec![sigstore.timing()]].concat()).await;
        sigstore.turn(temper);
        publish(&registry, &author, "1.0.0").await;
        for _ in 0..4 {
            later(&registry).await;
        }
        assert_eq!((entries(&own(&registry).await), sigstore.entries()), (0, 0), "{temper:?}");
        assert_eq!(registry.compare(Repair::Nothing).await, [""; 0], "{temper:?}: the version is as good as before");
        let (found, fault) = job(&registry).await;
        let secret = fs::read_to_string(token.path()).unwrap();
        assert!(found == state && fault.contains(word) && !fault.contains(&secret), "{temper:?}: {found}, {fault}");
        // What a person has to look at is not begun again by the hour.
        sigstore.turn(Temper::Fair);
        registry.reconcile().await;
        later(&registry).await;
        assert_eq!(sigstore.entries(), usize::from(state == "queued"), "{temper:?}");
        if state == "parked" {
            let tasks = author.get("/api/scopes/acme/packages/maths/publishing_tasks").await.expect(200).json();
            let requeue = format!("/api/admin/publishing_tasks/{}/requeue", tasks[0]["id"].as_str().unwrap());
            let staff = registry.person("staff").await;
            registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'staff'").await;
            drop(staff.post(&requeue, json!({})).await.expect(200));
            registry.drain().await;
            assert_eq!((entries(&own(&registry).await), sigstore.entries()), (1, 1), "{temper:?}: a person looked");
            assert_eq!(staff.post(&requeue, json!({})).await.refusal(), "409 publishNotFailed");
        }
    }
}

#[tokio::test]
async fn nothing_is_entered_whose_time_nobody_believes() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let root = sigstore.root_with(|root| root["timestampAuthorities"] = json!([]));
    let root = ("sigstore.trusted_root", root.path().to_str().unwrap().to_owned());
    for settings in [sigstore.entering_second(), keyless(&sigstore, &token)] {
        let (registry, author) = registry(&[settings, vec![sigstore.timing(), root.clone()]].concat()).await;
        publish(&registry, &author, "1.0.0").await;
        for _ in 0..4 {
            later(&registry).await;
        }
        assert_eq!((entries(&own(&registry).await), sigstore.entries(), job(&registry).await.0.as_str()), (0, 0, "parked"));
    }
}

#[tokio::test]
async fn a_statement_that_the_registry_did_not_sign_is_not_certified() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let (registry, author) = registry(&keyless(&sigstore, &token)).await;
    sigstore.turn(Temper::Silent);
    publish(&registry, &author, "1.0.0").await;
    // By somebody who can write rows.
    let payload = own(&registry).await["dsseEnvelope"]["payload"].as_str().unwrap().to_owned();
    let forged =
        String::from_utf8(STANDARD.decode(&payload).unwrap()).unwrap().replace("urn:slipway:npm-build:1", "urn:slipway:npm-build:9");
    let forged = STANDARD.encode(forged);
    registry.database().execute(&format!("UPDATE versions SET attestation = REPLACE(attestation, '{payload}', '{forged}')")).await;
    sigstore.turn(Temper::Fair);
    for _ in 0..4 {
        later(&registry).await;
    }
    assert_eq!((sigstore.entries(), job(&registry).await.0.as_str()), (0, "parked"));
    assert!(registry.compare(Repair::Nothing).await.contains(&"signatureInvalid @acme/maths@1.0.0".to_owned()));
}

#[tokio::test]
async fn a_second_rekor_that_has_it_already_does_not_say_where() {
    let sigstore = Sigstore::start();
    let (registry, author) = registry(&sigstore.entering_second()).await;
    publish(&registry, &author, "1.0.0").await;
    assert_eq!(entries(&own(&registry).await), 1);
    registry.database().execute("UPDATE versions SET logged = NULL").await;
    registry.reconcile().await;
    for _ in 0..4 {
        later(&registry).await;
    }
    let jobs = registry.database().connect().await.texts("SELECT last_fault FROM jobs WHERE kind = 'log' AND state = 'parked'").await;
    let [Some(fault)] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert!(fault.contains("has this signature already"), "{fault}");
    assert_eq!(sigstore.entries(), 1);
}

#[tokio::test]
async fn npm_is_told_of_no_entry_that_it_does_not_verify() {
    let sigstore = Sigstore::start();
    let (mut registry, author) = registry(&sigstore.entering_second()).await;
    publish(&registry, &author, "1.0.0").await;
    assert_eq!(entries(&own(&registry).await), 1);
    let to_first = |config: &mut Config| {
        config.attestation.is_shown_to_npm = true;
        config.attestation.log.as_mut().unwrap().edition = Edition::One;
    };
    registry.restart_with(to_first).await;
    publish(&registry, &author, "2.0.0").await;
    let document = registry.anonymous().get("/npm/@jsr/acme__maths").await.expect(200).json();
    let named = |version: &str| document["versions"][version]["dist"].get("attestations").is_some();
    assert_eq!((named("1.0.0"), named("2.0.0")), (false, true), "{document}");
}

#[tokio::test]
async fn a_platform_hands_the_token_out_at_an_address() {
    let sigstore = Sigstore::start();
    let source = sigstore.certifying(&sigstore.platform(&token(600))).to_vec();
    let (registry, author) = registry(&[sigstore.entering(), source].concat()).await;
    publish(&registry, &author, "1.0.0").await;
    let bundle = own(&registry).await;
    assert_eq!(verify(&registry, &sigstore, &bundle, &VerificationPolicy::new(WHO, ISSUER)).await, Ok(()));
}

#[tokio::test]
async fn what_the_log_has_outlives_the_database_and_is_compared() {
    let (sigstore, token) = (Sigstore::start(), token_file(&token(600)));
    let mut bench = crate::bench::Bench::configured("github", &keyless(&sigstore, &token)).await;
    assert_eq!(bench.author.publish_through(&small("1.0.0")).await["status"], "success");
    bench.registry.drain().await;
    let before = own(&bench.registry).await;
    assert_eq!(entries(&before), 1);
    assert_eq!(bench.lose_the_database().await, (Vec::new(), Vec::new()), "what the log has is found where readers find it");
    assert_eq!((own(&bench.registry).await, sigstore.entries()), (before.clone(), 1));
    // As a process leaves it that did not live to note the entry: there is another certificate, and so another entry.
    bench.registry.database().execute("UPDATE versions SET logged = NULL").await;
    bench.registry.reconcile().await;
    bench.registry.drain().await;
    let after = own(&bench.registry).await;
    assert_eq!((entries(&after), sigstore.entries()), (1, 2));
    assert_eq!(after["dsseEnvelope"]["payload"], before["dsseEnvelope"]["payload"]);
    assert_eq!(bench.registry.compare(Repair::Nothing).await, [""; 0]);
    // What a log has of something else is told, and what does not hold.
    let mut bent = after.clone();
    bent["dsseEnvelope"]["signatures"][0]["sig"] = before["dsseEnvelope"]["signatures"][0]["sig"].clone();
    bench.registry.database().execute(&format!("UPDATE versions SET logged = '{bent}'")).await;
    let told = ["documentStale -/npm/v1/attestations/@jsr/acme__maths@1.0.0", "signatureInvalid @acme/maths@1.0.0"];
    assert!(bench.registry.compare(Repair::Nothing).await.contains(&told[1].to_owned()));
    bench.registry.database().execute("UPDATE versions SET logged = '{\"dsseEnvelope\":{\"payload\":\"e30=\"}}'").await;
    assert!(bench.registry.compare(Repair::Nothing).await.contains(&told[1].to_owned()));
}
