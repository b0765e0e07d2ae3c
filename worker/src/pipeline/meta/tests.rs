use serde_json::json;

use super::*;
use crate::pipeline::fixture::{Package, lines};

fn meta_of(package: &Package) -> VersionMeta {
    let (graph, findings) = package.graph();
    assert!(!findings.has_errors(), "{:?}", lines(&findings));
    build(&package.files, &package.manifest, &graph, false)
}

#[test]
fn every_kind_of_import_is_described() {
    let text = r#"/// <reference path="./ref.d.ts" />
/// <reference types="./types.d.ts" resolution-mode="import" />
/** @jsxImportSource npm:preact@10 */
/** @jsxImportSourceTypes npm:@types/preact@10 */
import a, { b } from "./a.ts";
import "./side.ts";
import type { T } from "./types.d.ts";
import data from "./data.json" with { type: "json", extra: "x", another: "y" };
// @ts-types="./types.d.ts"
import js from "./js.js";
export * from "./a.ts";
export { c } from "./c.ts";
export type { U } from "./types.d.ts";
const d = await import("./d.ts");
const e = await import(`./dir/${d}.ts`);
const f = await import(d);
const g = await import("./data.json", { with: { type: "json" } });
type X = import("./types.d.ts").T;
import defer * as h from "./h.ts";
const ü = "é"; import i from "./i.ts";
"#;
    let files = [
        ("/mod.tsx", text),
        ("/a.ts", ""),
        ("/side.ts", ""),
        ("/types.d.ts", ""),
        ("/data.json", "{}"),
        (
            "/js.js",
            "// @ts-self-types=\"./types.d.ts\"\n/** @param {import(\"./a.ts\").T} a */\nexport function f(a) {}\n//# sourceMappingURL=js.js.map\n",
        ),
        ("/c.ts", ""),
        ("/d.ts", ""),
        ("/h.ts", ""),
        ("/i.ts", ""),
        ("/ref.d.ts", ""),
        ("/unreached.ts", ""),
    ];
    let package = Package::new(&files).exporting(&[(".", "./mod.tsx")]);
    let meta = meta_of(&package);
    let range = |line: u64, start: u64, end: u64| json!([[line, start], [line, end]]);
    assert_eq!(
        meta.module_graph["/mod.tsx"],
        json!({
            "dependencies": [
                {"type": "static", "kind": "import", "specifier": "./a.ts", "specifierRange": range(4, 21, 29)},
                {"type": "static", "kind": "import", "specifier": "./side.ts", "specifierRange": range(5, 7, 18), "sideEffect": true},
                {"type": "static", "kind": "importType", "specifier": "./types.d.ts", "specifierRange": range(6, 23, 37)},
                {"type": "static", "kind": "import", "specifier": "./data.json", "specifierRange": range(7, 17, 30),
                 "importAttributes": {"known": {"another": "y", "extra": "x", "type": "json"}}},
                {"type": "static", "kind": "import", "typesSpecifier": {"text": "./types.d.ts", "range": range(8, 13, 27)},
                 "specifier": "./js.js", "specifierRange": range(9, 15, 24)},
                {"type": "static", "kind": "export", "specifier": "./a.ts", "specifierRange": range(10, 14, 22)},
                {"type": "static", "kind": "export", "specifier": "./c.ts", "specifierRange": range(11, 18, 26)},
                {"type": "static", "kind": "exportType", "specifier": "./types.d.ts", "specifierRange": range(12, 23, 37)},
                {"type": "dynamic", "argument": "./d.ts", "argumentRange": range(13, 23, 31)},
                {"type": "dynamic", "argument": [{"type": "string", "value": "./dir/"}, {"type": "expr"}, {"type": "string", "value": ".ts"}],
                 "argumentRange": range(14, 23, 38)},
                {"type": "dynamic", "argumentRange": range(15, 23, 24)},
                {"type": "dynamic", "argument": "./data.json", "argumentRange": range(16, 23, 36),
                 "importAttributes": {"known": {"type": "json"}}},
                {"type": "static", "kind": "importType", "specifier": "./types.d.ts", "specifierRange": range(17, 16, 30)},
                {"type": "static", "kind": "importDefer", "specifier": "./h.ts", "specifierRange": range(18, 25, 33)},
                {"type": "static", "kind": "import", "specifier": "./i.ts", "specifierRange": range(19, 29, 37)},
            ],
            "tsReferences": [
                {"type": "path", "text": "./ref.d.ts", "range": range(0, 20, 32)},
                {"type": "types", "text": "./types.d.ts", "range": range(1, 21, 35), "resolutionMode": "import"},
            ],
            "jsxImportSource": {"text": "npm:preact@10", "range": range(2, 21, 34)},
            "jsxImportSourceTypes": {"text": "npm:@types/preact@10", "range": range(3, 26, 46)},
        })
    );
    assert_eq!(
        meta.module_graph["/js.js"],
        json!({
            "selfTypesSpecifier": {"text": "./types.d.ts", "range": range(0, 18, 32)},
            "jsdocImports": [{"text": "./a.ts", "range": range(1, 19, 27)}],
            "sourceMapUrl": {"text": "js.js.map", "range": range(3, 21, 30)},
        })
    );
    assert_eq!(meta.module_graph["/c.ts"], json!({"script": true}));
    assert!(!meta.module_graph.contains_key("/unreached.ts") && !meta.module_graph.contains_key("/data.json"));
    assert_eq!(meta.manifest.len(), files.len());
}

#[test]
fn the_bytes_are_a_contract() {
    let package = Package::new(&[("/mod.ts", "export const a: number = 1;\n"), ("/z.txt", "z"), ("/jsr.json", "{}")]);
    let package = package.exporting(&[("./b", "./mod.ts"), (".", "./mod.ts")]);
    let bytes = meta_of(&package).to_bytes();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        concat!(
            r#"{"manifest":{"/jsr.json":{"size":2,"checksum":"sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"#,
            r#""/mod.ts":{"size":28,"checksum":"sha256-8fbccf1f29c58f5ceefc8a9a2d793cadf78d1f97e74c5e33b231b96a0cf74c66"},"#,
            r#""/z.txt":{"size":1,"checksum":"sha256-594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06"}},"#,
            r#""moduleGraph2":{"/mod.ts":{}},"exports":{"./b":"./mod.ts",".":"./mod.ts"}}"#
        )
    );
}

#[test]
fn the_same_package_gives_the_same_bytes() {
    let text = "import a from \"./a.json\" with { type: \"json\", b: \"1\", c: \"2\", d: \"3\", e: \"4\", f: \"5\" };\nexport const x: unknown = a;\n";
    let package = Package::new(&[("/mod.ts", text), ("/a.json", "{}")]);
    let first = meta_of(&package).to_bytes();
    for _ in 0..10 {
        assert_eq!(meta_of(&package).to_bytes(), first);
    }
}
