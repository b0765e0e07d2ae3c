//! A `slipway up` of one's own, timed from its first moment.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::client::Client;

/// Quotas that a driver meets and a person does not.
const ROOM: [(&str, &str); 3] =
    [("SLIPWAY_QUOTAS_NEW_PACKAGES_PER_WEEK", "1000"), ("SLIPWAY_QUOTAS_PACKAGES", "1000"), ("SLIPWAY_QUOTAS_PUBLISHES_PER_WEEK", "10000")];

/// Starts registries, each with data of its own.
pub(crate) struct Starter {
    binary: PathBuf,
    place: PathBuf,
    log: Option<String>,
    patience: Duration,
    started: AtomicU32,
}

/// A registry that runs.
pub(crate) struct Registry {
    /// From the start of the process to the line that says `ready`.
    pub(crate) took: Duration,
    /// The process.
    pub(crate) id: u32,
    /// Speaks to it as the first user.
    pub(crate) client: Client,
    child: Child,
    // Held so that the registry never writes to a broken pipe.
    _said: Lines<BufReader<ChildStdout>>,
    patience: Duration,
}

impl Starter {
    pub(crate) fn new(binary: PathBuf, place: PathBuf, log: Option<String>, patience: Duration) -> Self {
        Self { binary, place, log, patience, started: AtomicU32::new(0) }
    }

    /// Longest wait for one answer.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// A directory that nobody uses yet.
    pub(crate) fn directory(&self, name: &str) -> anyhow::Result<PathBuf> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let directory = self.place.join(format!("{number:02}-{name}"));
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// Starts a registry with so many children for the analysis, or as many as it has by itself.
    pub(crate) async fn start(&self, name: &str, children: Option<u32>) -> anyhow::Result<Registry> {
        let directory = self.directory(name)?;
        let data = directory.join("registry");
        let mut command = Command::new(&self.binary);
        command.arg("up").arg("--data").arg(&data).args(["--listen", "127.0.0.1:0"]);
        // Nothing of the person who measures: a configuration file or a variable would be measured with it.
        command.env_clear().current_dir(&directory).envs(ROOM).kill_on_drop(true);
        command.envs(self.log.as_ref().map(|filter| ("RUST_LOG", filter.clone())));
        command.envs(children.map(|children| ("SLIPWAY_ANALYSIS_CHILDREN", children.to_string())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(directory.join("log"))?);
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("`{}` cannot be started", self.binary.display()))?;
        let mut said = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let url = timeout(self.patience, ready(&mut said)).await.context("`slipway up` does not get ready")??;
        let took = start.elapsed();
        let token = fs::read_to_string(data.join("admin.token")).context("the first start writes a token")?;
        let id = child.id().context("`slipway up` ended")?;
        let client = Client::new(&url, token.trim(), self.patience)?;
        Ok(Registry { took, id, client, child, _said: said, patience: self.patience })
    }
}

/// The address that follows `ready`.
async fn ready(said: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<String> {
    while let Some(line) = said.next_line().await? {
        if let Some(url) = line.strip_prefix("ready ") {
            return Ok(url.to_owned());
        }
    }
    bail!("`slipway up` ended before it was ready; its log says why")
}

impl Registry {
    /// Asks the process to end and waits for that.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id)]).status().await?;
        ensure!(sent.success(), "the registry cannot be sent a signal");
        let status = timeout(self.patience, self.child.wait()).await.context("`slipway up` does not end")??;
        ensure!(status.success(), "`slipway up` ended with {status}");
        Ok(())
    }
}
