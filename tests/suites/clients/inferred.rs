//! Types that the source does not say, found out by a real compiler that the registry is told of.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::npm::{Client, project};
use crate::stock::{BASE, write};

const CONFIG: &str =
    r#"{ "name": "@acme/odd", "version": "1.0.0", "license": "MIT", "exports": { ".": "./mod.ts", "./more": "./src/more.mts" } }"#;

/// Shapes that fast check does not infer.
const MODULE: &str = r#"/// <reference path="./env.d.ts" />
import { pair, type Pair } from "./src/more.mts";

/** Doubles. */
export function double(value: number) {
  return { value, twice: value * 2, pair: pair(value, "x") };
}

export const [first, , ...rest] = [1, "two", true] as const;
export const { port, host = "localhost" } = { port: 80 } as { port: number; host?: string };

const Base = <T extends object>(value: T) => class { held = value; };

export class Box extends Base({ a: 1 }) {
  #secret = 1;
  map = new Map([["a", { deep: [1, 2] }]]);
  static of = (value: Pair) => new Box();
  get secret() { return this.#secret; }
  async *walk() { yield this.map; }
}

export default { double, nested: { list: [{ id: 1, tags: ["a"] }] } };
export const curry = <A, B, C>(f: (a: A, b: B) => C) => (a: A) => (b: B) => f(a, b);
"#;

const MORE: &str = r#"export interface Hidden { hidden: true; }
export type Pair = ReturnType<typeof pair>;
export function pair<A, B>(a: A, b: B) {
  return { a, b, hidden: undefined as Hidden | undefined };
}
"#;

const ENV: &str = "interface OddEnvironment { name: string; }\n";

const PROGRAM: &str = r#"import odd, { Box, curry, double, first, host, port, rest } from "@acme/odd";
import { pair } from "@acme/odd/more";

export const twice: number = double(1).twice;
export const one: 1 = first;
export const others: readonly [true] = rest;
export const address: [string, number] = [host, port];
export const held: number = new Box().held.a;
export const deep: number[] | undefined = new Box().map.get("a")?.deep;
export const tag: string = odd.nested.list[0].tags[0];
export const sum: number = curry((a: number, b: string) => a + b.length)(1)("x");
export const hidden: true | undefined = pair(1, 2).hidden?.hidden;

// @ts-expect-error a number is not a string
export const wrong: string = double(1).twice;
// @ts-expect-error it is 1
export const two: 2 = first;
// @ts-expect-error there is no such thing
new Box().held.b;
// @ts-expect-error a port is a number
export const text: string = port;
// @ts-expect-error an id is a number
export const id: string = odd.nested.list[0].id;
"#;

const SETTINGS: &str = r#"{
  "compilerOptions": {
    "module": "nodenext", "target": "es2022", "lib": ["es2022", "esnext.disposable"], "types": [], "strict": true, "skipLibCheck": false, "noEmit": true
  },
  "files": ["main.ts"]
}
"#;

/// The compilers, as the registry is told of them. The last settings name what packages of the npm registry are found in.
pub(crate) fn native(modules: &Path) -> Vec<(String, String)> {
    let compiler = modules.join("@typescript/typescript-linux-x64/lib/tsc");
    vec![setting("COMPILER", &compiler.display().to_string()), setting("PACKAGES", &modules.display().to_string())]
}

pub(crate) fn script(modules: &Path) -> Vec<(String, String)> {
    let compiler = modules.join("typescript-5/lib/tsc.js");
    let node = ["/usr/local/bin/node", "/usr/bin/node"].into_iter().find(|node| Path::new(node).exists()).expect("there is a node");
    vec![setting("COMPILER", &compiler.display().to_string()), setting("NODE", node)]
}

fn setting(name: &str, value: &str) -> (String, String) {
    (format!("SLIPWAY_TYPESCRIPT_{name}"), value.to_owned())
}

/// Publishes files as a version of a package, and waits for the end, which must be a success.
fn publish(bench: &Bench, name: &str, files: &[(&str, &str)]) -> Value {
    let directory = bench.project(&format!("source-{}", name.replace('/', "-")), files);
    bench.registry.open(name);
    let answer = bench.registry.upload(&directory, name, "1.0.0", "jsr.json");
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    let task = bench.registry.finished(&answer.body);
    assert_eq!(task["status"], "success", "{name}: {task}");
    task
}

/// The files of the npm tarball of a package.
pub(crate) fn unpacked(bench: &Bench, name: &str) -> PathBuf {
    let npm = name.trim_start_matches('@').replace('/', "__");
    let directory = bench.project(&format!("unpacked-{npm}"), &[]);
    let url = format!("{}npm/@jsr/{npm}/-/{npm}-1.0.0.tgz", bench.registry.url());
    bench.command("curl", &directory).args(["-sSf", "-o", "package.tgz", &url]).ok();
    bench.command("tar", &directory).args(["-xzf", "package.tgz"]).ok();
    directory.join("package")
}

fn read(directory: &Path, path: &str) -> String {
    fs::read_to_string(directory.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What was said of a severity, with the remedies.
fn said(task: &Value, severity: &str) -> String {
    let findings = task["findings"].as_array().into_iter().flatten().filter(|finding| finding["severity"] == severity);
    findings.map(|finding| format!("{} {} {}\n", finding["file"], finding["message"], finding["hint"])).collect()
}

const ODD: [(&str, &str); 4] = [("jsr.json", CONFIG), ("mod.ts", MODULE), ("src/more.mts", MORE), ("env.d.ts", ENV)];

fn odd_shapes_are_typed(settings: fn(&Path) -> Vec<(String, String)>, version: &str) {
    let Some(bench) = Bench::set_up_with(settings) else { return };
    let task = publish(&bench, "@acme/odd", &ODD);
    assert_eq!(task["untyped"], json!({}), "{task}");
    assert_eq!(said(&task, "warning"), "", "nothing is lost");
    assert!(said(&task, "note").contains(&format!("the declarations of this module are made by typescript {version}")), "{task}");
    let of_version = bench.registry.get("api/scopes/acme/packages/odd/versions/1.0.0").body;
    assert_eq!(of_version["compiler"], format!("typescript {version}"));

    let package = unpacked(&bench, "@acme/odd");
    let declarations = read(&package, "_dist/mod.d.ts");
    assert!(!declarations.contains("any") && declarations.contains("/** Doubles. */"), "{declarations}");
    assert!(declarations.contains("./src/more.mjs") && !declarations.contains(".mts"), "{declarations}");
    assert!(declarations.starts_with("/// <reference path=\"../env.d.ts\" />\n"), "{declarations}");
    let map: Value = serde_json::from_str(&read(&package, "_dist/src/more.d.mts.map")).expect("a map is JSON");
    assert_eq!(map["sources"], json!(["../../src/more.mts"]));
    let manifest: Value = serde_json::from_str(&read(&package, "package.json")).expect("it is JSON");
    assert_eq!(manifest["slipway"]["compiler"], format!("typescript {version}"));

    let directory = project(&bench, Client::Npm);
    bench.command("npm", &directory).args(["install", "@acme/odd@npm:@jsr/acme__odd"]).ok();
    write(&directory.join("tsconfig.json"), SETTINGS);
    write(&directory.join("main.ts"), PROGRAM);
    for typescript in ["typescript-5/bin/tsc", "typescript-7/bin/tsc"] {
        bench.script(typescript, &directory).args(["--project", "."]).ok();
    }
    bench.close();
}

#[test]
fn the_native_compiler_types_odd_shapes() {
    odd_shapes_are_typed(native, "7.0.2");
}

#[test]
fn the_older_compiler_types_odd_shapes() {
    odd_shapes_are_typed(script, "5.9.3");
}

#[test]
fn without_a_compiler_odd_shapes_are_placeholders() {
    let Some(bench) = Bench::set_up() else { return };
    let task = publish(&bench, "@acme/odd", &ODD);
    let names = json!({
        "./mod.ts": ["Box", "curry", "default", "double", "first", "host", "port", "rest"],
        "./src/more.mts": ["Pair", "pair"],
    });
    assert_eq!(task["untyped"], names, "{task}");
    let declarations = read(&unpacked(&bench, "@acme/odd"), "_dist/mod.d.ts");
    assert!(declarations.contains("any"), "{declarations}");
    bench.close();
}

#[test]
fn the_same_sources_give_the_same_bytes() {
    // The address of a registry is in its packages, but not in their declarations.
    let declarations = || {
        let bench = Bench::set_up_with(native)?;
        drop(publish(&bench, "@acme/odd", &ODD));
        let package = unpacked(&bench, "@acme/odd");
        let read =
            ["_dist/mod.d.ts", "_dist/mod.d.ts.map", "_dist/src/more.d.mts", "_dist/src/more.d.mts.map"].map(|path| read(&package, path));
        bench.close();
        Some(read)
    };
    let Some(one) = declarations() else { return };
    assert_eq!(Some(one), declarations());
}

#[test]
fn dependencies_are_found_or_their_users_degrade() {
    let Some(bench) = Bench::set_up_with(native) else { return };
    bench.registry.open("@acme/base");
    bench.registry.publish(&bench.project("base", BASE), "@acme/base", "1.0.0", "deno.json");
    let files = [
        (
            "jsr.json",
            r#"{ "name": "@acme/user", "version": "1.0.0", "license": "MIT", "exports": { ".": "./ours.ts", "./theirs": "./theirs.ts", "./lost": "./lost.ts", "./behind": "./behind.ts" } }"#,
        ),
        ("ours.ts", "import { greet } from \"jsr:@acme/base@^1.0.0\";\nexport const hello = (name: string) => [greet(name)];\n"),
        (
            "theirs.ts",
            "import { interval, map } from \"npm:rxjs@^7.8.0\";\nexport const ticks = interval(1).pipe(map((tick) => `${tick}`));\n",
        ),
        ("lost.ts", "import { lost } from \"npm:not-in-the-store@1\";\nexport const found = () => lost;\n"),
        ("behind.ts", "import { found } from \"./lost.ts\";\nexport const answer = () => ({ found: found() });\n"),
    ];
    let task = publish(&bench, "@acme/user", &files);
    assert_eq!(task["untyped"], json!({ "./behind.ts": ["answer"], "./lost.ts": ["found"] }), "{task}");
    let notes = said(&task, "note");
    assert!(notes.contains("TS2307") && notes.contains("(in /lost.ts)"), "{notes}");
    let package = unpacked(&bench, "@acme/user");
    let ours = read(&package, "_dist/ours.d.ts");
    assert!(ours.contains("import(\"@jsr/acme__base\").Greeting[]"), "{ours}");
    let theirs = read(&package, "_dist/theirs.d.ts");
    assert!(theirs.contains("import(\"rxjs\").Observable<string>") || theirs.contains("Observable<string>"), "{theirs}");
    bench.close();
}

/// A module, and what a note says of it.
const HOSTILE: [(&str, &str, &str); 6] = [
    (
        "doubling",
        "const make = <T,>() => null! as T;\ntype Twice<T extends unknown[]> = [...T, ...T];\ntype A = Twice<Twice<Twice<Twice<Twice<Twice<Twice<Twice<Twice<Twice<Twice<Twice<[1, 2, 3]>>>>>>>>>>>>;\nexport const bomb = make<Twice<A>>();\n",
        "the compiler",
    ),
    (
        "endless",
        "const make = <T,>() => null! as T;\ntype Grow<T> = { a: Grow<[T, T]>; b: T };\ntype Deep<T, N extends unknown[] = []> = N[\"length\"] extends 900 ? T : Deep<[T, T], [...N, 0]>;\nexport const endless = make<Deep<1>>();\nexport const grow = make<Grow<1>>();\n",
        "the compiler",
    ),
    (
        "long",
        "const make = <T,>() => null! as T;\ntype D = \"0\" | \"1\" | \"2\" | \"3\" | \"4\" | \"5\" | \"6\" | \"7\" | \"8\" | \"9\";\nexport const long = make<{ [K in `${D}${D}${D}${D}`]: `${D}${D}` & {} } & { [K in `a${D}${D}${D}${D}`]: { [L in `${D}${D}`]: K } }>();\n",
        "",
    ),
    (
        "outside",
        "/// <reference path=\"/etc/passwd\" />\n/// <reference path=\"../../../../../../../etc/passwd\" preserve=\"true\" />\n/// <reference types=\"../../../../../../../../etc/hosts\" />\nconst make = <T,>() => null! as T;\nimport type { a } from \"../../../../../../etc/passwd\";\nexport const outside = make<typeof a>();\n",
        "the compiler's are not used: TS",
    ),
    (
        "settings",
        "import settings from \"./tsconfig.json\" with { type: \"json\" };\nexport const read = () => settings.extends;\n",
        "made by typescript 7.0.2",
    ),
    ("loop", "export const f = () => g();\nexport const g = () => f();\n", "the compiler's are not used: TS7023"),
];

#[test]
fn hostile_packages_are_published_and_harm_nobody() {
    let limited = |modules: &Path| {
        let mut settings = native(modules);
        settings.extend([setting("MEMORY_BYTES", "536870912"), setting("CPU_SECONDS", "5"), setting("WALL_SECONDS", "60")]);
        settings
    };
    let Some(bench) = Bench::set_up_with(limited) else { return };
    for (name, source, note) in HOSTILE {
        let package = format!("@acme/{name}");
        let config = json!({ "name": package, "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }).to_string();
        let settings = r#"{ "extends": "/etc/passwd", "compilerOptions": { "plugins": [{ "name": "/tmp/evil" }], "typeRoots": ["/"], "paths": { "*": ["/etc/*"] } } }"#;
        let task = publish(&bench, &package, &[("jsr.json", &config), ("mod.ts", source), ("tsconfig.json", settings)]);
        let notes = said(&task, "note");
        assert!(notes.contains(note), "{name}: {notes}");
        assert!(!notes.contains("by signal") && !notes.contains("crashed"), "what stopped it has a name; {name}: {notes}");
        let declarations = read(&unpacked(&bench, &package), "_dist/mod.d.ts");
        assert!(!declarations.contains("/etc") && !declarations.contains("root:"), "{name}: {declarations}");
        assert!(declarations.len() < 1024 * 1024 + 1024, "{name}");
    }
    bench.close();
}

#[test]
fn a_compiler_that_is_none_costs_nothing_but_its_declarations() {
    let Some(bench) = Bench::set_up_with(|_| vec![setting("COMPILER", "/bin/false")]) else { return };
    let task = publish(&bench, "@acme/odd", &ODD);
    assert!(task["untyped"]["./mod.ts"].is_array(), "{task}");
    assert!(said(&task, "note").contains("the compiler's are not used: the compiler does not say its version"), "{task}");
    let place = bench.project("doctor", &[]);
    let doctor =
        |compiler: &str| bench.slipway(&place).env("SLIPWAY_TYPESCRIPT_COMPILER", compiler).args(["doctor", "--data", "../registry"]);
    let said = doctor("/bin/false").fails();
    assert!(said.all.contains("problem  compiler: the compiler does not say its version"), "{}", said.all);
    let said = doctor(&bench.installed("@typescript/typescript-linux-x64/lib/tsc").display().to_string()).ok();
    assert!(said.all.contains("ok       compiler: typescript 7.0.2 answers; it is kept from other files"), "{}", said.all);
    bench.close();
}

#[test]
fn a_compiler_that_runs_out_of_something_says_what() {
    // Each takes a thousand steps of a type. A compiler that is given a second of processor time has hardly begun.
    let steps = "type Deep<T, N extends unknown[] = []> = N[\"length\"] extends 900 ? T : Deep<[T], [...N, 0]>;\n";
    let one = |number: u32| format!("export const a{number} = make<Deep<{number}> extends infer X ? X extends unknown[] ? 1 : 2 : 3>();\n");
    let source = format!("const make = <T,>() => null! as T;\n{steps}{}", (0..400).map(one).collect::<String>());
    let config = r#"{ "name": "@acme/steps", "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }"#;
    let limits =
        [("CPU_SECONDS", "1", "the compiler ran out of processor time"), ("MEMORY_BYTES", "67108864", "the compiler ran out of memory")];
    for (limit, value, why) in limits {
        let limited = |modules: &Path| [native(modules), vec![setting(limit, value)]].concat();
        let Some(bench) = Bench::set_up_with(limited) else { return };
        let task = publish(&bench, "@acme/steps", &[("jsr.json", config), ("mod.ts", &source)]);
        assert!(said(&task, "note").contains(&format!("the compiler's are not used: {why}")), "{limit}: {task}");
        bench.close();
    }
}
