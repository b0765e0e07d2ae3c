//! The whole way from files to the tarball, read back.

mod code;
mod declarations;
mod package;
mod specifiers;

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;
use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackageName, PackagePath, Version};
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::finding::Findings;
use url::Url;

use super::{Emit, NpmPackage, build};
use crate::pipeline::files::Files;
use crate::pipeline::graph::{self, Trees};
use crate::pipeline::manifest::{Manifest, NpmFields, Resolution};

/// A package to be built.
struct Package {
    files: Files,
    manifest: Manifest,
    dependencies: Vec<Dependency>,
}

/// A package that was built: its files as text, and what was said about it.
struct Built {
    package: NpmPackage,
    files: BTreeMap<String, String>,
}

impl Package {
    /// The files, each `== path` and its text, with `./mod.ts` (or the first file) as the only export.
    fn new(text: &str) -> Self {
        let mut files = Files::default();
        let mut first = None;
        for part in text.split("== ").skip(1) {
            let (path, text) = part.split_once('\n').unwrap();
            first.get_or_insert_with(|| format!("./{}", path.trim()));
            files.insert(PackagePath::try_from(format!("/{}", path.trim()).as_str()).unwrap(), Bytes::from(text.to_owned()));
        }
        let manifest = Manifest {
            declarations: BTreeMap::new(),
            config: PackagePath::try_from("/jsr.json").unwrap(),
            exports: Exports::default(),
            license: Some("MIT".into()),
            readme: None,
            description: None,
            augmentations: false,
            npm: NpmFields::default(),
            resolution: Resolution::default(),
            package_json: files.get("/package.json").map(|bytes| serde_json::from_slice(bytes).unwrap()),
        };
        Self { files, manifest, dependencies: Vec::new() }.export(".", &first.unwrap())
    }

    fn export(mut self, key: &str, target: &str) -> Self {
        let key = ExportKey::try_from(key).unwrap();
        self.manifest.exports.0.insert(key, ExportTarget::try_from(target).unwrap());
        self
    }

    fn resolution(mut self, change: impl FnOnce(&mut Resolution)) -> Self {
        change(&mut self.manifest.resolution);
        self
    }

    /// `npm:lit@2` or `jsr:@std/path@^1`.
    fn needs(mut self, reference: &str) -> Self {
        let (kind, rest) = reference.split_once(':').unwrap();
        let (name, constraint) = rest.rsplit_once('@').unwrap();
        let kind = if kind == "jsr" { DependencyKind::Jsr } else { DependencyKind::Npm };
        self.dependencies.push(Dependency { kind, name: name.into(), constraint: constraint.into(), path: String::new() });
        self
    }

    fn build(&self) -> Built {
        let name = PackageName::try_from("@scope/pkg").unwrap();
        let version = Version::try_from("1.2.3").unwrap();
        let manifest = self.manifest();
        let graph = graph::build(&self.files, &manifest, &name, &version, &Trees::new(BTreeMap::new()), &mut Findings::default());
        let package = build(Emit {
            graph: &graph.modules,
            declarations: &graph.declarations,
            parser: &*graph.sources,
            files: &self.files,
            manifest: &manifest,
            package: &name,
            version: &version,
            public_url: &Url::parse("https://registry.example/").unwrap(),
            dependencies: &self.dependencies,
        })
        .unwrap();
        Built { files: unpack(&package.tarball), package }
    }

    /// What the manifest would be if it had been read.
    fn manifest(&self) -> Manifest {
        Manifest { declarations: crate::pipeline::manifest::pairs(&self.files), ..self.manifest.clone() }
    }
}

impl Built {
    fn paths(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    fn text(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("no {path} among {:?}", self.paths()))
    }

    fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(self.text(path)).unwrap()
    }

    /// The code of a file without the comment that names its map.
    fn code(&self, path: &str) -> &str {
        let text = self.text(path);
        &text[..text.find("//# sourceMappingURL=").unwrap_or(text.len())]
    }

    fn findings(&self) -> Vec<String> {
        self.package.findings.iter().map(|finding| format!("{}: {finding}", finding.code)).collect()
    }
}

fn unpack(tarball: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(tarball));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().strip_prefix("package/").unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (path, String::from_utf8_lossy(&bytes).into_owned())
    });
    entries.collect()
}
