//! Where the code and the declarations of each module are in the tarball.
//!
//! Code stays beside its source: `src/a.ts` becomes `src/a.js`. Declarations made by fast check go under `_dist/`, or the first
//! free `_dist1`, `_dist2`, … where the author has one. A name that is taken is left to whoever has it, and the next free one
//! is used: `a.js`, then `a.ts.js`, then `a.ts.1.js`.

use std::collections::{BTreeMap, BTreeSet};

use deno_graph::{MediaType, Module};
use serde_json::Value;

use super::Emit;
use super::tree::Tree;

/// Where the parts of a module are, as paths with a leading slash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Home {
    /// What Node loads. A declaration file has none.
    pub(super) code: Option<String>,
    /// What TypeScript reads, if there are declarations.
    pub(super) declaration: Option<String>,
}

/// The homes of all modules of the package.
#[derive(Debug, Default)]
pub(super) struct Layout {
    homes: BTreeMap<String, Home>,
    /// The files that are no scripts and have declarations all the same.
    assets: BTreeMap<String, String>,
}

impl Layout {
    /// Finds a place for everything that will be emitted, and claims it in the tree.
    pub(super) fn plan(emit: &Emit<'_>, tree: &mut Tree) -> Self {
        let mut layout = Self::default();
        let dist = free_directory(tree);
        let scopes = ModuleScopes::find(emit);
        let mut modules: Vec<_> = emit.graph.modules().filter_map(|module| Some((local_path(module.specifier())?, module))).collect();
        // TypeScript has the first choice of names, then JSX; the order of the graph says nothing about importance.
        modules.sort_by(|(a_path, a), (b_path, b)| (rank(a.media_type()), a_path).cmp(&(rank(b.media_type()), b_path)));
        for (path, module) in modules {
            if emit.files.contains(&path) && !layout.homes.contains_key(&path) {
                let home = Self::home(emit, tree, &dist, scopes.is_module(&path), (&path, module));
                layout.homes.insert(path, home);
            }
        }
        for path in super::assets::paths(emit) {
            if let Some(declaration) = claim_declaration(tree, &dist, &format!("{path}.js")) {
                layout.homes.insert(path.clone(), Home { code: Some(path.clone()), declaration: Some(declaration.clone()) });
                layout.assets.insert(path, declaration);
            }
        }
        layout
    }

    fn home(emit: &Emit<'_>, tree: &mut Tree, dist: &str, is_module: bool, (path, module): (&str, &Module)) -> Home {
        let media_type = module.media_type();
        if media_type.is_declaration() {
            return Home { code: None, declaration: Some(hand_written(emit, tree, dist, path)) };
        }
        let code = match media_type {
            MediaType::TypeScript | MediaType::Tsx | MediaType::Jsx if is_module => claim_code(tree, path, ".js"),
            MediaType::TypeScript | MediaType::Tsx | MediaType::Jsx | MediaType::Mts => claim_code(tree, path, ".mjs"),
            _ => Some(path.to_owned()),
        };
        let is_declared = emit.declarations.of(emit.graph, module.specifier()).is_some();
        let declaration = match &code {
            Some(code) if is_declared => claim_declaration(tree, dist, code),
            _ => None,
        };
        Home { code, declaration }
    }

    /// The files that are no scripts, with their declarations.
    pub(super) fn assets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.assets.iter().map(|(path, declaration)| (path.as_str(), declaration.as_str()))
    }

    /// The home of the module at `path`, if it is in the graph and in the package.
    pub(super) fn home_of(&self, path: &str) -> Option<&Home> {
        self.homes.get(path)
    }
}

/// The path of a module of this package, decoded: `/src/{id}.ts` for `file:///src/%7Bid%7D.ts`.
pub(super) fn local_path(specifier: &url::Url) -> Option<String> {
    (specifier.scheme() == "file")
        .then(|| percent_encoding::percent_decode_str(specifier.path()).decode_utf8().ok().map(std::borrow::Cow::into_owned))
        .flatten()
}

/// The path without its extension, and the extension with its dot. Declaration extensions are one.
pub(super) fn split_extension(path: &str) -> (&str, &str) {
    for extension in [".d.ts", ".d.mts", ".d.cts"] {
        if let Some(stem) = path.strip_suffix(extension) {
            return (stem, &path[stem.len()..]);
        }
    }
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[name..].rfind('.').map_or(path.len(), |dot| name + dot);
    path.split_at(dot)
}

fn rank(media_type: MediaType) -> u8 {
    match media_type {
        MediaType::TypeScript | MediaType::Mts => 0,
        MediaType::Tsx => 1,
        MediaType::Jsx => 2,
        _ => 3,
    }
}

fn free_directory(tree: &Tree) -> String {
    std::iter::once("/_dist".to_owned())
        .chain((1..=usize::MAX).map(|number| format!("/_dist{number}")))
        .find(|directory| tree.is_free(directory))
        .expect("a package has fewer files than there are numbers")
}

fn claim_code(tree: &mut Tree, path: &str, extension: &str) -> Option<String> {
    let (stem, _) = split_extension(path);
    let first = [format!("{stem}{extension}"), format!("{path}{extension}")];
    tree.claim(first.into_iter().chain((1_usize..).map(|number| format!("{path}.{number}{extension}"))))
}

/// The declaration has the name of the code, so that one is found from the other by TypeScript's rule.
fn claim_declaration(tree: &mut Tree, dist: &str, code: &str) -> Option<String> {
    let (stem, extension) = split_extension(code);
    let extension = if extension == ".mjs" { ".d.mts" } else { ".d.ts" };
    let first = format!("{dist}{stem}{extension}");
    tree.claim(std::iter::once(first).chain((1_usize..).map(|number| format!("{dist}{stem}.{number}{extension}"))))
}

/// A hand-written declaration stays where it is, unless TypeScript would find the source beside it first: `./a.js` is `a.ts`
/// before it is `a.d.ts`. Then a copy goes where only declarations are.
fn hand_written(emit: &Emit<'_>, tree: &mut Tree, dist: &str, path: &str) -> String {
    let (stem, extension) = split_extension(path);
    let sources: &[&str] = if extension == ".d.mts" { &[".mts"] } else { &[".ts", ".tsx"] };
    if sources.iter().any(|source| emit.files.contains(&format!("{stem}{source}"))) {
        let code = format!("{stem}{}", if extension == ".d.mts" { ".mjs" } else { ".js" });
        claim_declaration(tree, dist, &code).unwrap_or_else(|| path.to_owned())
    } else {
        path.to_owned()
    }
}

/// The directories in which Node takes `.js` for `CommonJS`: those with a `package.json` of their own that does not say
/// otherwise. The one at the root is ours.
struct ModuleScopes {
    common_js: BTreeSet<String>,
    modules: BTreeSet<String>,
}

impl ModuleScopes {
    fn find(emit: &Emit<'_>) -> Self {
        let mut scopes = Self { common_js: BTreeSet::new(), modules: BTreeSet::new() };
        for (path, bytes) in emit.files.iter() {
            if path.file_name() == "package.json" && path.directory() != "/" {
                let json: Option<Value> = serde_json::from_slice(bytes).ok();
                let is_module = json.is_some_and(|json| json.get("type").and_then(Value::as_str) == Some("module"));
                let set = if is_module { &mut scopes.modules } else { &mut scopes.common_js };
                set.insert(path.directory().to_owned());
            }
        }
        scopes
    }

    fn is_module(&self, path: &str) -> bool {
        let mut directories = path.match_indices('/').map(|(at, _)| &path[..=at]);
        let nearest = directories.rfind(|directory| self.common_js.contains(*directory) || self.modules.contains(*directory));
        nearest.is_none_or(|directory| self.modules.contains(directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_paths_apart() {
        assert_eq!(split_extension("/a.b/c.d.mts"), ("/a.b/c", ".d.mts"));
        assert_eq!(split_extension("/a.b/c.ts"), ("/a.b/c", ".ts"));
        assert_eq!(split_extension("/a.b/c"), ("/a.b/c", ""));
        let url = |text: &str| url::Url::parse(text).unwrap();
        assert_eq!(local_path(&url("file:///%7Bid%7D.ts?x")).as_deref(), Some("/{id}.ts"));
        assert_eq!(local_path(&url("npm:a")), None);
    }
}
