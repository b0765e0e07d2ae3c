//! Packages in, texts out.

mod agreement;
mod findings;
mod idempotence;
mod jsx;
mod marks;
mod places;
mod projects;
mod relative;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};
use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackageName, PackagePath, Version};

use super::{Rewritten, rewrite};
use crate::pipeline::files::Files;
use crate::pipeline::manifest::{ImportMapSource, JsxOptions, Manifest, PathMapping, Resolution};

fn path(text: &str) -> PackagePath {
    PackagePath::try_from(text).unwrap()
}

/// A package under construction.
struct Package {
    files: Files,
    manifest: Manifest,
}

impl Package {
    fn new(files: &[(&str, &str)]) -> Self {
        let manifest = Manifest {
            declarations: BTreeMap::new(),
            config: path("/jsr.json"),
            exports: Exports::default(),
            license: None,
            readme: None,
            description: None,
            augmentations: false,
            resolution: Resolution::default(),
            package_json: None,
        };
        let files = files.iter().map(|(name, text)| (path(name), Bytes::copy_from_slice(text.as_bytes()))).collect();
        Self { files, manifest }
    }

    fn exports(mut self, exports: &[(&str, &str)]) -> Self {
        let read = |&(key, target): &(&str, &str)| (ExportKey::try_from(key).unwrap(), ExportTarget::try_from(target).unwrap());
        self.manifest.exports = Exports(exports.iter().map(read).collect());
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "literals read better without a sign in front")]
    fn import_map(mut self, imports: Value) -> Self {
        self.manifest.resolution.import_map = Some(ImportMapSource { base: path("/deno.json"), json: json!({ "imports": imports }) });
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "literals read better without a sign in front")]
    fn package_json(mut self, json: Value) -> Self {
        let object = json.as_object().unwrap().clone();
        for group in ["dependencies", "peerDependencies", "optionalDependencies"] {
            for (name, range) in object.get(group).and_then(Value::as_object).into_iter().flatten() {
                self.manifest.resolution.dependencies.insert(name.clone(), range.as_str().unwrap().to_owned());
            }
        }
        self.manifest.resolution.package_imports = object.get("imports").and_then(Value::as_object).cloned();
        self.manifest.package_json = Some(object);
        self
    }

    fn paths(mut self, patterns: &[(&str, &[&str])]) -> Self {
        let read =
            |(pattern, targets): &(&str, &[&str])| ((*pattern).to_owned(), targets.iter().map(|&target| target.to_owned()).collect());
        self.manifest.resolution.paths = Some(PathMapping { base: "/".to_owned(), patterns: patterns.iter().map(read).collect() });
        self
    }

    fn jsx(mut self, options: JsxOptions) -> Self {
        self.manifest.resolution.jsx = options;
        self
    }

    fn rewrite(&self) -> Rewritten {
        let (package, version) = (PackageName::try_from("@me/pkg").unwrap(), Version::try_from("1.2.3").unwrap());
        rewrite(&self.files, &self.manifest, &package, &version, &BTreeSet::new())
    }

    /// The text of `/mod.ts` afterwards, when nothing is wrong.
    #[track_caller]
    fn module(&self) -> String {
        self.text_of("/mod.ts")
    }

    #[track_caller]
    fn text_of(&self, name: &str) -> String {
        let rewritten = self.rewrite();
        assert_eq!(rewritten.unresolved, [].into(), "unexpected findings");
        text(&rewritten, name)
    }
}

fn text(rewritten: &Rewritten, name: &str) -> String {
    String::from_utf8(rewritten.files.get(name).unwrap().to_vec()).unwrap()
}

/// What `import "<specifier>"` in `/src/mod.ts` becomes in `package`, or the message of the finding.
#[track_caller]
fn import(package: Package, specifier: &str) -> String {
    import_from(package, "/src/mod.ts", "import x from ", specifier)
}

#[track_caller]
fn import_from(mut package: Package, module: &str, statement: &str, specifier: &str) -> String {
    package.files.insert(path(module), Bytes::from(format!("{statement}\"{specifier}\";\n")));
    let rewritten = package.rewrite();
    if let Some(findings) = rewritten.unresolved.get(&path(module)).or_else(|| rewritten.warnings.get(&path(module))) {
        return format!("{}: {}", findings[0].code, findings[0]);
    }
    let text = text(&rewritten, module);
    let (_, rest) = text.split_once('"').unwrap();
    rest.rsplit_once('"').unwrap().0.to_owned()
}
