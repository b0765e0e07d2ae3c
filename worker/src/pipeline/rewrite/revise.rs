//! One file: every specifier in it resolved, the edits that makes, and what there is to say about them.

use std::collections::BTreeMap;

use deno_ast::{SourceTextInfo, TextChange};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, MAX_FINDINGS, Place, Severity};

use super::super::manifest::JsxOptions;
use super::collect::{self, Collected};
use super::jsx;
use super::resolve::{Failure, Referrer, Resolved, Resolver};
use super::site::{Role, Site};
use super::source::Source;

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Revision {
    /// What has to change in its text, which is without byte order mark.
    pub(super) changes: Vec<TextChange>,
    /// The files of the package that its imports and exports name, by what stands in the file.
    pub(super) targets: BTreeMap<String, String>,
    /// The files of the package that it names.
    pub(super) names: Vec<String>,
    /// What keeps it from working.
    pub(super) errors: Vec<Finding>,
    /// What its author should know.
    pub(super) warnings: Vec<Finding>,
}

/// Looks through one file.
pub(super) fn revise(path: &PackagePath, source: &Source, resolver: &Resolver<'_>, options: &JsxOptions) -> Revision {
    let found = collect::collect(&source.parsed);
    let mut reviser = Reviser { path, source, resolver, known: BTreeMap::new(), revision: Revision::default() };
    reviser.add_pragmas(&found, options);
    for site in &found.sites {
        if reviser.revision.errors.len() >= MAX_FINDINGS {
            // Nobody reads on, and a hostile file may go on for millions.
            break;
        }
        reviser.visit(site);
    }
    for &start in &found.unanalyzable {
        let said = "what this dynamic import loads is not known before it runs, so it is neither checked nor rewritten";
        reviser.report(start, Finding::warning(FindingCode::UnanalyzableImport, said));
    }
    let Reviser { known, mut revision, .. } = reviser;
    revision.targets = targets(known);
    revision
}

/// A failure may be none worth a word.
type Outcome = Result<Resolved, Option<Failure>>;

struct Reviser<'a> {
    path: &'a PackagePath,
    source: &'a Source,
    resolver: &'a Resolver<'a>,
    /// What was resolved before. Files import the same things over and over, and looking for what is not there is slow.
    known: BTreeMap<(Role, &'a str), Outcome>,
    revision: Revision,
}

/// The files that static imports and exports lead to.
fn targets(known: BTreeMap<(Role, &str), Outcome>) -> BTreeMap<String, String> {
    let is_static = |role| matches!(role, Role::Import | Role::TypeImport);
    let found = known.into_iter().filter(|((role, _), _)| is_static(*role));
    found.filter_map(|((_, text), outcome)| Some((text.to_owned(), outcome.ok()?.file?))).collect()
}

impl<'a> Reviser<'a> {
    fn add_pragmas(&mut self, found: &Collected, options: &JsxOptions) {
        let parsed = &self.source.parsed;
        if !parsed.media_type().is_jsx() || collect::has_jsx_pragma(parsed) {
            return;
        }
        let (text, failures) = jsx::pragmas(options, self.resolver, self.referrer(Role::JsxSource));
        let start = if collect::starts_with_shebang(parsed) { parsed.text().find('\n').map_or(0, |end| end + 1) } else { 0 };
        if !text.is_empty() {
            self.revision.changes.push(TextChange::new(start, start, text));
        }
        if found.has_jsx {
            for failure in failures {
                self.fail(0, Role::JsxSource, failure);
            }
        }
    }

    fn referrer(&self, role: Role) -> Referrer<'a> {
        Referrer { path: self.path, types: role.is_types() || self.source.is_declaration() }
    }

    fn visit(&mut self, site: &'a Site) {
        let key = (site.role, site.text.as_str());
        let known = self.known.get(&key).cloned();
        let outcome = known.unwrap_or_else(|| {
            let outcome = self.resolve(site);
            self.known.insert(key, outcome.clone());
            outcome
        });
        match outcome {
            Ok(resolved) => self.accept(site, resolved),
            Err(Some(failure)) => self.fail(site.start(), site.role, failure),
            Err(None) => {}
        }
    }

    fn resolve(&self, site: &Site) -> Outcome {
        let (text, from) = (site.text.as_str(), self.referrer(site.role));
        match site.role {
            Role::ReferencePath => self.resolver.resolve_reference(from, text).map_err(Some),
            Role::JsxSource | Role::JsxTypesSource => self.resolver.resolve_jsx_source(from, text).map_err(Some),
            Role::DynamicPrefix => self.resolver.resolve_prefix(from, text).ok_or_else(|| {
                Some(Failure {
                    code: FindingCode::UnanalyzableImport,
                    message: format!("what this dynamic import loads from '{}' is not known before it runs", super::resolve::shorten(text)),
                    hint: None,
                })
            }),
            // `declare module "name"` may make the name up.
            Role::Augmentation => self.resolver.resolve(from, text).map_err(|_| None),
            // A directory is as good a thing to resolve as a module, and so is a file that is written later.
            Role::MetaResolve if text.starts_with('.') && text.ends_with('/') => Err(None),
            Role::MetaResolve if text.starts_with('.') => self.resolver.resolve(from, text).map_err(|_| None),
            Role::MetaResolve
            | Role::Import
            | Role::TypeImport
            | Role::DynamicImport
            | Role::ReferenceTypes
            | Role::TypesPragma
            | Role::DocImport => self.resolver.resolve(from, text).map_err(Some),
        }
    }

    fn accept(&mut self, site: &Site, resolved: Resolved) {
        if let Some((code, message)) = resolved.remark {
            self.report(site.start(), Finding::warning(code, message));
        }
        if let Some(text) = resolved.text.filter(|text| *text != site.text) {
            let Some(written) = site.notation.write(&text) else {
                let message = format!("'{}' means '{text}', which cannot be written in a comment", site.text);
                self.fail(site.start(), site.role, Failure { code: FindingCode::UnresolvedSpecifier, message, hint: None });
                return;
            };
            self.revision.changes.push(TextChange::new(site.range.start, site.range.end, written));
        }
        self.revision.names.extend(resolved.file);
    }

    fn fail(&mut self, start: usize, role: Role, failure: Failure) {
        let severity = if role.is_vital() { Severity::Error } else { Severity::Warning };
        let finding = Finding { code: failure.code, severity, message: failure.message, place: None, hint: failure.hint };
        self.report(start, finding);
    }

    fn report(&mut self, start: usize, finding: Finding) {
        let findings = match finding.severity {
            Severity::Error => &mut self.revision.errors,
            Severity::Warning | Severity::Note => &mut self.revision.warnings,
        };
        if findings.len() < MAX_FINDINGS {
            findings.push(finding.at(place(self.path, self.source.parsed.text_info_lazy(), start)));
        }
    }
}

/// Where a byte of the text is, counted as authors count.
fn place(path: &PackagePath, text: &SourceTextInfo, start: usize) -> Place {
    let position = text.line_and_column_index(text.range().start + start);
    let count = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    Place::at(path.as_str(), count(position.line_index), count(position.column_index))
}
