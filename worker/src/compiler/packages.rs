//! What a package depends on, laid out as npm clients lay it out: our own packages from the objects that they install, the others
//! from the configured directory.
//!
//! What cannot be found is left out: the compiler complains of the import then, and nothing that could have been derived from it
//! is used. So there is nothing to report here.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use deno_semver::{Version as SemverVersion, VersionReq};
use flate2::read::GzDecoder;
use serde_json::Value;
use slipway_common::context::Context;
use slipway_common::ids::{PackageName, Version};
use slipway_common::shutdown::aside;
use slipway_common::storage::StorageKey;

use crate::pipeline::Unsaid;
use crate::view::View;

/// Most packages that are laid out. A package of ours that leads to more is an application.
const MAX_PACKAGES: usize = 256;
/// Most bytes that are unpacked, of all packages together.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Longest `package.json` that is read.
const MAX_MANIFEST: u64 = 1024 * 1024;

/// A dependency to be laid out.
struct Wanted {
    /// The directory whose `node_modules` it is looked for in, from the inside out.
    by: PathBuf,
    /// Its directory in there.
    directory: String,
    name: String,
    range: String,
}

/// Lays out all dependencies. Whether the types of Node are among them.
pub(super) async fn install(context: &Context, view: &View, store: Option<&Path>, unsaid: &Unsaid, root: &Path) -> Result<bool, String> {
    let mut installer = Installer { context, view, store, root, left: MAX_BYTES, seen: BTreeSet::new() };
    let mut open: VecDeque<Wanted> = unsaid.dependencies.iter().filter_map(|(name, range)| wanted(root, name, range)).collect();
    if unsaid.uses_node && store.is_some() {
        open.extend(wanted(root, "@types/node", "*"));
    }
    for _ in 0..MAX_PACKAGES {
        let Some(next) = open.pop_front() else { break };
        open.extend(installer.install(&next).await?);
    }
    Ok(unsaid.uses_node && root.join("node_modules/@types/node/package.json").exists())
}

/// Reads an entry of `dependencies`.
fn wanted(by: &Path, directory: &str, range: &str) -> Option<Wanted> {
    let (name, range) = match range.strip_prefix("npm:") {
        Some(alias) => alias.rfind('@').filter(|at| *at > 0).map(|at| (&alias[..at], &alias[at + 1..]))?,
        None => (directory, range),
    };
    (is_name(directory) && is_name(name)).then(|| Wanted {
        by: by.to_owned(),
        directory: directory.to_owned(),
        name: name.to_owned(),
        range: range.to_owned(),
    })
}

/// Whether a text is `name` or `@scope/name`, and nothing that a path could make something else of.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let parts: Vec<&str> = match text.strip_prefix('@') {
        Some(scoped) => scoped.split('/').collect(),
        None => vec![text],
    };
    text.len() <= 214 && parts.len() == 1 + usize::from(text.starts_with('@')) && parts.into_iter().all(is_part)
}

struct Installer<'a> {
    context: &'a Context,
    view: &'a View,
    store: Option<&'a Path>,
    root: &'a Path,
    left: u64,
    seen: BTreeSet<PathBuf>,
}

impl Installer<'_> {
    /// Lays out one package, and says what it depends on itself.
    async fn install(&mut self, wanted: &Wanted) -> Result<Vec<Wanted>, String> {
        let Some(place) = self.place(wanted) else { return Ok(Vec::new()) };
        let ours = wanted.name.strip_prefix("@jsr/").and_then(|stem| PackageName::from_npm_stem(stem).ok());
        let is_there = match ours {
            Some(package) => self.unpack(&package, &wanted.range, &place).await?,
            None => self.link(wanted, &place).map_err(|error| format!("a dependency cannot be laid out: {error}"))?,
        };
        Ok(if is_there { dependencies(&place) } else { Vec::new() })
    }

    /// Where a package goes: to the top, or where another version is there, beside who wants it.
    fn place(&mut self, wanted: &Wanted) -> Option<PathBuf> {
        let top = self.root.join("node_modules").join(&wanted.directory);
        if self.seen.insert(top.clone()) {
            return Some(top);
        }
        let is_right = read_json(&top.join("package.json")).is_some_and(|found| satisfies(&found, wanted));
        let beside = wanted.by.join("node_modules").join(&wanted.directory);
        // What is in the configured directory is not ours to add to.
        let is_ours = fs::symlink_metadata(&wanted.by).is_ok_and(|metadata| metadata.is_dir());
        (!is_right && is_ours && self.seen.insert(beside.clone())).then_some(beside)
    }

    /// Unpacks the highest version of one of our own packages that is in a range.
    async fn unpack(&mut self, package: &PackageName, range: &str, place: &Path) -> Result<bool, String> {
        let Ok(range) = VersionReq::parse_from_npm(range) else { return Ok(false) };
        let unread = |error: &dyn std::fmt::Display| format!("a dependency cannot be read: {error}");
        let known = self.view.look_up(&self.context.db, std::slice::from_ref(package)).await.map_err(|error| unread(&error))?;
        let Some((name, known)) = known.into_iter().next() else { return Ok(false) };
        // Nothing that its readers could not install goes into the declarations of a package.
        if self.view.hides(&name, &known) {
            return Ok(false);
        }
        let versions = known.versions.into_iter().filter(|known| !known.is_yanked).map(|known| known.version);
        let Some(version) = versions.filter(|version| matches(&range, version)).max() else { return Ok(false) };
        let key = StorageKey::NpmTarball { package: name, version }.seen_by(known.visibility);
        let Ok(tarball) = self.context.storage.get(&key).await else { return Ok(false) };
        let (place, left) = (place.to_owned(), self.left);
        let unpacked = aside(move || unpack(&tarball, &place, left)).await;
        let bytes = unpacked.map_err(|error| format!("a dependency cannot be laid out: {error}"))?;
        self.left = self.left.saturating_sub(bytes);
        Ok(true)
    }

    /// Links to a package in the configured directory, if it is there in the right version.
    fn link(&self, wanted: &Wanted, place: &Path) -> io::Result<bool> {
        let Some(store) = self.store.and_then(|store| fs::canonicalize(store).ok()) else { return Ok(false) };
        let candidates = [store.join(&wanted.directory), store.join(&wanted.name)];
        let is_right = |found: &PathBuf| read_json(&found.join("package.json")).is_some_and(|found| satisfies(&found, wanted));
        let Some(found) = candidates.into_iter().find(is_right) else { return Ok(false) };
        fs::create_dir_all(place.parent().unwrap_or(self.root))?;
        std::os::unix::fs::symlink(found, place)?;
        Ok(true)
    }
}

fn matches(range: &VersionReq, version: &Version) -> bool {
    SemverVersion::parse_standard(&version.to_string()).is_ok_and(|version| range.tag().is_none() && range.matches(&version))
}

fn satisfies(manifest: &Value, wanted: &Wanted) -> bool {
    let text = |key: &str| manifest.get(key).and_then(Value::as_str);
    let version = text("version").and_then(|version| SemverVersion::parse_from_npm(version).ok());
    let range = VersionReq::parse_from_npm(&wanted.range).ok();
    text("name") == Some(&wanted.name)
        && version.zip(range).is_some_and(|(version, range)| range.tag().is_none() && range.matches(&version))
}

/// What a package that was laid out depends on. What it brings along itself is left out.
fn dependencies(place: &Path) -> Vec<Wanted> {
    let Some(manifest) = read_json(&place.join("package.json")) else { return Vec::new() };
    let of = |key: &str| manifest.get(key).and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
    let all = of("dependencies").into_iter().chain(of("peerDependencies"));
    let all = all.filter_map(|(name, range)| wanted(place, name, range.as_str()?));
    all.filter(|wanted| !place.join("node_modules").join(&wanted.directory).exists()).collect()
}

fn read_json(path: &Path) -> Option<Value> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(MAX_MANIFEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Unpacks what types are read from. Sources stay out: where declarations are missing a compiler would read them in their place.
fn unpack(tarball: &Bytes, place: &Path, left: u64) -> io::Result<u64> {
    let mut archive = tar::Archive::new(GzDecoder::new(&tarball[..]).take(left));
    let mut written = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Ok(path) = path.strip_prefix("package") else { continue };
        let is_plain = path.components().all(|component| matches!(component, Component::Normal(_)));
        let name = path.to_string_lossy();
        let is_read = [".d.ts", ".d.mts", ".d.cts", ".json"].iter().any(|extension| name.ends_with(extension));
        if !entry.header().entry_type().is_file() || !is_plain || !is_read {
            continue;
        }
        let target = place.join(path);
        fs::create_dir_all(target.parent().unwrap_or(place))?;
        written += io::copy(&mut entry, &mut fs::File::create(target)?)?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        for good in ["lit", "@types/node", "lit-3.0-4", "@jsr/std__path", "a.b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "@a/../b", "@a", "@a/b/c", "a/b", "/etc", "@/a", "a b", ".bin", "@a/.b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn aliases_name_another_package() {
        let root = Path::new("/r");
        let read = |directory: &str, range: &str| wanted(root, directory, range).map(|wanted| format!("{} {}", wanted.name, wanted.range));
        assert_eq!(read("lit", "^3").as_deref(), Some("lit ^3"));
        assert_eq!(read("lit-3", "npm:lit@^3").as_deref(), Some("lit ^3"));
        assert_eq!(read("x", "npm:@jsr/a__b@1").as_deref(), Some("@jsr/a__b 1"));
        assert_eq!(read("x", "npm:lit"), None);
        assert_eq!(read("x", "npm:../../etc@1"), None);
    }

    #[test]
    fn only_the_right_version_is_taken() {
        let is_taken = |manifest: Value, range: &str| satisfies(&manifest, &wanted(Path::new("/"), "lit", range).unwrap());
        let lit = |version: &str| serde_json::json!({ "name": "lit", "version": version });
        assert!(is_taken(lit("3.1.0"), "^3") && is_taken(lit("3.1.0"), "2 || >=3.0.0") && is_taken(lit("3.1.0"), "*"));
        assert!(!is_taken(lit("2.9.0"), "^3") && !is_taken(lit("x"), "^3") && !is_taken(lit("3.1.0"), "latest"));
        assert!(!is_taken(serde_json::json!({ "name": "other", "version": "3.1.0" }), "^3"));
    }
}
