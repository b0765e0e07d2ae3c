//! One child as its parent sees it: a process, three pipes, and a question at a time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use slipway_common::shutdown::aside;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{error::Elapsed, timeout};

use super::child::EXIT_UNFIT;
use super::wire::{self, Answer, FrameError};
use super::{AnalysisError, AnalysisLimits, Crash};

/// How much of what a child prints is kept, in bytes: a panic with its backtrace, and no more than a log line can hold.
const TAIL_BYTES: usize = 8 * 1024;

/// How long a child may take to be done with a package after its last answer, or to be gone after it broke off. Hundreds of
/// megabytes are freed in a fraction of a second; a child that takes longer is killed, and one that is not even gone then is
/// left to the runtime to collect.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// A child process. Dropping it kills it.
pub(super) struct ChildProcess {
    process: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Tail,
    served: u32,
}

impl ChildProcess {
    /// Starts a child. It is asked nothing yet, and gets ready on its own.
    pub(super) fn spawn(program: &Path, args: &[String]) -> io::Result<Self> {
        let mut process = Command::new(program)
            .args(args)
            .arg0("slipway-analysis")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Apart from the parent's group, because Ctrl-C at a terminal reaches a whole group, and the parent wants to
            // finish what it has begun.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("a child came without its pipes"));
        };
        Ok(Self { process, stdin, stdout, stderr: Tail { pipe: stderr, kept: VecDeque::new() }, served: 0 })
    }

    /// Whether the child is still there. One that died while nobody looked, because the machine ran out of memory or somebody
    /// killed it, takes no package with it.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Whether the child has done its share, now that it has served one package more.
    pub(super) fn is_worn(&mut self, limits: &AnalysisLimits) -> bool {
        self.served += 1;
        self.served >= limits.packages_per_child || self.kept_bytes().is_some_and(|kept| kept > limits.kept_bytes)
    }

    /// The memory that this child holds and shares with nobody. Known on Linux only.
    fn kept_bytes(&self) -> Option<u64> {
        // The kernel answers from memory, in microseconds; there is nothing to wait for.
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Puts a question, and waits for the answer for so long.
    ///
    /// Cancelling leaves the conversation in the middle: the child is good for nothing but being dropped.
    pub(super) async fn ask<P: DeserializeOwned + Send + 'static>(
        &mut self,
        question: Vec<u8>,
        patience: Duration,
        limits: &AnalysisLimits,
    ) -> Result<Answer<P>, AnalysisError> {
        let how = match self.exchange(question, patience, limits).await {
            Ok(Ok(frame)) => match aside(move || wire::decode(&frame)).await {
                Ok(Answer::Panicked(message)) => Some(Crash::Panic(message)),
                Ok(answer) => return Ok(answer),
                Err(error) => Some(Crash::Protocol(error.to_string())),
            },
            Ok(Err(FrameError::Pipe(_))) => None,
            Ok(Err(error)) => Some(Crash::Protocol(error.to_string())),
            Err(_) => Some(Crash::Wall(limits.wall_seconds)),
        };
        Err(self.bury(how, limits).await)
    }

    /// Waits until the child has forgotten the package it gave its last answer about. Whether it has.
    pub(super) async fn settle(&mut self, limits: &AnalysisLimits) -> bool {
        let frame = self.exchange(Vec::new(), LAST_BREATH, limits).await;
        frame.is_ok_and(|frame| frame.is_ok_and(|frame| matches!(wire::decode(&frame), Ok(Answer::<IgnoredAny>::Ready))))
    }

    /// Sends a frame and takes in the next, with an ear to what the child prints meanwhile.
    async fn exchange(
        &mut self,
        frame: Vec<u8>,
        patience: Duration,
        limits: &AnalysisLimits,
    ) -> Result<Result<Vec<u8>, FrameError>, Elapsed> {
        let Self { stdin, stdout, stderr, .. } = self;
        let talk = async {
            stdin.write_all(&frame).await?;
            // It can be twenty megabytes, and the answer may take a while.
            drop(frame);
            wire::receive(stdout, limits.answer_bytes).await
        };
        tokio::select! {
            answer = timeout(patience, talk) => answer,
            never = stderr.follow() => match never {},
        }
    }

    /// Ends the child for a reason, or finds the reason for which it ended by itself.
    pub(super) async fn bury(&mut self, how: Option<Crash>, limits: &AnalysisLimits) -> AnalysisError {
        let mut status = None;
        if how.is_none() {
            status = timeout(LAST_BREATH, self.process.wait()).await.ok().and_then(Result::ok);
        }
        if status.is_none() {
            // It is either gone already or goes now. What is left to wait for is what it printed.
            let _ = self.process.start_kill();
            let _ = timeout(LAST_BREATH, self.process.wait()).await;
        }
        let _ = timeout(LAST_BREATH, self.stderr.finish()).await;
        let stderr = self.stderr.text();
        if status.is_some_and(|status| status.code() == Some(EXIT_UNFIT.into())) {
            return AnalysisError::Spawn(io::Error::other(stderr));
        }
        let how = how.or_else(|| status.map(|status| Crash::of(status, &stderr, limits)));
        let how = how.unwrap_or_else(|| Crash::Protocol("it closed its pipe and stayed".to_owned()));
        AnalysisError::Crashed { how, stderr }
    }
}

/// The last that a child printed.
struct Tail {
    pipe: ChildStderr,
    kept: VecDeque<u8>,
}

impl Tail {
    /// Reads along for as long as it is polled, so that a child that prints a lot does not wait for a reader.
    async fn follow(&mut self) -> Infallible {
        self.finish().await;
        std::future::pending().await
    }

    /// Reads to the end. Cancelling loses nothing.
    async fn finish(&mut self) {
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = self.pipe.read(&mut chunk).await {
            self.kept.extend(&chunk[..count]);
            let excess = self.kept.len().saturating_sub(TAIL_BYTES);
            self.kept.drain(..excess);
        }
    }

    fn text(&self) -> String {
        let (front, back) = self.kept.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }
}
