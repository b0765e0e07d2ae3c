//! The key that signs npm versions: where a process has it from, and that everybody can check what it signs.
//!
//! A registry in one process makes its own, once, beside its database. Processes that share a registry share a key, which the operator
//! gives them: each of its own would be replaced by the next one that starts.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use slipway_common::config::{self, Config};
use slipway_common::context::Context;
use slipway_common::ids::IdSource;
use slipway_common::shutdown::Shutdown;
use slipway_common::signing::{self, SigningKey};
use slipway_common::storage::Storage;
use tempfile::NamedTempFile;

use super::doors;

/// How long it takes to try again to list the key, when the store does not answer at the start.
const LIST_AGAIN: Duration = Duration::from_secs(5);

/// What somebody without a key is told.
const REMEDY: &str = "make a key with `slipway admin key new >signing.key`, and set `signing_key` to that file or SLIPWAY_SIGNING_KEY to \
                      what is in it, the same for every process";

/// `slipway admin key new`.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the command says")]
pub(super) fn new() {
    let key = SigningKey::generate(&IdSource::entropy(doors::clock()));
    print!("{}", key.to_pem());
    eprintln!("keyid {}", key.id());
    eprintln!("public key {}", key.public().spki());
}

/// The key of a process that shares a registry with others.
pub(super) fn load(config: &Config) -> anyhow::Result<Arc<SigningKey>> {
    match &config.signing_key {
        Some(setting) => Ok(Arc::new(SigningKey::load(setting)?)),
        None => bail!("`signing_key` is not set: {REMEDY}"),
    }
}

/// The key of a registry in one process, made at the first start. One that the configuration names has to be there.
pub(super) fn provide(context: &Context, directory: &Path) -> anyhow::Result<Arc<SigningKey>> {
    let own = config::signing_key(directory);
    let is_own = context.config.signing_key.as_ref().is_some_and(|setting| setting.expose() == own);
    if is_own {
        write(Path::new(&own), &context.ids).with_context(|| format!("cannot write the signing key to `{own}`"))?;
    }
    load(&context.config)
}

/// Puts a new key into a file, all of it or nothing, unless there is one.
fn write(file: &Path, ids: &IdSource) -> std::io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let directory = file.parent().unwrap_or(Path::new("."));
    // Nobody but its owner may read a file that is made in this way.
    let mut new = NamedTempFile::new_in(directory)?;
    new.write_all(SigningKey::generate(ids).to_pem().as_bytes())?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map(drop).map_err(|error| error.error),
    }?;
    File::open(directory)?.sync_all()
}

/// Lists the key before the process says that it is ready. While the store is away nothing is stored that the key could sign, so the
/// process starts all the same and tries again.
pub(super) async fn announce(context: &Context, key: &Arc<SigningKey>, shutdown: &Shutdown) {
    let Err(fault) = signing::announce(&context.storage, key, context.clock.now()).await else { return };
    tracing::warn!(fault = fault.chain(), "the signing key could not be listed");
    let (context, key, end) = (context.clone(), Arc::clone(key), shutdown.clone());
    shutdown.spawn(async move {
        loop {
            tokio::select! {
                () = end.begun() => return,
                () = tokio::time::sleep(LIST_AGAIN) => {}
            }
            match signing::announce(&context.storage, &key, context.clock.now()).await {
                Ok(()) => return,
                Err(fault) => tracing::warn!(fault = fault.chain(), "the signing key could not be listed"),
            }
        }
    });
}

/// What `doctor` says of the key, compared with the list that npm clients read.
pub(super) async fn examine(config: &Config) -> Result<String, String> {
    let key = match &config.signing_key {
        Some(setting) => SigningKey::load(setting).map_err(|error| {
            let first = if config.queue_is_in_process() { "start `slipway up`, which makes its own, or " } else { "" };
            format!("{error}; {first}{REMEDY}")
        })?,
        None => return Err(format!("it is not set: {REMEDY}")),
    };
    let id = key.id();
    // A store that does not answer is told of by itself.
    let Ok(storage) = Storage::open_existing(&config.objects, &config.objects_private) else { return Ok(id) };
    let listed = match signing::listed(&storage).await {
        Ok(Some(listed)) => listed,
        Ok(None) => return Ok(format!("{id}, to be listed at the first start")),
        Err(fault) => return Err(fault.chain()),
    };
    let others = listed.keys.iter().filter(|other| other.id() != id).count();
    match listed.keys.iter().find(|listed| listed.id() == id) {
        Some(listed) if listed.expires().is_none() => Ok(format!("{id} is listed and in use, {others} were before")),
        Some(_) => Err(format!(
            "{id} was replaced by another one: set `signing_key` to the one in use, or restart every process to go back to this one"
        )),
        None => Err(format!("{id} is not listed: restart every process with it, or set `signing_key` to the one in use")),
    }
}
