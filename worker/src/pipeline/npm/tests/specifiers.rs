//! Specifiers, wherever they stand.

use super::Package;

#[test]
fn relative_specifiers_follow_what_they_name() {
    let built = Package::new(
        "== mod.ts
export * from \"./src/a.ts\";
export * from \"./src/b.mts\";
import \"./src/c.js\";
import data from \"./src/data.json\" with { type: \"json\" };
export const value: string = data.value;
== src/a.ts
export const a: number = 1;
== src/b.mts
export { a as b } from \"../src/a.ts\";
== src/c.js
import { a } from './a.ts';
import(`./b.mts`);
console.log(a, import.meta.resolve( \"./a.ts\" ));
== src/data.json
{ \"value\": \"x\" }
",
    )
    .build();
    assert_eq!(
        built.code("mod.js"),
        "export * from \"./src/a.js\";
export * from \"./src/b.mjs\";
import \"./src/c.js\";
import data from \"./src/data.json\" with {
  type: \"json\"
};
export const value = data.value;
"
    );
    assert_eq!(built.code("src/b.mjs"), "export { a as b } from \"./a.js\";\n");
    assert_eq!(
        built.text("src/c.js"),
        "import { a } from './a.js';\nimport(`./b.mjs`);\nconsole.log(a, import.meta.resolve( \"./a.js\" ));\n"
    );
    assert_eq!(built.code("_dist/mod.d.ts").lines().next(), Some("export * from \"./src/a.js\";"));
    assert_eq!(built.code("_dist/src/b.d.mts"), "export { a as b } from \"./a.js\";\n");
    assert_eq!(built.findings(), [""; 0]);
}

/// demand.md N4: in every kind of file and every kind of import.
#[test]
fn packages_get_their_names_in_node_modules() {
    let imports = "import { html } from \"npm:lit@^2.2.7\";
import \"jsr:@std/path@^1.0.0/posix\";
import \"jsr:/@std/path@^1.0.0\";
import \"npm:/lit@^2.2.7/decorators.js\";
import fs from \"node:fs\";
import \"bun:test\";
export const load = async () => await import(\"npm:lit@^2.2.7\");
console.log(html, fs, import.meta.resolve(\"npm:lit@^2.2.7\"));
";
    let typed = imports.replace("async () =>", "async (): Promise<unknown> =>");
    let built = Package::new(&format!(
        "== mod.ts\nimport \"./a.js\";\nimport \"./b.mjs\";\n{typed}== a.js\n{imports}== b.mjs\n{imports}== types.d.ts
import type {{ Lit }} from \"npm:lit@^2.2.7\";
export type T = Lit & typeof import(\"jsr:@std/path@^1.0.0\");
"
    ))
    .export("./types", "./types.d.ts")
    .needs("npm:lit@^2.2.7")
    .needs("jsr:@std/path@^1.0.0")
    .build();
    let expected = "import { html } from \"lit\";
import \"@jsr/std__path/posix\";
import \"@jsr/std__path\";
import \"lit/decorators.js\";
import fs from \"node:fs\";
import \"bun:test\";
export const load = async () => await import(\"lit\");
console.log(html, fs, import.meta.resolve(\"lit\"));
";
    assert_eq!(built.text("a.js"), expected);
    assert_eq!(built.text("b.mjs"), expected);
    assert_eq!(
        built.text("mod.ts").split_once("./b.mjs\";\n").unwrap().1,
        expected.replace("async () =>", "async (): Promise<unknown> =>")
    );
    assert_eq!(built.code("mod.js").split_once("./b.mjs\";\n").unwrap().1, expected.replace("async () => ", "async ()=>"));
    assert_eq!(built.text("types.d.ts"), "import type { Lit } from \"lit\";\nexport type T = Lit & typeof import(\"@jsr/std__path\");\n");
}

/// demand.md I1.
#[test]
fn two_ranges_of_one_package_are_two_directories() {
    let built = Package::new(
        "== mod.ts
export { a } from \"npm:lit@2\";
export { b } from \"./b.ts\";
export { c } from \"npm:lit@3/decorators.js\";
== b.ts
export { b } from \"npm:lit@3\";
",
    )
    .needs("npm:lit@3")
    .needs("npm:lit@2")
    .build();
    assert_eq!(
        built.code("mod.js"),
        "export { a } from \"lit\";\nexport { b } from \"./b.js\";\nexport { c } from \"lit-3/decorators.js\";\n"
    );
    assert_eq!(built.code("_dist/b.d.ts"), "export { b } from \"lit-3\";\n");
    assert_eq!(built.json("package.json")["dependencies"], serde_json::json!({ "lit": "2", "lit-3": "npm:lit@3" }));
}

#[test]
fn a_package_that_names_itself_means_its_files() {
    let built = Package::new(
        "== mod.ts
export { a } from \"jsr:@scope/pkg@^1.0.0/sub\";
export { a as old } from \"jsr:@scope/pkg@^0.9.0/sub\";
== src/sub.ts
export const a: number = 1;
",
    )
    .export("./sub", "./src/sub.ts")
    .needs("jsr:@scope/pkg@^0.9.0")
    .build();
    assert_eq!(built.code("mod.js"), "export { a } from \"./src/sub.js\";\nexport { a as old } from \"@jsr/scope__pkg-0.9.0/sub\";\n");
    assert_eq!(built.code("_dist/mod.d.ts"), built.code("mod.js"));
}

#[test]
fn documentation_of_javascript_leads_to_declarations() {
    let built = Package::new(
        "== mod.js
// @ts-self-types=\"./mod.d.ts\"
/** @type {import('./a.ts').A} */
export const a = 1;
/** @import { Lit } from \"npm:lit@2\" */
/** @typedef {{ x: import(\"./a.ts\").A }} Nested */
== mod.d.ts
export { A } from \"./a.ts\";
export const a: number;
== a.ts
export type A = number;
",
    )
    .needs("npm:lit@2")
    .build();
    assert_eq!(
        built.text("mod.js"),
        "// @ts-self-types=\"./mod.d.ts\"
/** @type {import('./_dist/a.js').A} */
export const a = 1;
/** @import { Lit } from \"lit\" */
/** @typedef {{ x: import(\"./_dist/a.js\").A }} Nested */
"
    );
    assert_eq!(built.text("mod.d.ts"), "export { A } from \"./_dist/a.js\";\nexport const a: number;\n");
}

#[test]
fn files_that_nothing_imports_are_not_touched() {
    let test = "import { a } from \"./mod.ts\";\nimport \"jsr:@std/assert@1\";\n";
    let built = Package::new(&format!("== mod.ts\nexport const a: number = 1;\n== mod_test.ts\n{test}== jsr.json\n{{}}\n")).build();
    assert_eq!(built.text("mod_test.ts"), test);
    assert_eq!(
        built.paths(),
        ["_dist/mod.d.ts", "_dist/mod.d.ts.map", "jsr.json", "mod.js", "mod.js.map", "mod.ts", "mod_test.ts", "package.json"]
    );
}

#[test]
fn marks_and_line_ends_stay() {
    let built = Package::new("== mod.js\n\u{feff}import \"./ä.ts\";\r\nimport './a.ts';\r\n== a.ts\nexport {};\n").build();
    assert_eq!(built.text("mod.js"), "\u{feff}import \"./ä.ts\";\r\nimport './a.js';\r\n");
}
