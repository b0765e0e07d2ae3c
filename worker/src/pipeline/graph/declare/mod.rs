//! Declarations by isolated emit: what the public API says in so many words becomes `.d.ts` text, without inference.
//!
//! `deno_graph` judges all exports together, and one declaration that needs inference spoils them all; but it says where. So
//! exactly the declarations that it complains about are given a placeholder in a copy of their module, and the copy is tried
//! again until there is nothing to complain about. A module that cannot be helped so is told by its outline: the names that it
//! exports, each a placeholder. The placeholder becomes `any` with a comment that says so when declarations are written.
//!
//! A package without complaints is checked once, as it is; nothing is parsed for that. Complaints are warnings, and whatever
//! goes wrong in here costs the package its declarations, never the publish.

mod attempt;
mod complaint;
mod edits;
mod guesses;
mod names;
mod outline;
mod patch;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use deno_ast::{SourceRange, SourceTextInfo};
use deno_graph::ast::{CapturingModuleAnalyzer, ParsedSourceStore};
use deno_graph::fast_check::{FastCheckDiagnostic, FastCheckDtsModule};
use deno_graph::{JsModule, Module, ModuleGraph, ModuleSpecifier};
use indexmap::IndexMap;
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::load::path_of;
use super::parse::Trees;
use super::specifier_of;
use crate::pipeline::files::Files;
use crate::pipeline::manifest::Manifest;
use attempt::Outcome;
use complaint::Complaint;
pub use edits::Revision;

/// The type that stands for one that nobody knows. To fast check it is a global name like `Promise`.
pub const PLACEHOLDER: &str = "__SlipwayUntyped";
/// The class that stands for a superclass that nobody knows.
pub const SUPERCLASS: &str = "__SlipwayUntypedClass";

/// Complaints that are reported of one package. They are warnings, and a package that was never written for this has as many
/// as it has functions; twenty show what is meant and leave room for what matters.
const MAX_SLOW_TYPES: usize = 20;
/// Rounds of helping. Two are the rule: the complaints, and none. A third comes when the first complaints of a module hid
/// others, a fourth when there was something to guess in the result.
const MAX_ROUNDS: usize = 8;
/// The round from which on a module that still has complaints is told by its outline. What three rounds of placeholders did not
/// help is not helped by a fourth.
const OUTLINES_FROM: usize = 4;

/// The exports, with the module that each names.
type Candidates = IndexMap<ExportKey, ModuleSpecifier>;

/// Modules that somebody imports declarations from without fast check seeing it: it does not look into files of declarations.
type Declared = BTreeSet<ModuleSpecifier>;

/// What TypeScript is told about the modules of a package.
#[derive(Debug, Default)]
pub struct Declarations {
    /// A graph of changed modules, if any had to be changed. Otherwise the declarations are with the modules.
    modules: Option<ModuleGraph>,
    revisions: BTreeMap<ModuleSpecifier, Revision>,
    outlines: BTreeMap<ModuleSpecifier, String>,
    /// The names in each module whose types are placeholders, in whole or in part.
    pub untyped: BTreeMap<PackagePath, BTreeSet<String>>,
    /// Exports that lead to a complaint.
    pub slow: BTreeSet<ExportKey>,
}

/// The declarations of a module.
#[derive(Clone, Copy)]
pub struct Declaration<'a> {
    /// The declarations, in which a placeholder may stand for a type.
    pub dts: &'a FastCheckDtsModule,
    /// What they were made from.
    pub origin: Origin<'a>,
}

/// What declarations were made from.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// What the author wrote.
    Written,
    /// A changed copy of it.
    Revised(&'a Revision),
    /// The names of its exports.
    Outlined(&'a str),
}

impl Declarations {
    /// The declarations of a module, unless it declares nothing in public. `written` is the graph of what the author wrote.
    #[must_use]
    pub fn of<'a>(&'a self, written: &'a ModuleGraph, specifier: &ModuleSpecifier) -> Option<Declaration<'a>> {
        let modules = self.modules.as_ref().unwrap_or(written);
        let dts = modules.get(specifier)?.js().and_then(dts)?;
        let origin = match (self.outlines.get(specifier), self.revisions.get(specifier)) {
            (Some(outline), _) => Origin::Outlined(outline),
            (None, Some(revision)) => Origin::Revised(revision),
            (None, None) => Origin::Written,
        };
        Some(Declaration { dts, origin })
    }
}

fn dts(module: &JsModule) -> Option<&FastCheckDtsModule> {
    module.fast_check_module()?.dts.as_ref().filter(|_| module.media_type.is_typed() && !module.media_type.is_declaration())
}

/// The package as the declarations are made from it.
pub(super) struct Source<'a> {
    pub(super) files: &'a Files,
    pub(super) manifest: &'a Manifest,
    pub(super) package: &'a PackageName,
    pub(super) version: &'a Version,
    pub(super) sources: &'a Rc<CapturingModuleAnalyzer>,
}

/// Makes the declarations. Where no complaint was, they are put into `modules`.
pub(super) fn run(modules: &mut ModuleGraph, source: &Source<'_>, findings: &mut Findings) -> Declarations {
    let candidates = candidates(source.manifest);
    if candidates.is_empty() {
        return Declarations::default();
    }
    let mut bench = Bench::new(modules, source, candidates);
    bench.nest();
    for round in 1..=MAX_ROUNDS {
        match bench.attempt() {
            Outcome::Declared(attempt) => {
                let guesses = bench.guesses(&attempt);
                if round == MAX_ROUNDS || !bench.help(round, guesses) {
                    let declarations = bench.finish(*attempt, findings);
                    return put(declarations, modules);
                }
            }
            Outcome::Complaints(complaints) => {
                let complaints = bench.heard(&complaints);
                if !bench.help(round, complaints) {
                    bench.outline_all();
                }
            }
            Outcome::Broken => bench.outline_all(),
        }
    }
    bench.give_up(findings)
}

/// A graph that nothing was changed in takes the place of the one that it is a copy of.
fn put(mut declarations: Declarations, modules: &mut ModuleGraph) -> Declarations {
    if declarations.revisions.is_empty() && declarations.outlines.is_empty() {
        *modules = declarations.modules.take().expect("it was just made");
    }
    declarations
}

fn candidates(manifest: &Manifest) -> Candidates {
    let exports = manifest.exports.0.iter();
    exports.filter_map(|(key, target)| Some((key.clone(), specifier_of(&PackagePath::try_from(target.rooted()).ok()?)))).collect()
}

/// The modules of TypeScript that hand-written declarations import.
fn declared(modules: &ModuleGraph) -> Declared {
    let by_hand = modules.modules().filter_map(Module::js).filter(|module| module.media_type.is_declaration());
    let targets =
        by_hand.flat_map(|module| module.dependencies.values()).flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
    let targets = targets.flatten().map(|target| modules.resolve(target));
    let is_source = |target: &&ModuleSpecifier| {
        let module = modules.get(target).and_then(Module::js);
        module.is_some_and(|module| module.media_type.is_typed() && !module.media_type.is_declaration())
    };
    targets.filter(is_source).cloned().collect()
}

/// Complaints by module.
type Heard = BTreeMap<ModuleSpecifier, Vec<Complaint>>;

/// The work on one package.
struct Bench<'a> {
    written: &'a ModuleGraph,
    source: &'a Source<'a>,
    candidates: Candidates,
    declared: Declared,
    /// The graph of changed modules, and their trees.
    changed: Option<(ModuleGraph, Trees)>,
    revisions: BTreeMap<ModuleSpecifier, Revision>,
    outlines: BTreeMap<ModuleSpecifier, String>,
    /// Modules that only hand-written declarations lead to: nobody is told about their complaints.
    offered: BTreeSet<ModuleSpecifier>,
    complained: BTreeSet<ModuleSpecifier>,
    reported: Findings,
}

impl<'a> Bench<'a> {
    fn new(written: &'a ModuleGraph, source: &'a Source<'a>, candidates: Candidates) -> Self {
        Self {
            written,
            source,
            candidates,
            declared: declared(written),
            changed: None,
            revisions: BTreeMap::new(),
            outlines: BTreeMap::new(),
            offered: BTreeSet::new(),
            complained: BTreeSet::new(),
            reported: Findings::default(),
        }
    }

    /// Writes namespaces with dots in their names as fast check can read them.
    fn nest(&mut self) {
        let scripts = self.written.modules().filter_map(Module::js);
        let typescript = scripts.filter(|module| module.media_type.is_typed() && !module.media_type.is_declaration());
        let nestings = typescript.filter_map(|module| {
            let nestings = guesses::nestings(&self.parsed(&module.specifier)?);
            (!nestings.is_empty()).then(|| (module.specifier.clone(), nestings))
        });
        let nestings: Heard = nestings.collect();
        if !nestings.is_empty() {
            self.help(0, nestings);
        }
    }

    fn attempt(&self) -> Outcome {
        self.attempt_with(&self.declared)
    }

    fn attempt_with(&self, declared: &Declared) -> Outcome {
        let (modules, sources) = match &self.changed {
            Some((modules, trees)) => (modules, &trees.sources),
            None => (self.written, self.source.sources),
        };
        attempt::run(modules, &**sources, &self.candidates, declared, (self.source.package, self.source.version))
    }

    /// The text of a module as it was last tried.
    fn parsed(&self, specifier: &ModuleSpecifier) -> Option<deno_ast::ParsedSource> {
        let sources = self.changed.as_ref().map_or(self.source.sources, |(_, trees)| &trees.sources);
        sources.get_parsed_source(specifier)
    }

    /// Takes complaints down, and reports them where the author's text is.
    fn heard(&mut self, complaints: &[FastCheckDiagnostic]) -> Heard {
        if self.reported.is_empty() && self.offered.is_empty() && !self.declared.is_empty() {
            let of_exports: BTreeSet<ModuleSpecifier> = match self.attempt_with(&Declared::new()) {
                Outcome::Complaints(complaints) => complaints.iter().map(|complaint| complaint.specifier().clone()).collect(),
                Outcome::Declared(_) | Outcome::Broken => BTreeSet::new(),
            };
            self.offered = complaints.iter().map(FastCheckDiagnostic::specifier).filter(|of| !of_exports.contains(*of)).cloned().collect();
        }
        let mut heard = Heard::new();
        for diagnostic in complaints {
            let (specifier, complaint) = complaint::of(diagnostic);
            if !self.offered.contains(&specifier) && !self.outlines.contains_key(&specifier) {
                let finding = complaint::finding(diagnostic);
                self.report(&specifier, finding, complaint.range.start);
            }
            heard.entry(specifier).or_default().push(complaint);
        }
        heard
    }

    fn report(&mut self, specifier: &ModuleSpecifier, mut finding: Finding, at: usize) {
        if let Some(revision) = self.revisions.get(specifier) {
            // What is inside of our own edits is their consequence.
            let (Some(at), Some(parsed)) = (revision.original_place(at), self.source.sources.get_parsed_source(specifier)) else { return };
            let text_info = parsed.text_info_lazy();
            finding.place = Some(super::place_at(specifier, text_info.range().start + at, text_info));
        }
        self.complained.insert(specifier.clone());
        self.reported.push(finding);
    }

    /// What an attempt that succeeded leaves to be said.
    fn guesses(&mut self, attempt: &ModuleGraph) -> Heard {
        let mut heard = Heard::new();
        for module in attempt.modules().filter_map(Module::js).filter(|module| !self.outlines.contains_key(&module.specifier)) {
            let (Some(dts), Some(parsed)) = (dts(module), self.parsed(&module.specifier)) else { continue };
            let guesses = guesses::of(dts, &parsed);
            if !guesses.is_empty() {
                heard.insert(module.specifier.clone(), guesses);
            }
        }
        heard
    }

    /// Helps where there are complaints. Returns whether there is anything new to try.
    fn help(&mut self, round: usize, heard: Heard) -> bool {
        let mut is_new = false;
        for (specifier, complaints) in heard {
            if self.outlines.contains_key(&specifier) {
                continue;
            }
            let are_quiet = complaints.iter().all(|complaint| complaint.want.is_quiet());
            let has_edits = (round < OUTLINES_FROM || are_quiet).then(|| self.revise(&specifier, &complaints)).flatten();
            is_new |= match has_edits {
                Some(is_new) if is_new || are_quiet => is_new,
                _ => !are_quiet && self.outline(&specifier),
            };
        }
        if is_new {
            self.rebuild();
        }
        is_new
    }

    fn revise(&mut self, specifier: &ModuleSpecifier, complaints: &[Complaint]) -> Option<bool> {
        let parsed = self.parsed(specifier)?;
        let edits = patch::against(&parsed, complaints)?;
        let info = parsed.text_info_lazy();
        let original: Arc<str> = Arc::clone(parsed.text());
        let is_new = self.revisions.entry(specifier.clone()).or_insert_with(|| Revision::of(original)).add(edits);
        if is_new {
            let guesses = complaints.iter().filter(|complaint| complaint.want == complaint::Want::Guess);
            for guess in guesses {
                self.report_guess(specifier, guess, info);
            }
        }
        Some(is_new)
    }

    fn report_guess(&mut self, specifier: &ModuleSpecifier, guess: &Complaint, info: &SourceTextInfo) {
        if self.offered.contains(specifier) {
            return;
        }
        let start = info.range().start;
        let finding = complaint::guess(specifier, SourceRange::new(start + guess.range.start, start + guess.range.end), info);
        self.report(specifier, finding, guess.range.start);
    }

    fn outline(&mut self, specifier: &ModuleSpecifier) -> bool {
        let Some(parsed) = self.source.sources.get_parsed_source(specifier) else { return false };
        if self.outlines.contains_key(specifier) {
            return false;
        }
        self.revisions.remove(specifier);
        self.outlines.insert(specifier.clone(), outline::of(&parsed));
        true
    }

    fn outline_all(&mut self) {
        let modules = self.written.modules().filter_map(Module::js).filter(|module| !module.media_type.is_declaration());
        let all: Vec<ModuleSpecifier> =
            modules.filter(|module| module.maybe_types_dependency.is_none()).map(|module| module.specifier.clone()).collect();
        for specifier in &all {
            self.outline(specifier);
        }
        self.complained.extend(all);
        self.rebuild();
    }

    /// Builds the graph of changed modules. Whatever is unchanged is not parsed again. A change that does not parse is one too many.
    fn rebuild(&mut self) {
        loop {
            let changed = self.changed_files();
            let unchanged = self.written.modules().filter_map(Module::js).map(|module| &module.specifier);
            let unchanged =
                unchanged.filter(|specifier| !self.revisions.contains_key(*specifier) && !self.outlines.contains_key(*specifier));
            let parsed = unchanged.filter_map(|specifier| Some((path_of(specifier)?, self.source.sources.get_parsed_source(specifier)?)));
            let trees = Trees::new(parsed.collect());
            let typescript = self.outlines.keys().filter_map(path_of).collect();
            let modules = super::modules_of(&changed, typescript, self.source, &trees);
            let broken: Vec<ModuleSpecifier> =
                self.revisions.keys().filter(|specifier| modules.get(specifier).and_then(Module::js).is_none()).cloned().collect();
            self.changed = Some((modules, trees));
            if broken.is_empty() || !broken.iter().map(|specifier| self.outline(specifier)).fold(false, |any, new| any | new) {
                return;
            }
        }
    }

    fn changed_files(&self) -> Files {
        let mut files = self.source.files.clone();
        let revised = self.revisions.iter().map(|(specifier, revision)| (specifier, revision.text()));
        for (specifier, text) in revised.chain(self.outlines.iter().map(|(specifier, text)| (specifier, text.clone()))) {
            if let Some(path) = path_of(specifier) {
                files.insert(path, Bytes::from(text));
            }
        }
        files
    }

    fn slow(&self) -> BTreeSet<ExportKey> {
        let reaching = reaching(self.written, &self.complained);
        let keys = self.candidates.iter().filter(|(_, target)| reaching.contains(self.written.resolve(target)));
        keys.map(|(key, _)| key.clone()).collect()
    }

    fn finish(mut self, attempt: ModuleGraph, findings: &mut Findings) -> Declarations {
        findings.extend(std::mem::take(&mut self.reported).into_iter().take(MAX_SLOW_TYPES));
        let changed = self.revisions.keys().chain(self.outlines.keys());
        let untyped = changed.filter_map(|specifier| {
            let names = names::untyped(&dts(attempt.get(specifier)?.js()?)?.program);
            (!names.is_empty()).then_some((path_of(specifier)?, names))
        });
        Declarations {
            untyped: untyped.collect(),
            slow: self.slow(),
            modules: Some(attempt),
            revisions: self.revisions,
            outlines: self.outlines,
        }
    }

    fn give_up(self, findings: &mut Findings) -> Declarations {
        findings.extend(self.reported.into_iter().take(MAX_SLOW_TYPES));
        let message = "declarations could not be made for this package, so its npm package has no types";
        findings.push(Finding::warning(FindingCode::SlowTypes, message));
        Declarations { slow: self.candidates.into_keys().collect(), ..Declarations::default() }
    }
}

/// The modules from which a way leads to one of the spoiled ones, themselves included.
fn reaching(modules: &ModuleGraph, spoiled: &BTreeSet<ModuleSpecifier>) -> BTreeSet<ModuleSpecifier> {
    let mut importers: BTreeMap<&ModuleSpecifier, Vec<&ModuleSpecifier>> = BTreeMap::new();
    for module in modules.modules() {
        let types = module.maybe_types_dependency().and_then(|types| types.dependency.maybe_specifier());
        let targets = module.dependencies().values().flat_map(|dependency| [dependency.get_code(), dependency.get_type()]);
        for target in targets.flatten().chain(types) {
            importers.entry(modules.resolve(target)).or_default().push(module.specifier());
        }
    }
    let mut reaching = BTreeSet::new();
    let mut waiting: Vec<&ModuleSpecifier> = spoiled.iter().collect();
    while let Some(specifier) = waiting.pop() {
        if reaching.insert(specifier.clone()) {
            waiting.extend(importers.get(specifier).into_iter().flatten());
        }
    }
    reaching
}
