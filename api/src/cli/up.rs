//! `slipway up`: the whole registry in one process.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::jobs;
use slipway_common::shutdown::Shutdown;

use super::admin_token;
use super::arguments::UpArguments;
use super::doors::{self, readable};
use super::serve::Signals;
use super::{serve, signing, worker};
use crate::service::accounts::ADMIN;

/// The file in the data directory that a running registry holds a lock on.
const LOCK: &str = "registry.lock";
/// The file in the data directory that holds its token.
const ADMIN_TOKEN: &str = "admin.token";

pub(super) async fn run(arguments: UpArguments) -> anyhow::Result<()> {
    let directory = arguments.serve.doors.data.clone().unwrap_or_else(|| PathBuf::from(doors::DEFAULT_DATA));
    // Tokens, uploads and later private packages are in there: nobody else on the machine has business with it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("cannot make the data directory `{}`", directory.display()))?;
    let _lock = lock(&directory)?;
    let mut layers = arguments.serve.layers(Some(&directory));
    let listener = serve::bind(&mut layers).await?;
    let config = doors::load(&layers)?;

    let context = doors::open(config).await?;
    context.db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    let token = directory.join(ADMIN_TOKEN);
    let is_new = admin_token::provide(&context, &token).await?;
    let key = signing::provide(&context, &directory)?;

    take_over(&context).await.map_err(readable)?;
    let signals = Signals::listen()?;
    let shutdown = Shutdown::default();
    worker::start(&context, key, &shutdown).await?;
    serve::answer(&context, listener, &shutdown);
    greet(&context, &token, is_new);
    signals.obey(&shutdown).await;
    context.db.close().await;
    Ok(())
}

/// Takes up at once what a process that crashed was doing. The lock says that nobody else is doing it.
async fn take_over(context: &Context) -> Result<(), AnyFault> {
    let mut tx = context.db.write("up.take_over").await?;
    let interrupted = jobs::outlive(&mut tx).await?;
    tx.commit().await?;
    if interrupted > 0 {
        tracing::info!(interrupted, "going on with what the last process left in the middle");
    }
    Ok(())
}

/// Keeps a second registry out of the directory for as long as this one runs: plain files and a queue inside the process have room
/// for one. The system takes the lock back however the process ends.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join(LOCK);
    let file = File::create(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another slipway runs on `{}`: stop it, or give another `--data`", directory.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
    }
}

#[expect(clippy::print_stdout, reason = "this is what the command says")]
fn greet(context: &Context, token: &Path, is_new: bool) {
    let config = &context.config;
    let (url, npm) = (&config.public_url, &config.npm_url);
    serve::introduce(config);
    println!("The token of `{ADMIN}` {} {}", if is_new { "was written to" } else { "is in" }, token.display());
    println!();
    println!("Try, in the directory of a package:");
    println!("  JSR_URL={url} deno publish");
    println!("  slipway publish --registry {url} --token \"$(cat {})\"", token.display());
    println!("and to use it:");
    println!("  JSR_URL={url} deno add jsr:@scope/package");
    println!("  npm install @scope/package@npm:@jsr/scope__package --@jsr:registry={npm}");
    println!();
    serve::ready(config);
}
