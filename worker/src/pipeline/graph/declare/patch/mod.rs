//! Finds the place in a module where a placeholder helps against a complaint.
//!
//! Nothing here has to be right for every program: what comes out is parsed and checked again, and a module that still has
//! complaints after some rounds is told by its outline.

mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

use deno_ast::swc::ast::{ArrowExpr, BlockStmt, Expr, Function, MemberProp, Pat, TsType};
use deno_ast::swc::ecma_visit::VisitWith;
use deno_ast::{ParsedSource, ProgramRef, SourceRangedForSpanned, StartSourcePos};

use super::PLACEHOLDER;
use super::complaint::{Complaint, Want};
use super::edits::TextEdit;

/// Most complaints about a module that are helped one by one. Places are carried over from round to round, each past all edits
/// before it. The largest module of `zod` has three hundred.
const MAX_COMPLAINTS: usize = 3000;
/// Most of them that are about references, which are looked for in every type.
const MAX_REFERENCES: usize = 100;

/// What helps against complaints.
#[derive(Default)]
pub(super) struct Help {
    pub(super) edits: Vec<TextEdit>,
    /// The guesses that need no guessing: the type can be named.
    pub(super) named: BTreeSet<(usize, usize)>,
}

/// The edits that help against the complaints about a module, or nothing when one of them cannot be helped. A guess that
/// cannot be helped remains one.
pub(super) fn against(parsed: &ParsedSource, complaints: &[Complaint]) -> Option<Help> {
    let mut finder = Finder {
        source: parsed.text(),
        base: parsed.text_info_lazy().range().start,
        wanted: BTreeMap::new(),
        help: Help::default(),
        spare: BTreeMap::new(),
        scope: Vec::new(),
        is_const: false,
    };
    let references = complaints.iter().filter(|complaint| matches!(complaint.want, Want::Reference(..))).count();
    if complaints.len() > MAX_COMPLAINTS || references > MAX_REFERENCES {
        return None;
    }
    for Complaint { want, range } in complaints {
        finder.wanted.insert((want.clone(), range.start, range.end), false);
    }
    match parsed.program_ref() {
        ProgramRef::Module(module) => module.visit_with(&mut finder),
        ProgramRef::Script(script) => script.visit_with(&mut finder),
    }
    finder.use_spare();
    finder.wanted.iter().all(|((want, ..), found)| *found || want.is_quiet()).then_some(finder.help)
}

struct Finder<'a> {
    source: &'a str,
    base: StartSourcePos,
    /// What was asked for, and whether it was found.
    wanted: BTreeMap<(Want, usize, usize), bool>,
    help: Help,
    /// What takes a reference out together with everything around it, by the name of what refers.
    spare: BTreeMap<String, Vec<TextEdit>>,
    /// The namespaces around the place that is looked at.
    scope: Vec<String>,
    /// Whether the variables that are looked at never change.
    is_const: bool,
}

impl Finder<'_> {
    fn range(&self, node: &impl SourceRangedForSpanned) -> Range<usize> {
        node.range().as_byte_range(self.base)
    }

    /// What is asked for inside of a range, of one kind.
    fn inside(&self, want: &Want, within: &Range<usize>) -> Vec<(Want, usize, usize)> {
        let keys = (want.clone(), within.start, 0)..=(want.clone(), within.end, within.end);
        self.wanted.range(keys).map(|(key, _)| key).filter(|(_, _, end)| *end <= within.end).cloned().collect()
    }

    /// Whether this is asked for at exactly this place. It counts as found.
    fn is_wanted(&mut self, want: Want, range: &Range<usize>) -> bool {
        self.wanted.get_mut(&(want, range.start, range.end)).is_some_and(|found| {
            *found = true;
            true
        })
    }

    /// Whether a guess inside of this range is still without help. It counts as found.
    fn has_guess(&mut self, within: &Range<usize>) -> bool {
        !self.guesses(within).is_empty()
    }

    fn guesses(&mut self, within: &Range<usize>) -> Vec<(usize, usize)> {
        let keys = (Want::Guess, within.start, 0)..=(Want::Guess, within.end, within.end);
        let inside = self.wanted.range_mut(keys).filter(|((_, _, end), found)| !**found && *end <= within.end);
        let guesses = inside.map(|((_, start, end), found)| {
            *found = true;
            (*start, *end)
        });
        guesses.collect()
    }

    /// A variable that is another name for something has the type of that.
    fn alias(&mut self, name: &Range<usize>, whole: &Range<usize>, value: Option<&Expr>) {
        let Some(path) = value.filter(|_| self.is_const).and_then(path) else { return };
        let guesses = self.guesses(whole);
        if !guesses.is_empty() {
            self.help.named.extend(guesses);
            self.insert(name.end, 1, format!(": typeof {path}"));
        }
    }

    fn insert(&mut self, at: usize, rank: u8, text: impl Into<String>) {
        self.help.edits.push(TextEdit::insert(at, rank, text));
    }

    /// A type behind a name or pattern that ends here, and behind the mark that it is optional.
    fn annotate(&mut self, end: usize) {
        let rest = &self.source[end..];
        let blank = rest.len() - rest.trim_start().len();
        let at = if rest[blank..].starts_with(['?', '!']) { end + blank + 1 } else { end };
        self.insert(at, 1, format!(": {PLACEHOLDER}"));
    }

    fn cast(&mut self, range: &Range<usize>) {
        self.insert(range.start, 0, "(");
        self.insert(range.end, 0, format!(") as {PLACEHOLDER}"));
    }

    fn return_type(&mut self, function: &Function) {
        let Some(BlockStmt { span, .. }) = &function.body else { return };
        let at = span.range().as_byte_range(self.base).start;
        self.insert(at, 0, format!(": {} ", placeholder(function.is_async, function.is_generator)));
    }

    fn arrow_return_type(&mut self, arrow: &ArrowExpr) {
        let (whole, body) = (self.range(arrow), self.range(&*arrow.body));
        let Some(at) = self.source[whole.start..body.start].rfind("=>") else { return };
        self.brackets(arrow);
        self.insert(whole.start + at, 3, format!(": {} ", placeholder(arrow.is_async, false)));
    }

    /// A lone parameter needs brackets before anything can have a type.
    fn brackets(&mut self, arrow: &ArrowExpr) {
        let [Pat::Ident(name)] = &arrow.params[..] else { return };
        let range = self.range(&name.id);
        let before = self.source[self.range(arrow).start..range.start].trim_end();
        if !before.ends_with(['(', ',']) {
            self.insert(range.start, 0, "(");
            self.insert(range.end, 2, ")");
        }
    }

    /// The return type of the function that an expression is. Returns whether it is one.
    fn function_in(&mut self, expression: &Expr) -> bool {
        match expression {
            Expr::Arrow(arrow) => self.arrow_return_type(arrow),
            Expr::Fn(function) => self.return_type(&function.function),
            Expr::Paren(inner) => return self.function_in(&inner.expr),
            Expr::TsSatisfies(inner) => return self.function_in(&inner.expr),
            _ => return false,
        }
        true
    }

    /// What belongs to a name and the value it is given.
    fn named(&mut self, name: &Range<usize>, whole: &Range<usize>, has_type: bool, value: Option<&Expr>) {
        if self.is_wanted(Want::Return, name) && !value.is_some_and(|value| self.function_in(value)) && !has_type {
            self.annotate(name.end);
        }
        if self.is_wanted(Want::Type, name) || (!has_type && self.has_guess(whole)) {
            self.annotate(name.end);
        }
    }

    fn function(&mut self, name: Range<usize>, function: &Function) {
        if self.is_wanted(Want::Return, &name) {
            self.return_type(function);
        }
    }

    /// Parameters with defaults, as TypeScript declares them.
    fn parameters(&mut self, parameters: &[&Pat]) {
        for (index, parameter) in parameters.iter().enumerate() {
            let Pat::Assign(assign) = parameter else { continue };
            let range = self.range(assign);
            if !self.is_wanted(Want::Parameter, &range) {
                continue;
            }
            let (name, annotation) = match &*assign.left {
                Pat::Ident(name) => (name.id.sym.to_string(), &name.type_ann),
                Pat::Object(pattern) => (format!("_{index}"), &pattern.type_ann),
                Pat::Array(pattern) => (format!("_{index}"), &pattern.type_ann),
                _ => continue,
            };
            let node = match (annotation, &*assign.right) {
                (Some(annotation), _) => self.source[self.range(&*annotation.type_ann)].to_owned(),
                (None, Expr::Ident(value)) if value.sym != *"undefined" => format!("typeof {}", value.sym),
                (None, _) => PLACEHOLDER.to_owned(),
            };
            let may_be_left_out = |parameter: &&Pat| match parameter {
                Pat::Assign(_) | Pat::Rest(_) => true,
                Pat::Ident(name) => name.id.optional,
                _ => false,
            };
            let text = if parameters[index..].iter().all(may_be_left_out) {
                format!("{name}?: {node}")
            } else {
                format!("{name}: ({node}) | undefined")
            };
            self.help.edits.push(TextEdit::replace(self.source, range, &text));
        }
    }

    /// Takes whole types out where a reference in them was not found.
    fn use_spare(&mut self) {
        for ((want, ..), found) in &mut self.wanted {
            if let (Want::Reference(_, referrer), false) = (want, &found)
                && let Some(edits) = self.spare.get(referrer)
            {
                *found = true;
                self.help.edits.extend(edits.iter().cloned());
            }
        }
    }

    fn spare(&mut self, name: &str, types: &[&TsType]) {
        let name: String = self.scope.iter().flat_map(|part| [part.as_str(), "."]).chain([name]).collect();
        if !self.wanted.range(references()).any(|((want, ..), _)| matches!(want, Want::Reference(_, referrer) if *referrer == name)) {
            return;
        }
        let edits: Vec<_> = types.iter().map(|node| TextEdit::replace(self.source, self.range(*node), PLACEHOLDER)).collect();
        self.spare.entry(name).or_default().extend(edits);
    }

    /// Takes out a type that names a member of a class.
    fn reference(&mut self, node: &Range<usize>, root: &str, names: &[String]) -> bool {
        let is_meant = |want: &Want| match want {
            Want::Reference(name, _) => {
                let mut parts = name.split('.');
                parts.next() == Some(root) && parts.next_back().is_some_and(|last| names.iter().any(|name| name == last))
            }
            _ => false,
        };
        let mut meant = false;
        for ((want, ..), found) in self.wanted.range_mut(references()) {
            if is_meant(want) {
                *found = true;
                meant = true;
            }
        }
        if meant {
            self.help.edits.push(TextEdit::replace(self.source, node.clone(), PLACEHOLDER));
        }
        meant
    }
}

/// Where references are among all that is asked for.
fn references() -> RangeInclusive<(Want, usize, usize)> {
    (Want::Reference(String::new(), String::new()), 0, 0)..=(Want::Superclass, 0, 0)
}

/// `a.b.c`, if an expression is that.
fn path(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Ident(name) if name.sym != *"undefined" => Some(name.sym.to_string()),
        Expr::Member(member) => {
            let MemberProp::Ident(name) = &member.prop else { return None };
            Some(format!("{}.{}", path(&member.obj)?, name.sym))
        }
        _ => None,
    }
}

fn placeholder(is_async: bool, is_generator: bool) -> String {
    match (is_async, is_generator) {
        (false, false) => PLACEHOLDER.to_owned(),
        (true, false) => format!("Promise<{PLACEHOLDER}>"),
        (false, true) => format!("Generator<{PLACEHOLDER}, {PLACEHOLDER}, {PLACEHOLDER}>"),
        (true, true) => format!("AsyncGenerator<{PLACEHOLDER}, {PLACEHOLDER}, {PLACEHOLDER}>"),
    }
}
