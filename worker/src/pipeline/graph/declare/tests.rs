//! Odd sources, each of which must end in declarations, the same ones every time.

use crate::pipeline::fixture::{Package, lines, path_named};

/// A source, and the names in it whose types nobody knows.
const ODD: &[(&str, &[&str])] = &[
    ("export const f = x => x;", &["f"]),
    ("export const f = async x => { return x; };", &["f"]),
    ("export const f = (/* => */ x, y = {}) /* => */ => x;", &["f"]),
    ("export const [] = f(), {} = f();\nexport const a: number = 1;", &[]),
    ("export const { ä, 'b c': [ö] = [], ...ü } =\n\n  f(\n);", &["ä", "ö", "ü"]),
    ("export default class extends f() {\n  a = f();\n}", &["default"]),
    ("export default (a) => a;", &["default"]),
    ("export default function (a) { return a; }", &["default"]),
    ("export default async function* named(a) { yield a; }", &["default"]),
    (
        "export class A extends f(class {}) {\n  static [Symbol.iterator] = f();\n  accessor b = f();\n  set c(value) {}\n  constructor(public d, e = f(), ...g) {}\n}",
        &["A"],
    ),
    ("export const a = { b() { return f(); }, get c() { return 1; }, ...f(), async *[`d`]() {} };", &["a"]),
    ("export const a = <const T,>(b = f<T>(), { c } = f()) => (d: T, e) => [b, c, d, e];", &["a"]),
    ("export function f(this: Date, [a], { b }, ...c) { return this; }", &["f"]),
    ("export namespace A.B.C {\n  export const d = f();\n  export function e() { return 1; }\n}", &["A"]),
    ("export const a = 1, b = f(), c = g();", &["b", "c"]),
    ("export let a;\nexport var b = this;", &["a", "b"]),
    ("function a() {}\na.b = f();\na.c = (x) => x;\nexport { a };", &["a"]),
    ("export enum A { B = f(), C = \"c\".length }", &[]),
    ("class A { private b = 1; }\nexport type B = A[\"b\"][\"toFixed\"];\nexport const c: A[\"nope\"] = 1;", &[]),
    ("export const a = __SlipwayUntyped;", &["a"]),
    ("using a = f();\nexport { a };", &["a"]),
    ("export const \\u0061bc = f();", &["abc"]),
];

#[test]
fn every_module_is_declared() {
    for (source, untyped) in ODD {
        let package = Package::new(&[("/mod.ts", source)]);
        let (graph, findings) = package.graph();
        let said = lines(&findings);
        assert!(said.iter().all(|line| !line.contains("could not be made")), "{source}: {said:?}");
        assert!(graph.declarations(&path_named("/mod.ts")).is_some(), "{source}: {said:?}");
        let names = graph.declarations.untyped.get(&path_named("/mod.ts"));
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        assert_eq!(names, *untyped, "{source}: {said:?}");
        assert_eq!(graph.declarations.untyped, package.graph().0.declarations.untyped, "{source}");
    }
}

#[test]
fn a_name_for_another_one_is_as_unknown_as_that() {
    let modules = [
        ("/mod.ts", "export const a = f();\nconst b = a;\nexport { b as c };\nexport const known: typeof g = 1;\ndeclare const g: number;"),
        (
            "/other.ts",
            "import { a, c as d } from './passing.ts';\nimport * as all from './passing.ts';\nexport const e: { f: typeof d } = x;\nexport const g: typeof all.a = x;\nexport default a;\nexport const h: typeof all = x;",
        ),
        ("/passing.ts", "export * from './mod.ts';\nexport * from './passing.ts';\nexport { c as default } from './mod.ts';"),
    ];
    let package = Package::new(&modules).exporting(&[(".", "./mod.ts"), ("./other", "./other.ts"), ("./passing", "./passing.ts")]);
    let (graph, findings) = package.graph();
    let untyped: Vec<_> = graph
        .declarations
        .untyped
        .iter()
        .map(|(path, names)| (path.as_str(), names.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        untyped,
        [("/mod.ts", vec!["a", "c"]), ("/other.ts", vec!["default", "e", "g"]), ("/passing.ts", vec!["default"])],
        "{:?}",
        lines(&findings)
    );
}

#[test]
fn more_complaints_than_are_helped_one_by_one_end_in_an_outline() {
    let source: String = (0..4000).map(|number| format!("export const a{number} = f();\n")).collect();
    let (graph, _) = Package::new(&[("/mod.ts", &source)]).graph();
    assert_eq!(graph.declarations.untyped[&path_named("/mod.ts")].len(), 4000);
}
