//! The parent's side of one run: starts the child, waits, and ends it when it is too much.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use slipway_common::shutdown::aside;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout_at};

use super::child::{EXIT_UNFIT, Order};

/// Most that is read of what a compiler prints. A thousand complaints say no more than the first.
const MAX_PRINTED: u64 = 1024 * 1024;
/// Most that it may leave in its directory. What it may write in one file is limited by the system; this is about many files.
const MAX_WRITTEN: u64 = 64 * 1024 * 1024;
/// What a file or directory counts at least: the disk counts it so, and removing a million empty ones takes time as well.
const BLOCK: u64 = 4096;
/// How many units of a second `/proc` counts in. The kernel promises the same on every machine that programs are made for.
const TICKS: u64 = 100;
/// How often its directory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) printed: String,
    pub(super) complained: String,
    /// Whether it used more processor time than it was given. A runtime may be deaf to the signal that says so.
    pub(super) is_over_time: bool,
}

/// The program that children are: it and its arguments, before the order.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

impl Launcher {
    /// Runs a compiler. The text says why there is no end to speak of.
    pub(super) async fn run(&self, order: &Order, patience: Duration) -> Result<Ended, String> {
        let text = serde_json::to_string(order).map_err(|_| "the compiler's path is not text")?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(text)
            .arg0("slipway-compile")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the compiler cannot be started: {error}"))?;
        let ended = watch(&mut child, order, patience).await;
        // It is gone before its directory is: what it writes meanwhile would stay.
        let _ = child.kill().await;
        ended
    }
}

async fn watch(child: &mut Child, order: &Order, patience: Duration) -> Result<Ended, String> {
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("the compiler came without its pipes".to_owned());
    };
    let too_much = || format!("the compiler wrote more than {MAX_WRITTEN} bytes");
    let deadline = Instant::now() + patience;
    let talk = async { tokio::try_join!(printed(stdout), printed(stderr)) };
    let (printed, complained) = tokio::select! {
        said = timeout_at(deadline, talk) => said.map_err(|_| format!("the compiler took longer than {} s", patience.as_secs()))??,
        () = fills(&order.output) => return Err(too_much()),
    };
    let is_over_time = child.id().and_then(processor_time).is_some_and(|spent| spent >= Duration::from_secs(order.cpu_seconds));
    let status = timeout_at(deadline, child.wait()).await.map_err(|_| "the compiler closed its pipes and stayed".to_owned())?;
    let status = status.map_err(|error| format!("the compiler cannot be waited for: {error}"))?;
    if status.code() == Some(EXIT_UNFIT.into()) {
        return Err(format!("the compiler cannot be started: {}", complained.trim_end()));
    }
    if size_of(order.output.clone()).await > MAX_WRITTEN {
        return Err(too_much());
    }
    Ok(Ended { status, printed, complained, is_over_time })
}

/// What a process has used that was not waited for yet: afterwards nobody knows.
fn processor_time(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name, in which anything may stand; user's and system's time are the 14th and the 15th.
    let mut times = text.rsplit_once(')')?.1.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = times.next()?.ok()?.checked_add(times.next()?.ok()?)?;
    Some(Duration::from_millis(ticks.checked_mul(1000)? / TICKS))
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
    while size_of(directory.to_owned()).await <= MAX_WRITTEN {
        sleep(LOOK).await;
    }
}

/// What is below a directory.
async fn size_of(directory: PathBuf) -> u64 {
    // What cannot be looked at was made so by the compiler, and is too much.
    aside(move || measure(directory).unwrap_or(u64::MAX)).await
}

fn measure(directory: PathBuf) -> io::Result<u64> {
    let mut total = 0;
    let mut open = vec![directory];
    while let Some(directory) = open.pop() {
        for entry in unless_gone(fs::read_dir(directory))?.into_iter().flatten() {
            let entry = entry?;
            let Some(metadata) = unless_gone(entry.metadata())? else { continue };
            total += metadata.len().max(BLOCK);
            if total > MAX_WRITTEN {
                return Ok(total);
            }
            if metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(total)
}

/// A compiler removes files as well, and not only between two looks.
fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_that_of_the_process() {
        let own = || processor_time(std::process::id()).unwrap();
        let before = own();
        while own() < before + Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        let mut other = std::process::Command::new("sh").args(["-c", "exit 0"]).stdin(Stdio::null()).spawn().unwrap();
        assert!(processor_time(other.id()).unwrap() < own());
        other.wait().unwrap();
        assert_eq!(processor_time(u32::MAX), None);
    }

    #[test]
    fn what_hides_is_too_much() {
        let place = tempfile::tempdir().unwrap();
        let below = |path: &str| place.path().join(path);
        assert_eq!(measure(below("none")).unwrap(), 0);
        fs::create_dir_all(below("a/b")).unwrap();
        fs::write(below("a/b/c"), [0; 5000]).unwrap();
        fs::write(below("empty"), []).unwrap();
        std::os::unix::fs::symlink("/", below("link")).unwrap();
        let directories = ["a", "a/b"].map(|path| fs::metadata(below(path)).unwrap().len().max(BLOCK));
        assert_eq!(measure(place.path().to_owned()).unwrap(), 5000 + 2 * BLOCK + directories.iter().sum::<u64>());

        // Too deep to be named, so it cannot be listed either.
        let deep = rustix::fs::open(place.path(), rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
        let name = "d".repeat(200);
        let mut at = deep;
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, &*name, rustix::fs::Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, &*name, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
        }
        assert!(measure(place.path().to_owned()).is_err());
    }
}
