//! What is missing for a declaration, and where.

use std::borrow::Cow;
use std::ops::Range;

use deno_ast::diagnostics::Diagnostic;
use deno_ast::{SourceRange, SourceRanged};
use deno_graph::ModuleSpecifier;
use deno_graph::fast_check::{FastCheckDiagnostic, FastCheckDiagnosticRange};
use slipway_common::model::finding::{Finding, FindingCode, Place};

use crate::pipeline::graph::place::{place_at, place_of, shorten};

/// Something that keeps a module from being declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// What would help.
    pub(super) want: Want,
    /// Where, in bytes of the module's text.
    pub(super) range: Range<usize>,
}

/// What would help.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    /// A type behind a name, a pattern, or the name of a member.
    Type,
    /// A return type. The range is the function, or the name it has.
    Return,
    /// A type for the expression that is exported.
    Default,
    /// One name after the other in the place of a pattern.
    Names,
    /// No reference to a member of a class or namespace. The name begins with the class and ends with the member; then comes the
    /// name of what refers to it.
    Reference(String, String),
    /// A name in the place of an expression that is extended.
    Superclass,
    /// A type for what is assigned to a property of a function.
    Property,
    /// Nothing in its place: it says nothing about this module.
    Absence,
    /// `const`.
    Const,
    /// A type for the expression, or for what it belongs to.
    Guess,
    /// A parameter with a default as TypeScript declares it. Fast check knows what one of a declared function is, and not what one
    /// of a function in a variable is.
    Parameter,
    /// A wide type for a parameter that is a read-only property with a default. Fast check takes the default for its only value.
    Widening,
    /// Namespaces in namespaces in the place of a name with dots, of which fast check keeps the first alone.
    Nesting,
    /// Another text for the module.
    Outline,
}

impl Want {
    /// Whether nobody complained: the declarations are less than the source, and they are what they are if that cannot be helped.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self, Self::Guess | Self::Parameter | Self::Widening | Self::Nesting)
    }
}

/// What would help against a complaint of fast check, in which module.
pub(super) fn of(diagnostic: &FastCheckDiagnostic) -> (ModuleSpecifier, Complaint) {
    use FastCheckDiagnostic as D;
    let want = match diagnostic {
        D::MissingExplicitType { .. } => Want::Type,
        D::MissingExplicitReturnType { .. } => Want::Return,
        D::UnsupportedDefaultExportExpr { .. } => Want::Default,
        D::UnsupportedDestructuring { .. } => Want::Names,
        D::NotFoundReference { name, referrer, .. }
        | D::UnsupportedComplexReference { name, referrer, .. }
        | D::UnsupportedPrivateMemberReference { name, referrer, .. } => Want::Reference(name.clone(), referrer.clone()),
        D::UnsupportedSuperClassExpr { .. } => Want::Superclass,
        D::UnsupportedExpandoProperty { .. } => Want::Property,
        D::UnsupportedAmbientModule { .. }
        | D::UnsupportedGlobalModule { .. }
        | D::UnsupportedRequire { .. }
        | D::UnsupportedTsExportAssignment { .. }
        | D::UnsupportedTsNamespaceExport { .. } => Want::Absence,
        D::UnsupportedUsing { .. } => Want::Const,
        D::UnsupportedNestedJavaScript { .. }
        | D::UnsupportedJavaScriptEntrypoint { .. }
        | D::Emit { .. }
        | D::ExportNotFound { .. }
        | D::Cached { .. } => Want::Outline,
    };
    let range = diagnostic.range().map_or(0..0, bytes);
    (diagnostic.specifier().clone(), Complaint { want, range })
}

/// A range as bytes of its text.
pub(super) fn bytes(range: &FastCheckDiagnosticRange) -> Range<usize> {
    range.range.as_byte_range(range.text_info.range().start)
}

/// The warning for a complaint about a text that the author wrote.
pub(super) fn finding(diagnostic: &FastCheckDiagnostic) -> Finding {
    let place = diagnostic.range().map_or_else(|| Place::file(place_of(diagnostic.specifier())), place_in);
    // Two of the library's sentences say the opposite of what they mean.
    let text = diagnostic.to_string().replace("which are not unsupported", "which is not supported");
    let until = match of(diagnostic).1.want {
        Want::Absence => "npm has it only where nothing in it is private to the module",
        _ => UNTYPED,
    };
    warning(&text, place, diagnostic.hint(), until)
}

/// The warning for a type that cannot be known, in a text that the author wrote.
pub(super) fn guess(specifier: &ModuleSpecifier, range: SourceRange, text_info: &deno_ast::SourceTextInfo) -> Finding {
    warning(
        "missing explicit type in the public API",
        place_at(specifier, range.start(), text_info),
        Some("write the type out".into()),
        UNTYPED,
    )
}

/// What becomes of a type that nobody knows.
pub const UNTYPED: &str = "until then it is `any` for npm";

/// What a warning starts with.
const SLOW_TYPES: &str = "slow types";

/// The text of a warning with the name of the export that it is about.
pub(super) fn naming(message: &str, export: &str) -> String {
    match message.strip_prefix(SLOW_TYPES) {
        Some(rest) => format!("{SLOW_TYPES} in '{}'{rest}", shorten(export)),
        None => message.to_owned(),
    }
}

fn warning(text: &str, place: Place, hint: Option<Cow<'_, str>>, until: &str) -> Finding {
    let hint = hint.map_or_else(|| until.to_owned(), |hint| format!("{hint}; {until}"));
    Finding::warning(FindingCode::SlowTypes, format!("{SLOW_TYPES}: {text}")).at(place).hint(hint)
}

fn place_in(range: &FastCheckDiagnosticRange) -> Place {
    place_at(&range.specifier, range.range.start, &range.text_info)
}
