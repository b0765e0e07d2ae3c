//! The work on one package: what was changed in its copy, what was complained of, and the next attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use deno_ast::{ParsedSource, SourceRange, SourceTextInfo};
use deno_graph::ast::ParsedSourceStore;
use deno_graph::fast_check::FastCheckDiagnostic;
use deno_graph::{Module, ModuleGraph, ModuleSpecifier};
use slipway_common::ids::ExportKey;
use slipway_common::model::finding::{Finding, FindingCode, Findings};

use super::attempt::{self, Outcome};
use super::complaint::{self, Complaint};
use super::edits::Revision;
use super::patch::{self, Help};
use super::reaching::{declared, reaching};
use super::{Candidates, Declarations, Declared, MAX_SLOW_TYPES, OUTLINES_FROM, Source, dts, guesses, names, outline, spelling, untyped};
use crate::pipeline::files::Files;
use crate::pipeline::graph::load::path_of;
use crate::pipeline::graph::modules_of;
use crate::pipeline::graph::parse::Trees;
use crate::pipeline::graph::place::place_at;
use crate::pipeline::inference::Inferred;

/// Complaints by module.
pub(super) type Heard = BTreeMap<ModuleSpecifier, Vec<Complaint>>;

/// The work on one package.
pub(super) struct Bench<'a> {
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
    pub(super) fn new(written: &'a ModuleGraph, source: &'a Source<'a>, candidates: Candidates) -> Self {
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
    pub(super) fn nest(&mut self) {
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

    /// Spells what fast check cannot follow as it can.
    pub(super) fn spell(&mut self) {
        let scripts = self.written.modules().filter_map(Module::js);
        let typescript = scripts.filter(|module| module.media_type.is_typed() && !module.media_type.is_declaration());
        let mut is_new = false;
        for specifier in typescript.map(|module| &module.specifier) {
            let Some(parsed) = self.parsed(specifier) else { continue };
            let edits = spelling::edits(&parsed);
            if !edits.is_empty() {
                let original = Arc::clone(parsed.text());
                is_new |= self.revisions.entry(specifier.clone()).or_insert_with(|| Revision::of(original)).add(edits);
            }
        }
        if is_new {
            self.rebuild();
        }
    }

    pub(super) fn attempt(&self) -> Outcome {
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
    fn parsed(&self, specifier: &ModuleSpecifier) -> Option<ParsedSource> {
        let sources = self.changed.as_ref().map_or(self.source.sources, |(_, trees)| &trees.sources);
        sources.get_parsed_source(specifier)
    }

    /// Takes complaints down, and reports them where the author's text is.
    pub(super) fn heard(&mut self, complaints: &[FastCheckDiagnostic]) -> Heard {
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

    fn report(&mut self, specifier: &ModuleSpecifier, mut finding: Finding, mut at: usize) {
        let parsed = self.source.sources.get_parsed_source(specifier);
        if let Some(revision) = self.revisions.get(specifier) {
            // What is inside of our own edits is their consequence.
            let (Some(original), Some(parsed)) = (revision.original_place(at), &parsed) else { return };
            let text_info = parsed.text_info_lazy();
            finding.place = Some(place_at(specifier, text_info.range().start + original, text_info));
            at = original;
        }
        let is_somewhere = finding.place.as_ref().is_some_and(|place| place.line > 0);
        if is_somewhere
            && self.reported.iter().count() < MAX_SLOW_TYPES
            && let Some(name) = parsed.and_then(|parsed| names::exported_at(&parsed, at))
        {
            finding.message = complaint::naming(&finding.message, &name);
        }
        self.complained.insert(specifier.clone());
        self.reported.push(finding);
    }

    /// What an attempt that succeeded leaves to be said.
    pub(super) fn guesses(&mut self, attempt: &ModuleGraph) -> Heard {
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
    pub(super) fn help(&mut self, round: usize, heard: Heard) -> bool {
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
        let Help { edits, named } = patch::against(&parsed, complaints)?;
        let info = parsed.text_info_lazy();
        let original: Arc<str> = Arc::clone(parsed.text());
        let is_new = self.revisions.entry(specifier.clone()).or_insert_with(|| Revision::of(original)).add(edits);
        if is_new {
            let guesses = complaints.iter().filter(|complaint| complaint.want == complaint::Want::Guess);
            for guess in guesses.filter(|guess| !named.contains(&(guess.range.start, guess.range.end))) {
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

    /// Tells every module by its outline. Returns whether there was one that was not.
    pub(super) fn outline_all(&mut self) -> bool {
        let modules = self.written.modules().filter_map(Module::js).filter(|module| !module.media_type.is_declaration());
        let all: Vec<ModuleSpecifier> =
            modules.filter(|module| module.maybe_types_dependency.is_none()).map(|module| module.specifier.clone()).collect();
        let is_new = all.iter().fold(false, |any, specifier| self.outline(specifier) | any);
        self.complained.extend(all);
        if is_new {
            self.rebuild();
        }
        is_new
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
            let modules = modules_of(&changed, typescript, self.source, &trees);
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

    pub(super) fn finish(mut self, attempt: ModuleGraph, findings: &mut Findings) -> Declarations {
        findings.extend(std::mem::take(&mut self.reported).into_iter().take(MAX_SLOW_TYPES));
        let is_changed = !self.revisions.is_empty() || !self.outlines.is_empty();
        let untyped = if is_changed { untyped::of(&attempt) } else { BTreeMap::new() };
        Declarations {
            untyped,
            slow: self.slow(),
            modules: Some(attempt),
            revisions: self.revisions,
            outlines: self.outlines,
            inferred: Inferred::default(),
        }
    }

    pub(super) fn give_up(self, findings: &mut Findings) -> Declarations {
        findings.extend(self.reported.into_iter().take(MAX_SLOW_TYPES));
        let message = "declarations could not be made for this package, so its npm package has no types";
        findings.push(Finding::warning(FindingCode::SlowTypes, message));
        Declarations { slow: self.candidates.into_keys().collect(), ..Declarations::default() }
    }
}
