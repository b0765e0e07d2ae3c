//! What it takes to make the npm side of a package of a megabyte, beside the compilers that others build with: `tsc` in two editions,
//! and `oxc-transform` with isolated declarations. All of them get the same files and make JavaScript, declarations and maps of
//! both, in one run on one machine.
//!
//! Ours is measured without the process: a registry has one that is warm. Theirs are measured as they are called, with their start
//! and, as TypeScript does it, with a check of all types. `tar` and `gzip` of what they made are counted with them, since ours packs.
//! It prints Markdown and asserts that everybody has made as many files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::limits::UploadLimits;
use slipway_worker::pipeline::{Facts, Upload, examine};
use tempfile::TempDir;

#[path = "../examples/load/code.rs"]
#[expect(dead_code, reason = "the load driver makes more kinds of code")]
mod code;
#[path = "../examples/load/package.rs"]
mod package;

/// Bytes of source.
const BYTES: usize = 1_000_000;
/// How long something takes: by the clock, and on all processors together. On a machine that has other things to do only the second is
/// worth comparing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Time {
    processor: Duration,
    clock: Duration,
}

impl Time {
    /// What this thread has taken so far.
    fn now(begin: Instant) -> Self {
        let processor = clock_gettime(ClockId::ThreadCPUTime).try_into().expect("the time since a thread began is not negative");
        Self { processor, clock: begin.elapsed() }
    }

    fn since(self, before: Self) -> Self {
        Self { processor: self.processor.saturating_sub(before.processor), clock: self.clock.saturating_sub(before.clock) }
    }

    fn and(self, other: Self) -> Self {
        Self { processor: self.processor + other.processor, clock: self.clock + other.clock }
    }
}

/// Runs of each; the fastest counts, since whatever else the machine does only ever adds.
const RUNS: usize = 5;

/// What `oxc-transform` is told to do: everything, file by file, in one process.
const OXC: &str = r#"
const [binding, from, to] = process.argv.slice(2);
const { readdirSync, readFileSync, writeFileSync, mkdirSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { transformSync, isolatedDeclarationSync } = require(binding);
for (const name of readdirSync(from, { recursive: true }).filter((name) => name.endsWith(".ts"))) {
  const text = readFileSync(join(from, name), "utf8");
  const code = transformSync(name, text, { sourcemap: true });
  const types = isolatedDeclarationSync(name, text, { sourcemap: true });
  if (types.errors.length) throw new Error(JSON.stringify(types.errors[0]));
  const stem = join(to, name.slice(0, -3));
  mkdirSync(dirname(stem), { recursive: true });
  writeFileSync(stem + ".js", code.code);
  writeFileSync(stem + ".js.map", JSON.stringify(code.map));
  writeFileSync(stem + ".d.ts", types.code);
  writeFileSync(stem + ".d.ts.map", JSON.stringify(types.map));
}
"#;

/// How `tsc` is set up.
const SETTINGS: &str = r#"{
  "compilerOptions": {
    "module": "nodenext", "target": "esnext", "lib": ["esnext", "dom"], "types": [], "strict": true, "skipLibCheck": true,
    "declaration": true, "declarationMap": true, "sourceMap": true, "isolatedDeclarations": true,
    "allowImportingTsExtensions": true, "rewriteRelativeImportExtensions": true, "rootDir": "."
  },
  "include": ["**/*.ts"], "exclude": ["out"]
}
"#;

fn main() {
    let files = code::ordinary(BYTES, 1);
    let place = TempDir::new().expect("a temporary directory can be made");
    for (path, text) in &files {
        let path = place.path().join("source").join(path);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory can be made");
        fs::write(path, text).expect("a file can be written");
    }
    fs::write(place.path().join("source/tsconfig.json"), SETTINGS).expect("a file can be written");
    fs::write(place.path().join("source/package.json"), r#"{ "type": "module" }"#).expect("a file can be written");
    fs::write(place.path().join("oxc.cjs"), OXC).expect("a file can be written");

    let packed = package::Package::pack("acme", "measured", "1.0.0", &files).expect("it goes into memory");
    let upload = Upload {
        package: format!("@{}/{}", packed.scope, packed.name).parse().expect("it is a name"),
        version: packed.version.parse().expect("it is a version"),
        config: "/jsr.json".try_into().expect("it is a path"),
        tarball: packed.tarball,
        limits: UploadLimits::default(),
    };
    let ours = (0..RUNS).map(|_| ours(&upload)).min_by_key(|(examined, planned)| examined.and(*planned)).expect("there are runs");
    let total = ours.0.and(ours.1);
    println!(
        "| {} files, {BYTES} bytes of TypeScript | ms | ms of processors | times ours | of processors |\n| --- | ---: | ---: | ---: | ---: |",
        files.len()
    );
    row("Slipway: JavaScript, declarations, maps, tarball", total, total);
    row("… of it unpacking, graph, rules, declarations", ours.0, total);
    row("… of it emit and pack", ours.1, total);
    let Some(clients) = clients() else {
        println!("\nSLIPWAY_CLIENTS says where the compilers are; `./tests/run` installs them");
        return;
    };
    let compilers = [("tsc 7", "typescript-7/bin/tsc"), ("tsc 5.9", "typescript-5/bin/tsc")];
    for (name, path) in compilers {
        let arguments = [clients.join(path).display().to_string(), "--project".into(), "source".into(), "--outDir".into(), "out".into()];
        row(&format!("{name}, tar and gzip"), theirs(place.path(), &arguments, files.len()), total);
    }
    let binding = clients.join("@oxc-transform/binding-linux-x64-gnu").display().to_string();
    let arguments = ["oxc.cjs".into(), binding, "source".into(), "out".into()];
    row("oxc-transform, tar and gzip", theirs(place.path(), &arguments, files.len()), total);
}

#[expect(clippy::disallowed_methods, reason = "tests/run says here where the compilers are")]
fn clients() -> Option<PathBuf> {
    let place = PathBuf::from(std::env::var_os("SLIPWAY_CLIENTS")?).join("node_modules");
    place.is_dir().then_some(place)
}

fn row(name: &str, time: Time, ours: Time) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let (clock, processor) = (milliseconds(time.clock), milliseconds(time.processor));
    let (of_clock, of_processor) = (clock / milliseconds(ours.clock), processor / milliseconds(ours.processor));
    println!("| {name} | {clock:.0} | {processor:.0} | {of_clock:.1} | {of_processor:.1} |");
}

/// What it takes to examine an upload, and to make everything of it.
fn ours(upload: &Upload) -> (Time, Time) {
    let facts = Facts {
        public_url: "http://registry.test/".parse().expect("it is a URL"),
        packages: BTreeMap::new(),
        hidden: BTreeSet::new(),
        inferred: None,
    };
    let begin = Instant::now();
    let before = Time::now(begin);
    let draft = examine(upload).expect("nothing is wrong with it");
    let between = Time::now(begin);
    let (plan, _) = draft.plan(&facts).expect("nothing is wrong with it");
    let (examined, planned) = (between.since(before), Time::now(begin).since(between));
    assert!(plan.artefacts.iter().any(|artefact| artefact.kind == ArtefactKind::NpmTarball));
    (examined, planned)
}

/// What it takes to run a program of Node that fills `out`, and to pack that.
fn theirs(place: &Path, arguments: &[String], modules: usize) -> Time {
    let run = || {
        let out = place.join("out");
        if out.exists() {
            fs::remove_dir_all(&out).expect("it can be removed");
        }
        // The shell says on the last line what it took: seconds by the clock, of the program, and of the system for it.
        let line = r#"TIMEFORMAT="%R %U %S"; time { node "$@" && tar -czf out.tgz out source; }"#;
        let made = Command::new("bash").args(["-c", line, "bash"]).args(arguments).current_dir(place).output().expect("there is a bash");
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success(), "{}{said}", String::from_utf8_lossy(&made.stdout));
        assert_eq!(count(&out), modules * 4, "code, declarations, and a map of each");
        let times = said.lines().next_back().unwrap_or_default().split(' ');
        let times: Vec<f64> = times.map(|time| time.parse().expect("it is a number of seconds")).collect();
        Time { clock: Duration::from_secs_f64(times[0]), processor: Duration::from_secs_f64(times[1] + times[2]) }
    };
    (0..RUNS).map(|_| run()).min().expect("there are runs")
}

fn count(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).expect("it is there").map(|entry| entry.expect("it can be read").path());
    entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
}
