//! What the compiler options say about JSX, written into the files that have it.
//!
//! Consumers compile the source with their own options, so a package carries its own in pragmas. They go in front of the
//! first character, so that no line moves.

use std::fmt::Write as _;

use super::super::manifest::{JsxOptions, JsxRuntime};
use super::resolve::{Failure, Referrer, Resolver};

/// What TypeScript and Deno import from when no source is named.
const DEFAULT_SOURCE: &str = "react";

/// The pragmas that `options` stand for, and the import sources among them that could not be resolved.
pub(super) fn pragmas(options: &JsxOptions, resolver: &Resolver<'_>, from: Referrer<'_>) -> (String, Vec<Failure>) {
    let mut text = String::new();
    let mut failures = Vec::new();
    let mut push = |name: &str, value: &str| {
        if is_writable(value) {
            write!(text, "/** @{name} {value} */").expect("writing to a string cannot fail");
        }
    };
    match runtime(options) {
        None => {}
        Some(JsxRuntime::Classic) => {
            push("jsxRuntime", "classic");
            for (name, value) in [("jsx", &options.factory), ("jsxFrag", &options.fragment_factory)] {
                if let Some(value) = value {
                    push(name, value);
                }
            }
        }
        Some(JsxRuntime::Automatic) => {
            push("jsxRuntime", "automatic");
            let source = options.import_source.as_deref().unwrap_or(DEFAULT_SOURCE);
            let types = options.import_source_types.as_deref();
            let sources = [("jsxImportSource", Some(source), false), ("jsxImportSourceTypes", types, true)];
            for (name, source, types) in sources {
                let Some(source) = source else { continue };
                match resolver.resolve_jsx_source(Referrer { types: types || from.types, ..from }, source) {
                    Ok(found) => push(name, found.text.as_deref().unwrap_or(source)),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }
    (text, failures)
}

/// The transform, also where only what belongs to it is given.
fn runtime(options: &JsxOptions) -> Option<JsxRuntime> {
    let implied = match options {
        JsxOptions { import_source: Some(_), .. } => Some(JsxRuntime::Automatic),
        JsxOptions { factory: Some(_), .. } | JsxOptions { fragment_factory: Some(_), .. } => Some(JsxRuntime::Classic),
        _ => None,
    };
    options.runtime.or(implied)
}

/// Whether a value can stand in a pragma without ending it.
fn is_writable(value: &str) -> bool {
    !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*')
}
