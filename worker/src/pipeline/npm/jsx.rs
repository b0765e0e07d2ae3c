//! How JSX is transformed: by what the config says, and by the pragmas of a file, which win.
//!
//! The compiler takes a factory for granted that is an expression, and gives up the process when it is not. So what comes from
//! an author is checked here: a factory is a name, or names joined by dots.

use deno_ast::swc::ast::Ident;
use deno_ast::swc::atoms::Atom;
use deno_ast::swc::common::comments::{Comment, CommentKind, SingleThreadedComments, SingleThreadedCommentsMapInner};
use deno_ast::{JsxAutomaticOptions, JsxClassicOptions, JsxRuntime as Transform};

use crate::pipeline::manifest::{JsxOptions, JsxRuntime};

/// The transform that the config asks for. Without a word it is the classic one, as in Deno.
pub(super) fn transform(options: &JsxOptions) -> Transform {
    let runtime = options.runtime.unwrap_or(match options.import_source {
        Some(_) => JsxRuntime::Automatic,
        None => JsxRuntime::Classic,
    });
    match runtime {
        JsxRuntime::Automatic => {
            Transform::Automatic(JsxAutomaticOptions { development: false, import_source: options.import_source.clone() })
        }
        JsxRuntime::Classic => {
            let usual = JsxClassicOptions::default();
            let factory = |factory: &Option<String>, usual: String| factory.clone().filter(|name| is_member_path(name)).unwrap_or(usual);
            Transform::Classic(JsxClassicOptions {
                factory: factory(&options.factory, usual.factory),
                fragment_factory: factory(&options.fragment_factory, usual.fragment_factory),
            })
        }
    }
}

/// Takes out the comments whose pragmas the compiler would choke on. What is left of a broken pragma is the default.
pub(super) fn without_broken_pragmas(comments: &SingleThreadedComments) {
    let (mut leading, mut trailing) = comments.borrow_all_mut();
    for map in [&mut *leading, &mut *trailing] {
        retain(map, |comment| comment.kind != CommentKind::Block || pragmas_are_sound(&comment.text));
    }
}

/// Takes out the comment that names a source map: the emitted file has one of its own.
pub(super) fn without_source_map_comment(comments: &SingleThreadedComments) {
    let (mut leading, mut trailing) = comments.borrow_all_mut();
    for map in [&mut *leading, &mut *trailing] {
        retain(map, |comment| deno_graph::analysis::find_source_mapping_url(&comment.text).is_none());
    }
}

/// The order in which the map is walked has no effect.
fn retain(map: &mut SingleThreadedCommentsMapInner, mut keep: impl FnMut(&Comment) -> bool) {
    for comments in map.values_mut() {
        comments.retain(&mut keep);
    }
    map.retain(|_, comments| !comments.is_empty());
}

fn pragmas_are_sound(text: &Atom) -> bool {
    if !text.contains("@jsx") {
        return true;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).all(|pair| match pair[0].trim_start_matches('*') {
        "@jsx" => is_member_path(pair[1]),
        "@jsxFrag" => is_member_path(pair[1]) || pair[1] == "null",
        "@jsxRuntime" => matches!(pair[1], "classic" | "automatic"),
        _ => true,
    })
}

/// Whether a text is `h` or `React.createElement`. Behind a dot a reserved word is a name like any other.
fn is_member_path(text: &str) -> bool {
    let mut parts = text.split('.');
    let root = parts.next().unwrap_or_default();
    let starts_well = |name: &str| name.chars().next().is_some_and(Ident::is_valid_start);
    let is_name = |name: &str| starts_well(name) && Ident::verify_symbol(&format!("_{name}")).is_ok();
    Ident::verify_symbol(root).is_ok() && parts.all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factories_are_names() {
        for good in ["h", "React.createElement", "_a.$b.default"] {
            assert!(is_member_path(good), "{good}");
        }
        for bad in ["", "h.", ".h", "a..b", "class", "this.h", "null", "h()", "1", "a-b", "a b"] {
            assert!(!is_member_path(bad), "{bad}");
        }
    }
}
