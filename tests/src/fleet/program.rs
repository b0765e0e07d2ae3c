//! Processes of the real binary.
//!
//! The program of a suite that uses this is the binary, too: its `main` calls [`is_called`] first. So nothing has to be built
//! beforehand, and nothing that was built before is run by mistake.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use slipway_common::shutdown::aside;

/// What the program is called as to be the binary.
const NAME: &str = "slipway";
/// The hidden first argument of the children that analyse packages.
const CHILD: &str = "analyse-child";

/// Does what the binary does, if the program was called as the binary, or as one of the children that it starts.
pub fn is_called() -> Option<ExitCode> {
    let mut said = std::env::args();
    let (called, first) = (said.next(), said.next());
    (called.as_deref() == Some(NAME) || first.as_deref() == Some(CHILD)).then(slipway_api::cli::main)
}

/// A command with nothing in its environment but what is given, in a directory of its own.
///
/// # Panics
/// When the program does not know where it is.
#[must_use]
pub fn command(directory: &Path, arguments: &[&str], environment: &[(String, String)]) -> Command {
    let program = std::env::current_exe().expect("the program knows where it is");
    let mut command = Command::new(program);
    let environment = environment.iter().map(|(name, value)| (name, value));
    command.arg0(NAME).args(arguments).env_clear().envs(environment).current_dir(directory).stdin(Stdio::null());
    command
}

/// A process that is at work.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: Option<SocketAddr>,
}

impl Process {
    /// Starts a command and waits until it says that it is ready. What it logs is appended to `log`.
    ///
    /// # Errors
    /// How it ended before it was ready.
    ///
    /// # Panics
    /// When there is no such program, or no place for its log.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, ExitStatus> {
        let log = File::options().create(true).append(true).open(log).expect("a log can be written");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let (mut address, mut is_ready) = (None, false);
        for line in lines.by_ref() {
            if let Some((_, listening)) = line.split_once("listening on ") {
                address = listening.parse().ok();
            }
            if line.starts_with("ready ") {
                is_ready = true;
                break;
            }
        }
        if is_ready { Ok(Self { child, address }) } else { Err(child.wait().expect("it can be waited for")) }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it answers no requests.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.expect("this role listens")
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had at once since it started, and what it has now, in bytes.
    ///
    /// # Panics
    /// When it is over.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the system counts it");
            line.trim_end_matches("kB").trim().parse::<u64>().expect("it is a number") * 1024
        };
        (of("VmHWM:"), of("VmRSS:"))
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has stopped itself.
    ///
    /// # Panics
    /// When it ended instead.
    pub async fn stopped(&self) {
        let id = self.id();
        let wait = move || waitid(WaitId::Pid(id), WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let status = aside(wait).await.expect("it is our child");
        assert!(status.is_some_and(|status| status.stopped()), "it ended before the step at which it was to stop");
    }

    /// Kills it, as a machine that loses its power does.
    ///
    /// # Panics
    /// When it was over before.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        let status = self.child.wait().expect("it can be waited for");
        assert_eq!(status.signal(), Some(9), "{status}");
    }

    /// Stops it in the middle of what it does, as a machine that is moved elsewhere is.
    ///
    /// # Panics
    /// When it is over.
    pub fn freeze(&self) {
        kill_process(self.id(), Signal::STOP).expect("it runs");
    }

    /// Lets it go on as if no time had gone by.
    ///
    /// # Panics
    /// When it is over.
    pub fn thaw(&self) {
        kill_process(self.id(), Signal::CONT).expect("it is there");
    }

    /// Asks it to end.
    ///
    /// # Panics
    /// When it is over.
    pub fn ask_to_end(&self) {
        kill_process(self.id(), Signal::TERM).expect("it runs");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub async fn ended(mut self) -> ExitStatus {
        aside(move || self.child.wait()).await.expect("it is our child")
    }

    /// Asks it to end, and demands that it does so in good order.
    ///
    /// # Panics
    /// When it does not.
    pub async fn stop(self) {
        self.ask_to_end();
        let status = self.ended().await;
        assert!(status.success(), "{status}");
    }
}

/// A failed test leaves no process behind.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
