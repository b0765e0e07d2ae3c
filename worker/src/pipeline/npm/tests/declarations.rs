//! What TypeScript reads.

use super::Package;

/// demand.md D1.
#[test]
fn specifiers_are_relative_to_the_emitted_declaration() {
    let built = Package::new(
        "== main.ts
import type { Foo } from \"./src/foo.js\";
export { foo } from \"./src/foo.js\";
export function use(foo: Foo): import(\"./src/foo.js\").Foo { return foo; }
== src/foo.js
/// <reference types=\"./foo.d.ts\" />
export const foo = 1;
== src/foo.d.ts
export interface Foo { a: number }
export const foo: number;
",
    )
    .build();
    assert_eq!(
        built.code("_dist/main.d.ts"),
        "import type { Foo } from \"../src/foo.js\";
export { foo } from \"../src/foo.js\";
export declare function use(foo: Foo): import(\"../src/foo.js\").Foo;
"
    );
    assert_eq!(built.code("main.js").lines().next(), Some("export { foo } from \"./src/foo.js\";"));
}

/// demand.md D2.
#[test]
fn declarations_are_found_through_the_extension_of_their_code() {
    let built = Package::new(
        "== mod.d.ts
import { X } from \"./x.d.mts\";
export { Y } from \"./y.d.ts\";
export type Z = X & typeof import(\"./x.mjs\");
== x.mjs
export {};
== x.d.mts
export interface X {}
== y.d.ts
export interface Y {}
",
    )
    .build();
    assert_eq!(
        built.text("mod.d.ts"),
        "import { X } from \"./x.mjs\";\nexport { Y } from \"./y.js\";\nexport type Z = X & typeof import(\"./x.mjs\");\n"
    );
    assert_eq!(built.json("package.json")["exports"], serde_json::json!({ ".": { "types": "./mod.d.ts" } }));
}

/// demand.md D3.
#[test]
fn references_say_what_they_mean() {
    let built = Package::new(
        "== mod.ts
/// <reference types=\"npm:@types/node@^22\" />
/// <reference path=\"./globals.d.ts\" />
export * from \"./other.js\";
export function read(): Buffer { return Buffer.from(\"\"); }
== other.js
/// <reference types=\"./other.d.ts\" />
export const other = 1;
== other.d.ts
/// <reference path=\"npm:@types/node@^22\" />
/// <reference types=\"npm:@types/babel__core@7\"/>
/// <reference path=\"./globals.d.ts\" />
/// <reference types=\"./types/deep.d.ts\" />
export const other: number;
== globals.d.ts
interface Window {}
== types/deep.d.ts
export {};
",
    )
    .needs("npm:@types/node@^22")
    .needs("npm:@types/babel__core@7")
    .build();
    assert_eq!(
        built.text("other.d.ts"),
        "/// <reference types=\"node\" />
/// <reference types=\"@babel/core\"/>
/// <reference path=\"./globals.d.ts\" />
/// <reference path=\"./types/deep.d.ts\" />
export const other: number;
"
    );
    assert_eq!(
        built.code("_dist/mod.d.ts"),
        "/// <reference types=\"node\" />
/// <reference path=\"../globals.d.ts\" />
export * from \"../other.js\";
export declare function read(): Buffer;
"
    );
    assert_eq!(built.json("package.json")["dependencies"], serde_json::json!({ "@types/babel__core": "7", "@types/node": "^22" }));
    let map = deno_ast::swc::sourcemap::SourceMap::from_slice(built.text("_dist/mod.d.ts.map").as_bytes()).unwrap();
    assert_eq!(map.tokens().next().unwrap().get_dst(), (2, 0), "the mappings know of the lines in front");
}

/// demand.md N5: both stay, and the source beside a hand-written declaration does not hide it.
#[test]
fn hand_written_declarations_stay() {
    let hand_written = "export const a: 1;\n";
    let built = Package::new(&format!(
        "== main.ts
// @ts-types=\"./mod.d.ts\"
export {{ a }} from \"./mod.js\";
== mod.js
export const a = 1;
== mod.ts
export const a: number = 1;
== mod.d.ts
{hand_written}"
    ))
    .build();
    assert_eq!(built.text("mod.d.ts"), hand_written);
    assert_eq!(built.text("_dist/mod.d.ts"), hand_written);
    assert_eq!(built.code("_dist/main.d.ts").lines().last(), Some("export { a } from \"./mod.js\";"));
}

#[test]
fn types_of_packages_are_read_by_their_own_name() {
    let built = Package::new(
        "== mod.ts
// @ts-types=\"npm:@types/express@^5\"
import express from \"npm:express@^5\";
// @ts-types=\"./local.d.ts\"
import local from \"npm:local@1\";
export const app: express.App = express();
export const l: typeof local = local;
== local.d.ts
declare const local: number;
export default local;
",
    )
    .needs("npm:express@^5")
    .needs("npm:@types/express@^5")
    .needs("npm:local@1")
    .build();
    let types = built.code("_dist/mod.d.ts");
    assert!(types.contains("import express from \"express\";"), "{types}");
    assert!(types.contains("import local from \"../local.js\";"), "{types}");
    assert!(built.code("mod.js").contains("import local from \"local\";"));
}

/// demand.md N9, I5: JavaScript with declarations, by a comment and by name alone.
#[test]
fn javascript_is_paired_with_its_declarations() {
    let built = Package::new(
        "== wasm.js
// @ts-self-types=\"./wasm/x.d.ts\"
export const x = 1;
== wasm/x.d.ts
export const x: number;
== plain.mjs
export const y = 1;
== plain.d.mts
export { z } from \"./z.d.ts\";
export const y: import(\"npm:lit@2\").Lit;
== z.d.ts
export const z: import(\"jsr:@std/path@1\").Path;
== data.json
{}
",
    )
    .export("./plain", "./plain.mjs")
    .export("./data", "./data.json")
    .needs("npm:lit@2")
    .needs("jsr:@std/path@1")
    .build();
    assert_eq!(
        built.json("package.json")["exports"],
        serde_json::json!({
            ".": { "types": "./wasm/x.d.ts", "default": "./wasm.js" },
            "./plain": { "types": "./plain.d.mts", "default": "./plain.mjs" },
            "./data": { "default": "./data.json" },
        })
    );
    assert!(built.text("plain.d.mts").contains("import(\"lit\")"));
    assert!(built.text("z.d.ts").contains("import(\"@jsr/std__path\")"));
}

#[test]
fn slow_types_cost_their_own_declaration() {
    let built = Package::new(
        "== mod.ts
export * from \"./a.ts\";
export const slow = Math.max(1, 2);
== a.ts
export const a: number = 1;
",
    )
    .build();
    assert_eq!(built.json("package.json")["slipway"]["untyped"], serde_json::json!({ "./mod.ts": ["slow"] }));
    assert!(built.code("_dist/mod.d.ts").ends_with("*/ export declare const slow: any;\n"));
    assert_eq!(built.code("_dist/a.d.ts"), "export declare const a: number;\n");
}

#[test]
fn an_empty_declaration_is_a_module() {
    let built = Package::new(
        "== mod.ts
import \"./side.ts\";
export * from \"./types.ts\";
interface Hidden { a: number }
export function f(): Hidden { return { a: 1 }; }
== side.ts
console.log(1);
== types.ts
const inner: number = 1;
console.log(inner);
",
    )
    .build();
    assert!(built.code("_dist/mod.d.ts").contains("interface Hidden"));
    assert_eq!(built.code("_dist/types.d.ts"), "export { };\n");
}

/// demand.md I10.
#[test]
fn the_authors_dist_is_theirs() {
    let built = Package::new("== mod.ts\nexport const a: number = 1;\n== _dist/mod.d.ts\nmine\n== _DIST1/x\n\n").build();
    assert_eq!(built.text("_dist/mod.d.ts"), "mine\n");
    assert_eq!(built.json("package.json")["exports"]["."]["types"], "./_dist2/mod.d.ts");
}
