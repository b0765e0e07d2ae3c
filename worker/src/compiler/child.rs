//! The child's side: takes from itself what a compiler has no use for, and becomes the compiler.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, Scope,
};
use nix::sched::{CloneFlags, unshare};
use rlimit::Resource;
use serde::{Deserialize, Serialize};

use super::filter;

/// Open files. A compiler reads a few at once.
const MAX_FILES: u64 = 256;
/// Longest file that a compiler may write. Declarations that are longer are not used anyway.
pub(super) const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// The stack of its first thread. Its other stacks are on the heap, which has a limit of its own.
const MAX_STACK: u64 = 64 * 1024 * 1024;
/// How far it stands back from the service, which is as far as the analysis does: a publish waits for both.
const NICENESS: i32 = 5;
/// How it leaves when it could not become the compiler.
pub(super) const EXIT_UNFIT: u8 = 97;

/// What of the system an interpreter needs to start: its libraries, and the devices that every program opens.
const SYSTEM: [&str; 7] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/dev/urandom"];
/// Seconds of processor time between the signal that says why and the one that cannot be ignored.
const LAST_WORDS: u64 = 1;

/// What a child becomes, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// The program and its arguments. Without one the child says what it is kept from.
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// The directory that it runs in and may read.
    pub(super) directory: PathBuf,
    /// The directory that it may write, which lies in the other.
    pub(super) output: PathBuf,
    /// What else it may read.
    pub(super) readable: Vec<PathBuf>,
    /// Bytes of memory.
    pub(super) memory_bytes: u64,
    /// Seconds of processor time.
    pub(super) cpu_seconds: u64,
}

/// What the system lets a child be kept from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Files outside of its directory: by Landlock.
    pub files: bool,
    /// Other processes, and every socket: by a filter of system calls.
    pub calls: bool,
    /// Whatever can be reached from this machine, itself included: by an empty network.
    pub network: bool,
}

impl Isolation {
    /// What is missing of that without which no compiler is run. The empty network is not, since nothing reaches a network
    /// without a socket, and many a container forbids to make one.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        match self {
            Self { files: false, .. } => Some("this system cannot keep it from other files, which takes Landlock (Linux 5.13 and later)"),
            Self { calls: false, .. } => Some("this system cannot keep it from processes and sockets, which takes seccomp filters"),
            Self { files: true, calls: true, network: _ } => None,
        }
    }
}

/// The whole life of a child process. The last argument is its order, which [`Compiler`](super::Compiler) puts there.
///
/// Called by `main` before anything else: a process with more than one thread cannot leave its namespaces.
#[must_use]
pub fn child_main() -> ExitCode {
    match become_compiler() {
        Ok(code) => code,
        Err(error) => {
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{error}\n"));
            ExitCode::from(EXIT_UNFIT)
        }
    }
}

fn become_compiler() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let order: Order = serde_json::from_str(&std::env::args().next_back().unwrap_or_default())?;
    // Not worth failing for: some containers forbid it.
    let _ = rustix::process::nice(NICENESS);
    for (resource, limit) in [
        (Resource::DATA, order.memory_bytes),
        (Resource::FSIZE, MAX_FILE_BYTES),
        (Resource::STACK, MAX_STACK),
        (Resource::NOFILE, MAX_FILES),
        (Resource::CORE, 0),
    ] {
        lower(resource, limit, limit)?;
    }
    // At the hard limit the kernel kills, and nobody knows why.
    let cpu_seconds = order.cpu_seconds.max(1);
    lower(Resource::CPU, cpu_seconds, cpu_seconds.saturating_add(LAST_WORDS))?;
    let isolation = isolate(&order);
    if order.program.as_os_str().is_empty() {
        serde_json::to_writer(io::stdout(), &isolation)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(missing) = isolation.missing() {
        return Err(missing.into());
    }
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).current_dir(&order.directory).env_clear();
    // A runtime that collects garbage should do so before it meets the limit, and another ends if it may not read its settings.
    command.env("GOMEMLIMIT", (order.memory_bytes / 10 * 8).to_string()).env("OPENSSL_CONF", "/dev/null");
    Err(command.exec().into())
}

/// Shuts the child off, as far as the system permits. The filter comes last: what comes before it needs calls that it refuses.
fn isolate(order: &Order) -> Isolation {
    let network = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).is_ok();
    let files = rule(order).unwrap_or(false);
    let calls = filter::apply().is_ok();
    Isolation { files, calls, network }
}

/// Has the kernel refuse whatever is not in the order. Whether it does.
fn rule(order: &Order) -> Result<bool, Box<dyn std::error::Error>> {
    let abi = ABI::V6;
    let read = AccessFs::from_read(abi);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?;
    let system = SYSTEM.iter().map(Path::new);
    for path in order.readable.iter().chain([&order.directory]).map(PathBuf::as_path).chain(system) {
        // What is not there needs no rule.
        if let Ok(opened) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(opened, read))?;
        }
    }
    for path in [order.output.as_path(), Path::new("/dev/null")] {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, read | writing()))?;
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// What may be done where a compiler writes. It makes files and directories; a link would lead whoever reads them elsewhere.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let most = resource.get_hard()?;
    resource.set(soft.min(most), hard.min(most))
}
