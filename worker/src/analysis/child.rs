//! The child's side: sets its limits, then answers one package after the other until its input ends.
//!
//! Two threads. The first reads frames and does nothing else, so that it sees the end of the input at any moment and takes
//! the process with it. The second is the bench, on a stack of [`STACK_BYTES`].

use std::any::Any;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};

use rlimit::Resource;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use slipway_common::model::finding::{Finding, FindingCode, Findings};
use tokio::signal::unix::{SignalKind, signal};

use super::wire::{self, Answer, FrameError, MAX_REQUEST_BYTES, Request};
use super::{AnalysisLimits, Bench};

/// Stack of the bench. The parser and everything after it walk a program by recursion, and a chain such as `a + b + c …` nests
/// as deep as it is long without a single bracket: generated files have tens of thousands of links. Here is room for some four
/// hundred thousand, in a debug build. The system only hands out the pages that are touched.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Open files: three pipes, the bench's runtime with its three or four, and no reason for any other.
const MAX_FILES: u64 = 64;

/// Where the kernel looks first when the machine is out of memory: at a child, which is replaced, before the service.
const OOM_SCORE: &str = "600";

/// What `top` shows. It would be `exe`, after the path a child is started by.
const NAME: &str = "slipway-analyse";

/// How far a child stands back from the service, which has people waiting: it gets a third of what the service gets when both
/// want the same processor, and all of it otherwise.
const NICENESS: i32 = 5;

/// Longest panic message that is passed on, in bytes. Some print the source they choke on.
const MAX_PANIC_BYTES: usize = 2048;

/// How a child leaves when it could not start: bad arguments, or a limit that the system refuses.
pub(super) const EXIT_UNFIT: u8 = 3;
/// How a child leaves when its input makes no sense or its output is gone.
const EXIT_BROKEN: u8 = 4;
/// How a child leaves after a panic.
const EXIT_PANICKED: u8 = 5;

/// The whole life of a child process. The last argument of the process is its limits, which `Analysis` puts there.
///
/// Called by `main` before anything else: a runtime with its threads, a logger or an allocator's arena that came first would
/// stay with the child for good, and a runtime cannot be started within another.
#[must_use]
pub fn child_main<B: Bench>() -> ExitCode {
    match start::<B>() {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::from(EXIT_UNFIT)
        }
    }
}

fn start<B: Bench>() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let limits: AnalysisLimits = serde_json::from_str(&std::env::args().next_back().unwrap_or_default())?;
    // Answers go to a copy of the standard output, which itself leads to the log from here on: one stray `println!` in a
    // compiler crate would garble the conversation.
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    outlast_terminate()?;
    confine(&limits)?;
    let (sender, requests) = channel();
    std::thread::Builder::new().name("bench".into()).stack_size(STACK_BYTES).spawn(move || {
        let bench = AssertUnwindSafe(|| Desk { out, requests, limits }.serve::<B>());
        std::process::exit(catch_unwind(bench).unwrap_or(EXIT_PANICKED).into())
    })?;

    let mut input = io::stdin().lock();
    loop {
        match wire::read(&mut input, MAX_REQUEST_BYTES) {
            Ok(Some(frame)) => {
                if sender.send(frame).is_err() {
                    // The bench is about to end the process, with a code of its own or this one.
                    return Ok(ExitCode::from(EXIT_BROKEN));
                }
            }
            Ok(None) => return Ok(ExitCode::SUCCESS),
            Err(error) => {
                complain(&error);
                return Ok(ExitCode::from(EXIT_BROKEN));
            }
        }
    }
}

/// Ignores the polite signal. A supervisor sends it to every process of the service, and the parent, which then finishes
/// what it has begun, needs its children for that.
fn outlast_terminate() -> io::Result<()> {
    // The disposition stays when the runtime that asked for it is gone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    drop(runtime.block_on(async { signal(SignalKind::terminate()) })?);
    Ok(())
}

/// Takes from this process what the analysis has no use for.
fn confine(limits: &AnalysisLimits) -> io::Result<()> {
    // None of these is worth failing for: some containers forbid them.
    let _ = std::fs::write("/proc/self/comm", NAME);
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let _ = rustix::process::nice(NICENESS);
    // RLIMIT_DATA counts private writable memory, which is what a heap and a stack are. RLIMIT_AS would also count what is
    // only reserved, such as the arenas of the allocator. The stack of the bench counts whole from the start, so it is added.
    lower(Resource::DATA, limits.memory_bytes.saturating_add(STACK_BYTES as u64))?;
    lower(Resource::NOFILE, MAX_FILES)?;
    lower(Resource::FSIZE, 0)?;
    lower(Resource::CORE, 0)
}

fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let limit = resource.get_hard()?.min(limit);
    resource.set(limit, limit)
}

/// Gives the next package its processor time. `RLIMIT_CPU` is about the life of a process, so the soft limit moves ahead of
/// what was used so far. It knows whole seconds only: a package gets up to one more than the limit, never less.
fn allow_time(seconds: u64) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let hard = Resource::CPU.get_hard()?;
    Resource::CPU.set(used.saturating_add(1).saturating_add(seconds).min(hard), hard)
}

/// Where the bench takes packages in and hands answers out.
struct Desk {
    out: File,
    requests: Receiver<Vec<u8>>,
    limits: AnalysisLimits,
}

impl Desk {
    /// Serves packages until there are no more. Returns the code to leave with.
    fn serve<B: Bench>(mut self) -> u8 {
        while let Ok(frame) = self.requests.recv() {
            let conversation = catch_unwind(AssertUnwindSafe(|| self.converse::<B>(frame)));
            // By now the package is dropped, which can take a while, or a stack; both are at its own expense.
            let message = match conversation.map(|done| done.and_then(|_| self.answer(&Answer::<()>::Ready))) {
                Ok(Ok(_)) => continue,
                Ok(Err(error @ FrameError::Pipe(_))) => {
                    complain(&error);
                    return EXIT_BROKEN;
                }
                Ok(Err(error)) => error.to_string(),
                Err(panic) => text_of(panic.as_ref()),
            };
            // Whatever the bench left half-done is not trusted with another package.
            let told = wire::write(&mut self.out, &Answer::<()>::Panicked(message), self.limits.answer_bytes);
            return if told.is_ok() { EXIT_PANICKED } else { EXIT_BROKEN };
        }
        0
    }

    /// One package, from upload to documentation or findings. Whether nothing was too long to be told.
    fn converse<B: Bench>(&mut self, frame: Vec<u8>) -> Result<bool, FrameError> {
        let Request::Upload(upload) = wire::decode(&frame)? else { return Err(unexpected("facts before an upload")) };
        drop(frame);
        allow_time(self.limits.cpu_seconds)?;
        let draft = match B::examine(&upload) {
            Ok(draft) => draft,
            Err(findings) => return self.answer(&Answer::<B::Plan>::Rejected(findings)),
        };
        drop(upload);
        let unsaid = if self.limits.infers { B::unsaid(&draft) } else { None };
        self.answer(&Answer::<B::Plan>::Examined { references: B::references(&draft), unsaid })?;
        let Ok(frame) = self.requests.recv() else { return Ok(true) };
        let Request::Facts(facts) = wire::decode(&frame)? else { return Err(unexpected("an upload instead of facts")) };
        drop(frame);
        let rest = match B::plan(draft, &facts) {
            Ok((plan, rest)) => {
                if !self.answer(&Answer::Planned(plan))? {
                    return Ok(false);
                }
                rest
            }
            Err(findings) => return self.answer(&Answer::<B::Plan>::Rejected(findings)),
        };
        allow_time(self.limits.documentation_seconds)?;
        self.answer(&Answer::Documented(B::document(rest)))
    }

    /// Hands out an answer, or in place of one that is too long a finding that says so. Whether it was the answer.
    fn answer<P: Serialize>(&mut self, answer: &Answer<P>) -> Result<bool, FrameError> {
        match wire::write(&mut self.out, answer, self.limits.answer_bytes) {
            Err(FrameError::TooLarge { bytes, limit }) => {
                let message =
                    format!("what the registry would store for this package takes {bytes} bytes, more than the {limit} it accepts");
                let finding = Finding::error(FindingCode::OutputTooLarge, message).hint("split the package");
                wire::write(&mut self.out, &Answer::<P>::Rejected(Findings::from(finding)), limit).map(|()| false)
            }
            written => written.map(|()| true),
        }
    }
}

fn unexpected(what: &str) -> FrameError {
    FrameError::Malformed(what.to_owned())
}

/// The message of a panic, cut short.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("a panic without a message");
    text[..text.floor_char_boundary(MAX_PANIC_BYTES)].to_owned()
}

/// Says something to the log, which is the parent's end of the standard error.
fn complain(error: &dyn std::fmt::Display) {
    // Without a log there is nobody to tell.
    let _ = writeln!(io::stderr(), "{error}");
}
