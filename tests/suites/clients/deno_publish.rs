//! `deno publish` with a token.

use serde_json::json;

use crate::bench::Bench;
use crate::run::Run;
use crate::stock::{BASE, kit, printed, program};

fn publish(bench: &Bench, deno: Run) -> Run {
    deno.args(["publish", "--allow-dirty", "--token", bench.registry.token()])
}

#[test]
fn a_package_of_many_parts_is_published() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    bench.registry.open("@acme/kit");
    let base = bench.project("base", BASE);
    publish(&bench, bench.deno(&base)).ok().says("Successfully published @acme/base@1.0.0");
    publish(&bench, bench.deno(&kit(&bench, "1.0.0"))).ok().says("Successfully published @acme/kit@1.0.0");

    let meta = bench.registry.get("@acme/kit/1.0.0_meta.json").body;
    let files: Vec<&String> = meta["manifest"].as_object().expect("a manifest is an object").keys().collect();
    assert_eq!(files, ["/README.md", "/deno.json", "/mod.ts", "/src/late.ts", "/src/numbers.ts", "/src/table.json"]);
    assert_eq!(meta["exports"], json!({".": "./mod.ts", "./numbers": "./src/numbers.ts"}));
    let consumer = bench.project("consumer", &[("main.ts", &program("jsr:@acme/kit@1.0.0"))]);
    assert_eq!(bench.deno(&consumer).args(["run", "--no-lock", "main.ts"]).ok().last_line(), printed("1.0.0"));
    bench.close();
}

#[test]
fn a_workspace_is_published_in_order() {
    let Some(bench) = Bench::set_up() else { return };
    for name in ["@acme/first", "@acme/second", "@acme/third"] {
        bench.registry.open(name);
    }
    let config = |name: &str| json!({"name": name, "version": "0.3.0", "license": "MIT", "exports": "./mod.ts"}).to_string();
    let workspace = bench.project(
        "workspace",
        &[
            ("deno.json", r#"{ "workspace": ["./third", "./second", "./first"] }"#),
            ("first/deno.json", &config("@acme/first")),
            ("first/mod.ts", "/** One. */\nexport const one: number = 1;\n"),
            ("second/deno.json", &config("@acme/second")),
            ("second/mod.ts", "import { one } from \"@acme/first\";\n/** Two. */\nexport const two: number = one + 1;\n"),
            ("third/deno.json", &config("@acme/third")),
            ("third/mod.ts", "import { two } from \"@acme/second\";\n/** Three. */\nexport const three: number = two + 1;\n"),
        ],
    );
    publish(&bench, bench.deno(&workspace)).ok().says("Successfully published @acme/third@0.3.0");
    let program = "import { three } from \"jsr:@acme/third@^0.3.0\";\nconsole.log(three);\n";
    let consumer = bench.project("consumer", &[("main.ts", program)]);
    assert_eq!(bench.deno(&consumer).args(["run", "--no-lock", "main.ts"]).ok().last_line(), "3");
    bench.close();
}

#[test]
fn a_dry_run_changes_nothing() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    let base = bench.project("base", BASE);
    bench.deno(&base).args(["publish", "--dry-run", "--allow-dirty"]).ok().says("Dry run complete");
    assert_eq!(bench.registry.get("api/scopes/acme/packages/base/versions/1.0.0").status, 404);
    assert_eq!(bench.registry.get("@acme/base/1.0.0_meta.json").status, 404);
    assert_eq!(bench.registry.call("GET", "scopes/acme/packages/base/publishing_tasks", None).body, json!([]));
    bench.close();
}

#[test]
fn the_same_version_is_not_published_twice() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    let base = bench.project("base", BASE);
    publish(&bench, bench.deno(&base)).ok().says("Successfully published");
    let first = bench.registry.get("@acme/base/1.0.0_meta.json").body;

    // A client that asks first leaves it; one that does not is told about the task that succeeded.
    publish(&bench, bench.deno(&base)).ok().says("already published");
    publish(&bench, bench.old_deno(&base)).ok().says("already published");
    let again = bench.registry.upload(&base, "@acme/base", "1.0.0", "deno.json");
    assert_eq!((again.status, &again.body["code"]), (400, &json!("duplicateVersionPublish")), "{again:?}");
    assert_eq!(again.body["task"]["status"], "success", "{again:?}");
    assert_eq!(bench.registry.get("@acme/base/1.0.0_meta.json").body, first);
    bench.close();
}

/// A licence that is none, a declaration outside the package, and an import that is CommonJS.
const WRONG: &[(&str, &str)] = &[
    ("deno.json", r#"{ "name": "@acme/wrong", "version": "1.0.0", "license": "Not-A-Licence", "exports": "./mod.ts" }"#),
    (
        "mod.ts",
        r#"import "./old.ts";

declare global {
  interface Window {
    acme: number;
  }
}
/** One. */
export const one: number = 1;
"#,
    ),
    (
        "old.ts",
        r#"import fs = require("node:fs");
/** Whether there is a root. */
export const root: boolean = fs.existsSync("/");
"#,
    ),
];

#[test]
fn three_mistakes_are_all_shown() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/wrong");
    let wrong = bench.project("wrong", WRONG);

    // What the client would refuse by itself is switched off, so that the registry is what speaks.
    let said = publish(&bench, bench.deno(&wrong)).args(["--allow-slow-types", "--no-check"]).fails();
    said.says("Failed to publish @acme/wrong@1.0.0").says("Not-A-Licence").says("mod.ts:3:1").says("old.ts:1:1");

    let task = bench.registry.finished(&bench.registry.upload(&wrong, "@acme/wrong", "1.0.0", "deno.json").body);
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failure"), &json!("invalidLicense")), "{task}");
    let findings = task["findings"].as_array().unwrap_or_else(|| panic!("findings are data too: {task}"));
    let errors = findings.iter().filter(|finding| finding["severity"] == "error");
    let codes: Vec<_> = errors.map(|finding| finding["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(codes, ["invalidLicense", "globalTypeAugmentation", "commonJs"], "{task}");

    let at = ["--registry", bench.registry.url(), "--token", bench.registry.token()];
    let said = bench.slipway(&wrong).args(["publish", "."]).args(at).fails();
    said.says("Not-A-Licence").says("mod.ts:3:1").says("old.ts:1:1");
    assert!(bench.registry.versions("@acme/wrong").is_empty());
    bench.close();
}

#[test]
fn an_older_deno_publishes_and_runs() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    bench.registry.open("@acme/kit");
    publish(&bench, bench.old_deno(&bench.project("base", BASE))).ok().says("Successfully published @acme/base@1.0.0");
    publish(&bench, bench.old_deno(&kit(&bench, "1.0.0"))).ok().says("Successfully published @acme/kit@1.0.0");
    let consumer = bench.project("consumer", &[("main.ts", &program("jsr:@acme/kit@1.0.0"))]);
    assert_eq!(bench.old_deno(&consumer).args(["run", "--no-lock", "main.ts"]).ok().last_line(), printed("1.0.0"));
    bench.close();
}
