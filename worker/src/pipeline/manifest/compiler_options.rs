//! Compiler options: those of the deno config, over those of `tsconfig.json` with what it extends.
//!
//! Nothing here can fail a publish: a package whose specifiers are exact needs none of it. What cannot be read is a warning.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Findings, Severity};

use super::index::{FileIndex, join};
use super::json::{Dialect, Document};
use super::{JsxOptions, JsxRuntime, PathMapping};

/// Most `tsconfig.json` files that are read. `extends` may name several, each of which may again: without a limit on all of
/// them together, ten files of a line each are a thousand readings.
const MAX_CONFIGS: usize = 16;

/// The options that matter here, each with the file that sets it in mind.
#[derive(Debug, Default)]
pub(super) struct CompilerOptions {
    pub(super) jsx: JsxOptions,
    pub(super) experimental_decorators: Option<bool>,
    base: Option<String>,
    paths: Option<PathMapping>,
}

impl CompilerOptions {
    /// The `paths`, from `baseUrl` if any file sets it and else from the directory of the file that maps them.
    pub(super) fn paths(&self) -> Option<PathMapping> {
        let paths = self.paths.clone()?;
        Some(PathMapping { base: self.base.clone().unwrap_or(paths.base), patterns: paths.patterns })
    }

    /// Sets whatever `options` say; `directory` is that of their file.
    fn set(&mut self, options: &Map<String, Value>, directory: &str) {
        let text = |key: &str| options.get(key).and_then(Value::as_str);
        let owned = |key: &str| text(key).map(str::to_owned);
        match text("jsx") {
            Some("react") => self.jsx.runtime = Some(JsxRuntime::Classic),
            Some("react-jsx" | "react-jsxdev" | "precompile") => self.jsx.runtime = Some(JsxRuntime::Automatic),
            // `preserve` and `react-native` leave the choice to another tool, which is not there.
            Some(_) => self.jsx.runtime = None,
            None => {}
        }
        let jsx = &mut self.jsx;
        for (field, key) in [
            (&mut jsx.import_source, "jsxImportSource"),
            (&mut jsx.import_source_types, "jsxImportSourceTypes"),
            (&mut jsx.factory, "jsxFactory"),
            (&mut jsx.fragment_factory, "jsxFragmentFactory"),
        ] {
            if let Some(value) = owned(key) {
                *field = Some(value);
            }
        }
        if let Some(value) = options.get("experimentalDecorators").and_then(Value::as_bool) {
            self.experimental_decorators = Some(value);
        }
        if let Some(base) = text("baseUrl").and_then(|base| join(directory, base)) {
            self.base = Some(with_slash(base));
        }
        if let Some(Value::Object(paths)) = options.get("paths") {
            self.paths = Some(PathMapping { base: directory.to_owned(), patterns: patterns(paths) });
        }
    }
}

fn with_slash(mut directory: String) -> String {
    if !directory.ends_with('/') {
        directory.push('/');
    }
    directory
}

/// The patterns TypeScript would use: at most one star in the pattern and in each substitution.
fn patterns(paths: &Map<String, Value>) -> IndexMap<String, Vec<String>> {
    let stars = |text: &str| text.matches('*').count();
    let substitutions = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).filter(|text| stars(text) <= 1).map(str::to_owned).collect()
    };
    paths.iter().filter(|(pattern, _)| stars(pattern) <= 1).map(|(pattern, to)| (pattern.clone(), substitutions(to))).collect()
}

/// Reads the options: `configs` are the deno configs, the nearest first, and the rest is in `tsconfig.json` at `directory`.
pub(super) fn read(configs: &[&Document], directory: &str, index: &FileIndex<'_>, findings: &mut Findings) -> CompilerOptions {
    let mut reading = Reading { index, findings, options: CompilerOptions::default(), left: MAX_CONFIGS, open: Vec::new() };
    if let Some(path) = index.find(&format!("{directory}tsconfig.json")) {
        reading.config(&path);
    }
    let mut options = reading.options;
    for config in configs.iter().rev() {
        if let Some(Value::Object(own)) = config.object.get("compilerOptions") {
            options.set(own, config.path.directory());
        }
    }
    options
}

struct Reading<'a, 'b> {
    index: &'a FileIndex<'b>,
    findings: &'a mut Findings,
    options: CompilerOptions,
    left: usize,
    open: Vec<PackagePath>,
}

impl Reading<'_, '_> {
    /// One file, after what it extends. The recursion is as deep as [`MAX_CONFIGS`].
    fn config(&mut self, path: &PackagePath) {
        if self.left == 0 || self.open.contains(path) {
            return;
        }
        self.left -= 1;
        let Some(bytes) = self.index.bytes(path) else { return };
        let document = match Document::read(path, bytes, Dialect::Jsonc) {
            Ok(document) => document,
            Err(mut finding) => {
                finding.severity = Severity::Warning;
                return self.findings.push(finding.hint("its compiler options are not used"));
            }
        };
        self.open.push(path.clone());
        let extended = match document.object.get("extends") {
            Some(Value::Array(all)) => all.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for extended in extended.iter().filter_map(Value::as_str) {
            if let Some(path) = self.extended(path, extended) {
                self.config(&path);
            }
        }
        self.open.pop();
        if let Some(Value::Object(options)) = document.object.get("compilerOptions") {
            self.options.set(options, path.directory());
        }
    }

    /// The file an `extends` names, if it is in the package. Presets that are packages of their own say how to check types, and
    /// are left aside in silence: nearly every project has one.
    fn extended(&self, from: &PackagePath, specifier: &str) -> Option<PackagePath> {
        if !specifier.starts_with('.') {
            return None;
        }
        let path = join(from.directory(), specifier)?;
        self.index.find(&path).or_else(|| self.index.find(&format!("{path}.json")))
    }
}
