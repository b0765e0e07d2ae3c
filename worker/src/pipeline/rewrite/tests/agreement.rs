//! The module graph finds no specifier that this room does not.

use std::collections::BTreeSet;

use bytes::Bytes;
use deno_graph::analysis::{
    DependencyDescriptor, DynamicArgument, DynamicDependencyKind, ModuleInfo, StaticDependencyKind, TypeScriptReference,
};
use deno_graph::ast::ParserModuleAnalyzer;

use super::path;
use crate::pipeline::rewrite::collect::collect;
use crate::pipeline::rewrite::source::Source;

const SOURCE: &str = r#"#!/usr/bin/env deno
/// <reference path="./01.d.ts" />
/// <reference types="./02.d.ts" />
/** @jsxImportSource 03 */
/** @jsxImportSourceTypes 04 */
// @ts-self-types="./05.d.ts"
import a, { b } from "./06";
import './07';
// @ts-types="./08.d.ts"
import * as c from '09';
/* @deno-types=./10.d.ts */
export * from "./11";
export * as d from './12';
export { e } from "13" with { type: "json" };
const f = await import("./14"), g = import(`./15`);
await /* @ts-types="./16.d.ts" */ import("./17");
/** @type {import("./18").A} */
let h;
/**
 * @import { B } from "19"
 * @param {Array<import('./20').C>} x
 */
function i(x) { return () => class { j = import("./21") }; }
import defer * as k from "22";
export default <div>{import("./23")}</div>;
"#;

const TYPED: &str = r#"
import type { a } from "./30";
export type { b } from './31';
export type * from "32";
import type c = require("./33");
let d: typeof import("./34"), e: import('./35').A<import("36").B>;
declare module "./37" {}
declare module "38" { export * from "./39"; }
namespace f { export type g = import("./40").G; }
abstract class h<T extends import("41").I> { declare x: import("42").J; }
"#;

fn of_the_graph(module: &ModuleInfo) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let single = [&module.self_types_specifier, &module.jsx_import_source, &module.jsx_import_source_types];
    texts.extend(single.into_iter().flatten().map(|found| found.text.clone()));
    texts.extend(module.jsdoc_imports.iter().map(|found| found.specifier.text.clone()));
    texts.extend(module.ts_references.iter().map(|reference| match reference {
        TypeScriptReference::Path(found) | TypeScriptReference::Types { specifier: found, .. } => found.text.clone(),
    }));
    for dependency in &module.dependencies {
        match dependency {
            DependencyDescriptor::Static(found) => {
                assert!(!matches!(found.kind, StaticDependencyKind::ImportEquals | StaticDependencyKind::ExportEquals));
                texts.insert(found.specifier.clone());
                texts.extend(found.types_specifier.iter().map(|found| found.text.clone()));
            }
            DependencyDescriptor::Dynamic(found) => {
                assert_ne!(found.kind, DynamicDependencyKind::Require);
                let DynamicArgument::String(text) = &found.argument else { panic!("{found:?}") };
                texts.insert(text.clone());
                texts.extend(found.types_specifier.iter().map(|found| found.text.clone()));
            }
        }
    }
    texts
}

#[test]
fn finds_what_the_graph_finds() {
    for (name, text, count) in [("/m.jsx", SOURCE, 23), ("/m.ts", TYPED, 13), ("/m.d.ts", TYPED, 13)] {
        let source = Source::read(&path(name), &Bytes::from_static(text.as_bytes())).unwrap();
        let found = collect(&source.parsed);
        let texts: BTreeSet<_> = found.sites.iter().map(|site| site.text.clone()).collect();
        assert_eq!(texts, of_the_graph(&ParserModuleAnalyzer::module_info(&source.parsed)), "{name}");
        assert_eq!(texts.len(), count, "{name}");
        for site in &found.sites {
            assert_eq!(&source.parsed.text()[site.range.clone()], site.text, "{name}");
        }
    }
}
