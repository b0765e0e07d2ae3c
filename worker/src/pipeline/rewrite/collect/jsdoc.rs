//! Imports in `JSDoc` comments of JavaScript files: `{import("./a.js").A}` and `@import { A } from "./a.js"`.
//!
//! One pass over each comment, whatever is in it: a brace is never looked for from every other brace.

use deno_ast::swc::common::comments::CommentKind;
use deno_ast::{MediaType, ParsedSource};

use super::super::site::{Notation, Role, Site};
use super::comments::text_start;

/// How far after `@import` its `from` may be, in bytes. A clause that names a hundred types still fits.
const MAX_CLAUSE_BYTES: usize = 4096;
/// Longest specifier that is read from a comment, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// Every import in the documentation comments of a JavaScript file. TypeScript ignores them in its own files.
pub(super) fn collect(parsed: &ParsedSource, sites: &mut Vec<Site>) {
    if !matches!(parsed.media_type(), MediaType::JavaScript | MediaType::Jsx | MediaType::Mjs) {
        return;
    }
    for comment in parsed.comments().iter_unstable() {
        if comment.kind == CommentKind::Block && comment.text.starts_with('*') {
            let start = text_start(comment);
            for (offset, text, quote) in imports(&comment.text) {
                let range = start + offset..start + offset + text.len();
                sites.push(Site { range, text: text.to_owned(), notation: Notation::Comment(Some(quote)), role: Role::DocImport });
            }
        }
    }
}

/// The specifiers in the text of a comment, each with its offset and its quotes.
fn imports(text: &str) -> Vec<(usize, &str, char)> {
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut at = 0;
    while let Some(step) = text[at..].find(['{', '}', 'i']) {
        at += step;
        let rest = &text[at..];
        match rest.as_bytes()[0] {
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            _ => {
                if let Some(after) = rest.strip_prefix("import")
                    && let Some(specifier) = specifier_after(&text[..at], after, braces > 0)
                {
                    let offset = text.len() - specifier.len();
                    if let Some((value, quote)) = quoted(specifier) {
                        found.push((offset + 1, value, quote));
                        at = offset + value.len() + 1;
                    }
                }
            }
        }
        at += 1;
    }
    found
}

/// The text from the opening quote on, if this `import` is one of the two forms.
fn specifier_after<'a>(before: &str, after: &'a str, in_braces: bool) -> Option<&'a str> {
    if before.ends_with('@') && after.starts_with(char::is_whitespace) {
        return clause_source(after);
    }
    if !in_braces || before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.') {
        return None;
    }
    Some(after.trim_start().strip_prefix('(')?.trim_start())
}

/// The source of `{ A, B } from "…"`, `* as a from "…"` or `a from "…"`.
fn clause_source(clause: &str) -> Option<&str> {
    let mut end = clause.len().min(MAX_CLAUSE_BYTES);
    while !clause.is_char_boundary(end) {
        end -= 1;
    }
    let window = &clause[..end];
    // Another tag ends the clause.
    let window = &window[..window.find('@').unwrap_or(window.len())];
    let mut at = 0;
    while let Some(step) = window[at..].find("from") {
        let start = at + step;
        let follows_name = window[..start].ends_with(|c: char| c.is_whitespace() || c == '}');
        let source = clause[start + "from".len()..].trim_start();
        if follows_name && source.starts_with(['"', '\'']) {
            return Some(source);
        }
        at = start + 1;
    }
    None
}

/// The text between the quotes that `text` starts with.
fn quoted(text: &str) -> Option<(&str, char)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = &text[1..];
    let end = inside.bytes().take(MAX_TEXT_BYTES).position(|byte| byte == quote as u8)?;
    let value = &inside[..end];
    (!value.is_empty() && !value.contains('\n')).then_some((value, quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(comment: &str) -> Vec<&str> {
        imports(comment).into_iter().map(|(_, text, _)| text).collect()
    }

    #[test]
    fn both_forms() {
        assert_eq!(texts("* @type {import('./a.js').A} */"), ["./a.js"]);
        assert_eq!(texts("* @param {Map<string, import(\"b\").B>} x {import ( 'c' )}"), ["b", "c"]);
        assert_eq!(texts("* @type {{ a: {}, b: import('./n.js').N }}"), ["./n.js"]);
        assert_eq!(
            texts("*\n * @import { A, B as C } from \"./a.js\"\n * @import * as d from 'd'\n * @import e from 'e'"),
            ["./a.js", "d", "e"]
        );
        assert_eq!(texts("*\n * @import {\n *   A,\n * } from './a.js'"), ["./a.js"]);
    }

    #[test]
    fn neither() {
        assert_eq!(texts("* see import('./a.js')"), [""; 0]);
        assert_eq!(texts("* {@link important('./a.js')}"), [""; 0]);
        assert_eq!(texts("* @import { A } @see from './a.js'"), [""; 0]);
        assert_eq!(texts("* @imports { A } from './a.js'"), [""; 0]);
        assert_eq!(texts("* {import('./a.js"), [""; 0]);
        assert_eq!(texts("* {import('')} é {import(é)}"), [""; 0]);
    }

    #[test]
    fn offsets_point_at_the_text() {
        let comment = "* é {import('./a.js')}";
        let (offset, text, quote) = imports(comment)[0];
        assert_eq!((&comment[offset..offset + text.len()], quote), ("./a.js", '\''));
    }

    /// Looking for the end of each brace from each brace would keep this test busy for hours.
    #[test]
    fn hostile_comments_take_one_pass() {
        for comment in ["{".repeat(2_000_000), "@import {".repeat(200_000), "@import from ".repeat(200_000)] {
            assert_eq!(texts(&comment), [""; 0]);
        }
        assert_eq!(texts(&"{import('a')".repeat(100_000)).len(), 100_000);
    }
}
