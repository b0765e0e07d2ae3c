//! The packages that the tests publish.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::bench::Bench;

/// A small package that others depend on.
pub(crate) const BASE: &[(&str, &str)] = &[
    ("deno.json", r#"{ "name": "@acme/base", "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }"#),
    (
        "mod.ts",
        r"/** What is said to somebody. */
export interface Greeting {
  /** The words. */
  text: string;
}

/** Says hello. */
export function greet(name: string): Greeting {
  return { text: `hello ${name}` };
}
",
    ),
];

/// A package with everything the issue names: several modules, a JSON import, a dynamic import, a `jsr:` and an `npm:`
/// dependency. Its specifiers are exact already.
const KIT: &[(&str, &str)] = &[
    ("README.md", "# kit\n\nSmall things.\n"),
    (
        "mod.ts",
        r#"/**
 * A kit of small things.
 *
 * @module
 */
import escape from "npm:escape-string-regexp@^5.0.0";
import { greet, type Greeting } from "jsr:@acme/base@^1.0.0";
import table from "./src/table.json" with { type: "json" };
import { double } from "./src/numbers.ts";

export type { Greeting };

/** The answer. */
export const answer: number = double(table.half);

/** Greets, with the name made safe for a pattern. */
export function welcome(name: string): Greeting {
  return greet(escape(name));
}

/** Loads what is rarely needed. */
export async function late(): Promise<string> {
  const { edition } = await import("./src/late.ts");
  return edition;
}
"#,
    ),
    ("src/numbers.ts", "/** Twice as much. */\nexport function double(n: number): number {\n  return n * 2;\n}\n"),
    ("src/table.json", "{ \"half\": 21 }\n"),
];

/// The files of the kit in one version, in a new project directory.
pub(crate) fn kit(bench: &Bench, version: &str) -> PathBuf {
    let directory = bench.project(&format!("kit-{version}"), KIT);
    let exports = json!({".": "./mod.ts", "./numbers": "./src/numbers.ts"});
    let config = json!({"name": "@acme/kit", "version": version, "license": "MIT", "exports": exports});
    write(&directory.join("deno.json"), &config.to_string());
    write(&directory.join("src/late.ts"), &format!("/** Which version this is. */\nexport const edition: string = \"{version}\";\n"));
    directory
}

/// Publishes the base and two versions of the kit, so that choosing a version is a choice. The newer one is 1.1.0.
pub(crate) fn publish_all(bench: &Bench) {
    let registry = &bench.registry;
    registry.open("@acme/base");
    registry.open("@acme/kit");
    registry.publish(&bench.project("base", BASE), "@acme/base", "1.0.0", "deno.json");
    for version in ["1.0.0", "1.1.0"] {
        registry.publish(&kit(bench, version), "@acme/kit", version, "deno.json");
    }
}

/// A program that uses all of the kit, imported from `specifier`.
pub(crate) fn program(specifier: &str) -> String {
    format!(
        r#"import {{ answer, late, welcome }} from "{specifier}";
import {{ double }} from "{specifier}/numbers";
console.log(JSON.stringify([answer, double(4), welcome("a.b").text, await late()]));
"#
    )
}

/// What that program prints with a version of the kit.
pub(crate) fn printed(version: &str) -> String {
    json!([42, 8, "hello a\\.b", version]).to_string()
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> serde_json::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
}
