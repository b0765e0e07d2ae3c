//! The parent's side of one run: starts the child, waits, and ends it when it is too much.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use slipway_common::shutdown::aside;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout_at};

use super::child::{EXIT_UNFIT, Order};

/// Most that is read of what a compiler prints. A thousand complaints say no more than the first.
const MAX_PRINTED: u64 = 1024 * 1024;
/// Most that it may leave in its directory. What it may write in one file is limited by the system; this is about many files.
const MAX_WRITTEN: u64 = 64 * 1024 * 1024;
/// How often its directory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) printed: String,
    pub(super) complained: String,
}

/// The program that children are: it and its arguments, before the order.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

impl Launcher {
    /// Runs a compiler. The text says why there is no end to speak of.
    pub(super) async fn run(&self, order: &Order, output: &Path, patience: Duration) -> Result<Ended, String> {
        let order = serde_json::to_string(order).map_err(|_| "the compiler's path is not text")?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(order)
            .arg0("slipway-compile")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the compiler cannot be started: {error}"))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("the compiler came without its pipes".to_owned());
        };
        let deadline = Instant::now() + patience;
        let talk = async { tokio::join!(printed(stdout), printed(stderr)) };
        let (out, err) = tokio::select! {
            said = timeout_at(deadline, talk) => said.map_err(|_| format!("the compiler took longer than {} s", patience.as_secs()))?,
            () = fills(output) => return Err(format!("the compiler wrote more than {MAX_WRITTEN} bytes")),
        };
        let (printed, complained) = (out?, err?);
        let status = timeout_at(deadline, child.wait()).await.map_err(|_| "the compiler closed its pipes and stayed".to_owned())?;
        let status = status.map_err(|error| format!("the compiler cannot be waited for: {error}"))?;
        if status.code() == Some(EXIT_UNFIT.into()) {
            return Err(format!("the compiler cannot be started: {}", complained.trim_end()));
        }
        Ok(Ended { status, printed, complained })
    }
}

async fn printed(pipe: impl AsyncRead + Unpin) -> Result<String, String> {
    let mut bytes = Vec::new();
    let count =
        pipe.take(MAX_PRINTED + 1).read_to_end(&mut bytes).await.map_err(|error| format!("the compiler cannot be heard: {error}"))?;
    if count as u64 > MAX_PRINTED {
        return Err(format!("the compiler printed more than {MAX_PRINTED} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns when there is too much in a directory.
async fn fills(directory: &Path) {
    loop {
        sleep(LOOK).await;
        let directory = directory.to_owned();
        if aside(move || size_of(&directory).unwrap_or(0)).await > MAX_WRITTEN {
            return;
        }
    }
}

fn size_of(directory: &Path) -> io::Result<u64> {
    let mut total = 0;
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                open.push(entry.path());
            } else {
                total += metadata.len();
            }
        }
    }
    Ok(total)
}
