//! What a specifier becomes in a file of the tarball.
//!
//! A specifier is first followed to its target, by the graph where that knows it and by the rules of URLs where not, and then
//! written anew for the place it stands in. So a declaration in `_dist/` names its neighbours rightly although its source stood
//! elsewhere, and `.d.mts` is found through `.mjs`.

use deno_graph::{Dependency, JsModule};
use deno_semver::Version as SemverVersion;
use deno_semver::jsr::JsrPackageReqReference;
use deno_semver::npm::NpmPackageReqReference;
use deno_semver::package::PackageReqReference;
use slipway_common::ids::ExportKey;
use slipway_common::model::dependency::DependencyKind;
use url::Url;

use super::Emit;
use super::layout::{Layout, local_path, split_extension};
use super::names::Names;

/// What a specifier is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Node, or a bundler, will load what it names.
    Code,
    /// TypeScript will read what it names.
    Types,
    /// A compiler will read what it names, among the sources.
    Check,
}

/// The file a specifier stands in.
#[derive(Clone, Copy)]
pub(super) struct Referrer<'a> {
    /// Where the author wrote it.
    pub(super) url: &'a Url,
    /// What the graph knows of that file, if it is in the graph.
    pub(super) module: Option<&'a JsModule>,
    /// Where it stands in the tarball.
    pub(super) emitted: &'a str,
}

/// What to do about a specifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is right as it is.
    Keep,
    /// It must say this.
    Write(String),
    /// It names something that exists for TypeScript alone.
    TypesOnly,
}

/// Where a specifier leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A file of this package, and the query and fragment behind it.
    Local { path: String, suffix: String },
    /// A package in a registry.
    Package { kind: DependencyKind, name: String, range: String, sub_path: Option<String> },
    /// Something the runtime brings along: `node:fs`, `bun:test`, a `data:` URL.
    Runtime(String),
}

/// Follows specifiers.
#[derive(Clone, Copy)]
pub(super) struct Resolver<'a> {
    /// The package.
    pub(super) emit: Emit<'a>,
    /// Where its modules are.
    pub(super) layout: &'a Layout,
    /// What its dependencies are called.
    pub(super) names: &'a Names,
}

impl<'a> Resolver<'a> {
    /// What a specifier must say in the emitted file.
    pub(super) fn rewrite(&self, referrer: Referrer<'_>, specifier: &str, purpose: Purpose) -> Outcome {
        let text = match self.target(referrer, specifier, purpose) {
            None => return Outcome::Keep,
            // A URL would be written in another spelling than the author's.
            Some(Target::Runtime(_)) if Url::parse(specifier).is_ok() => return Outcome::Keep,
            Some(Target::Runtime(text)) => text,
            Some(Target::Package { kind, name, range, sub_path }) => self.bare(purpose, kind, (&name, &range), sub_path.as_deref()),
            Some(Target::Local { path, suffix }) => {
                let home = self.layout.home_of(&path);
                let place = match (purpose, home) {
                    (_, None) => path,
                    (Purpose::Check, Some(home)) => {
                        home.declaration.as_deref().filter(|_| names_declarations(&path)).map(code_name).unwrap_or(path)
                    }
                    (Purpose::Code, Some(home)) => match &home.code {
                        Some(code) => code.clone(),
                        None => return Outcome::TypesOnly,
                    },
                    (Purpose::Types, Some(home)) => {
                        home.declaration.as_deref().map(code_name).or_else(|| home.code.clone()).unwrap_or(path)
                    }
                };
                format!("{}{suffix}", relative(referrer.emitted, &place))
            }
        };
        if text == specifier { Outcome::Keep } else { Outcome::Write(text) }
    }

    /// Where a specifier leads. `None` when nobody knows.
    pub(super) fn target(&self, referrer: Referrer<'_>, specifier: &str, purpose: Purpose) -> Option<Target> {
        let dependency = referrer.module.and_then(|module| module.dependencies.get(specifier));
        let url = match dependency.and_then(|dependency| resolved(dependency, purpose, specifier)) {
            Some(url) => url,
            None if is_relative(specifier) => referrer.url.join(specifier).ok()?,
            None => Url::parse(specifier).ok()?,
        };
        let target = self.target_of(&url)?;
        match (purpose, &target) {
            (Purpose::Types | Purpose::Check, Target::Local { .. }) => Some(self.types_of(&url).unwrap_or(target)),
            _ => Some(target),
        }
    }

    /// The file of this package that a specifier leads Node to.
    pub(super) fn local_target(&self, referrer: Referrer<'_>, specifier: &str) -> Option<String> {
        match self.target(referrer, specifier, Purpose::Code)? {
            Target::Local { path, .. } => Some(path),
            Target::Package { .. } | Target::Runtime(_) => None,
        }
    }

    /// The target of a URL.
    fn target_of(&self, url: &Url) -> Option<Target> {
        let url = self.emit.graph.resolve(url);
        match url.scheme() {
            "file" => {
                let path = local_path(url)?;
                let suffix = url[url::Position::AfterPath..].to_owned();
                Some(Target::Local { path, suffix })
            }
            "jsr" => {
                let reference = JsrPackageReqReference::from_specifier(url).ok()?.into_inner();
                self.own_module(&reference).or_else(|| Some(package(DependencyKind::Jsr, &reference)))
            }
            "npm" => Some(package(DependencyKind::Npm, &NpmPackageReqReference::from_specifier(url).ok()?.into_inner())),
            // Rules decide what may be imported; what they let through is the runtime's.
            _ => Some(Target::Runtime(url.as_str().to_owned())),
        }
    }

    /// The file that a reference to this very package names.
    fn own_module(&self, reference: &PackageReqReference) -> Option<Target> {
        if reference.req.name.as_str() != self.emit.package.to_string() {
            return None;
        }
        let version = SemverVersion::parse_standard(&self.emit.version.to_string()).ok()?;
        let matches = reference.req.version_req.tag().is_none() && reference.req.version_req.matches(&version);
        let key = ExportKey::from_sub_path(reference.sub_path.as_deref()).ok()?;
        let target = self.emit.manifest.exports.0.get(&key).filter(|_| matches)?;
        Some(Target::Local { path: target.rooted().to_owned(), suffix: String::new() })
    }

    /// The declarations that a module names for itself, in a comment or in the graph's other ways.
    fn types_of(&self, url: &Url) -> Option<Target> {
        let module = self.emit.graph.get(url)?;
        let types = module.maybe_types_dependency()?.dependency.ok()?;
        self.target_of(&types.specifier)
    }

    /// The declaration file of a file of this package, if there is one in it.
    pub(super) fn declaration(&self, path: &str) -> Option<&'a str> {
        let path = match self.types_of(&file_url(path)?) {
            Some(Target::Local { path, .. }) => path,
            _ => path.to_owned(),
        };
        self.layout.home_of(&path)?.declaration.as_deref()
    }

    /// The specifier by which Node or TypeScript finds a package in `node_modules`.
    pub(super) fn bare(&self, purpose: Purpose, kind: DependencyKind, (name, range): (&str, &str), sub_path: Option<&str>) -> String {
        let mut text = self.names.directory(kind, name, range);
        if purpose != Purpose::Code {
            text = without_types_scope(&text).unwrap_or(text);
        }
        match sub_path {
            Some(sub_path) => text + "/" + sub_path,
            None => text,
        }
    }
}

/// The URL under which the graph has a file of this package.
pub(super) fn file_url(path: &str) -> Option<Url> {
    let mut url = Url::parse("file:///").ok()?;
    url.set_path(path);
    Some(url)
}

/// TypeScript reads `@types/node` for `node`, and refuses to import the former by its own name.
fn without_types_scope(name: &str) -> Option<String> {
    let name = name.strip_prefix("@types/")?;
    Some(match name.split_once("__") {
        Some((scope, name)) => format!("@{scope}/{name}"),
        None => name.to_owned(),
    })
}

fn resolved(dependency: &Dependency, purpose: Purpose, specifier: &str) -> Option<Url> {
    let (code, types) = (dependency.get_code(), dependency.get_type());
    match purpose {
        // What is imported for its types alone has no code in the graph, and a comment may say that its types are elsewhere.
        Purpose::Code if code.is_none() => {
            let package = Url::parse(specifier).ok().filter(|url| matches!(url.scheme(), "npm" | "jsr"));
            package.or_else(|| types.cloned())
        }
        Purpose::Code => code.cloned(),
        Purpose::Types | Purpose::Check => types.or(code).cloned(),
    }
}

fn package(kind: DependencyKind, reference: &PackageReqReference) -> Target {
    Target::Package {
        kind,
        name: reference.req.name.to_string(),
        range: reference.req.version_req.version_text().to_owned(),
        sub_path: reference.sub_path.as_ref().map(ToString::to_string),
    }
}

fn is_relative(specifier: &str) -> bool {
    specifier.starts_with("./") || specifier.starts_with("../") || specifier.starts_with('/') || specifier == "." || specifier == ".."
}

/// Whether a path is that of a declaration file.
pub(super) fn names_declarations(path: &str) -> bool {
    split_extension(path).1.starts_with(".d.")
}

/// The name by which TypeScript finds a declaration file: `a.js` for `a.d.ts`.
pub(super) fn code_name(declaration: &str) -> String {
    match split_extension(declaration) {
        (stem, ".d.ts") => format!("{stem}.js"),
        (stem, ".d.mts") => format!("{stem}.mjs"),
        (stem, ".d.cts") => format!("{stem}.cjs"),
        _ => declaration.to_owned(),
    }
}

/// The way from one file to another, starting with `./` or `../`.
pub(super) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let directories = from.len().min(to.len()) - 1;
    let shared = from.iter().zip(&to).take(directories).take_while(|(a, b)| a == b).count();
    let up = from.len() - 1 - shared;
    let prefix = if up == 0 { "./".to_owned() } else { "../".repeat(up) };
    format!("{prefix}{}", to[shared..].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_way() {
        for (from, to, way) in [
            ("/a.js", "/b.js", "./b.js"),
            ("/src/a.js", "/src/b/c.js", "./b/c.js"),
            ("/src/x/a.js", "/src/b.js", "../b.js"),
            ("/_dist/src/a.d.ts", "/src/b.js", "../../src/b.js"),
            ("/a/a.js", "/a.js", "../a.js"),
            ("/a/a", "/a/a/a", "./a/a"),
        ] {
            assert_eq!(relative(from, to), way, "{from} -> {to}");
        }
    }

    #[test]
    fn names_declarations_as_typescript_looks_for_them() {
        assert_eq!(code_name("/a.d.ts"), "/a.js");
        assert_eq!(code_name("/a.d.mts"), "/a.mjs");
        assert_eq!(without_types_scope("@types/node").as_deref(), Some("node"));
        assert_eq!(without_types_scope("@types/babel__core").as_deref(), Some("@babel/core"));
        assert_eq!(without_types_scope("node"), None);
    }
}
