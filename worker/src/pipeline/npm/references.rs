//! `/// <reference …>` comments.
//!
//! A reference to a file must be a `path` that leads there, and a reference to a package must be a `types` by the name that
//! TypeScript gives it: `path="npm:@types/node"` is `types="node"`.

use deno_graph::analysis::TypeScriptReference;

use super::layout::local_path;
use super::specifiers::{Purpose, Referrer, Resolver, Target, relative};

/// What a reference must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// `path` or `types`.
    pub(super) attribute: &'static str,
    /// The value, without quotes.
    pub(super) value: String,
}

impl Reference {
    /// What a reference must say in the emitted file. A reference that leads nowhere known stays as it is.
    pub(super) fn rewritten(resolver: &Resolver<'_>, referrer: Referrer<'_>, reference: &TypeScriptReference) -> Self {
        let (attribute, text) = match reference {
            TypeScriptReference::Path(specifier) => ("path", &specifier.text),
            TypeScriptReference::Types { specifier, .. } => ("types", &specifier.text),
        };
        let target = resolver.target(referrer, text, Purpose::Types).or_else(|| beside(referrer, attribute, text));
        match target {
            Some(Target::Local { path, .. }) => {
                let place = resolver.declaration(&path).unwrap_or(&path);
                Self { attribute: "path", value: relative(referrer.emitted, place) }
            }
            Some(Target::Package { kind, name, range, sub_path }) => {
                let value = resolver.bare(Purpose::Types, kind, (&name, &range), sub_path.as_deref());
                Self { attribute: "types", value }
            }
            Some(Target::Runtime(_)) | None => Self { attribute, value: text.clone() },
        }
    }

    /// The comment, or nothing when the value cannot stand in one.
    pub(super) fn comment(&self) -> Option<String> {
        fits_in_comment(&self.value).then(|| format!("/// <reference {}=\"{}\" />", self.attribute, self.value))
    }
}

/// A `path` needs no `./` to be one.
fn beside(referrer: Referrer<'_>, attribute: &str, text: &str) -> Option<Target> {
    if attribute != "path" || text.contains(':') {
        return None;
    }
    let path = local_path(&referrer.url.join(text).ok()?)?;
    Some(Target::Local { path, suffix: String::new() })
}

/// Whether a text can be put between quotes in a comment of any kind. Nothing can be escaped there.
pub(super) fn fits_in_comment(text: &str) -> bool {
    !text.contains(['"', '\'', '`', '\n', '\r', '\u{2028}', '\u{2029}']) && !text.contains("*/")
}
