//! Parsing on behalf of the graph: the nesting is counted first, and what the parser complains about is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use deno_ast::{MediaType, ParseDiagnostic, ParseParams, ParsedSource, SourceTextInfo};
use deno_graph::ast::{CapturingModuleAnalyzer, EsParser, ParseOptions, ParsedSourceStore};
use deno_graph::{ModuleGraph, ModuleSpecifier};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode};

use super::load::specifier_of;
use super::place::{place_at, place_of};
use crate::pipeline::nesting;

/// Everything that was parsed, and what could not be. It outlives a graph, so that another one over the same files parses
/// nothing again.
#[derive(Clone)]
pub struct Trees {
    /// The parsed sources, and a parser that reuses them.
    pub sources: Rc<CapturingModuleAnalyzer>,
    pub(super) log: Rc<ParseLog>,
}

impl Trees {
    /// Begins with the sources that an earlier stage parsed.
    #[must_use]
    pub fn new(parsed: BTreeMap<PackagePath, ParsedSource>) -> Self {
        let log = Rc::new(ParseLog::default());
        let sources = CapturingModuleAnalyzer::new(Some(Box::new(GuardedParser { log: Rc::clone(&log) })), None);
        for (path, source) in parsed {
            sources.set_parsed_source(specifier_of(&path), source);
        }
        Self { sources: Rc::new(sources), log }
    }
}

/// What was wrong with each source that could not be parsed.
#[derive(Default)]
pub(super) struct ParseLog(RefCell<BTreeMap<ModuleSpecifier, Finding>>);

impl ParseLog {
    /// The finding for each such source that a graph has.
    pub(super) fn findings(&self, modules: &ModuleGraph) -> Vec<Finding> {
        let log = self.0.borrow();
        log.iter().filter(|(specifier, _)| !matches!(modules.try_get(specifier), Ok(None))).map(|(_, finding)| finding.clone()).collect()
    }

    /// Whether this source is one of them.
    pub(super) fn has(&self, specifier: &ModuleSpecifier) -> bool {
        self.0.borrow().contains_key(specifier)
    }

    fn note(&self, specifier: &ModuleSpecifier, finding: Finding) {
        self.0.borrow_mut().entry(specifier.clone()).or_insert(finding);
    }
}

/// A parser that is never given text that nests deeper than its stack reaches.
struct GuardedParser {
    log: Rc<ParseLog>,
}

impl EsParser for GuardedParser {
    fn parse_program(&self, options: ParseOptions) -> Result<ParsedSource, ParseDiagnostic> {
        let ParseOptions { specifier, source, media_type, scope_analysis } = options;
        let text = match nesting_problem(specifier, media_type, &source) {
            Some(finding) => {
                self.log.note(specifier, finding);
                // The graph has to be given something. An empty module reaches nothing and breaks nothing, and the package
                // is refused anyway.
                Arc::from("")
            }
            None => source,
        };
        parse(specifier, &text, media_type, scope_analysis)
            .inspect_err(|diagnostic| self.log.note(specifier, syntax_error(diagnostic, &SourceTextInfo::new(text))))
    }
}

fn parse(
    specifier: &ModuleSpecifier,
    text: &Arc<str>,
    media_type: MediaType,
    scope_analysis: bool,
) -> Result<ParsedSource, ParseDiagnostic> {
    deno_ast::parse_program(ParseParams {
        specifier: specifier.clone(),
        text: Arc::clone(text),
        media_type,
        capture_tokens: false,
        scope_analysis,
        maybe_syntax: None,
    })
}

/// How a source is written is what its media type says: a `data:` URL has no name, and an entry point may lack an extension.
fn nesting_problem(specifier: &ModuleSpecifier, media_type: MediaType, text: &str) -> Option<Finding> {
    let extension = media_type.as_ts_extension().rsplit('.').next().unwrap_or_default();
    nesting::check_text(extension, &place_of(specifier), text)
}

/// The finding for a complaint of the parser.
pub(super) fn syntax_error(diagnostic: &ParseDiagnostic, text: &SourceTextInfo) -> Finding {
    let message = format!("failed to build module graph: SyntaxError: {}", diagnostic.kind().msg());
    Finding::error(FindingCode::GraphError, message).at(place_at(diagnostic.specifier(), diagnostic.range().start, text))
}
