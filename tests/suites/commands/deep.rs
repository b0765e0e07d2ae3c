//! `slipway doctor --deep` and `slipway admin rebuild-database`, on a registry in files.

use std::fs;
use std::path::Path;

use crate::process::{Said, Test, Up, run, token};

pub(crate) const TESTS: &[Test] = &[
    ("deep::damage_is_seen_and_put_right", damage_is_seen_and_put_right),
    ("deep::a_lost_database_is_rebuilt", a_lost_database_is_rebuilt),
    ("deep::a_lost_record_costs_what_it_said_and_no_version", a_lost_record_costs_what_it_said_and_no_version),
    ("deep::a_registry_that_moves_says_so_everywhere", a_registry_that_moves_says_so_everywhere),
];

/// Publishes a version of a package with the command.
pub(crate) fn publish(place: &Path, up: &Up, name: &str, version: &str) {
    let directory = place.join("package");
    fs::create_dir_all(&directory).expect("a directory can be made");
    let config = format!(r#"{{ "name": "{name}", "version": "{version}", "license": "MIT", "exports": "./mod.ts" }}"#);
    fs::write(directory.join("jsr.json"), config).expect("it is ours");
    fs::write(directory.join("mod.ts"), "/** One more. */\nexport function next(n: number): number {\n  return n + 1;\n}\n")
        .expect("it is ours");
    let said = run(place, &["publish", "package", "--registry", &up.url(), "--token", &token(place)], &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
}

/// A registry with two packages that has ended in good order. Returns where it listened.
fn furnished(place: &Path) -> String {
    let up = Up::start(place);
    let said = run(place, &["admin", "scope", "assign", "acme", "--user", "admin", "--data", "data"], &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for (name, version) in [("@acme/maths", "1.0.0"), ("@acme/maths", "1.1.0"), ("@acme/words", "1.0.0")] {
        publish(place, &up, name, version);
    }
    let table = "[[ci_issuer]]\nname = \"github\"\nissuer = \"https://token.actions.githubusercontent.com\"\n";
    fs::write(place.join("slipway.toml"), table).expect("a file can be written");
    let trust = ["admin", "publisher", "add", "@acme/words", "--issuer", "github", "--repository", "acme/words", "--repository-id", "1"];
    let said = run(place, &[&trust[..], &["--data", "data"]].concat(), &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for record in ["scopes/acme.json", "publishers/acme/words.json"] {
        up.until_there(&place.join("data/private/registry").join(record));
    }
    let address = up.address().to_owned();
    up.stop();
    address
}

/// Puts the database that was rebuilt in the place of the one that was lost.
fn use_new_database(data: &Path) {
    for file in ["registry.db", "registry.db-wal", "registry.db-shm"] {
        let _ = fs::remove_file(data.join(file));
    }
    fs::rename(data.join("new.db"), data.join("registry.db")).expect("it is there");
}

fn deep(place: &Path, more: &[&str]) -> Said {
    run(place, &[&["doctor", "--deep", "--data", "data"], more].concat(), &[])
}

fn damage_is_seen_and_put_right() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let place = place.path();
    furnished(place);
    let said = deep(place, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let data = place.join("data");
    fs::remove_file(data.join("objects/@acme/maths/1.0.0/mod.ts")).expect("it is there");
    fs::remove_file(data.join("objects/@acme/words/meta.json")).expect("it is there");
    let tarball = data.join("objects/npm/@jsr/acme__words/-/acme__words-1.0.0.tgz");
    let mut bytes = fs::read(&tarball).expect("it is there");
    bytes[40] ^= 1;
    fs::write(&tarball, bytes).expect("it is ours");

    let said = deep(place, &[]);
    assert_eq!((said.code, said.err.trim()), (Some(1), "error: 3 problems"), "{}", said.out);
    for line in [
        "problem  deep: objectMissing @acme/maths/1.0.0/mod.ts: ",
        "problem  deep: documentMissing @acme/words/meta.json: ",
        "problem  deep: objectDamaged npm/@jsr/acme__words/-/acme__words-1.0.0.tgz: ",
    ] {
        let found = said.out.lines().find(|found| found.starts_with(line));
        assert!(found.is_some_and(|found| found.contains("slipway doctor --deep --repair")), "{line}\n{}", said.out);
    }
    let said = deep(place, &["--repair"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert_eq!(said.out.lines().filter(|line| line.starts_with("repaired deep: ")).count(), 3, "{}", said.out);
    let said = deep(place, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);

    let said = run(place, &["doctor", "--repair", "--data", "data"], &[]);
    assert_eq!(said.code, Some(2), "what is not compared cannot be put right");
}

fn a_lost_database_is_rebuilt() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let place = place.path();
    let address = furnished(place);
    let old = token(place);
    let rebuild =
        ["admin", "rebuild-database", "--data", "data", "--database", "sqlite:data/new.db", "--compare", "sqlite:data/registry.db"];
    let said = run(place, &rebuild, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("1 users, 1 scopes, 2 packages and 3 versions are back"), "{}", said.out);
    let difference: Vec<_> =
        said.out.lines().filter(|line| ["+ ", "- ", "~ ", "left out"].iter().any(|sign| line.starts_with(sign))).collect();
    // When a publish was told to be over is not written down.
    assert!(difference.iter().all(|line| line.starts_with("~ publish ") && line.contains(" updated_at: ")), "{difference:#?}");
    let said = run(place, &rebuild, &[]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("is in use"), "{}", said.err);

    use_new_database(&place.join("data"));
    let up = Up::start_at(place, &address);
    let new = token(place);
    assert_eq!([&old, &new].map(|token| up.status("/api/user", token)), [401, 200]);
    assert_eq!(up.status("/@acme/maths/1.1.0/mod.ts", &new), 200);
    publish(place, &up, "@acme/maths", "1.2.0");
    assert_eq!(up.status("/@acme/maths/1.2.0_meta.json", &new), 200);
    up.stop();
    let said = deep(place, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
}

fn a_lost_record_costs_what_it_said_and_no_version() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let place = place.path();
    furnished(place);
    fs::remove_file(place.join("data/private/registry/packages/acme/maths.json")).expect("it is there");
    let rebuild =
        ["admin", "rebuild-database", "--data", "data", "--database", "sqlite:data/new.db", "--compare", "sqlite:data/registry.db"];
    let said = run(place, &rebuild, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("1 users, 1 scopes, 2 packages and 3 versions are back"), "{}", said.out);
    let left_out: Vec<_> = said.out.lines().filter(|line| line.starts_with("left out")).collect();
    let lost = "left out: package @acme/maths: it has no record, so what was said of it and which versions were yanked is lost";
    assert_eq!(left_out, [lost], "{}", said.out);

    use_new_database(&place.join("data"));
    let said = deep(place, &["--repair"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(place.join("data/private/registry/packages/acme/maths.json").exists(), "it is remembered again");
}

fn a_registry_that_moves_says_so_everywhere() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let place = place.path();
    let before = furnished(place);
    let document = place.join("data/objects/npm/@jsr/acme__words/index.json");
    let states = |address: &str| {
        fs::read_to_string(&document).expect("it is there").contains(&format!("\"http://{address}/npm/@jsr/acme__words/-/"))
    };
    assert!(states(&before));
    let up = Up::start(place);
    let now = up.address().to_owned();
    up.until(|| states(&now));
    let doctor = |url: &str| run(place, &["doctor", "--data", "data"], &[("SLIPWAY_PUBLIC_URL", url)]);
    let said = doctor(&format!("http://{now}/"));
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    up.stop();
    let said = doctor("https://elsewhere.example/");
    assert_eq!((said.code, said.err.trim()), (Some(1), "error: 1 problem"), "{}", said.out);
    let line = said.out.lines().find(|line| line.starts_with("problem  addresses: ")).expect("it says so");
    assert!(line.contains(&now) && line.contains("https://elsewhere.example/npm/") && line.contains("start a worker"), "{line}");
    // Who is not told where the registry is has nothing to compare with, and says what documents say.
    let said = run(place, &["doctor", "--deep", "--data", "data"], &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains(&format!("ok       addresses: documents send npm clients to http://{now}/npm/")), "{}", said.out);
}
