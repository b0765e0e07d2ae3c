//! What a compiler is given where the source does not say its types, and what it gives back. Plain data: the compiler runs
//! elsewhere, since nothing here starts a process.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use slipway_common::ids::PackagePath;

/// What a compiler is given: the modules of a package, with specifiers that it resolves as npm clients do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unsaid {
    /// The files, by their paths with a leading slash. A module of TypeScript is imported by its own name.
    pub files: BTreeMap<String, Bytes>,
    /// The modules among them whose declarations are wanted.
    pub wanted: BTreeSet<PackagePath>,
    /// What each module imports.
    pub imports: BTreeMap<String, Imports>,
    /// The packages that they import, by their directories in `node_modules`: the range, or `npm:name@range` for an alias.
    pub dependencies: BTreeMap<String, String>,
    /// Whether any of them imports a module of Node.
    pub uses_node: bool,
    /// The options of the package that matter to types: those of JSX and decorators.
    pub options: Map<String, Value>,
}

/// What a module imports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imports {
    /// Files of the package.
    pub local: BTreeSet<String>,
    /// Whether it imports anything else.
    pub is_foreign: bool,
}

/// What a compiler gave back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inferred {
    /// Its name and version.
    pub compiler: String,
    /// Declarations of modules that it understood in full.
    pub modules: BTreeMap<PackagePath, InferredModule>,
    /// Why there are none of the others that were wanted.
    pub refused: BTreeMap<PackagePath, String>,
}

/// The declarations of a module as the compiler wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferredModule {
    /// The text.
    pub text: String,
    /// The source map as JSON, from the text to the file that the compiler was given.
    pub map: String,
}
