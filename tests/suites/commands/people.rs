//! `slipway admin user`: who runs the registry, and links that sign in.

use crate::process::{Test, Up, run, token};

pub(crate) const TESTS: &[Test] = &[
    ("people::the_operator_lets_somebody_run_the_registry", the_operator_lets_somebody_run_the_registry),
    ("people::a_link_signs_in_once", a_link_signs_in_once),
];

fn the_operator_lets_somebody_run_the_registry() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let admin = |arguments: &[&str]| run(place.path(), &[&["admin"], arguments, &["--data", "data"]].concat(), &[]);
    assert_eq!(admin(&["user", "create", "ada"]).code, Some(0));
    let ada = admin(&["token", "create", "--user", "ada"]).out.trim().to_owned();
    let is_staff = || up.call("GET", "/api/user", &ada, &[], b"").1["isStaff"] == true;
    assert!(!is_staff());
    for (arguments, said, expected) in [
        (&["user", "staff", "ada"][..], "ada runs the registry\n", true),
        (&["user", "staff", "ADA"], "ada runs the registry\n", true),
        (&["user", "staff", "ada", "--revoke"], "ada does not run the registry\n", false),
    ] {
        let done = admin(arguments);
        assert_eq!((done.code, done.out.as_str()), (Some(0), said), "{}", done.err);
        assert_eq!(is_staff(), expected);
    }
    let missing = admin(&["user", "staff", "nobody"]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(1), ""));
    assert!(missing.err.contains("there is no user `nobody`"), "{}", missing.err);
    up.stop();
}

fn a_link_signs_in_once() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let url = up.url();
    let link = |more: &[&str]| run(place.path(), &[&["admin", "user", "link", "--data", "data"], more].concat(), &[]);
    let made = link(&["--user", "admin", "--public-url", &url]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let path = made.out.trim().strip_prefix(url.trim_end_matches('/')).expect("the address alone");
    assert!(path.strip_prefix("/login/link/").is_some_and(|secret| secret.len() == 43), "{path}");
    assert_eq!([(); 2].map(|()| up.call("GET", path, "", &[], b"").0), [200, 200], "looking uses nothing up");
    assert_eq!([(); 2].map(|()| up.call("POST", path, "", &[], b"").0), [303, 404]);
    // Where nothing is said, it is where the running registry says that it is.
    let made = link(&["--user", "admin"]);
    assert!(made.out.starts_with("http://127.0.0.1:") && made.out.contains("/login/link/"), "{}{}", made.out, made.err);
    for bad in [&["--user", "nobody"][..], &["--user", "admin", "--public-url", "nowhere"], &[]] {
        let refused = link(bad);
        assert!(refused.code != Some(0) && refused.out.is_empty(), "{bad:?}");
    }
    assert_eq!(up.status("/api/user", &token(place.path())), 200);
    up.stop();
}
