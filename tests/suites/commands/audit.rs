//! `slipway admin audit export`: what the operator did is written down like everything else.

use serde_json::Value;

use crate::process::{Test, Up, run, token};

pub(crate) const TESTS: &[Test] = &[("audit::the_operator_reads_what_was_done", the_operator_reads_what_was_done)];

fn the_operator_reads_what_was_done() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let admin = |words: &[&str]| {
        let said = run(place.path(), &[&["admin"], words, &["--data", "data"]].concat(), &[]);
        assert_eq!(said.code, Some(0), "{words:?}: {}", said.err);
        said.out
    };
    admin(&["user", "create", "ada"]);
    let secret = admin(&["token", "create", "--user", "ada", "--expires", "1d"]);
    admin(&["scope", "assign", "acme", "--user", "ada"]);
    let body = br#"{ "scope": "other", "description": "" }"#;
    assert_eq!(up.call("POST", "/api/scopes", &token(place.path()), &[], body).0, 200);

    let acts = |words: &[&str]| -> Vec<Value> {
        let out = admin(&[&["audit", "export"], words].concat());
        assert!(!out.contains(secret.trim()) && !out.contains(&token(place.path())), "no secret is in it");
        out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    };
    let told =
        |acts: &[Value]| acts.iter().map(|act| format!("{} {}", act["actor"]["kind"], act["act"]).replace('"', "")).collect::<Vec<_>>();
    let all = acts(&[]);
    let expected = ["user scope.create", "operator scope.assign", "operator token.create", "operator user.create"];
    assert_eq!(told(&all)[..4], expected, "newest first");
    assert_eq!(told(&all)[4..], ["operator token.create", "operator user.create"], "what the first start made");
    assert!(all[0]["address"] == "127.0.0.1" && all[0]["credential"]["description"] == "admin.token", "{}", all[0]);
    assert_eq!(told(&acts(&["--scope", "@acme"])), ["operator scope.assign"]);
    assert_eq!(told(&acts(&["--act", "scope.create", "--since", "2001-01-01T00:00:00Z"])), ["user scope.create"]);
    assert_eq!(told(&acts(&["--since", "2999-01-01T00:00:00Z"])), [""; 0]);
    let odd = run(place.path(), &["admin", "audit", "export", "--act", "nothing", "--data", "data"], &[]);
    assert!(odd.code == Some(2) && odd.err.contains("publish.accept"), "{}", odd.err);
    up.stop();
}
