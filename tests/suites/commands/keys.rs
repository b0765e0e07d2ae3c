//! The key that signs npm versions: who makes it, who has to be given one, and what is told of it.

use std::fs;

use crate::process::{Test, Up, mode, run};

pub(crate) const TESTS: &[Test] = &[
    ("keys::a_new_key_is_printed_alone", a_new_key_is_printed_alone),
    ("keys::a_registry_of_its_own_makes_one_and_keeps_it", a_registry_of_its_own_makes_one_and_keeps_it),
    ("keys::a_process_of_several_is_given_one", a_process_of_several_is_given_one),
    ("keys::a_key_that_cannot_be_read_is_not_shown", a_key_that_cannot_be_read_is_not_shown),
];

/// Doors that are shared, and that nobody has to open for these tests.
const SHARED: [(&str, &str); 4] = [
    ("SLIPWAY_DATABASE", "postgres://nobody@127.0.0.1:1/x"),
    ("SLIPWAY_OBJECTS", "s3://nothing"),
    ("SLIPWAY_QUEUE", "amqp://127.0.0.1:1"),
    ("SLIPWAY_LISTEN", "127.0.0.1:0"),
];

fn a_new_key_is_printed_alone() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (one, other) = (run(place.path(), &["admin", "key", "new"], &[]), run(place.path(), &["admin", "key", "new"], &[]));
    assert_eq!(one.code, Some(0));
    assert!(one.out.starts_with("-----BEGIN PRIVATE KEY-----\n") && one.out.ends_with("-----END PRIVATE KEY-----\n"), "{}", one.out);
    assert!(one.err.contains("keyid SHA256:") && one.err.contains("public key MFkw"), "{}", one.err);
    assert_ne!(one.out, other.out);
    assert_eq!(fs::read_dir(place.path()).expect("it can be listed").count(), 0, "nothing is kept");
}

/// What `doctor` says of the key.
fn told(directory: &std::path::Path) -> String {
    let said = run(directory, &["doctor", "--data", "data"], &[]);
    said.out.lines().find(|line| line.contains(" signing key: ")).unwrap_or_default().to_owned()
}

fn a_registry_of_its_own_makes_one_and_keeps_it() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let file = place.path().join("data/signing.key");
    let up = Up::start(place.path());
    assert_eq!(mode(&file), 0o600);
    let first = fs::read_to_string(&file).expect("it is there");
    let said = told(place.path());
    assert!(said.starts_with("ok ") && said.contains("listed and in use, 0 were before"), "{said}");
    assert_eq!(up.status("/-/npm/v1/keys", ""), 200);
    up.stop();
    Up::start(place.path()).stop();
    assert_eq!(fs::read_to_string(&file).expect("it is there"), first);
    // Another key takes its place: at the next start, and not before.
    let next = run(place.path(), &["admin", "key", "new"], &[]).out;
    fs::write(&file, &next).expect("it is ours");
    assert!(told(place.path()).starts_with("problem ") && told(place.path()).contains("is not listed"), "{}", told(place.path()));
    Up::start(place.path()).stop();
    assert!(told(place.path()).contains("listed and in use, 1 were before"), "{}", told(place.path()));
    fs::write(&file, &first).expect("it is ours");
    assert!(told(place.path()).contains("was replaced by another one"), "{}", told(place.path()));
}

fn a_process_of_several_is_given_one() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let key = run(place.path(), &["admin", "key", "new"], &[]).out;
    let with = [&SHARED[..], &[("SLIPWAY_SIGNING_KEY", key.as_str())]].concat();
    for role in ["api", "worker"] {
        let said = run(place.path(), &[role], &SHARED);
        assert_eq!(said.code, Some(1), "{role}");
        assert!(said.err.contains("`signing_key` is not set") && said.err.contains("slipway admin key new"), "{role}: {}", said.err);
        let said = run(place.path(), &[role], &with);
        assert!(said.err.contains("database") && !said.err.contains("signing_key"), "{role} gets further with one: {}", said.err);
    }
}

fn a_key_that_cannot_be_read_is_not_shown() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let secret = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    for key in [format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"), secret.to_owned()] {
        let with = [&SHARED[..], &[("SLIPWAY_SIGNING_KEY", key.as_str())]].concat();
        for command in ["api", "worker", "doctor"] {
            let said = run(place.path(), &[command], &with);
            assert_eq!(said.code, Some(1), "{command}");
            let all = format!("{}{}", said.out, said.err);
            assert!(all.contains("`signing_key`") && !all.contains("MIGH"), "{command}: {all}");
        }
    }
}
