use std::fs;
use std::path::Path;

use serde_json::Value;
use sigstore_verify::trust_root::{SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};
use sigstore_verify::types::{Bundle, DsseEnvelope, Rfc3161Timestamp, Sha256Hash, SignatureContent, TimestampToken};

use super::bundle::{self, Sent};
use super::root::Root;
use super::{Expected, can_be_read, can_entry_be_read, certified_job, identity, log, verify};
use crate::clock::Instant;
use crate::ids::IdSource;
use crate::model::ci::CiIdentity;
use crate::model::provenance::{Step, TimeFrom};

/// The provenance of `sigstore` 2.0.0 on npm, made by others and in the public log.
const REAL: &str = include_str!("../../../tests/fuzz/corpus/bundle/good-npm-sigstore-2.0.0.json");
/// The same as `deno publish` would have sent it.
const AS_DENO: &str = include_str!("../../../tests/fuzz/corpus/bundle/good-as-deno-sends-it.json");
/// What the public log says of it.
const ENTRY: &str = include_str!("../../../tests/fuzz/corpus/log_entry/good-npm-sigstore-2.0.0.json");
const INDEX: u64 = 31_821_305;
/// What a publisher of conda packages signed.
const CONDA: &str = include_str!("../../../tests/fuzz/corpus/bundle/good-conda-attestation.json");
/// The same in a log of the newer kind, which says no time: an authority does.
const CONDA_WITHOUT_TIME: &str = include_str!("../../../tests/fuzz/corpus/bundle/good-conda-rekor-2.json");
/// A release that GitHub vouches for, in no log at all.
const TIMESTAMP_ALONE: &str = include_str!("../../../tests/fuzz/corpus/bundle/good-github-timestamp-alone.json");
/// What it is about, among other things.
const RELEASE: &str = "76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428";
/// The package that it is about.
const PACKAGE: &str = "54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f";

fn root() -> Root {
    Root::read("the root".to_owned(), SIGSTORE_PRODUCTION_TRUSTED_ROOT, true, &IdSource::counting()).unwrap()
}

fn real() -> Bundle {
    Bundle::from_json(REAL).unwrap()
}

/// The bundle that comes out of what Deno sends and what the log says.
fn completed(entry: &str) -> Bundle {
    let Sent::Deno(partial) = bundle::read(&serde_json::from_str(AS_DENO).unwrap()).unwrap() else { panic!("it is Deno's") };
    partial.complete(log::read(entry.as_bytes(), partial.log_index).unwrap())
}

#[test]
fn what_others_made_is_verified() {
    let (root, bundle) = (root(), Bundle::from_json(CONDA).unwrap());
    let verified = verify::by_library(&root.verifier, &bundle, &root.policy(), Sha256Hash::from_hex(PACKAGE).unwrap()).unwrap();
    assert!(verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified());
    let other = Sha256Hash::from_hex(&PACKAGE.replace("5430", "5431")).unwrap();
    assert_eq!(verify::by_library(&root.verifier, &bundle, &root.policy(), other).unwrap_err().step, Step::Statement);
}

#[test]
fn a_time_that_others_signed_is_verified() {
    let staging = Root::read("staging".to_owned(), SIGSTORE_STAGING_TRUSTED_ROOT, true, &IdSource::counting()).unwrap();
    let github = Root::read("github".to_owned(), SIGSTORE_GITHUB_TRUSTED_ROOT, false, &IdSource::counting()).unwrap();
    let conda = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = Bundle::from_json(CONDA_WITHOUT_TIME).unwrap();
        change(&mut bundle);
        verify::by_library(&staging.verifier, &bundle, &staging.policy(), Sha256Hash::from_hex(PACKAGE).unwrap())
    };
    let alone = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = Bundle::from_json(TIMESTAMP_ALONE).unwrap();
        change(&mut bundle);
        let policy = github.policy().skip_tlog_unsafe();
        verify::by_library(&github.verifier, &bundle, &policy, Sha256Hash::from_hex(RELEASE).unwrap())
    };
    for (verified, at) in [(conda(&|_| ()).unwrap(), "2026-05-26"), (alone(&|_| ()).unwrap(), "2026-03-02")] {
        let times: Vec<_> = verified.verified_timestamps().iter().map(ToString::to_string).collect();
        assert!(verified.integrated_time().is_none() && times.len() == 1 && times[0].starts_with(at), "{times:?}");
    }
    // Of another instance, and over another signature.
    let theirs = |from: &'static str| {
        move |bundle: &mut Bundle| {
            let data = Bundle::from_json(from).unwrap().verification_material.timestamp_verification_data;
            bundle.verification_material.timestamp_verification_data = data;
        }
    };
    assert_eq!(conda(&theirs(TIMESTAMP_ALONE)).unwrap_err().step, Step::Time);
    assert_eq!(alone(&theirs(CONDA_WITHOUT_TIME)).unwrap_err().step, Step::Time);
    // Without any.
    assert_eq!(conda(&theirs(CONDA)).unwrap_err().step, Step::Log);
    assert_eq!(alone(&theirs(CONDA)).unwrap_err().step, Step::Log);
}

#[test]
fn the_detour_leads_to_the_same() {
    let moment = verify::deno(&root(), &completed(ENTRY)).unwrap();
    assert_eq!(moment, verify::Moment { from: TimeFrom::Log, logged_at: Instant::from_timestamp(1_692_374_735, 0) });
    // What is kept is what npm serves of it, but for the format.
    let kept: Value = serde_json::from_str(&completed(ENTRY).to_json().unwrap()).unwrap();
    let served: Value = serde_json::from_str(REAL).unwrap();
    for place in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig", "/verificationMaterial/tlogEntries/0"] {
        assert_eq!(kept.pointer(place), served.pointer(place), "{place}");
    }
}

#[test]
fn the_detour_misses_nothing() {
    let root = root();
    let with = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = completed(ENTRY);
        change(&mut bundle);
        verify::deno(&root, &bundle).unwrap_err()
    };
    let envelope = |change: &dyn Fn(&mut DsseEnvelope)| {
        with(&|bundle| {
            let SignatureContent::DsseEnvelope(envelope) = &mut bundle.content else { panic!("it has one") };
            change(envelope);
        })
    };
    assert_eq!(envelope(&|envelope| envelope.payload = b"{}".to_vec().into()).step, Step::Signature);
    assert_eq!(envelope(&|envelope| envelope.payload_type.push('x')).step, Step::Signature);
    assert_eq!(with(&|bundle| bundle.verification_material.tlog_entries.clear()).step, Step::Log);
    let entry = |from: &str, to: &str| {
        assert!(ENTRY.contains(from));
        verify::deno(&root, &completed(&ENTRY.replace(from, to))).unwrap_err().step
    };
    assert_eq!(entry("1692374735,", "1692374736,"), Step::Log);
    assert_eq!(entry("\"treeSize\": 27657875", "\"treeSize\": 27657876"), Step::Log);
    assert_eq!(entry("rekor.sigstore.dev - 2605736670972794746", "rekor.sigstore.dev - 2605736670972794747"), Step::Log);
}

#[test]
fn a_certificate_says_which_job_it_is_of() {
    let job = certified_job(include_bytes!("../../../tests/fuzz/corpus/certificate/good-npm-sigstore-2.0.0.der")).unwrap();
    let said = [&job.issuer, &job.repository, &job.repository_id, &job.reference];
    assert_eq!(said, ["https://token.actions.githubusercontent.com", "sigstore/sigstore-js", "495574555", "refs/heads/main"]);
    assert_eq!((job.workflow.as_deref(), job.commit.as_deref()), (Some("release.yml"), Some("f0b49a04e5a62250e0f60fb128004a73110fe311")));
    let certificate = real().signing_certificate().map(sigstore_verify::crypto::parse_certificate_info).unwrap().unwrap();
    let expected = |change: &dyn Fn(&mut CiIdentity)| {
        let mut job = job.clone();
        change(&mut job);
        identity::matches(&Expected::Job(Box::new(job)), &certificate)
    };
    assert_eq!(expected(&|_| ()).unwrap(), job);
    let changes: [&dyn Fn(&mut CiIdentity); 5] = [
        &|job| job.workflow = Some("other.yml".to_owned()),
        &|job| job.reference = "refs/heads/dev".to_owned(),
        &|job| job.repository_id = "1".to_owned(),
        &|job| job.commit = Some("cafe".to_owned()),
        &|job| job.issuer.push('/'),
    ];
    for change in changes {
        assert_eq!(expected(change).unwrap_err().step, Step::Identity);
    }
    assert_eq!(identity::matches(&Expected::Trusted(Vec::new()), &certificate).unwrap_err().step, Step::Identity);
}

#[test]
fn what_fuzzing_found_stays_found() {
    replay("bundle", |bytes| serde_json::from_slice::<Value>(bytes).is_ok_and(|sent| can_be_read(&sent).is_ok()));
    replay("certificate", |der| certified_job(der).is_ok());
    replay("log_entry", |body| can_entry_be_read(body, INDEX).is_ok());
    let github = Root::read("github".to_owned(), SIGSTORE_GITHUB_TRUSTED_ROOT, false, &IdSource::counting()).unwrap();
    replay("timestamp", |der| {
        let mut bundle = Bundle::from_json(TIMESTAMP_ALONE).unwrap();
        let times = &mut bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
        *times = vec![Rfc3161Timestamp::new(TimestampToken::new(der.to_vec()))];
        let policy = github.policy().skip_tlog_unsafe();
        verify::by_library(&github.verifier, &bundle, &policy, Sha256Hash::from_hex(RELEASE).unwrap()).is_ok()
    });
}

/// Reads every file of a corpus; those that say so in their names must be read, or refused.
fn replay(target: &str, is_read: impl Fn(&[u8]) -> bool) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut seen = 0;
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_read = is_read(&fs::read(&path).unwrap());
        assert!(!name.starts_with("good-") || is_read, "{target}/{name} is refused");
        assert!(!name.starts_with("bad-") || !is_read, "{target}/{name} is read");
        seen += 1;
    }
    assert!(seen > 2, "the corpus of {target} is there");
}
