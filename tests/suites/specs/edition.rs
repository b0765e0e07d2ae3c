//! The edition of the emit: what comes out for npm changes only together with its number.
//!
//! `specs/emit.txt` has the number, and for each spec a digest of what is given and one of the npm tarball. A version says by which
//! edition it was made, and is never made again; a number that stood for two kinds of output would be a lie about every version with
//! it. So when the same package comes out otherwise, not even `UPDATE=1` writes that down before `EMIT_REVISION` is raised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;
use slipway_common::ids::Sha256;
use slipway_common::model::artefact::ArtefactKind;
use slipway_tests::spec::Spec;

/// A spec's two digests.
type Digests = (String, String);

/// Compares what the specs come to with what is written down.
pub(crate) fn check(root: &Path, specs: &[PathBuf], is_update: bool) -> Result<(), Failed> {
    let file = root.join("emit.txt");
    let written = fs::read_to_string(&file).unwrap_or_default();
    let (known, before) = read(&written);
    let (revision, now) = made(root, specs)?;
    let is_other = |(name, (given, out)): (&String, &Digests)| now.get(name).is_some_and(|(same, new)| same == given && new != out);
    let changed: Vec<&str> = before.iter().filter(|entry| is_other(*entry)).map(|(name, _)| name.as_str()).collect();
    if revision < known || (revision == known && !changed.is_empty()) {
        let what = "what comes out for npm is not what it was: raise `EMIT_REVISION` in worker/src/pipeline/npm/mod.rs";
        return Err(format!("{what} above {known}, then `UPDATE=1 cargo spec`\n{}", changed.join("\n")).into());
    }
    let mut text = format!("revision {revision}\n");
    for (name, (given, out)) in &now {
        writeln!(text, "{name} {given} {out}").expect("writing to a string cannot fail");
    }
    if text == written {
        return Ok(());
    }
    if is_update {
        return Ok(fs::write(&file, text)?);
    }
    Err("specs were added or changed, or the emit has another edition: `UPDATE=1 cargo spec` writes it down in specs/emit.txt".into())
}

fn read(written: &str) -> (u32, BTreeMap<String, Digests>) {
    let revision = written.lines().next().and_then(|line| line.strip_prefix("revision ")?.parse().ok()).unwrap_or_default();
    let entry = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some((words.next()?, (words.next()?, words.next()?)))
    };
    (revision, written.lines().skip(1).filter_map(entry).collect())
}

/// The edition of today, and what it makes of every spec that is accepted.
fn made(root: &Path, specs: &[PathBuf]) -> Result<(u32, BTreeMap<String, Digests>), Failed> {
    let mut revision = 0;
    let mut digests = BTreeMap::new();
    for path in specs.iter().filter(|path| !path.starts_with(root.join("reject"))) {
        let text = fs::read_to_string(path)?;
        let name = path.strip_prefix(root).expect("it was found below").with_extension("").display().to_string();
        let Ok(plan) = Spec::parse(&text)?.plan() else { return Err(format!("{name} is refused").into()) };
        let tarball = plan.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::NpmTarball);
        let tarball = tarball.ok_or_else(|| format!("{name} has no npm tarball"))?;
        revision = plan.npm.revision;
        digests.insert(name, (short(given(&text).as_bytes()), short(&tarball.bytes)));
    }
    Ok((revision, digests))
}

/// What a spec gives: everything but what is expected, and who uses it.
fn given(text: &str) -> String {
    let (mut is_head, mut is_given) = (true, true);
    let mut given = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            is_head = false;
            is_given = !name.starts_with("expect ") && !name.starts_with("use ");
        }
        if is_given && !(is_head && line.starts_with('#')) {
            given.push_str(line);
            given.push('\n');
        }
    }
    given
}

/// Enough of a digest to tell two apart.
fn short(bytes: &[u8]) -> String {
    Sha256::of(bytes).hex()[..24].to_owned()
}
