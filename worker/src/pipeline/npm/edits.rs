//! Files that keep their text: JavaScript, hand-written declarations, and the sources that ship beside what was emitted from
//! them. Only the specifiers change, and nothing else moves by a byte.

use std::ops::Range;

use deno_ast::swc::ecma_visit::VisitWith;
use deno_ast::{ParsedSource, ProgramRef, SourceTextInfo};
use deno_graph::PositionRange;
use deno_graph::analysis::{DependencyDescriptor, DynamicArgument, ModuleInfo, SpecifierWithRange, TypeScriptReference};

use super::references::{Reference, fits_in_comment};
use super::specifiers::{Outcome, Purpose, Referrer, Resolver};
use super::walk::MetaResolve;
use crate::pipeline::rewrite::documented;

/// One replacement of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The bytes that go.
    pub(super) range: Range<usize>,
    /// What comes in their place.
    pub(super) text: String,
}

/// The edits that make a file right for the place it has in the tarball, in order and without overlap.
pub(super) fn of(resolver: &Resolver<'_>, referrer: Referrer<'_>, parsed: &ParsedSource, info: &ModuleInfo) -> Vec<Edit> {
    let purpose = if parsed.media_type().is_declaration() { Purpose::Types } else { Purpose::Code };
    with(resolver, referrer, (parsed, info), purpose)
}

/// The edits that make a file right for a compiler that reads it among the sources.
pub(super) fn among_sources(resolver: &Resolver<'_>, referrer: Referrer<'_>, parsed: &ParsedSource, info: &ModuleInfo) -> Vec<Edit> {
    with(resolver, referrer, (parsed, info), Purpose::Check)
}

fn with(resolver: &Resolver<'_>, referrer: Referrer<'_>, (parsed, info): (&ParsedSource, &ModuleInfo), purpose: Purpose) -> Vec<Edit> {
    let mut editor = Editor { resolver, referrer, source: parsed.text(), text_info: parsed.text_info_lazy(), edits: Vec::new() };
    editor.module(info, purpose);
    if editor.source.contains("import.meta") {
        let mut calls = MetaResolve::default();
        match parsed.program_ref() {
            ProgramRef::Module(module) => module.visit_with(&mut calls),
            ProgramRef::Script(script) => script.visit_with(&mut calls),
        }
        for (specifier, range) in calls.found {
            editor.literal(range.as_byte_range(editor.text_info.range().start), &specifier, Purpose::Code);
        }
    }
    for (range, specifier) in documented(parsed) {
        editor.text(range, &specifier, Purpose::Types);
    }
    let mut edits = editor.edits;
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup_by(|next, kept| next.range.start < kept.range.end);
    edits
}

/// The text with all edits made.
pub(super) fn apply(source: &str, edits: &[Edit]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for edit in edits {
        text.push_str(&source[done..edit.range.start]);
        text.push_str(&edit.text);
        done = edit.range.end;
    }
    text.push_str(&source[done..]);
    text
}

struct Editor<'a> {
    resolver: &'a Resolver<'a>,
    referrer: Referrer<'a>,
    source: &'a str,
    text_info: &'a SourceTextInfo,
    edits: Vec<Edit>,
}

impl Editor<'_> {
    fn module(&mut self, info: &ModuleInfo, purpose: Purpose) {
        for dependency in &info.dependencies {
            match dependency {
                DependencyDescriptor::Static(import) => {
                    self.literal(self.bytes(&import.specifier_range), &import.specifier, purpose);
                }
                DependencyDescriptor::Dynamic(import) => {
                    if let DynamicArgument::String(specifier) = &import.argument {
                        self.literal(self.bytes(&import.argument_range), specifier, purpose);
                    }
                }
            }
        }
        for pragma in [&info.jsx_import_source, &info.jsx_import_source_types].into_iter().flatten() {
            self.comment(pragma, Purpose::Code);
        }
        for reference in &info.ts_references {
            self.reference(reference);
        }
    }

    fn bytes(&self, range: &PositionRange) -> Range<usize> {
        range.as_source_range(self.text_info).as_byte_range(self.text_info.range().start)
    }

    /// A specifier in code: a string or a template without substitutions.
    fn literal(&mut self, range: Range<usize>, specifier: &str, purpose: Purpose) {
        let Some(quote) = self.source.get(range.clone()).and_then(|text| text.chars().next()).filter(|c| "\"'`".contains(*c)) else {
            return;
        };
        if let Outcome::Write(text) = self.resolver.rewrite(self.referrer, specifier, purpose) {
            let plain = fits_in_comment(&text) && !text.contains(['\\', '$']);
            let text = if plain { format!("{quote}{text}{quote}") } else { serde_json::Value::from(text).to_string() };
            self.edits.push(Edit { range, text });
        }
    }

    /// A specifier in a comment, with quotes or, in a pragma, without.
    fn comment(&mut self, specifier: &SpecifierWithRange, purpose: Purpose) {
        let range = self.bytes(&specifier.range);
        let Some(written) = self.source.get(range.clone()) else { return };
        let Some(at) = written.find(&specifier.text) else { return };
        let start = range.start + at;
        self.text(start..start + specifier.text.len(), &specifier.text, purpose);
    }

    /// A specifier in a comment, of which the place is known to the byte.
    fn text(&mut self, range: Range<usize>, specifier: &str, purpose: Purpose) {
        if let Outcome::Write(text) = self.resolver.rewrite(self.referrer, specifier, purpose)
            && fits_in_comment(&text)
        {
            self.edits.push(Edit { range, text });
        }
    }

    fn reference(&mut self, reference: &TypeScriptReference) {
        let (TypeScriptReference::Path(specifier) | TypeScriptReference::Types { specifier, .. }) = reference;
        let rewritten = Reference::rewritten(self.resolver, self.referrer, reference);
        let range = self.bytes(&specifier.range);
        let Some(quote) = self.source.get(range.clone()).and_then(|text| text.chars().next()) else { return };
        let Some(start) = attribute_start(&self.source[..range.start]) else { return };
        let unchanged = self.source[start..range.start].to_ascii_lowercase().starts_with(rewritten.attribute);
        if (unchanged && rewritten.value == specifier.text) || !fits_in_comment(&rewritten.value) {
            return;
        }
        let text = format!("{}={quote}{}{quote}", rewritten.attribute, rewritten.value);
        self.edits.push(Edit { range: start..range.end, text });
    }
}

/// Where the name of the attribute starts whose value comes next.
fn attribute_start(before: &str) -> Option<usize> {
    let name = before.trim_end().strip_suffix('=')?.trim_end();
    let start = name.rfind(|c: char| !c.is_ascii_alphabetic())? + 1;
    (start < name.len()).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_attribute() {
        let text = "/// <reference  path = ";
        assert_eq!(attribute_start(text).map(|start| &text[start..start + 4]), Some("path"));
        assert_eq!(attribute_start("path"), None);
        assert_eq!(attribute_start(" ="), None);
    }

    #[test]
    fn replaces_bytes() {
        let edit = |range, text: &str| Edit { range, text: text.into() };
        assert_eq!(apply("äbcdef", &[edit(2..3, "B"), edit(4..6, "")]), "äBcf");
        assert_eq!(apply("abc", &[]), "abc");
    }
}
