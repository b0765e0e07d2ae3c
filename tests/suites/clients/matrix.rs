//! Every client of the npm side with one package that has everything: types, a dependency on another package of this registry, a
//! program, and JSX. It is installed, run, its program is run, and TypeScript reads it where the client has put it.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::bench::Bench;
use crate::npm::{Client, installed_version, node, project};
use crate::stock::{BASE, write};

/// The package.
const VIEW: &[(&str, &str)] = &[
    (
        "deno.json",
        r#"{
  "name": "@acme/view", "version": "1.0.0", "license": "MIT", "exports": { ".": "./mod.ts", "./hello": "./hello.tsx" },
  "npm": { "bin": { "say-hello": "./cli.ts" } }
}"#,
    ),
    (
        "mod.ts",
        r#"import { greet, type Greeting } from "jsr:@acme/base@^1.0.0";
export type { Greeting };
/** Greets twice. */
export function twice(name: string): [Greeting, Greeting] {
  return [greet(name), greet(name)];
}
"#,
    ),
    (
        "hello.tsx",
        r#"/** @jsxImportSource npm:preact@^10.0.0 */
import type { VNode } from "npm:preact@^10.0.0";
/** A greeting to be shown. */
export function Hello(props: { name: string }): VNode {
  return <p>hello {props.name}</p>;
}
"#,
    ),
    ("cli.ts", "#!/usr/bin/env node\nimport { twice } from \"./mod.ts\";\nconsole.log(twice(\"bin\")[1].text);\n"),
];

/// Right and wrong uses.
const PROGRAM: &str = r#"import { type Greeting, twice } from "PACKAGE";
import { Hello } from "PACKAGE/hello";
export const greeting: Greeting = twice("a")[0];
export const text: string = greeting.text;
export const props: object = Hello({ name: "a" }).props;
// @ts-expect-error a name is a string
twice(1);
// @ts-expect-error a greeting has no such thing
greeting.words;
// @ts-expect-error a name is a string
Hello({ name: 1 });
// @ts-expect-error an element has no such thing
Hello({ name: "a" }).words;
"#;

/// What shows that it runs.
const RUN: &str = r#"import { twice } from "PACKAGE";
import { Hello } from "PACKAGE/hello";
console.log(JSON.stringify([twice("a")[1].text, Hello({ name: "b" }).type]));
"#;
const PRINTED: &str = r#"["hello a","p"]"#;

fn published() -> Option<Bench> {
    let bench = Bench::set_up()?;
    for (name, files) in [("@acme/base", BASE), ("@acme/view", VIEW)] {
        bench.registry.open(name);
        bench.registry.publish(&bench.project(&name.replace('/', "-"), files), name, "1.0.0", "deno.json");
    }
    Some(bench)
}

/// TypeScript reads the program, in both of its editions and both ways of finding modules. The suite of consumers has all four.
fn typed(bench: &Bench, directory: &Path, name: &str) {
    write(&directory.join("use.ts"), &PROGRAM.replace("PACKAGE", name));
    for (compiler, resolution, module) in [("typescript-7", "nodenext", "nodenext"), ("typescript-5", "bundler", "esnext")] {
        let settings = json!({
            "compilerOptions": {
                "module": module, "moduleResolution": resolution, "target": "es2022", "lib": ["es2022", "dom"], "types": [],
                "strict": true, "skipLibCheck": false, "noEmit": true,
            },
            "files": ["use.ts"],
        });
        write(&directory.join("tsconfig.json"), &settings.to_string());
        bench.script(&format!("{compiler}/bin/tsc"), directory).args(["--project", "."]).ok();
    }
}

fn all_of_it(client: Client, arguments: &[&str]) {
    let Some(bench) = published() else { return };
    let directory: PathBuf = project(&bench, client);
    client.command(&bench, &directory).args(arguments).ok();
    assert_eq!(installed_version(&directory, "@acme/view"), "1.0.0", "{client:?}");
    assert_eq!(node(&bench, &directory, &RUN.replace("PACKAGE", "@acme/view")), PRINTED, "{client:?}");
    assert_eq!(bench.command(directory.join("node_modules/.bin/say-hello"), &directory).ok().last_line(), "hello bin", "{client:?}");
    typed(&bench, &directory, "@acme/view");
    bench.close();
}

#[test]
fn npm_has_all_of_it() {
    all_of_it(Client::Npm, &["install", "@acme/view@npm:@jsr/acme__view"]);
}

#[test]
fn pnpm_has_all_of_it() {
    all_of_it(Client::Pnpm, &["add", "jsr:@acme/view"]);
}

#[test]
fn yarn_has_all_of_it() {
    all_of_it(Client::Yarn, &["add", "jsr:@acme/view"]);
}

#[test]
fn yarn_classic_has_all_of_it() {
    all_of_it(Client::OldYarn, &["add", "@acme/view@npm:@jsr/acme__view"]);
}

#[test]
fn bun_has_all_of_it() {
    all_of_it(Client::Bun, &["add", "@acme/view@npm:@jsr/acme__view"]);
}

#[test]
fn deno_has_all_of_it_from_npm() {
    let Some(bench) = published() else { return };
    let name = "npm:@jsr/acme__view@^1.0.0";
    let directory = bench.project("deno", &[("main.ts", &RUN.replace("PACKAGE", name)), ("use.ts", &PROGRAM.replace("PACKAGE", name))]);
    assert_eq!(bench.deno(&directory).args(["run", "--no-lock", "main.ts"]).ok().last_line(), PRINTED);
    bench.deno(&directory).args(["check", "--no-lock", "use.ts"]).ok();
    let program = format!("{name}/say-hello");
    assert_eq!(bench.deno(&directory).args(["run", "--no-lock", "--allow-all", &program]).ok().last_line(), "hello bin");
    bench.close();
}
