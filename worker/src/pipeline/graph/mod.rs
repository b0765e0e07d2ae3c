//! The module graph: which files the exports reach, what each of them imports, and everything about that which is wrong.
//!
//! The graph is built over the files in memory by `deno_graph`, for code and for types. Nothing is fetched: what is not a
//! file of the package is either a leaf that the rules judge, or missing. Sources that an earlier stage parsed are not
//! parsed again, and no text reaches the parser before its nesting was counted.
//!
//! What is deliberately not here: which constructs are allowed (`rules`) and which packages exist (`dependencies`).

mod declare;
mod errors;
mod extras;
mod load;
mod near;
mod parse;
mod place;
mod reach;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::rc::Rc;

use deno_ast::{MediaType, ParsedSource};
use deno_graph::ast::{CapturingModuleAnalyzer, ParsedSourceStore};
use deno_graph::fast_check::FastCheckDtsModule;
use deno_graph::{BuildOptions, GraphKind, JsModule, Module, ModuleGraph, ModuleSpecifier};
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::Findings;

pub use self::declare::{Declaration, Declarations, Origin, PLACEHOLDER, Revision, SUPERCLASS, TWIN, UNTYPED};
pub use self::extras::Extras;
pub(crate) use self::extras::forgo_all;
pub use self::load::{is_script, path_of, specifier_of};
pub use self::parse::Trees;
pub use self::place::place_at;
pub(crate) use self::place::{place_of_range, shorten};

use super::files::Files;
use super::manifest::Manifest;

/// The modules that a package's exports reach, and its extras.
pub struct Graph {
    /// The graph as `deno_graph` has it. Roots are the files of the exports, in the order of the config, and the programs.
    pub modules: ModuleGraph,
    /// The parsed sources of those modules, and a parser that reuses them.
    pub sources: Rc<CapturingModuleAnalyzer>,
    /// The modules among them that no export reaches by what the author wrote.
    pub extras: Extras,
    /// What TypeScript is told about the modules.
    pub declarations: Declarations,
    /// The modules that have to load before an export or a program can run.
    running: BTreeSet<ModuleSpecifier>,
    /// Specifiers that name this very version of this package, but an export that it does not have.
    unknown_own_exports: BTreeSet<ModuleSpecifier>,
}

/// Builds the graph. Whatever is wrong with it is put into `findings`; the graph holds what could be understood all the
/// same, so that the rules can be applied to it. Declarations are made only for a graph without errors.
pub fn build(
    files: &Files,
    manifest: &Manifest,
    package: &PackageName,
    version: &Version,
    trees: &Trees,
    findings: &mut Findings,
) -> Graph {
    let loader = load::PackageLoader::new(files, BTreeSet::new());
    let resolver = resolve::PackageResolver::new(package, version, manifest);
    let modules = load_all(&loader, &resolver, trees, manifest);
    let unknown_own_exports = resolver.into_unknown();
    let running = reach::reach(&modules, roots(manifest).chain(extras::programs(manifest)), reach::needed);
    let mut problems = Findings::default();
    let survey = errors::Survey {
        modules: &modules,
        sources: &trees.sources,
        log: &trees.log,
        loader: &loader,
        neighbours: near::Neighbours::new(files),
        unknown: &unknown_own_exports,
        running: &running,
    };
    survey.report(manifest, &mut problems);
    let extras = Extras::find(&modules, roots(manifest));
    let mut graph =
        Graph { modules, sources: Rc::clone(&trees.sources), extras, running, declarations: Declarations::default(), unknown_own_exports };
    if !problems.has_errors() {
        let source = declare::Source { files, manifest, package, version, sources: &trees.sources };
        let mut modules = graph.modules;
        graph.declarations = declare::run(&mut modules, &source, &mut problems);
        graph.modules = modules;
    }
    findings.extend(problems);
    graph
}

/// Builds a graph of changed files, some of which are TypeScript now, whatever they are called.
fn modules_of(files: &Files, typescript: BTreeSet<PackagePath>, source: &declare::Source<'_>, trees: &Trees) -> ModuleGraph {
    let loader = load::PackageLoader::new(files, typescript);
    let resolver = resolve::PackageResolver::new(source.package, source.version, source.manifest);
    load_all(&loader, &resolver, trees, source.manifest)
}

fn load_all(loader: &load::PackageLoader<'_>, resolver: &resolve::PackageResolver<'_>, trees: &Trees, manifest: &Manifest) -> ModuleGraph {
    let mut modules = ModuleGraph::new(GraphKind::All);
    let options = BuildOptions {
        unstable_bytes_imports: true,
        unstable_css_imports: true,
        passthrough_jsr_specifiers: true,
        executor: &load::Inline,
        jsr_url_provider: &load::NoRegistry,
        module_analyzer: &*trees.sources,
        resolver: Some(resolver),
        ..BuildOptions::default()
    };
    let roots = roots(manifest).chain(extras::programs(manifest)).collect();
    // Every future is ready when it is made: the loader answers from memory, so this never waits.
    futures::executor::block_on(modules.build(roots, Vec::new(), loader, options));
    modules
}

/// The files of the exports, once each, in the order of the config.
fn roots(manifest: &Manifest) -> impl Iterator<Item = ModuleSpecifier> {
    let mut seen = BTreeSet::new();
    let targets = manifest.exports.0.values().filter_map(|target| PackagePath::try_from(target.rooted()).ok());
    targets.filter(move |path| !is_asset(path) && seen.insert(path.clone())).map(|path| specifier_of(&path))
}

/// Whether an export is a file that nobody can load as a module by itself: a style sheet, a page, a text. It is there for bundlers,
/// and for imports with an attribute.
fn is_asset(path: &PackagePath) -> bool {
    use MediaType::{Css, Html, Json5, Jsonc, Markdown, SourceMap, Sql};
    matches!(MediaType::from_specifier(&specifier_of(path)), Css | Html | Json5 | Jsonc | Markdown | SourceMap | Sql)
}

impl Graph {
    /// The modules with code or declarations that are files of the package, by path.
    pub fn scripts(&self) -> impl Iterator<Item = (PackagePath, &JsModule)> {
        self.modules.modules().filter_map(|module| Some((path_of(module.specifier())?, module.js()?)))
    }

    /// The module of a file, if an export reaches it and it is JavaScript or TypeScript.
    #[must_use]
    pub fn script(&self, path: &PackagePath) -> Option<&JsModule> {
        self.modules.get(&specifier_of(path)).and_then(Module::js)
    }

    /// Whether an export or a program reaches the file as a module. A file that does not parse is reached all the same.
    #[must_use]
    pub fn reaches(&self, path: &PackagePath) -> bool {
        match self.modules.try_get(&specifier_of(path)) {
            Ok(Some(module)) => module.external().is_none(),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Whether the file has to load before an export or a program can run. What only types or dynamic imports lead to does not.
    #[must_use]
    pub fn runs(&self, path: &PackagePath) -> bool {
        self.running.contains(&specifier_of(path))
    }

    /// The parsed source of a module.
    #[must_use]
    pub fn parsed(&self, specifier: &ModuleSpecifier) -> Option<ParsedSource> {
        self.sources.get_parsed_source(specifier)
    }

    /// The declarations of a module as isolated emit makes them, unless it declares nothing in public.
    #[must_use]
    pub fn declarations(&self, path: &PackagePath) -> Option<&FastCheckDtsModule> {
        self.declarations.of(&self.modules, &specifier_of(path)).map(|declaration| declaration.dts)
    }

    /// Whether this is a reference to an export that this version would have to have itself.
    #[must_use]
    pub(crate) fn is_unknown_own_export(&self, specifier: &ModuleSpecifier) -> bool {
        self.unknown_own_exports.contains(specifier)
    }
}
