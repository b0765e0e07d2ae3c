//! `slipway admin quarantine`: the operator keeps a version from everybody, and lets it go.

use crate::deep::publish;
use crate::process::{Test, Up, run};

pub(crate) const TESTS: &[Test] =
    &[("quarantine::the_operator_holds_a_version_and_lets_it_go", the_operator_holds_a_version_and_lets_it_go)];

fn the_operator_holds_a_version_and_lets_it_go() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let up = Up::start(place.path());
    let admin = |words: &[&str]| run(place.path(), &[&["admin"], words, &["--data", "data"]].concat(), &[]);
    assert_eq!(admin(&["scope", "assign", "acme", "--user", "admin"]).code, Some(0));
    publish(place.path(), &up, "@acme/maths", "1.0.0");
    let file = place.path().join("data/objects/@acme/maths/1.0.0_meta.json");
    let kept = place.path().join("data/private/quarantine/@acme/maths/1.0.0_meta.json");
    up.until_there(&file);

    let said = admin(&["quarantine", "hold", "@acme/maths@1.0.0", "--reason", "It steals tokens."]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with("@acme/maths@1.0.0 is kept from everybody"), "{}", said.out);
    up.until_there(&kept);
    let listed = admin(&["quarantine", "list"]);
    let fields: Vec<_> = listed.out.trim_end().split('\t').collect();
    assert_eq!((fields[0], fields[1], fields[3]), ("@acme/maths@1.0.0", "held", "It steals tokens."), "{}", listed.out);
    let (status, body) = up.call("GET", "/api/scopes/acme/packages/maths/versions/1.0.0", "", &[], b"");
    assert_eq!(status, 404, "{body}");

    let said = admin(&["quarantine", "release", "@acme/maths@1.0.0"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for (words, why) in [
        (&["quarantine", "release", "@acme/maths@2.0.0"][..], "not in quarantine"),
        (&["quarantine", "hold", "@acme/maths@2.0.0", "--reason", "x"], "no such version"),
        (&["quarantine", "hold", "@acme/none@1.0.0", "--reason", "x"], "no such package"),
        (&["quarantine", "hold", "@acme/maths@1.0.0", "--reason", " "], "a reason is one line"),
    ] {
        let said = admin(words);
        assert!(said.code == Some(1) && said.err.contains(why), "{words:?}: {}", said.err);
    }
    for odd in ["@acme/maths", "maths@1.0.0", "@acme/maths@one"] {
        assert_eq!(admin(&["quarantine", "release", odd]).code, Some(2), "{odd}");
    }
    up.stop();
}
