//! Specifiers that are names: of `package.json`, of TypeScript, of packages, of the package itself.

use slipway_common::model::finding::FindingCode;

use super::import_map::Mapped;
use super::packages::Declared;
use super::tree::{join, relative};
use super::{
    Failure, MAX_SPECIFIER_BYTES, Referrer, Resolved, Resolver, builtins, compiler_paths, is_relative, packages, scheme, shorten, subpaths,
    unresolved,
};

impl Resolver<'_> {
    /// Names: of the import map, of `package.json`, of TypeScript, of packages.
    pub(super) fn resolve_bare(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
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

    /// A package that comes from another registry under a new name still calls itself by the old one. Only a sub-path that it
    /// exports is proof enough: a wrapper of `chalk` called `@me/chalk` may just have forgotten to declare it.
    fn resolve_former_name(&self, from: Referrer<'_>, text: &str, (name, sub_path): (&str, &str)) -> Option<Resolved> {
        if sub_path.is_empty() || !self.own.may_have_been(name) || self.dependencies.mentions(name) {
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
        let candidates = compiler_paths::candidates(self.resolution.paths.as_ref()?, text);
        tried.push(match candidates.as_slice() {
            [] => "`paths` of the compiler options".to_owned(),
            candidates => format!("`paths` of the compiler options, which lead to '{}'", shorten(&candidates.join("', '"))),
        });
        candidates.iter().find_map(|path| {
            let found = self.tree.probe(path, from.types).ok()?;
            Some(Resolved::file(relative(from.path.directory(), found), found))
        })
    }

    /// Makes the start of a specifier exact that is completed at run time. It ends with a slash.
    pub(in super::super) fn resolve_prefix(&self, from: Referrer<'_>, text: &str) -> Option<Resolved> {
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
        let paths = self.resolution.paths.iter().flat_map(|mapping| compiler_paths::candidates(mapping, text));
        paths.into_iter().find_map(|path| in_package(&path)).or_else(|| {
            let (name, sub_path) = packages::split(text)?;
            let declared = self.dependencies.specifier(name, sub_path)?.ok()?;
            // The slash after the name alone is not part of the sub-path, but of what follows it.
            let slash = if declared.text.ends_with('/') { "" } else { "/" };
            Some(Resolved::from(Declared { text: format!("{}{slash}", declared.text), ..declared }))
        })
    }

    /// The first of these targets, relative to the package's root, that is in the package.
    fn first_file(&self, from: Referrer<'_>, targets: &[String]) -> Option<Resolved> {
        targets.iter().filter(|target| is_relative(target)).find_map(|target| {
            let found = self.tree.probe(&join("/", target)?, from.types).ok()?;
            Some(Resolved::file(relative(from.path.directory(), found), found))
        })
    }
}
