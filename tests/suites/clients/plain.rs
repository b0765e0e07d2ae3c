//! Without any client: curl and tar, and Slipway's own `publish`.

use serde_json::json;

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::stock::{BASE, kit, printed, program, write};

#[test]
fn curl_publishes_a_tarball() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    let base = bench.project("base", BASE);
    bench.registry.publish(&base, "@acme/base", "1.0.0", "deno.json");
    assert_eq!(bench.registry.versions("@acme/base"), ["1.0.0"]);
    let stored = bench.registry.get("@acme/base/1.0.0/mod.ts");
    assert_eq!((stored.status, &stored.body), (200, &json!(BASE[1].1)), "stored byte for byte");
    bench.close();
}

#[test]
fn slipway_publishes_a_directory() {
    let Some(bench) = Bench::set_up() else { return };
    // The scope is there, the packages are not: the command makes them.
    let scope = bench.registry.call("POST", "scopes", Some(&json!({"scope": "acme", "description": ""})));
    assert_eq!(scope.status, 200, "{scope:?}");
    let at = ["--registry", bench.registry.url(), "--token", bench.registry.token()];
    bench.slipway(&bench.project("base", BASE)).args(["publish"]).args(at).ok();
    let kit = kit(&bench, "1.0.0");
    write(&kit.join("notes.txt"), "nobody asked for this file\n");
    bench.slipway(kit.parent().expect("a project lies in a directory")).arg("publish").arg(&kit).args(at).ok();
    assert_eq!(bench.registry.get("@acme/kit/1.0.0/notes.txt").status, 404, "what no export reaches stays at home");
    assert_eq!(bench.registry.get("@acme/kit/1.0.0/README.md").status, 200);

    let directory = project(&bench, Client::Npm);
    bench.command("npm", &directory).args(["install", "@acme/kit@npm:@jsr/acme__kit"]).ok();
    assert_eq!(installed_version(&directory, "@acme/kit"), "1.0.0");
    assert_eq!(node(&bench, &directory, &program("@acme/kit")), printed("1.0.0"));
    bench.close();
}

#[test]
fn slipway_packs_everything_when_told() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/base");
    let base = bench.project("base", BASE);
    write(&base.join("notes.txt"), "everything means everything\n");
    bench.slipway(&base).args(["publish", "--all", "--registry", bench.registry.url(), "--token", bench.registry.token()]).ok();
    assert_eq!(bench.registry.get("@acme/base/1.0.0/notes.txt").status, 200);
    bench.close();
}

/// A package as people write them for a bundler: built files in the exports, bare and extensionless specifiers.
const LOOSE: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{
  "name": "@acme/loose",
  "version": "1.0.0",
  "license": "MIT",
  "type": "module",
  "exports": { ".": "./dist/index.js" },
  "files": ["src"],
  "dependencies": { "escape-string-regexp": "^5.0.0" }
}
"#,
    ),
    ("dist/index.js", "export {};\n"),
    (
        "src/index.ts",
        r#"import { existsSync } from "fs";
import escape from "escape-string-regexp";
import { twice } from "./numbers";
export { parts } from "./parts";

/** All of it. */
export function all(text: string): string {
  return twice(escape(text)) + existsSync("/");
}
"#,
    ),
    ("src/numbers.ts", "/** Twice. */\nexport function twice(text: string): string {\n  return text + text;\n}\n"),
    ("src/parts/index.ts", "/** Parts. */\nexport const parts: string[] = [\"a\"];\n"),
];

#[test]
fn slipway_rewrites_what_needs_probing() {
    let Some(bench) = Bench::set_up() else { return };
    bench.registry.open("@acme/loose");
    let loose = bench.project("loose", LOOSE);
    bench.slipway(&loose).args(["publish", "--registry", bench.registry.url(), "--token", bench.registry.token()]).ok();

    let code = "import { all, parts } from \"jsr:@acme/loose@1.0.0\";\nconsole.log(JSON.stringify([all(\"a.\"), parts]));\n";
    let wanted = json!(["a\\.a\\.true", ["a"]]).to_string();
    let consumer = bench.project("consumer", &[("main.ts", code)]);
    assert_eq!(bench.deno(&consumer).args(["run", "--no-lock", "--allow-read", "main.ts"]).ok().last_line(), wanted);
    let directory = project(&bench, Client::Npm);
    bench.command("npm", &directory).args(["install", "@acme/loose@npm:@jsr/acme__loose"]).ok();
    assert_eq!(node(&bench, &directory, &code.replace("jsr:@acme/loose@1.0.0", "@acme/loose")), wanted);
    bench.close();
}
