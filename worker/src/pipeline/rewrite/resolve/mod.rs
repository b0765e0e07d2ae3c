//! From a specifier as it is written to one that is exact, by the package's own settings.
//!
//! Exact is what needs no looking for: a relative path to a file that exists, or an address with a scheme. What is exact is
//! left alone before any setting is asked, so that a tarball whose imports a client has already resolved stays what it is,
//! and resolving twice is resolving once.
//!
//! Everything else is asked for in this order: the import map; `#` names in `package.json`; TypeScript's `paths`; the
//! package's own name; its dependencies; Node's built-in modules; declarations from `@types`, where types will do.

mod builtins;
mod import_map;
mod packages;
mod paths;
mod range;
mod subpaths;
mod tree;

use percent_encoding::percent_decode_str;
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::FindingCode;

use super::super::files::Files;
use super::super::manifest::{Manifest, Resolution};
use super::source;
use import_map::{ImportMap, Mapped};
use packages::{Declared, Dependencies, Own};
use tree::{NotFound, Tree, join, relative};

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

    /// Makes the start of a specifier exact that is completed at run time. It ends with a slash.
    pub(super) fn resolve_prefix(&self, from: Referrer<'_>, text: &str) -> Option<Resolved> {
        if scheme(text).is_some() {
            return Some(Resolved::exact(None));
        }
        if text.len() > MAX_SPECIFIER_BYTES {
            return None;
        }
        let directory = from.path.directory();
        if is_relative(text) {
            return self.tree.contains_directory(&join(directory, text)?).then(|| Resolved::exact(None));
        }
        let in_package = |path: &str| {
            let is_directory = path.ends_with('/') && self.tree.contains_directory(path);
            is_directory.then(|| Resolved::address(relative(directory, path)))
        };
        match self.mapped(from, text) {
            Some(Mapped::File(path)) => return in_package(&path),
            Some(Mapped::Address(address)) => return Some(Resolved::address(address)),
            Some(Mapped::Outside(_)) => return None,
            None => {}
        }
        let paths = self.resolution.paths.iter().flat_map(|mapping| paths::candidates(mapping, text));
        paths.into_iter().find_map(|path| in_package(&path)).or_else(|| {
            let (name, sub_path) = packages::split(text)?;
            let declared = self.dependencies.specifier(name, sub_path)?.ok()?;
            // The slash after the name alone is not part of the sub-path, but of what follows it.
            let slash = if declared.text.ends_with('/') { "" } else { "/" };
            Some(Resolved::from(Declared { text: format!("{}{slash}", declared.text), ..declared }))
        })
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
                Err(missing) => Err(unresolved(text, &[format!("the import map: {}", missing.tried)], self.case_hint(from, &missing))),
            },
        }
    }

    /// `./a`, `../a` and `/a`.
    fn resolve_path(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        let directory = from.path.directory();
        // Deno keeps what follows a question mark or hash apart; bundlers give it a meaning.
        let (written, suffix) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
        let is_rooted = written.starts_with('/');
        let decoded = percent_decode_str(written).decode_utf8().ok();
        // An encoded slash is not a slash: whoever follows it as one has left the path that was written.
        let decoded = decoded.filter(|decoded| decoded.matches(['/', '\\']).count() == written.matches(['/', '\\']).count());
        let path = decoded.as_deref().and_then(|path| match path.strip_prefix('/') {
            Some(rooted) => join("/", rooted),
            None => join(directory, path),
        });
        if let (Some(path), false) = (&path, is_rooted)
            && self.tree.contains(path)
        {
            return Ok(Resolved::exact(Some(path)));
        }
        if let Some(mapped) = self.mapped(from, text) {
            return self.follow(from, text, mapped);
        }
        let Some(path) = path else {
            return Err(unresolved(text, &["nothing, because it leads out of the package".to_owned()], None));
        };
        match self.tree.probe(&collapse(&path), from.types) {
            Ok(found) => Ok(Resolved::file(format!("{}{suffix}", restyle(written, &path, found, directory)), found)),
            Err(missing) => {
                let hint = self.case_hint(from, &missing).or_else(|| Some("is the file excluded from publishing?".to_owned()));
                Err(unresolved(text, &[missing.tried], hint))
            }
        }
    }

    /// Names: of the import map, of `package.json`, of TypeScript, of packages.
    fn resolve_bare(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        if let Some(mapped) = self.mapped(from, text) {
            return self.follow(from, text, mapped);
        }
        let mut tried = Vec::new();
        if self.import_map.is_some() {
            tried.push("the import map".to_owned());
        }
        if let Some(resolved) = self.resolve_by_package_imports(from, text, &mut tried) {
            return resolved;
        }
        if let Some(resolved) = self.resolve_by_paths(from, text, &mut tried) {
            return Ok(resolved);
        }
        let Some((name, sub_path)) = packages::split(text) else { return Err(unresolved(text, &tried, None)) };
        if self.own.is_named(name) {
            let targets = self.own.targets(sub_path, from.types);
            if let Some(resolved) = self.first_file(from, &targets) {
                return Ok(resolved);
            }
            tried.push("the exports of the package itself".to_owned());
        }
        self.resolve_package(from, text, (name, sub_path), tried)
    }

    fn resolve_package(
        &self,
        from: Referrer<'_>,
        text: &str,
        (name, sub_path): (&str, &str),
        mut tried: Vec<String>,
    ) -> Result<Resolved, Failure> {
        if let Some(declared) = self.dependencies.specifier(name, sub_path) {
            return declared.map(Resolved::from);
        }
        tried.push("the dependencies of `package.json`".to_owned());
        if builtins::is_builtin(text) {
            return Ok(Resolved::address(format!("node:{text}")));
        }
        tried.push("the modules built into Node".to_owned());
        if from.types {
            if let Some(declared) = self.dependencies.types(name, sub_path) {
                return declared.map(Resolved::from);
            }
            tried.push("`@types`".to_owned());
        }
        if let Some(resolved) = self.resolve_former_name(from, text, (name, sub_path)) {
            return Ok(resolved);
        }
        let hint = if self.dependencies.development(name).is_some() {
            format!("'{}' is in `devDependencies`, which consumers do not get; move it to `dependencies`", shorten(name))
        } else if text.starts_with('#') {
            "declare it in `imports` of `package.json`, or import the file by its relative path".to_owned()
        } else {
            format!("declare it in the config, or name it with its version, such as `npm:{}@^1.0.0`", shorten(text))
        };
        Err(unresolved(text, &tried, Some(hint)))
    }

    /// A package that comes from another registry under a new name still calls itself by the old one.
    fn resolve_former_name(&self, from: Referrer<'_>, text: &str, (name, sub_path): (&str, &str)) -> Option<Resolved> {
        if !self.own.may_have_been(name) || self.dependencies.mentions(name) {
            return None;
        }
        let resolved = self.first_file(from, &self.own.targets(sub_path, from.types))?;
        let remark = format!("'{}' is no dependency and is taken for this package under another name", shorten(text));
        Some(Resolved { remark: Some((FindingCode::UnresolvedSpecifier, remark)), ..resolved })
    }

    fn resolve_by_package_imports(&self, from: Referrer<'_>, text: &str, tried: &mut Vec<String>) -> Option<Result<Resolved, Failure>> {
        let imports = self.resolution.package_imports.as_ref().filter(|_| text.starts_with('#'))?;
        let targets = subpaths::targets(imports, text, from.types);
        if let Some(resolved) = self.first_file(from, &targets) {
            return Some(Ok(resolved));
        }
        tried.push(match targets.as_slice() {
            [] => "`imports` of `package.json`".to_owned(),
            targets => format!("`imports` of `package.json`, which says '{}'", shorten(&targets.join("', '"))),
        });
        let package = targets.iter().find(|target| !is_relative(target) && !target.starts_with(['/', '#']))?;
        if scheme(package).is_some() {
            return Some(Ok(Resolved::address(package.clone())));
        }
        let parts = packages::split(package)?;
        Some(self.resolve_package(from, package, parts, tried.clone()))
    }

    fn resolve_by_paths(&self, from: Referrer<'_>, text: &str, tried: &mut Vec<String>) -> Option<Resolved> {
        let candidates = paths::candidates(self.resolution.paths.as_ref()?, text);
        tried.push(match candidates.as_slice() {
            [] => "`paths` of the compiler options".to_owned(),
            candidates => format!("`paths` of the compiler options, which lead to '{}'", shorten(&candidates.join("', '"))),
        });
        candidates.iter().find_map(|path| {
            let found = self.tree.probe(path, from.types).ok()?;
            Some(Resolved::file(relative(from.path.directory(), found), found))
        })
    }

    /// The first of these targets, relative to the package's root, that is in the package.
    fn first_file(&self, from: Referrer<'_>, targets: &[String]) -> Option<Resolved> {
        targets.iter().filter(|target| is_relative(target)).find_map(|target| {
            let found = self.tree.probe(&join("/", target)?, from.types).ok()?;
            Some(Resolved::file(relative(from.path.directory(), found), found))
        })
    }

    fn case_hint(&self, from: Referrer<'_>, missing: &NotFound<'_>) -> Option<String> {
        let path = relative(from.path.directory(), missing.differs_in_case?);
        Some(format!("did you mean '{path}'? upper and lower case matter"))
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

/// `path` with single slashes, as file systems read it.
fn collapse(path: &str) -> String {
    let mut collapsed = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !collapsed.ends_with('/') {
            collapsed.push(c);
        }
    }
    collapsed
}

/// How to write the path to `found`, which was looked for at `path`, keeping what the author wrote where it holds.
fn restyle(written: &str, path: &str, found: &str, directory: &str) -> String {
    let name_start = found.rfind('/').map_or(0, |slash| slash + 1);
    let (found_directory, name) = found.split_at(name_start);
    let slash = path.rfind('/').map_or(0, |slash| slash + 1);
    let last = written.rsplit('/').next().unwrap_or(written);
    if written.starts_with('/') || path.contains("//") {
        return relative(directory, found);
    }
    if found_directory == &path[..slash] && !matches!(last, "." | "..") {
        // `./dir/` and `./file` both end where the name goes.
        return format!("{}{name}", &written[..written.len() - last.len()]);
    }
    match found_directory.strip_suffix('/') {
        Some(stem) if stem == path.trim_end_matches('/') => format!("{}/{name}", written.trim_end_matches('/')),
        _ => relative(directory, found),
    }
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

    #[test]
    fn keeps_the_style() {
        for (written, path, found, expected) in [
            ("./foo", "/src/foo", "/src/foo.ts", "./foo.ts"),
            ("./foo.js", "/src/foo.js", "/src/foo.ts", "./foo.ts"),
            ("../src/foo", "/src/foo", "/src/foo.ts", "../src/foo.ts"),
            ("./dir", "/src/dir", "/src/dir/index.ts", "./dir/index.ts"),
            ("./dir/", "/src/dir/", "/src/dir/index.ts", "./dir/index.ts"),
            (".", "/src/", "/src/index.ts", "./index.ts"),
            ("./", "/src/", "/src/index.ts", "./index.ts"),
            ("..", "/", "/index.ts", "../index.ts"),
            ("./a/..", "/src/", "/src/index.ts", "./a/../index.ts"),
            (".//foo", "/src//foo", "/src/foo.ts", "./foo.ts"),
            ("/foo", "/foo", "/foo.ts", "../foo.ts"),
        ] {
            assert_eq!(restyle(written, path, found, "/src/"), expected, "{written}");
        }
    }
}
