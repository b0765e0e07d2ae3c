//! One behaviour of the pipeline in each text file: files in, outcome out. `cargo spec` runs them, `UPDATE=1 cargo spec` writes
//! down what comes out now. The format is in `tests/README.md`.

mod edition;
mod outcome;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use slipway_tests::spec::Spec;

/// The stack of the thread that runs a spec; what children of a service have is larger.
const STACK_BYTES: usize = 64 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let found = specs(&root);
    let (all, place) = (found.clone(), root.clone());
    let edition = Trial::test("edition", move || on_large_stack(|| edition::check(&place, &all, is_update())));
    let trials = found.into_iter().map(|path| {
        let name = path.strip_prefix(&root).expect("it was found below").with_extension("").display().to_string();
        Trial::test(name, move || on_large_stack(|| run(&path)))
    });
    libtest_mimic::run(&arguments, trials.chain([edition]).collect()).exit_code()
}

/// Every text file two levels down, in order.
fn specs(root: &Path) -> Vec<PathBuf> {
    let list = |directory: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{} cannot be listed: {error}", directory.display()));
        entries.map(|entry| entry.expect("an entry can be read").path()).collect()
    };
    let mut found: Vec<_> = list(root).iter().filter(|path| path.is_dir()).flat_map(|kind| list(kind)).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    found.sort();
    assert!(!found.is_empty(), "there are no specs in {}", root.display());
    found
}

fn on_large_stack(act: impl FnOnce() -> Result<(), Failed> + Send) -> Result<(), Failed> {
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, act);
        run.map_err(|error| error.to_string())?.join().unwrap_or_else(|_| Err("panicked".into()))
    })
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the specs says here whether they are to be written anew")]
fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

fn run(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let spec = Spec::parse(&text)?;
    let is_reject = path.parent().is_some_and(|kind| kind.ends_with("reject"));
    let actual = spec.with(outcome::of(&spec, is_reject)?).to_string();
    if actual == text {
        return Ok(());
    }
    if is_update() {
        return Ok(fs::write(path, actual)?);
    }
    Err(format!(
        "another outcome than the file says; if it is right, `UPDATE=1 cargo spec` writes it down\n\n{}",
        difference(&text, &actual)
    )
    .into())
}

/// The lines that differ, between those that do not.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(one, other)| one == other).count();
    let rest = expected[same..].iter().rev().zip(actual[same..].iter().rev()).take_while(|(one, other)| one == other).count();
    let part =
        |lines: &[&str], mark: char| lines[same..lines.len() - rest].iter().map(|line| format!("{mark} {line}\n")).collect::<String>();
    format!("line {}:\n{}{}", same + 1, part(&expected, '-'), part(&actual, '+'))
}
