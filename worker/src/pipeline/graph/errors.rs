//! Everything that is wrong with a graph, each import that is to blame with its own place.
//!
//! An import that leads nowhere is an error where nothing could run without it. JSR refuses no package for the others (types,
//! comments, dynamic imports, and whatever is behind them), so here they are warnings. A module that cannot be parsed is an
//! error whoever reaches it: Deno's client does not publish it either.
//!
//! `deno_graph` keeps one error for each module it could not load, with the place of whichever import came first. Authors
//! want every place, and the same ones in every run, so the imports are walked here in the order of the paths and each is
//! asked what it leads to.

use std::collections::BTreeSet;

use deno_ast::MediaType;
use deno_graph::ast::{CapturingModuleAnalyzer, ParsedSourceStore};
use deno_graph::{
    Dependency, Import, ImportKind, JsrLoadError, Module, ModuleError, ModuleErrorKind, ModuleGraph, ModuleLoadError, ModuleSpecifier,
    NpmLoadError, Range, Resolution, ResolutionError,
};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place, Severity};

use super::load::{PackageLoader, path_of, specifier_of};
use super::near::Neighbours;
use super::parse::{ParseLog, syntax_error};
use super::place::{place_of, place_of_range, shorten};
use super::reach::is_needed;
use super::resolve::is_paired;
use super::{extras, roots};
use crate::pipeline::manifest::Manifest;

/// What is known after a graph was built.
pub(super) struct Survey<'a> {
    pub(super) modules: &'a ModuleGraph,
    pub(super) sources: &'a CapturingModuleAnalyzer,
    pub(super) log: &'a ParseLog,
    pub(super) loader: &'a PackageLoader<'a>,
    pub(super) neighbours: Neighbours<'a>,
    pub(super) unknown: &'a BTreeSet<ModuleSpecifier>,
    pub(super) running: &'a BTreeSet<ModuleSpecifier>,
}

/// An import, or another reference from one module to another.
struct Reference<'a> {
    from: &'a Module,
    text: &'a str,
    target: &'a ModuleSpecifier,
    range: &'a Range,
    import: Option<&'a Import>,
}

impl Reference<'_> {
    fn attribute(&self) -> Option<&str> {
        self.import.and_then(|import| import.attributes.get("type"))
    }

    fn kind(&self) -> Option<ImportKind> {
        self.import.map(|import| import.kind)
    }

    fn place(&self) -> Place {
        place_of_range(self.range)
    }
}

impl Survey<'_> {
    /// Reports every error of the graph.
    pub(super) fn report(&self, manifest: &Manifest, findings: &mut Findings) {
        for finding in self.log.findings(self.modules) {
            findings.push(finding);
        }
        for module in self.modules.modules() {
            self.recoverable(module, findings);
            self.references(module, findings);
        }
        self.modules_themselves(manifest, findings);
    }

    /// What the parser could make sense of although it is not allowed.
    fn recoverable(&self, module: &Module, findings: &mut Findings) {
        if let Some(source) = self.sources.get_parsed_source(module.specifier()) {
            findings.extend(source.diagnostics().iter().map(|diagnostic| syntax_error(diagnostic, source.text_info_lazy())));
        }
    }

    fn references(&self, module: &Module, findings: &mut Findings) {
        if let Some(types) = module.maybe_types_dependency().filter(|types| !is_paired(module, types)) {
            self.resolution(module, &types.specifier, &types.dependency, None, findings);
        }
        for (text, dependency) in module.dependencies() {
            for import in &dependency.imports {
                for resolution in resolutions_of(dependency, import) {
                    self.resolution(module, text, resolution, Some(import), findings);
                }
            }
            if let Some(types) = &dependency.maybe_deno_types_specifier {
                self.resolution(module, types, &dependency.maybe_type, None, findings);
            }
        }
    }

    fn resolution(&self, from: &Module, text: &str, resolution: &Resolution, import: Option<&Import>, findings: &mut Findings) {
        let finding = match resolution {
            Resolution::None => None,
            Resolution::Err(error) => {
                let place = place_of_range(import.map_or(error.range(), |import| &import.specifier_range));
                Some(unresolvable(error).at(place))
            }
            Resolution::Ok(resolved) => {
                let range = import.map_or(&resolved.range, |import| &import.specifier_range);
                self.reference(&Reference { from, text, target: &resolved.specifier, range, import })
            }
        };
        let Some(finding) = finding else { return };
        let is_needed = import.is_some_and(is_needed) && self.running.contains(from.specifier());
        findings.push(match from {
            // A module outside the file system of the package, `env`, is what whoever instantiates the WebAssembly provides.
            Module::Wasm(_) => provided_by_importer(from, text),
            // What a specifier says is judged wherever it stands.
            _ if is_needed || !matches!(finding.code, FindingCode::GraphError | FindingCode::InvalidExternalImport) => finding,
            _ => without_consequence(finding),
        });
    }

    fn reference(&self, reference: &Reference) -> Option<Finding> {
        if self.unknown.contains(reference.target) {
            let message = format!("'{}' names an export that this package does not have", shorten(reference.text));
            return Some(graph_error(&message).at(reference.place()));
        }
        if reference.kind() == Some(ImportKind::TsModuleAugmentation) {
            return None;
        }
        if let Some(message) = leads_outside(reference) {
            return Some(message.at(reference.place()));
        }
        if reference.target.scheme() == "file"
            && let Some(message) = wrong_attribute(reference)
        {
            return Some(graph_error(&message).at(reference.place()));
        }
        let error = self.modules.try_get(reference.target).err()?;
        self.blame(reference, error).map(|finding| finding.at(reference.place()))
    }

    /// What this reference has to do with the error of the module it leads to.
    fn blame(&self, reference: &Reference, error: &ModuleError) -> Option<Finding> {
        let text = || graph_error(&one_line(&error.to_string()));
        match error.as_kind() {
            ModuleErrorKind::Missing { specifier, .. } | ModuleErrorKind::MissingDynamic { specifier, .. } => {
                self.missing(specifier, reference)
            }
            ModuleErrorKind::Load { err: ModuleLoadError::Jsr(JsrLoadError::PackageFormat(problem)), .. } => {
                let message = format!("invalid 'jsr:' specifier '{}': {}", shorten(reference.text), one_line(&problem.to_string()));
                Some(Finding::error(FindingCode::InvalidJsrSpecifier, message).hint("write 'jsr:@scope/package@^1.0.0'"))
            }
            ModuleErrorKind::Load { err: ModuleLoadError::Npm(NpmLoadError::PackageReqReferenceParse(problem)), .. } => {
                let message = format!("invalid 'npm:' specifier '{}': {}", shorten(reference.text), one_line(&problem.to_string()));
                Some(Finding::error(FindingCode::InvalidNpmSpecifier, message).hint("write 'npm:package@^1.0.0'"))
            }
            ModuleErrorKind::UnsupportedModuleTypeForSourcePhaseImport { .. } => {
                (reference.kind() == Some(ImportKind::EsSource)).then(text)
            }
            ModuleErrorKind::UnsupportedMediaType { .. } => reference.attribute().is_none().then(text),
            // Syntax is told where the module is, once, with line and column. The attribute of the import that has a wrong one
            // was judged already; others lead to the same file rightly.
            ModuleErrorKind::Parse { .. }
            | ModuleErrorKind::WasmParse { .. }
            | ModuleErrorKind::InvalidTypeAssertion { .. }
            | ModuleErrorKind::UnsupportedImportAttributeType { .. } => None,
            ModuleErrorKind::Load { .. } => Some(text()),
        }
    }

    fn missing(&self, specifier: &ModuleSpecifier, reference: &Reference) -> Option<Finding> {
        if !matches!(specifier.scheme(), "file" | "data") {
            // A scheme that no loader knows. The rules say so, and which ones there are.
            return None;
        }
        let shown = shorten(specifier.as_str());
        if let Some(reason) = self.loader.refusal(specifier) {
            return Some(graph_error(&format!("cannot load \"{shown}\": {reason}")));
        }
        let what = if reference.import.is_some_and(|import| import.is_dynamic) { "Dynamic import" } else { "Module" };
        Some(graph_error(&format!("{what} not found \"{shown}\".")).hint(self.neighbours.hint(specifier)))
    }

    /// Errors of modules that no import has to answer for: roots, declarations that are paired with a script, and what the
    /// parser of declarations made of a WebAssembly module.
    fn modules_themselves(&self, manifest: &Manifest, findings: &mut Findings) {
        let paired = manifest.declarations.values().map(specifier_of);
        let roots: BTreeSet<_> = roots(manifest).chain(extras::programs(manifest)).chain(paired).collect();
        for (specifier, result) in self.modules.specifiers() {
            let Err(error) = result else { continue };
            let is_own = matches!(error.as_kind(), ModuleErrorKind::Parse { .. } | ModuleErrorKind::WasmParse { .. });
            let is_told = self.log.has(specifier);
            if (is_own && !is_told) || (!is_own && roots.contains(specifier)) {
                let reason = self.loader.refusal(specifier).map(str::to_owned);
                let message = reason.unwrap_or_else(|| one_line(&error.to_string()));
                findings.push(graph_error(&message).at(Place::file(place_of(specifier))));
            }
        }
    }
}

/// The resolutions that an import is responsible for. The types of an import with `@ts-types` are the comment's affair.
fn resolutions_of<'a>(dependency: &'a Dependency, import: &Import) -> impl Iterator<Item = &'a Resolution> {
    let code = import.kind.is_runtime().then_some(&dependency.maybe_code);
    let types = dependency.maybe_deno_types_specifier.is_none().then_some(&dependency.maybe_type);
    code.into_iter().chain(types)
}

/// What the message of an error begins with, as at JSR.
const FAILED: &str = "failed to build module graph: ";

fn graph_error(text: &str) -> Finding {
    Finding::error(FindingCode::GraphError, format!("{FAILED}{text}"))
}

/// The same finding where the package works without what is not there.
fn without_consequence(finding: Finding) -> Finding {
    let message = finding.message.strip_prefix(FAILED).map(str::to_owned).unwrap_or(finding.message);
    Finding { severity: Severity::Warning, message, ..finding }
}

fn unresolvable(error: &ResolutionError) -> Finding {
    let hint = "write a relative path such as './mod.ts', a specifier such as 'jsr:@scope/package@^1' or 'npm:package@^1', \
                or name the package in the imports of the config file";
    graph_error(&one_line(&error.to_string())).hint(hint)
}

fn provided_by_importer(from: &Module, text: &str) -> Finding {
    let message = format!("the WebAssembly module imports '{}', which is not in the package", shorten(text));
    Finding::warning(FindingCode::UnanalyzableImport, message)
        .at(Place::file(place_of(from.specifier())))
        .hint("whoever instantiates it has to provide that module")
}

/// Whether the specifier works only as long as the package lies at the root of a file system.
fn leads_outside(reference: &Reference) -> Option<Finding> {
    let text = reference.text;
    let from = path_of(reference.from.specifier())?;
    if text.starts_with('/') || text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:")) {
        let message = format!("invalid import '{}' (not relative): it leads somewhere else once the package is published", shorten(text));
        return Some(Finding::error(FindingCode::InvalidExternalImport, message).hint("write the path relative to this file, './mod.ts'"));
    }
    if !text.starts_with("../") && !text.starts_with("./") {
        return None;
    }
    let base = ModuleSpecifier::parse("file:///~root/").expect("a directory is a URL").join(from.relative()).ok()?;
    let target = base.join(text).ok()?;
    let stays = target.path().strip_prefix("/~root").is_some_and(|path| path.starts_with('/'));
    (!stays)
        .then(|| graph_error(&format!("'{}' leads out of the package", shorten(text))).hint("only files of the package can be imported"))
}

/// What the import's own attribute makes of a file, whatever other imports ask of it.
fn wrong_attribute(reference: &Reference) -> Option<String> {
    let import = reference.import?;
    let media_type = MediaType::from_specifier(reference.target);
    let shown = shorten(reference.target.as_str());
    match reference.attribute() {
        Some("json") if media_type != MediaType::Json => {
            Some(format!("Expected a Json module, but identified a {media_type} module \"{shown}\""))
        }
        Some("json" | "text" | "bytes" | "css") => None,
        Some(other) => {
            let other = shorten(other);
            Some(format!("The import attribute type \"{other}\" is not supported; supported are \"json\", \"text\", \"bytes\" and \"css\""))
        }
        None if media_type == MediaType::Json && !import.is_dynamic && import.kind == ImportKind::Es => {
            Some(format!("\"{shown}\" is JSON, which is imported `with {{ type: \"json\" }}`"))
        }
        None => None,
    }
}

/// The text of an error on one line, without what the place says already.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(part);
    }
    shorten_message(line)
}

/// Errors of libraries quote what they were given, and that may be as long as a file.
fn shorten_message(text: String) -> String {
    const MESSAGE_BYTES: usize = 600;
    match text.char_indices().find(|(index, _)| *index >= MESSAGE_BYTES) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
