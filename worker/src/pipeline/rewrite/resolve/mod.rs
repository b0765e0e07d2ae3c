//! From a specifier as it is written to one that is exact, by the package's own settings.
//!
//! Exact is what needs no looking for: a relative path to a file that exists, or an address with a scheme. What is exact is
//! left alone before any setting is asked, so that a tarball whose imports a client has already resolved stays what it is,
//! and resolving twice is resolving once.
//!
//! Everything else is asked for in this order: the import map; `#` names in `package.json`; TypeScript's `paths`; the
//! package's own name; its dependencies; Node's built-in modules; declarations from `@types`, where types will do.

mod builtins;
mod compiler_paths;
mod import_map;
mod names;
mod packages;
mod path;
mod range;
mod subpaths;
mod tree;

use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::FindingCode;

use super::super::files::Files;
use super::super::manifest::{Manifest, Resolution};
use super::source;
use import_map::{ImportMap, Mapped};
use packages::{Declared, Dependencies, Own};
use tree::{NotFound, Tree, relative};

/// Longest specifier that is looked up, and longest target in a setting, in bytes. A package path has 155 at most, and a
/// package specifier with its range and sub-path not many more.
pub(super) const MAX_SPECIFIER_BYTES: usize = 1024;
/// Most characters of a specifier or declaration that are repeated in a message.
const MAX_SHOWN: usize = 120;
/// Schemes whose specifiers are exact as they are. Whether they are welcome is for the rules to say.
const EXACT_SCHEMES: &[&str] = &["npm", "jsr", "node", "data", "blob", "bun", "cloudflare", "virtual", "file"];

/// Where a specifier stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Referrer<'a> {
    /// The file.
    pub(super) path: &'a PackagePath,
    /// Whether declarations will do for what it names.
    pub(super) types: bool,
}

/// A specifier that was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// What to write instead, or `None` when it is exact as it is.
    pub(super) text: Option<String>,
    /// The file of the package that it names, if it names one.
    pub(super) file: Option<String>,
    /// What the author should know about how it was resolved, with its code.
    pub(super) remark: Option<(FindingCode, String)>,
}

/// A specifier that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: FindingCode,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The settings of one package, ready to be asked.
pub(super) struct Resolver<'a> {
    tree: Tree<'a>,
    resolution: &'a Resolution,
    import_map: Option<ImportMap>,
    dependencies: Dependencies<'a>,
    own: Own<'a>,
}

impl Resolved {
    fn exact(file: Option<&str>) -> Self {
        Self { text: None, file: file.map(str::to_owned), remark: None }
    }

    fn address(text: String) -> Self {
        Self { text: Some(text), file: None, remark: None }
    }

    fn file(text: String, file: &str) -> Self {
        Self { text: Some(text), file: Some(file.to_owned()), remark: None }
    }
}

impl From<Declared> for Resolved {
    fn from(declared: Declared) -> Self {
        let remark = declared.remark.map(|remark| (FindingCode::UnsupportedDependencyProtocol, remark));
        Self { text: Some(declared.text), file: None, remark }
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(files: &'a Files, manifest: &'a Manifest, package: &'a PackageName, version: &'a Version) -> Self {
        Self {
            tree: Tree::new(files),
            resolution: &manifest.resolution,
            import_map: manifest.resolution.import_map.as_ref().and_then(ImportMap::new),
            dependencies: Dependencies::new(manifest),
            own: Own::new(package, version, manifest),
        }
    }

    /// Makes `text` exact.
    pub(super) fn resolve(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        if let Some(scheme) = scheme(text) {
            // An address is the web's or a name of the import map's; both may be mapped.
            let is_exact = text.len() > MAX_SPECIFIER_BYTES || EXACT_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
            let mapped = if is_exact { None } else { self.mapped(from, text) };
            return mapped.map_or_else(|| Ok(Resolved::exact(None)), |mapped| self.follow(from, text, mapped));
        }
        if text.is_empty() || text.len() > MAX_SPECIFIER_BYTES {
            return Err(unresolved(text, &[], None));
        }
        if is_relative(text) || text.starts_with('/') { self.resolve_path(from, text) } else { self.resolve_bare(from, text) }
    }

    /// Makes the path of a `/// <reference path>` exact, which is relative even when it does not look so.
    pub(super) fn resolve_reference(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        if scheme(text).is_some() || is_relative(text) || text.starts_with('/') {
            return self.resolve(from, text);
        }
        let dotted = format!("./{text}");
        let resolved = self.resolve(from, &dotted)?;
        Ok(Resolved { text: resolved.text.or(Some(dotted)), ..resolved })
    }

    /// Makes the source of the JSX transform exact. Compilers append `/jsx-runtime` to it, so that is what has to be found.
    pub(super) fn resolve_jsx_source(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        const RUNTIME: &str = "/jsx-runtime";
        if scheme(text).is_some() {
            return self.resolve(from, text);
        }
        if packages::split(text).is_some_and(|(name, _)| self.own.is_named(name)) {
            let sub_path = packages::split(text).map_or("", |(_, sub_path)| sub_path);
            let slash = if sub_path.is_empty() { "" } else { "/" };
            return Ok(Resolved::address(format!("{}{slash}{sub_path}", self.own.specifier())));
        }
        let resolved = self.resolve(from, &format!("{text}{RUNTIME}"))?;
        match resolved.text.as_deref().and_then(|found| found.strip_suffix(RUNTIME)).filter(|found| scheme(found).is_some()) {
            Some(found) => Ok(Resolved { text: Some(found.to_owned()), ..resolved }),
            None => Err(Failure {
                hint: Some("give the package that has `jsx-runtime` among its exports, such as `npm:react@^19`".to_owned()),
                ..unresolved(text, &[], None)
            }),
        }
    }

    /// What the import map makes of a specifier.
    fn mapped(&self, from: Referrer<'_>, text: &str) -> Option<Mapped> {
        let map = self.import_map.as_ref()?;
        let referrer = source::specifier(from.path);
        let is_path = is_relative(text) || text.starts_with('/');
        let key = if is_path { referrer.join(text).ok()?.to_string() } else { text.to_owned() };
        map.lookup(&key, referrer.as_str())
    }

    /// What the import map says holds, whether or not it leads anywhere.
    fn follow(&self, from: Referrer<'_>, text: &str, mapped: Mapped) -> Result<Resolved, Failure> {
        match mapped {
            Mapped::Address(address) if address == text => Ok(Resolved::exact(None)),
            Mapped::Address(address) => Ok(Resolved::address(address)),
            Mapped::Outside(path) => {
                Err(unresolved(text, &[format!("the import map, which leads out of the package to '{}'", shorten(&path))], None))
            }
            Mapped::File(path) => match self.tree.probe(&path, from.types) {
                Ok(found) => Ok(Resolved::file(relative(from.path.directory(), found), found)),
                Err(missing) => Err(unresolved(text, &[format!("the import map: {}", missing.tried)], case_hint(from, &missing))),
            },
        }
    }
}

/// The scheme of an address.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then_some(scheme)
}

fn is_relative(text: &str) -> bool {
    text.starts_with("./") || text.starts_with("../") || text == "." || text == ".."
}

/// What to say when a file differs from what was looked for in case alone.
fn case_hint(from: Referrer<'_>, missing: &NotFound<'_>) -> Option<String> {
    let path = relative(from.path.directory(), missing.differs_in_case?);
    Some(format!("did you mean '{path}'? upper and lower case matter"))
}

fn unresolved(text: &str, tried: &[String], hint: Option<String>) -> Failure {
    let mut message = format!("'{}' cannot be resolved", shorten(text));
    if !tried.is_empty() {
        message = format!("{message}; tried {}", tried.join("; "));
    }
    Failure { code: FindingCode::UnresolvedSpecifier, message, hint }
}

/// `text` without control characters and cut short, so that it can be shown.
pub(super) fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(scheme("npm:chalk"), Some("npm"));
        assert_eq!(scheme("git+ssh://x"), Some("git+ssh"));
        assert_eq!((scheme("@a/b:c"), scheme("./a:b"), scheme("1a:b"), scheme("a")), (None, None, None, None));
        assert!(is_relative(".") && is_relative("../x") && !is_relative(".x") && !is_relative("/x"));
        assert_eq!(shorten(&"x\n".repeat(100)).chars().count(), MAX_SHOWN + 1);
    }
}
