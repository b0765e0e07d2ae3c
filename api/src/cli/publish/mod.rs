//! `slipway publish`: a directory becomes a version, with no other tool than this one.
//!
//! The directory is looked at as the registry will look at the upload, with the worker's own pipeline: that tells which files to
//! pack, and most mistakes before anything is sent. What only the registry knows, such as the packages that this one depends on, it
//! tells afterwards. Of this room the file you read is the only one that knows the worker.
//!
//! The outcome goes to standard output, everything else that is said to standard error.

mod choice;
pub(super) mod ci;
mod directory;
mod identity;
mod permission;
mod provenance;
mod registry;
mod report;
mod tarball;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context as _, bail};
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::Findings;
use slipway_common::model::limits::UploadLimits;
use slipway_worker::pipeline::files::Files;
use slipway_worker::pipeline::manifest::{Outline, outline};
use slipway_worker::pipeline::{Target, reach, unpack};
use tokio::sync::oneshot;

use super::arguments::PublishArguments;
use choice::Patterns;
use ci::Job;
use directory::Directory;
use identity::Identity;
use registry::Registry;
use report::{Entry, Tally, human, say, tell};
use tarball::{Packed, pack};
use task::Published;

/// The stack of the thread that looks at the package. The parser and all after it walk a program by recursion, and the system hands
/// out no more of it than is touched; the registry's own children have as much.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Packs and publishes.
pub(super) async fn run(arguments: PublishArguments) -> anyhow::Result<()> {
    let identity = identity::find(&arguments.directory)?;
    let name = identity.shown();
    if arguments.dry_run {
        let packed = prepare(&arguments, &identity).await?;
        for file in &packed.files {
            say(&format!("{:>10}  {}", human(file.size), file.path.relative()));
        }
        say(&format!("{name} would be published: {}; nothing was sent", packed.summary()));
        return Ok(());
    }
    let registry = Registry::new(&arguments.registry, arguments.token.as_deref())?;
    // Whoever has a token publishes as whom it is of, and not as the job.
    let job = Job::here(&arguments.job).filter(|_| !registry.has_token());
    let signer = job.as_ref().filter(|job| !arguments.no_provenance && !job.is_discreet());
    if let Some(known) = registry.version(&identity.target).await? {
        say(&format!("{name} is published already: {}", registry.page(&identity.target)));
        // Another job, or a person, cannot be spoken for.
        if let Some(job) = signer.filter(|job| known.commit().is_some_and(|commit| job.builds(commit))) {
            tell_outcome(certify_later(registry, job, &arguments, &identity).await);
        }
        return Ok(());
    }
    if !registry.has_token() && job.is_none() && !std::io::stdin().is_terminal() {
        bail!(
            "there is no token: pass `--token`, set SLIPWAY_TOKEN, or run this on a terminal, or in a job of GitHub Actions that has the \
             permission `id-token: write`"
        );
    }
    let packed = prepare(&arguments, &identity).await?;
    tell(&format!("packed {}", packed.summary()));
    let registry = match &job {
        Some(job) => registry.with_token_of_job(&job.token_for(&identity.target, &packed).await?)?,
        None => registry,
    };
    let (registry, is_public) = registry.admitted(&identity.target, &packed, arguments.private).await?;
    match task::publish(&registry, &identity.target, &packed).await? {
        Published::Now(findings) => {
            report::list(&findings, &arguments.directory);
            say(&format!("published {name}: {}", registry.page(&identity.target)));
            if let Some(job) = signer {
                certify(registry, job, (&identity.target, is_public), &packed).await;
            }
            Ok(())
        }
        Published::Before => {
            say(&format!("{name} is published already: {}", registry.page(&identity.target)));
            Ok(())
        }
        Published::Refused { findings, message } => {
            report::list(&findings, &arguments.directory);
            match Tally::of(&findings) {
                Tally { errors: 0, .. } => bail!("{name} was not published: {}", report::clean(&message)),
                tally => bail!("{name} was not published: {tally}"),
            }
        }
    }
}

/// Says where a version came from. It is published either way, so what fails is told and nothing else.
async fn certify(registry: Registry, job: &Job<'_>, (target, is_public): (&Target, bool), packed: &Packed) {
    if !is_public {
        return tell("it is private, so where it came from is entered in no log");
    }
    tell_outcome(provenance::hand_in(registry, job, target, packed).await.map(|()| true));
}

/// Says it of a version that the same commit published before, if nobody did. Returns whether there was anything to say.
async fn certify_later(registry: Registry, job: &Job<'_>, arguments: &PublishArguments, identity: &Identity) -> anyhow::Result<bool> {
    if registry.has_provenance(&identity.target).await? {
        return Ok(false);
    }
    let packed = prepare(arguments, identity).await?;
    provenance::hand_in(registry, job, &identity.target, &packed).await.map(|()| true)
}

fn tell_outcome(outcome: anyhow::Result<bool>) {
    match outcome {
        Ok(true) => tell("signed where it came from"),
        Ok(false) => {}
        Err(error) => {
            let why = report::clean(&format!("{error:#}"));
            tell(&format!("warning: nobody can tell where it came from: {why}; run this again in the job to say it"));
        }
    }
}

/// What looking at the directory came to.
struct Looked {
    findings: Findings,
    remarks: Vec<String>,
    /// What to send, unless the config could not be understood.
    packed: Option<Packed>,
}

/// Looks at the directory and packs it. Mistakes are listed, and end it: the registry would refuse them as well, and count the
/// attempt. What is merely worth knowing the registry says again, so that it is listed only when nothing is sent.
async fn prepare(arguments: &PublishArguments, identity: &Identity) -> anyhow::Result<Packed> {
    let (done, looked) = oneshot::channel();
    let (directory, of_thread, all) = (arguments.directory.clone(), identity.clone(), arguments.all);
    let work = move || drop(done.send(look(&directory, &of_thread, all)));
    std::thread::Builder::new().name("look".into()).stack_size(STACK_BYTES).spawn(work).context("cannot start a thread")?;
    let Looked { findings, remarks, packed } = looked.await.context("looking at the package broke off")??;
    for remark in &remarks {
        tell(&format!("warning: {}", report::clean(remark)));
    }
    let entries: Vec<Entry> = findings.iter().map(Entry::of).collect();
    let tally = Tally::of(&entries);
    if arguments.dry_run || tally.errors > 0 {
        report::list(&entries, &arguments.directory);
    }
    match packed {
        Some(packed) if tally.errors == 0 => Ok(packed),
        _ => bail!("{} was not published: {tally}; nothing was sent", identity.shown()),
    }
}

/// Finds the files of the package, and what is wrong with it as far as it shows here.
fn look(directory: &Path, identity: &Identity, all: bool) -> anyhow::Result<Looked> {
    let mut directory = Directory::list(directory)?;
    let patterns = if all { Patterns::default() } else { Patterns::read(&identity.patterns)? };
    let taken_away = directory.take_away(|path| patterns.take_away(path) && *path != identity.target.config);
    let reached = match reach(&identity.target, &directory.examined()?) {
        Ok(reached) => reached,
        Err(findings) => return Ok(Looked { findings, remarks: directory.remarks(|_| all), packed: None }),
    };
    let named = |path: &str| all || choice::is_always_packed(path) || (patterns.name(path) && !choice::is_lock(path));
    let chosen: BTreeSet<PackagePath> =
        reached.files.into_iter().chain(directory.paths().filter(|path| named(path.as_str())).cloned()).collect();
    let packed = pack(&directory, &chosen, reached.exports)?;
    let mut findings = choice::explained(reached.findings, &taken_away);
    findings.extend(unpack::unpack(&packed.bytes, &boundless()).err().into_iter().flatten());
    findings.sort();
    Ok(Looked { findings, remarks: directory.remarks(named), packed: Some(packed) })
}

/// Limits are the registry's affair, and another registry's differ.
fn boundless() -> UploadLimits {
    UploadLimits { compressed_bytes: u64::MAX, file_bytes: u64::MAX, unpacked_bytes: u64::MAX, entries: u64::MAX, ratio: u64::MAX }
}
