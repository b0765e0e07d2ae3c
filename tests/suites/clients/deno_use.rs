//! Deno as a consumer.

use serde_json::json;

use crate::bench::Bench;
use crate::stock::{printed, program, publish_all, read_json};

#[test]
fn deno_runs_what_was_published() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let newest = program("jsr:@acme/kit@^1.0.0");
    let pinned = program("jsr:@acme/kit@1.0.0");
    let project = bench.project("run", &[("newest.ts", &newest), ("pinned.ts", &pinned)]);
    assert_eq!(bench.deno(&project).args(["run", "--no-lock", "newest.ts"]).ok().last_line(), printed("1.1.0"));
    assert_eq!(bench.deno(&project).args(["run", "--no-lock", "pinned.ts"]).ok().last_line(), printed("1.0.0"));
    bench.deno(&project).args(["check", "--no-lock", "newest.ts"]).ok();
    bench.close();
}

#[test]
fn deno_adds_it_and_the_lock_holds() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let project = bench.project("add", &[("deno.json", "{}"), ("main.ts", &program("@acme/kit"))]);
    bench.deno(&project).args(["add", "jsr:@acme/kit"]).ok();
    assert_eq!(read_json(&project.join("deno.json"))["imports"]["@acme/kit"], "jsr:@acme/kit@^1.1.0");
    assert_eq!(bench.deno(&project).args(["run", "main.ts"]).ok().last_line(), printed("1.1.0"));

    // Somebody else, with no cache and the same lock file, gets the same bytes or an error.
    let lock = read_json(&project.join("deno.lock"));
    assert!(lock["jsr"]["@acme/kit@1.1.0"]["integrity"].is_string(), "{lock}");
    let elsewhere = project.join("elsewhere");
    assert_eq!(bench.deno(&project).env("DENO_DIR", elsewhere).args(["run", "--frozen", "main.ts"]).ok().last_line(), printed("1.1.0"));
    bench.close();
}

#[test]
fn deno_says_what_is_in_it() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let project = bench.project("info", &[]);
    let info = bench.deno(&project).args(["info", "--json", "jsr:@acme/kit@^1.0.0"]).ok();
    let info: serde_json::Value = serde_json::from_str(&info.out).expect("deno info writes JSON");
    let modules: Vec<&str> = info["modules"].as_array().into_iter().flatten().filter_map(|module| module["specifier"].as_str()).collect();
    for path in ["@acme/kit/1.1.0/mod.ts", "@acme/kit/1.1.0/src/late.ts", "@acme/kit/1.1.0/src/table.json", "@acme/base/1.0.0/mod.ts"] {
        assert!(modules.contains(&format!("{}{path}", bench.registry.url()).as_str()), "{path} is not among {modules:?}");
    }
    assert_eq!(info["packages"]["@acme/kit@^1.0.0"].as_str().unwrap_or("@acme/kit@1.1.0"), "@acme/kit@1.1.0");

    let documented = bench.deno(&project).args(["doc", "jsr:@acme/kit@^1.0.0"]).ok();
    documented.says("A kit of small things").says("function welcome(name: string): Greeting").says("The answer");
    bench.close();
}

#[test]
fn deno_takes_the_npm_side_too() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let project = bench.project("npm", &[("main.ts", &program("npm:@jsr/acme__kit@^1.0.0"))]);
    assert_eq!(bench.deno(&project).args(["run", "--no-lock", "main.ts"]).ok().last_line(), printed("1.1.0"));
    bench.close();
}

#[test]
fn an_older_deno_runs_it() {
    let Some(bench) = Bench::set_up() else { return };
    publish_all(&bench);
    let project = bench.project(
        "old",
        &[
            ("deno.json", &json!({"imports": {"kit": "jsr:@acme/kit@^1.0.0", "kit/numbers": "jsr:@acme/kit@^1.0.0/numbers"}}).to_string()),
            ("main.ts", &program("kit")),
        ],
    );
    assert_eq!(bench.old_deno(&project).args(["run", "--no-lock", "main.ts"]).ok().last_line(), printed("1.1.0"));
    bench.close();
}
