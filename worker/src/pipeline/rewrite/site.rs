//! A place in a source text where a specifier stands, and how a specifier is written there.

use std::fmt::Write as _;
use std::ops::Range;

/// One specifier in a source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// Where its text is, in bytes of the source without byte order mark. Quotes are outside the range.
    pub(super) range: Range<usize>,
    /// What it says, with escapes undone.
    pub(super) text: String,
    /// What it is written in.
    pub(super) notation: Notation,
    /// What it is for.
    pub(super) role: Role,
}

/// What a specifier is for. Decides where it is looked for, and how bad it is not to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    /// A static import or export of values.
    Import,
    /// `import type`, `export type` and `import("…")` as a type.
    TypeImport,
    /// `import("…")` with a literal.
    DynamicImport,
    /// The start of a dynamic import that is put together at run time, up to its last slash.
    DynamicPrefix,
    /// `import.meta.resolve("…")` with a literal.
    MetaResolve,
    /// `declare module "…"`, which may name a module or make one up.
    Augmentation,
    /// `/// <reference path="…" />`, always relative, with or without a leading `./`.
    ReferencePath,
    /// `/// <reference types="…" />`.
    ReferenceTypes,
    /// `@ts-types`, `@deno-types` and `@ts-self-types` in a comment.
    TypesPragma,
    /// An import in a `JSDoc` comment of a JavaScript file.
    DocImport,
    /// `@jsxImportSource`.
    JsxSource,
    /// `@jsxImportSourceTypes`.
    JsxTypesSource,
}

impl Site {
    /// Where it begins, in bytes: with its quote, if it has one, as compilers count.
    pub(super) fn start(&self) -> usize {
        match self.notation {
            Notation::Comment(None) => self.range.start,
            Notation::Literal(_) | Notation::Template | Notation::Comment(Some(_)) => self.range.start - 1,
        }
    }
}

impl Role {
    /// Whether declarations will do, because nothing is run.
    pub(super) fn is_types(self) -> bool {
        match self {
            Self::TypeImport
            | Self::Augmentation
            | Self::ReferencePath
            | Self::ReferenceTypes
            | Self::TypesPragma
            | Self::DocImport
            | Self::JsxTypesSource => true,
            Self::Import | Self::DynamicImport | Self::DynamicPrefix | Self::MetaResolve | Self::JsxSource => false,
        }
    }

    /// Whether the package cannot run when the specifier cannot be resolved. What only types are read from, and what a program
    /// may catch when it runs, is worth a warning: JSR publishes such packages, and so do we.
    pub(super) fn is_vital(self) -> bool {
        matches!(self, Self::Import | Self::JsxSource)
    }
}

/// What a specifier is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// A string literal in these quotes.
    Literal(char),
    /// A template literal.
    Template,
    /// A comment, in these quotes or in none.
    Comment(Option<char>),
}

impl Notation {
    /// The text as it has to be written here, or `None` where it cannot be.
    pub(super) fn write(self, text: &str) -> Option<String> {
        match self {
            Self::Literal(quote) => Some(escape(text, quote)),
            Self::Template => Some(escape(text, '`').replace("${", "\\${")),
            // Comments know no escapes. A star could close the comment together with a slash that follows it.
            Self::Comment(quote) => {
                let fits = |c: char| {
                    Some(c) != quote
                        && c != '*'
                        && !c.is_control()
                        && !matches!(c, '\u{2028}' | '\u{2029}')
                        && (quote.is_some() || !c.is_whitespace())
                };
                (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
            }
        }
    }
}

/// Escapes what would end a literal, or could not stand in it.
fn escape(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            _ if c == quote => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                write!(escaped, "\\u{{{:x}}}", u32::from(c)).expect("writing to a string cannot fail");
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_escape_and_comments_refuse() {
        assert_eq!(Notation::Literal('"').write(r#"a"b\c'"#).unwrap(), r#"a\"b\\c'"#);
        assert_eq!(Notation::Literal('\'').write("a'\n\u{2028}").unwrap(), r"a\'\n\u{2028}");
        assert_eq!(Notation::Template.write("`${x}").unwrap(), r"\`\${x}");
        assert_eq!(Notation::Comment(Some('"')).write("npm:a@1 || 2").unwrap(), "npm:a@1 || 2");
        assert_eq!(Notation::Comment(None).write("npm:a@1 || 2"), None);
        assert_eq!(Notation::Comment(Some('"')).write("a\"b"), None);
        assert_eq!(Notation::Comment(Some('"')).write("a*/b"), None);
        assert_eq!(Notation::Comment(Some('\'')).write("a\nb"), None);
    }
}
