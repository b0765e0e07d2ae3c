//! Exports of types are marked, where that breaks no promise.

use serde_json::json;

use super::{Package, path, text};

const TYPES: &str = "export interface Shape {}\nexport class Circle {}\nexport interface Both {}\nexport const Both = 1;\n\
                     export namespace Empty { export type T = 1 }\nexport enum Kind { A }\nexport default interface Main {}\n";

/// What becomes of `/src/mod.ts` in a package that a `package.json` describes.
fn marked(module: &str, more: &[(&str, &str)]) -> String {
    let mut files = vec![("/src/mod.ts", module), ("/src/types.ts", TYPES)];
    files.extend(more);
    let mut package = Package::new(&files).package_json(json!({ "dependencies": { "far": "1" } }));
    package.manifest.config = path("/package.json");
    package.text_of("/src/mod.ts")
}

#[test]
fn types_are_told_from_values() {
    assert_eq!(
        marked("export { Shape, Circle, Both, Empty as E, Kind, default as Main } from './types';", &[]),
        "export { type Shape, Circle, Both, type Empty as E, Kind, type default as Main } from './types.ts';"
    );
    assert_eq!(
        marked("import Main, { Shape as S, Circle } from './types.ts'\nexport { Main, S as \"a b\", Circle, type S }", &[]),
        "import Main, { Shape as S, Circle } from './types.ts'\nexport { type Main, type S as \"a b\", Circle, type S }"
    );
    assert_eq!(marked("interface Own {}\nexport { Own };", &[]), "interface Own {}\nexport { type Own };");
    assert_eq!(marked("export { Far } from 'far';", &[]), "export { Far } from 'npm:far@1';");
}

#[test]
fn ways_through_other_modules_are_followed() {
    let barrels = [
        ("/src/a.ts", "export * from './b.js';\nexport * from './a.ts';"),
        ("/src/b.ts", "export * from './types.js';\nimport { Circle as C } from './types.js';\nexport { C, C as Shape2 };"),
        ("/src/d.d.ts", "export class Declared {}"),
        ("/src/unknown.ts", "export * from 'far';\nexport * from './types.ts';"),
    ];
    assert_eq!(marked("export { Shape, Shape2, C } from './a.ts'", &barrels), "export { type Shape, Shape2, C } from './a.ts'");
    assert_eq!(marked("export { Declared } from './d.d.ts'", &barrels), "export { type Declared } from './d.d.ts'");
    // What may come from another package is left alone, and so is what is nowhere.
    assert_eq!(marked("export { Shape, Nothing } from './unknown.ts'", &barrels), "export { Shape, Nothing } from './unknown.ts'");
}

#[test]
fn default_exports_are_written_out() {
    let import = "import { Shape, Circle } from './types.ts';\n";
    assert_eq!(marked(&format!("{import}export default Shape;\n"), &[]), format!("{import}export {{ type Shape as default }};\n"));
    for other in
        ["export default Circle;", "export default /* a */ Shape;", "export default (Shape);", "export default function Shape() {}"]
    {
        let module = format!("{import}{other}\n");
        assert_eq!(marked(&module, &[]), module);
    }
}

#[test]
fn what_is_exact_stays_what_it_is() {
    let files = [
        ("/exact.ts", "\u{feff}export { Shape } from './types.ts';"),
        ("/sloppy.ts", "\u{feff}export { Shape } from './types';"),
        ("/types.ts", TYPES),
        ("/script.js", "export { Shape } from './types';"),
        ("/declared.d.ts", "export { Shape } from './types';"),
    ];
    let rewritten = Package::new(&files).exports(&[(".", "./exact.ts")]).rewrite();
    assert_eq!(text(&rewritten, "/exact.ts"), files[0].1);
    assert!(rewritten.parsed.contains_key(&path("/exact.ts")));
    assert_eq!(text(&rewritten, "/sloppy.ts"), "\u{feff}export { type Shape } from './types.ts';");
    assert_eq!(text(&rewritten, "/script.js"), "export { Shape } from './types.ts';");
    assert_eq!(text(&rewritten, "/declared.d.ts"), "export { Shape } from './types.ts';");

    let mut package = Package::new(&files).exports(&[(".", "./exact.ts"), ("./types", "./types.ts")]);
    package.manifest.config = path("/package.json");
    let rewritten = package.rewrite();
    assert_eq!(text(&rewritten, "/exact.ts"), "\u{feff}export { type Shape } from './types.ts';");
    assert_eq!(rewritten.parsed.keys().map(ToString::to_string).collect::<Vec<_>>(), ["/types.ts"]);
    let again = Package { files: rewritten.files, manifest: package.manifest }.rewrite();
    assert!(again.changed.is_empty());
}
