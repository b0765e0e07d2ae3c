//! The shape every kind of config file is read into.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use slipway_common::ids::{Exports, PackagePath};

/// A config file that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file it was read from.
    pub config: PackagePath,
    /// The entry points. Each target exists in the package.
    pub exports: Exports,
    /// JavaScript whose declarations are known, and the `.d.ts` that holds them: the sibling of the file, or for an entry point
    /// a `types` condition of `package.json`. What a file says itself comes before it.
    pub declarations: BTreeMap<PackagePath, PackagePath>,
    /// The SPDX expression that is declared, or the identifier of the licence whose text was found.
    pub license: Option<String>,
    /// The readme at the root of the package.
    pub readme: Option<PackagePath>,
    /// One line about the package, where the config has one.
    pub description: Option<String>,
    /// Whether `declare global` and module augmentation are allowed: `"augmentations": true`.
    pub augmentations: bool,
    /// What the npm package says of itself.
    pub npm: NpmFields,
    /// How specifiers are resolved that are not exact.
    pub resolution: Resolution,
    /// The package's own `package.json`, parsed, wherever the config is.
    pub package_json: Option<Map<String, Value>>,
}

/// What the npm package says of itself beyond what every package says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NpmFields {
    /// The commands, each with a file of the package: a script that runs, or the source of one.
    pub bins: BTreeMap<String, PackagePath>,
    /// Fields of `package.json` that are carried over, each of the shape that npm clients expect.
    pub fields: Map<String, Value>,
}

/// The package's own resolution settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolution {
    /// The import map of the config, or the file that its `importMap` names.
    pub import_map: Option<ImportMapSource>,
    /// `dependencies`, `peerDependencies` and `optionalDependencies` of `package.json`: name to range, as written.
    pub dependencies: BTreeMap<String, String>,
    /// `imports` of `package.json` (`#name` specifiers), as written.
    pub package_imports: Option<Map<String, Value>>,
    /// `compilerOptions.paths`, from the config or `tsconfig.json`.
    pub paths: Option<PathMapping>,
    /// What the compiler options say about JSX.
    pub jsx: JsxOptions,
    /// `compilerOptions.experimentalDecorators`.
    pub experimental_decorators: bool,
}

/// An import map and the file whose directory its relative addresses start from.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportMapSource {
    /// The file it stands in.
    pub base: PackagePath,
    /// An object with `imports` and `scopes`, as written.
    pub json: Value,
}

/// TypeScript's `paths`: a pattern with at most one `*`, and what to try for it.
#[derive(Debug, Clone, PartialEq)]
pub struct PathMapping {
    /// The directory the substitutions start from, with leading and trailing slash.
    pub base: String,
    /// Patterns in the order they are written, each with its substitutions.
    pub patterns: IndexMap<String, Vec<String>>,
}

/// What the compiler options say about JSX. `None` everywhere when they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsxOptions {
    /// Which of the two transforms.
    pub runtime: Option<JsxRuntime>,
    /// `jsxImportSource`.
    pub import_source: Option<String>,
    /// `jsxImportSourceTypes`.
    pub import_source_types: Option<String>,
    /// `jsxFactory`.
    pub factory: Option<String>,
    /// `jsxFragmentFactory`.
    pub fragment_factory: Option<String>,
}

/// The JSX transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsxRuntime {
    /// Calls of a factory such as `React.createElement`.
    Classic,
    /// Imports from the import source's `jsx-runtime`.
    Automatic,
}
