//! What `slipway up` keeps to its owner, and the token of the first account.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::process::{Test, Up, mode, run, token};

pub(crate) const TESTS: &[Test] = &[
    ("secrets::only_the_owner_reads_what_is_secret", only_the_owner_reads_what_is_secret),
    ("secrets::a_token_that_works_is_kept", a_token_that_works_is_kept),
    ("secrets::a_token_is_made_to_do_less", a_token_is_made_to_do_less),
    ("secrets::a_token_that_is_replaced_is_revoked", a_token_that_is_replaced_is_revoked),
];

fn only_the_owner_reads_what_is_secret() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let data = place.path().join("data");
    // A directory that the operator made, open to all.
    fs::create_dir(&data).expect("a directory can be made");
    fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("it is ours");
    let up = Up::start(place.path());
    for (name, expected) in
        [("admin.token", 0o600), ("registry.db", 0o600), ("registry.db-wal", 0o600), ("registry.db-shm", 0o600), ("private", 0o700)]
    {
        assert_eq!(mode(&data.join(name)), expected, "{name}");
    }
    up.stop();
    for name in ["admin.token", "registry.db"] {
        fs::set_permissions(data.join(name), Permissions::from_mode(0o644)).expect("it is ours");
    }
    let up = Up::start(place.path());
    for name in ["admin.token", "registry.db"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}, after somebody opened it");
    }
    up.stop();
}

fn a_token_that_works_is_kept() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let first = token(place.path());
    assert_eq!(up.status("/api/user", &first), 200);
    up.stop();
    let up = Up::start(place.path());
    assert_eq!(token(place.path()), first);
    assert_eq!(up.status("/api/user", &first), 200);
    up.stop();
    // One that the operator made and put there is as good.
    let made = run(place.path(), &["admin", "token", "create", "--user", "admin", "--data", "data"], &[]);
    fs::write(place.path().join("data/admin.token"), &made.out).expect("it is ours");
    let up = Up::start(place.path());
    assert_eq!(token(place.path()), made.out.trim());
    assert_eq!(up.status("/api/user", &first), 200, "nothing was replaced");
    up.stop();
}

fn a_token_is_made_to_do_less() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let create = |more: &[&str]| {
        let arguments = ["admin", "token", "create", "--user", "admin", "--data", "data"];
        run(place.path(), &[&arguments, more].concat(), &[])
    };
    let whole = create(&["--expires", "never"]);
    assert_eq!((whole.code, up.status("/api/user", whole.out.trim())), (Some(0), 200));
    let restricted = create(&["--allow", "read:@acme/*", "--allow", "yank:@acme/maths"]);
    assert_eq!((restricted.code, up.status("/api/user", restricted.out.trim())), (Some(0), 403));
    for bad in ["read", "delete:@acme/maths", "read:@acme/ma*"] {
        let refused = create(&["--allow", bad]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{bad}");
    }
    up.stop();
}

fn a_token_that_is_replaced_is_revoked() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let file = place.path().join("data/admin.token");
    let up = Up::start(place.path());
    let mut last = token(place.path());
    up.stop();
    let other = run(place.path(), &["admin", "token", "create", "--user", "admin", "--data", "data"], &[]).out.trim().to_owned();
    // The file is lost, was cut off by a full disk, or holds a token of another registry.
    for damage in [None, Some(last[..20].to_owned()), Some("jsrp_00000000000000000000000000000000000".to_owned())] {
        match &damage {
            None => fs::remove_file(&file).expect("it is there"),
            Some(text) => fs::write(&file, text).expect("it is ours"),
        }
        let up = Up::start(place.path());
        let next = token(place.path());
        assert_ne!(next, last);
        assert_eq!([&next, &last, &other].map(|token| up.status("/api/user", token)), [200, 401, 200], "{damage:?}");
        assert_eq!(mode(&file), 0o600);
        last = next;
        up.stop();
    }
    let left: Vec<_> =
        fs::read_dir(place.path().join("data")).expect("it can be listed").map(|entry| entry.expect("it is read").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}
