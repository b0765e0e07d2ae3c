//! The packages of the specs, laid out as in the projects of those who install them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use slipway_common::model::artefact::ArtefactKind;
use slipway_tests::spec::{Spec, npm_files};

/// The stack of the thread that plans; what children of a service have is larger.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// One directory for each spec, with the package in its `node_modules`. It stays until the next run, to be looked at.
pub(crate) struct Corpus {
    place: PathBuf,
    programs: Vec<String>,
}

impl Corpus {
    /// Plans all specs, for a test of that name.
    pub(crate) fn lay_out(test: &str) -> Self {
        std::thread::scope(|scope| {
            let planning = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || Self::plan_all(test));
            planning.expect("a thread can be started").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn plan_all(test: &str) -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumers").join(test);
        if place.exists() {
            fs::remove_dir_all(&place).expect("what an earlier run left can be removed");
        }
        let mut corpus = Self { place, programs: Vec::new() };
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/npm");
        let mut paths: Vec<_> = fs::read_dir(specs).expect("there are specs").map(|entry| entry.expect("it can be read").path()).collect();
        paths.sort();
        let mut loads = "const failed = [];\n".to_owned();
        for path in paths {
            let name = path.file_stem().expect("it is a file").to_string_lossy().into_owned();
            let spec = Spec::parse(&fs::read_to_string(&path).expect("it is text")).unwrap_or_else(|error| panic!("{name}: {error}"));
            loads.push_str(&corpus.add(&name, &spec));
        }
        loads.push_str("if (failed.length) console.log(failed.join('\\n'));\n");
        corpus.write("load.mjs", &loads);
        corpus
    }

    /// Lays out a spec, and returns the statements that load its exports.
    fn add(&mut self, name: &str, spec: &Spec) -> String {
        let plan = spec.plan().unwrap_or_else(|findings| panic!("{name} was refused: {findings:?}"));
        let manifest: Value = serde_json::from_str(&plan.npm.manifest).expect("it is JSON");
        let package = spec.package.npm_name();
        for (path, file) in npm_files(&plan) {
            self.write(&format!("{name}/node_modules/{package}/{path}"), &file.bytes);
        }
        // TypeScript reads one package in one version once, however often it is installed.
        let mut installed = manifest.clone();
        installed["version"] = format!("{}-{}", spec.version, name.replace('_', "-")).into();
        self.write(&format!("{name}/node_modules/{package}/package.json"), installed.to_string());
        let tarball = plan.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::NpmTarball).expect("there is one");
        self.write(&format!("{name}/package.tgz"), &tarball.bytes);
        self.write(&format!("{name}/installed"), format!("node_modules/{package}"));
        self.write(&format!("{name}/package.json"), r#"{ "private": true, "type": "module" }"#);
        let mut imports = String::new();
        let mut loads = String::new();
        for (index, (key, conditions)) in manifest["exports"].as_object().expect("there are exports").iter().enumerate() {
            let specifier = format!("{package}{}", key.trim_start_matches('.'));
            let target = |condition: &str| conditions.get(condition).and_then(Value::as_str).unwrap_or_default();
            if conditions.get("types").is_some() {
                let types = target("types");
                assert!([".d.ts", ".d.mts"].iter().any(|extension| types.ends_with(extension)), "{name}: {types} is no declaration");
                let _ = writeln!(imports, "export * as e{index} from {specifier:?};");
            }
            if spec.loads && [".js", ".mjs"].iter().any(|extension| target("default").ends_with(extension)) {
                let _ = writeln!(loads, "await import({specifier:?});");
            }
        }
        self.write(&format!("{name}/imports.ts"), &imports);
        self.programs.push(format!("{name}/imports.ts"));
        self.write(&format!("{name}/load.mjs"), &loads);
        let has_misuse = spec.uses.iter().any(|file| file.text.contains("// @ts-expect-error "));
        assert!(imports.is_empty() || has_misuse, "{name}: no program uses it wrongly, so nothing shows that its types are there");
        for file in &spec.uses {
            self.write(&format!("{name}/{}", file.name), &file.text);
            if [".ts", ".mts", ".tsx"].iter().any(|extension| file.name.ends_with(extension)) && !file.name.starts_with("node_modules/") {
                self.programs.push(format!("{name}/{}", file.name));
            }
        }
        format!("await import('./{name}/load.mjs').catch((error) => failed.push('{name}: ' + error));\n")
    }

    /// Where everything is.
    pub(crate) fn root(&self) -> &Path {
        &self.place
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.place.join(path);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory can be made");
        fs::write(path, bytes).expect("a file can be written");
    }

    /// Writes the settings of a run of the compiler over all programs, and returns their name.
    pub(crate) fn settings(&self, resolution: &str, module: &str, skips_declarations: bool) -> String {
        let name = format!("{resolution}-{skips_declarations}.json");
        let settings = json!({
            "compilerOptions": {
                "module": module, "moduleResolution": resolution, "target": "es2024", "lib": ["esnext", "dom"], "types": [],
                "strict": true, "exactOptionalPropertyTypes": true, "noUncheckedIndexedAccess": true, "jsx": "react-jsx",
                "skipLibCheck": skips_declarations, "noEmit": true, "resolveJsonModule": true,
            },
            "files": self.programs,
        });
        self.write(&name, settings.to_string());
        name
    }
}
