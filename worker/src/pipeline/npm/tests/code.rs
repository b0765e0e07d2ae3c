//! What Node loads.

use super::Package;
use crate::pipeline::manifest::JsxRuntime;

/// demand.md I2 and I3.
#[test]
fn nothing_is_overwritten() {
    let built = Package::new(
        "== mod.ts
export * from \"./a.ts\";
export * from \"./a.mts\";
export * from \"./a.tsx\";
export * from \"./B.ts\";
== a.ts
export const ts: number = 1;
== a.mts
export const mts: number = 2;
== a.tsx
export const tsx: number = 3;
== a.js
export const js = 4;
== a.mjs
export const mjs = 5;
== b.js
export const other = 6;
== B.ts
export const B: number = 7;
",
    )
    .build();
    assert_eq!(built.text("a.js"), "export const js = 4;\n");
    assert_eq!(built.text("b.js"), "export const other = 6;\n");
    assert_eq!(
        built.code("mod.js"),
        "export * from \"./a.ts.js\";\nexport * from \"./a.mts.mjs\";\nexport * from \"./a.tsx.js\";\nexport * from \"./B.ts.js\";\n"
    );
    assert_eq!(built.code("_dist/mod.d.ts"), built.code("mod.js"));
    assert_eq!(built.code("_dist/a.mts.d.mts"), "export declare const mts: number;\n");
    assert_eq!(built.code("a.tsx.js"), "export const tsx = 3;\n");
}

#[test]
fn a_directory_with_a_package_json_of_its_own_gets_mjs() {
    let built = Package::new(
        "== mod.ts
export * from \"./cjs/a.ts\";
export * from \"./cjs/esm/b.ts\";
== cjs/package.json
{}
== cjs/a.ts
export const a: number = 1;
== cjs/esm/package.json
{ \"type\": \"module\" }
== cjs/esm/b.ts
export const b: number = 1;
",
    )
    .build();
    assert_eq!(built.code("mod.js"), "export * from \"./cjs/a.mjs\";\nexport * from \"./cjs/esm/b.js\";\n");
    assert_eq!(built.code("_dist/cjs/a.d.mts"), "export declare const a: number;\n");
    assert_eq!(built.text("cjs/package.json"), "{}\n");
}

/// demand.md N1, N2, I9.
#[test]
fn injected_jsx_imports_are_rewritten() {
    let component = "export function App(): unknown {\n  return <><p class=\"x\">hi</p></>;\n}\n";
    let built = Package::new(&format!(
        "== mod.tsx\n/** @jsxImportSource npm:preact@^10 */\nexport * from \"./classic.tsx\";\nexport * from \"./one_line.tsx\";
export * from \"./plain.jsx\";\n{component}
== classic.tsx\n/** @jsxRuntime classic */\n/** @jsx h */\n/** @jsxFrag Fragment */\nimport {{ h, Fragment }} from \"npm:preact@^10\";
export const b: unknown = <><b /></>;
== one_line.tsx\n/** @jsxRuntime automatic @jsxImportSource npm:preact@^10 */\nexport const c: unknown = <i />;
== plain.jsx\nexport const d = <u />;\n"
    ))
    .needs("npm:preact@^10")
    .resolution(|resolution| {
        resolution.jsx.runtime = Some(JsxRuntime::Automatic);
        resolution.jsx.import_source = Some("jsr:@scope/jsx@1".into());
    })
    .needs("jsr:@scope/jsx@1")
    .build();
    let code = built.code("mod.js");
    assert!(code.contains("from \"preact/jsx-runtime\";"), "{code}");
    assert!(code.contains("export * from \"./classic.js\";") && code.contains("_jsx(\"p\", {"), "{code}");
    let code = built.code("classic.js");
    assert!(code.contains("import { h, Fragment } from \"preact\";"), "{code}");
    assert!(code.contains("h(Fragment, null, /*#__PURE__*/ h(\"b\", null))"), "{code}");
    assert!(built.code("one_line.js").contains("from \"preact/jsx-runtime\";"));
    assert!(built.code("plain.js").contains("from \"@jsr/scope__jsx/jsx-runtime\";"));
    assert!(built.text("mod.tsx").starts_with("/** @jsxImportSource preact */"));
    assert_eq!(built.json("package.json")["exports"]["."]["default"], "./mod.js");
}

#[test]
fn components_have_types() {
    let built = Package::new(
        "== mod.tsx
/** @jsxImportSource npm:preact@^10 */
import type { VNode } from \"npm:preact@^10\";
/** Greets. */
export function App(props: { name: string }): VNode { return <p {...props}>{props.name}</p>; }
",
    )
    .needs("npm:preact@^10")
    .build();
    let exports = &built.json("package.json")["exports"];
    assert_eq!(exports["."], serde_json::json!({ "types": "./_dist/mod.d.ts", "default": "./mod.js" }));
    assert!(built.code("_dist/mod.d.ts").contains("export declare function App(props: {\n  name: string;\n}): VNode;"));
    assert!(built.code("_dist/mod.d.ts").contains("import type { VNode } from \"preact\";"));
}

/// demand.md N29, N30, N31.
#[test]
fn assets_and_runtimes_stay_where_they_are() {
    let imports = "import sheet from \"./a.css\" with {
  type: \"css\"
};
import text from \"./t.txt\" with {
  type: \"text\"
};
import \"cloudflare:workers\";
import \"data:text/javascript,1 ?a b\";
console.log(sheet, text, new URL(\"./t.txt\", import.meta.url));
";
    let built = Package::new(&format!("== src/mod.ts\n{imports}== src/a.css\np {{}}\n== src/t.txt\nhi\n")).build();
    assert_eq!(built.code("src/mod.js"), imports);
    assert_eq!(built.text("src/a.css"), "p {}\n");
}

/// demand.md N15, N16.
#[test]
fn odd_sources_are_no_surprise() {
    let sources = [
        "",
        "\n",
        "// only a comment",
        "#!/usr/bin/env node",
        "/// <reference types=\"\" />\n/// <reference path=\"\"/>",
        "/// <reference types=\"npm:\" />\n/// <reference path=\"jsr:@a\"/>\nexport {};",
        "import \"\";",
        "import \".\"; import \"..\"; import \"./\"; import \"/\"; import \"//x\"; import \"npm:\"; import \"jsr:\";",
        "export const 名: string = import.meta.resolve(\"\"); import.meta.resolve(); import.meta.resolve(...[]);",
        "import(`a${1}`); import(...[]); import(\"\\u{1F600}\");",
        "import \"\\u002e/\\x61.ts\"; import '\\uD800';",
        "declare module \"npm:lit@2\" { export const x: number; }\nexport {};",
        "declare global { interface Window {} }\nexport {};",
        "export default interface A {}\nexport { type B } from \"./mod.ts\";",
        "export import a = b.c; namespace b.c { export const d: number = 1; }",
        "let x: typeof import(\"./mod.ts\", { with: { \"resolution-mode\": \"import\" } }); export { x };",
        "class A { static { using a = null; await using b = null; } }\nfor (using c of []) {}",
        "//# sourceMappingURL=data:application/json;base64,e30=",
        "//# sourceMappingURL=mod.ts",
    ];
    for extension in ["ts", "mts", "tsx", "js", "jsx", "mjs", "d.ts", "d.mts"] {
        for source in sources {
            let built = Package::new(&format!("== mod.{extension}\n{source}")).build();
            assert!(built.files.contains_key(&format!("mod.{extension}")), "{extension}: {source}");
        }
    }
}

#[test]
fn broken_pragmas_cannot_hurt() {
    for pragma in ["@jsx h.", "@jsx class", "@jsxFrag a..b", "@jsxRuntime other", "@jsx", "@jsxImportSource", "@jsx this.h"] {
        let built = Package::new(&format!("== mod.tsx\n/** {pragma} */\nexport const a: unknown = <b />;\n")).build();
        assert!(built.files.contains_key("mod.js"), "{pragma}: {:?}", built.findings());
    }
    let built = Package::new("== mod.tsx\nexport const a: unknown = <b />;\n")
        .resolution(|resolution| resolution.jsx.factory = Some("not an expression".into()))
        .build();
    assert!(built.code("mod.js").contains("React.createElement(\"b\", null)"));
}

/// demand.md I6.
#[test]
fn decorators_follow_the_setting() {
    let source = "== mod.ts
function mark(..._: unknown[]): void {}
@mark
export class A {
  @mark field: number = 1;
}
";
    let standard = Package::new(source).build();
    assert!(standard.code("mod.js").contains("_apply_decs_2203_r"), "{}", standard.code("mod.js"));
    let legacy = Package::new(source).resolution(|resolution| resolution.experimental_decorators = true).build();
    assert!(legacy.code("mod.js").contains("_ts_decorate"), "{}", legacy.code("mod.js"));
}

#[test]
fn typescript_constructs_run() {
    let built = Package::new(
        "== mod.ts
#!/usr/bin/env node
import type { T } from \"./types.ts\";
import { type U, value } from \"./types.ts\";
import \"./ambient.d.ts\";
export type * from \"./ambient.d.ts\";
export * from \"./ambient.d.ts\";
export enum Level { Low, High }
export const enum Flag { On = 1 }
export namespace Space { export const inner: number = value; }
import Inner = Space.inner;
export const alias: number = Inner;
export function release(open: () => Disposable): T | U {
  using handle = open();
  const env = 1;
  return env;
}
export class Point { constructor(readonly x: number) {} }
export abstract class Base { declare field: string; abstract run(): void; }
//# sourceMappingURL=old.map
== types.ts
export type T = number;
export type U = number;
export const value: number = 1;
== ambient.d.ts
export interface Ambient {}
",
    )
    .build();
    let code = built.text("mod.js");
    assert!(code.starts_with("#!/usr/bin/env node\n"), "{code}");
    assert!(code.contains("\nimport { value } from \"./types.js\";\n"), "{code}");
    assert!(!code.contains("ambient") && !code.contains("old.map") && !code.contains("using "), "{code}");
    assert!(code.contains("const handle = _ts_add_disposable_resource(env, open(), false);\n    const env1 = 1;"), "{code}");
    assert!(code.ends_with("\n//# sourceMappingURL=mod.js.map\n"), "{code}");
    let types = built.text("_dist/mod.d.ts");
    assert!(types.starts_with("import type { T } from \"./types.js\";\n"), "{types}");
    assert!(types.contains("export type * from \"../ambient.js\";\n"), "{types}");
}

#[test]
fn types_that_are_exported_on_do_not_run() {
    let built = Package::new(
        "== mod.ts
export { Shape, Circle, Both } from \"./barrel.ts\";
import Default, { Shape as Form, Empty } from \"./barrel.ts\";
import { Ambient } from \"./ambient.d.ts\";
export { Form, Empty, Ambient, Default };
export { Outside } from \"npm:outside@1\";
export { Only } from \"./barrel.ts\";
export {};
== barrel.ts
export * from \"./shapes.ts\";
export * from \"./barrel.ts\";
import { Only } from \"./shapes.ts\";
export { Only };
export default class {}
== shapes.ts
export interface Shape {}
export class Circle implements Shape {}
export interface Both {}
export const Both: number = 1;
export namespace Empty { export type T = number; }
export type Only = string;
== ambient.d.ts
export class Ambient {}
",
    )
    .needs("npm:outside@1")
    .build();
    assert_eq!(
        built.code("mod.js"),
        "export { Circle, Both } from \"./barrel.js\";
import Default from \"./barrel.js\";
export { Default };
export { Outside } from \"outside\";
"
    );
    assert_eq!(built.code("barrel.js"), "export * from \"./shapes.js\";\nexport * from \"./barrel.js\";\nexport default class {\n}\n");
}

/// demand.md N11.
#[test]
fn source_maps_compose() {
    let map = r#"{"version":3,"file":"mod.ts","sources":["origin/mod.lang"],"names":[],"mappings":"AAAA;AAEA"}"#;
    let sources = "export const a: number = 1;\nexport const b: number = 2;\n//# sourceMappingURL=mod.ts.map\n";
    let built = Package::new(&format!("== mod.ts\n{sources}== mod.ts.map\n{map}\n== origin/mod.lang\na\n\nb\n")).build();
    let composed = built.json("mod.js.map");
    assert_eq!(composed["sources"], serde_json::json!(["origin/mod.lang"]));
    let lost = Package::new(&format!("== mod.ts\n{sources}== mod.ts.map\n{map}\n")).build();
    assert_eq!(lost.json("mod.js.map")["sources"], serde_json::json!(["mod.ts"]), "what is mapped to does not ship");
}

#[test]
fn source_maps_lead_to_the_source_as_it_ships() {
    let built = Package::new(
        "== src/mod.ts
const x: unknown = await import(\"npm:lit@^2.2.7\"), y: number = 2;
export { x, y };
",
    )
    .needs("npm:lit@^2.2.7")
    .build();
    let map = deno_ast::swc::sourcemap::SourceMap::from_slice(built.text("src/mod.js.map").as_bytes()).unwrap();
    assert_eq!(map.get_source(0).map(ToString::to_string).as_deref(), Some("mod.ts"));
    let shipped = built.text("src/mod.ts").lines().next().unwrap();
    let column = |text: &str, part: &str| u32::try_from(text.find(part).unwrap()).unwrap();
    let token = map.lookup_token(0, column(built.text("src/mod.js"), "y = 2")).unwrap();
    assert_eq!(token.get_src(), (0, column(shipped, "y: number")));
}

#[test]
fn what_cannot_be_compiled_is_said() {
    let built = Package::new("== mod.ts\nexport const a: number = 010;\n").build();
    assert_eq!(built.paths(), ["mod.ts", "package.json"]);
    assert_eq!(
        built.findings(),
        ["npmTarballError: this module cannot be used from npm, it could not be compiled: \
          Legacy octal literals are not available when targeting ECMAScript 5 and higher (/mod.ts:1:26)"]
    );
    assert_eq!(built.json("package.json")["exports"]["."], serde_json::json!({}));
}
