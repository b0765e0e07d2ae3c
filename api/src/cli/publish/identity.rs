//! Which package a directory holds: the config file, and the name and version in it.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use slipway_common::ids::{PackageName, PackagePath, Version};

use super::{Outline, Target, outline};

/// Names of config files, the one that counts first. A package of npm that is made for this registry as well has a `jsr.json`
/// beside its `package.json`, and means it.
const CONFIGS: [&str; 5] = ["jsr.json", "jsr.jsonc", "deno.json", "deno.jsonc", "package.json"];

/// A package as its config file declares it.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Package, version and config.
    pub(super) target: Target,
    /// What the config says about the files that belong to it.
    pub(super) patterns: Vec<String>,
}

impl Identity {
    /// `@scope/name@1.0.0`.
    pub(super) fn shown(&self) -> String {
        format!("{}@{}", self.target.package, self.target.version)
    }
}

/// Reads the first config file that has a name.
pub(super) fn find(directory: &Path) -> anyhow::Result<Identity> {
    let shown = directory.display();
    if !directory.is_dir() {
        bail!("`{shown}` is not a directory");
    }
    let mut nameless = Vec::new();
    for file in CONFIGS {
        let bytes = match std::fs::read(directory.join(file)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", directory.join(file).display())),
        };
        let path = PackagePath::try_from(format!("/{file}").as_str()).expect("the names of config files are valid paths");
        let outline = outline(&path, &bytes).map_err(|finding| anyhow::anyhow!("{}", super::report::clean(&finding.to_string())))?;
        match &outline.name {
            Some(name) => {
                let target = target(path, &name.text, &outline)?;
                return Ok(Identity { target, patterns: outline.patterns });
            }
            None => nameless.push(file),
        }
    }
    match nameless.as_slice() {
        [] => bail!("there is no jsr.json, deno.json or package.json in `{shown}`; is it the directory of the package?"),
        [file, ..] => bail!("{file} in `{shown}` has no `name`: set \"name\": \"@scope/package\""),
    }
}

fn target(config: PackagePath, name: &str, outline: &Outline) -> anyhow::Result<Target> {
    let file = config.relative().to_owned();
    if outline.is_private {
        bail!("{file} says \"private\": true, which is there to prevent this: take it out to publish the package");
    }
    if !name.starts_with('@') {
        let name: String = name.chars().take(80).collect();
        bail!(
            "the name `{}` in {file} has no scope: set \"name\": \"@scope/{}\", with a scope of yours",
            super::report::clean(&name),
            super::report::clean(&name)
        );
    }
    let package = PackageName::try_from(name).with_context(|| format!("the name in {file} cannot be used"))?;
    let Some(version) = &outline.version else { bail!("{file} has no `version`: set \"version\": \"1.0.0\"") };
    let version = Version::try_from(version.text.as_str()).with_context(|| format!("the version in {file} cannot be used"))?;
    Ok(Target { package, version, config })
}
