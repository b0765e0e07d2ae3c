//! Specifiers in comments: triple-slash references and pragmas. `JSDoc` is next door.

use deno_ast::swc::common::comments::{Comment, CommentKind};
use deno_ast::{ParsedSource, SourcePos, SourceRangedForSpanned, StartSourcePos};
use deno_graph::analysis::{
    find_deno_types, find_jsx_import_source, find_jsx_import_source_types, find_path_reference, find_ts_self_types, find_ts_types,
    find_types_reference, is_comment_triple_slash_reference,
};

use super::super::site::{Notation, Role, Site};

/// What the comments at the top of the file name.
pub(super) fn collect(parsed: &ParsedSource, sites: &mut Vec<Site>) {
    let media_type = parsed.media_type();
    for comment in leading(parsed) {
        if comment.kind == CommentKind::Line && is_comment_triple_slash_reference(&comment.text) {
            if let Some(found) = find_path_reference(&comment.text) {
                sites.push(quoted(parsed, comment, found.start(), found.as_str(), Role::ReferencePath));
            } else if let Some(found) = find_types_reference(&comment.text) {
                sites.push(quoted(parsed, comment, found.start(), found.as_str(), Role::ReferenceTypes));
            }
        }
        if !media_type.is_typed()
            && let Some(found) = find_ts_self_types(&comment.text)
        {
            sites.push(quoted(parsed, comment, found.start(), found.as_str(), Role::TypesPragma));
        }
        if media_type.is_jsx() && comment.kind == CommentKind::Block {
            if let Some(found) = find_jsx_import_source(&comment.text) {
                sites.push(bare(comment, found.start(), found.as_str(), Role::JsxSource));
            }
            if let Some(found) = find_jsx_import_source_types(&comment.text) {
                sites.push(bare(comment, found.start(), found.as_str(), Role::JsxTypesSource));
            }
        }
    }
}

/// The pragma in the comment right before a node, which says where the types of its module are.
pub(super) fn types_pragma(parsed: &ParsedSource, start: SourcePos) -> Option<Site> {
    let comment = parsed.comments().get_leading(start)?.last()?;
    if let Some(found) = find_ts_types(&comment.text) {
        return Some(quoted(parsed, comment, found.start(), found.as_str(), Role::TypesPragma));
    }
    let found = find_deno_types(&comment.text)?;
    Some(if found.is_quoteless {
        bare(comment, found.range.start, found.text, Role::TypesPragma)
    } else {
        quoted(parsed, comment, found.range.start, found.text, Role::TypesPragma)
    })
}

/// Whether the file says itself how its JSX is to be compiled.
pub(in super::super) fn has_jsx_pragma(parsed: &ParsedSource) -> bool {
    leading(parsed).filter(|comment| comment.kind == CommentKind::Block).any(|comment| {
        comment.text.lines().any(|line| {
            let word = line.trim_start_matches(|c: char| c == '*' || c.is_whitespace()).split_whitespace().next();
            matches!(word, Some("@jsx" | "@jsxFrag" | "@jsxRuntime" | "@jsxImportSource" | "@jsxImportSourceTypes"))
        })
    })
}

/// Whether the first line is one for the shell.
pub(in super::super) fn starts_with_shebang(parsed: &ParsedSource) -> bool {
    parsed.program_ref().shebang().is_some()
}

fn leading(parsed: &ParsedSource) -> impl Iterator<Item = &Comment> {
    parsed.get_leading_comments().into_iter().flatten()
}

/// Where the text of a comment starts: after its two slashes, or its slash and star.
pub(super) fn text_start(comment: &Comment) -> usize {
    comment.start().as_byte_index(StartSourcePos::START_SOURCE_POS) + 2
}

fn quoted(parsed: &ParsedSource, comment: &Comment, offset: usize, text: &str, role: Role) -> Site {
    let start = text_start(comment) + offset;
    // The patterns let the closing quote differ from the opening one, so neither may stand in what is written.
    let quote = if parsed.text()[..start].ends_with('\'') { '\'' } else { '"' };
    Site { range: start..start + text.len(), text: text.to_owned(), notation: Notation::Comment(Some(quote)), role }
}

fn bare(comment: &Comment, offset: usize, text: &str, role: Role) -> Site {
    let start = text_start(comment) + offset;
    Site { range: start..start + text.len(), text: text.to_owned(), notation: Notation::Comment(None), role }
}
