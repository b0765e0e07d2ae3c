//! How the declarations of each module came about, as notes for the author.
//!
//! There is nothing to say of a package whose types are all written out. In others one note for each module says which way was
//! taken, those first about which there is most to say.

use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place, Severity};

use crate::pipeline::graph::{Declarations, Graph, Origin, UNTYPED, path_of, shorten};

/// Notes of one package. As many as there are warnings about slow types; a line at the end counts the other modules.
const MAX_NOTES: usize = 20;
/// Names in one note. Who has more of them has the whole list in `package.json`.
const MAX_NAMES: usize = 10;

/// How the declarations of one module came about. What there is most to say of comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Path {
    /// The names of its exports, and nothing else.
    Names,
    /// Fast check, with placeholders for these exports.
    Placeholders(Vec<String>),
    /// A compiler, with its name.
    Compiler(String),
    /// Fast check.
    FastCheck,
    /// Its author.
    Hand,
}

impl Path {
    fn describe(&self) -> String {
        match self {
            Self::Names => "the declarations of this module are the names of its exports, each `any`".to_owned(),
            Self::Placeholders(names) => {
                let more = names.len().saturating_sub(MAX_NAMES);
                let shown: Vec<String> = names.iter().take(MAX_NAMES).map(|name| format!("'{}'", shorten(name))).collect();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("the declarations of this module are made by fast check, with `any` in the types of {}{more}", shown.join(", "))
            }
            Self::Compiler(name) => format!("the declarations of this module are made by {name}"),
            Self::FastCheck => "the declarations of this module are made by fast check".to_owned(),
            Self::Hand => "the declarations in this file are written by hand".to_owned(),
        }
    }
}

/// The notes.
pub(super) fn notes(graph: &Graph) -> Vec<Finding> {
    let declarations = &graph.declarations;
    if declarations.untyped.is_empty() && declarations.compiler().is_none() {
        return Vec::new();
    }
    let mut paths: Vec<(Path, String)> = graph
        .scripts()
        .filter_map(|(path, module)| {
            let way = if module.media_type.is_declaration() { Path::Hand } else { way(graph, &graph.declarations, &module.specifier)? };
            Some((way, path.to_string()))
        })
        .collect();
    paths.sort();
    let rest = paths.len().saturating_sub(MAX_NOTES);
    let refused = |file: &str| {
        let why = declarations.inferred().refused.iter().find(|(path, _)| path.as_str() == file).map(|(_, why)| why);
        why.map(|why| format!("the compiler's are not used: {}", shorten(why)))
    };
    let describe = |(path, file): &(Path, String)| Finding { hint: refused(file), ..note(&path.describe()).at(Place::file(file)) };
    let mut notes: Vec<Finding> = paths.iter().take(MAX_NOTES).map(describe).collect();
    if rest > 0 {
        notes.push(note(&format!(
            "{rest} more modules have declarations that are made by fast check or written by hand, or are like these"
        )));
    }
    notes
}

/// What was said of slow types before a compiler was asked, as it stands now: where the compiler knew, nothing is lost.
pub(super) fn with_outcome(findings: Findings, declarations: &Declarations) -> Findings {
    let Some(compiler) = declarations.compiler() else { return findings };
    let is_known = |finding: &Finding| {
        let path = finding.place.as_ref().and_then(|place| PackagePath::try_from(place.path.as_str()).ok());
        finding.code == FindingCode::SlowTypes && path.is_some_and(|path| declarations.inferred().modules.contains_key(&path))
    };
    let settled = |finding: Finding| {
        let hint = finding.hint.map(|hint| hint.replace(UNTYPED, &format!("until then npm has what {compiler} infers")));
        Finding { severity: Severity::Note, hint, ..finding }
    };
    findings.into_iter().map(|finding| if is_known(&finding) { settled(finding) } else { finding }).collect()
}

fn way(graph: &Graph, declarations: &Declarations, specifier: &deno_graph::ModuleSpecifier) -> Option<Path> {
    let names = path_of(specifier).and_then(|path| declarations.untyped.get(&path));
    Some(match (declarations.of(&graph.modules, specifier)?.origin, names) {
        (Origin::Inferred(_), _) => Path::Compiler(declarations.compiler()?.to_owned()),
        (Origin::Outlined(_), _) => Path::Names,
        (Origin::Revised(_), Some(names)) => Path::Placeholders(names.iter().cloned().collect()),
        (Origin::Written | Origin::Revised(_), _) => Path::FastCheck,
    })
}

fn note(text: &str) -> Finding {
    Finding::note(FindingCode::SlowTypes, text)
}
