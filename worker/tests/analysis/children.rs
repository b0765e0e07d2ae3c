//! What a child has, what it ignores, and when it goes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use slipway_worker::analysis::this_program;

use crate::bench::{child_of, facts, gone, is_running, limits, pool, publish, upload};

/// A child whose first four bytes are an enormous length.
pub(crate) fn babble() -> ExitCode {
    say(b"Hello, I would like to talk about something else.")
}

/// A child whose frame holds no message.
pub(crate) fn mumble() -> ExitCode {
    say(b"\0\0\0\x04um\xff\xff")
}

fn say(bytes: &[u8]) -> ExitCode {
    std::io::stdout().write_all(bytes).unwrap();
    std::io::stdout().flush().unwrap();
    // Stays until its parent has had enough of it.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    ExitCode::SUCCESS
}

/// A parent with a child that spins. Says who the child is, then waits for its own end.
pub(crate) fn parent() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let analysis = pool(limits(1));
        let child = publish(&analysis, "").await.unwrap().pid;
        let busy = analysis.examine(upload("plan spin")).await.unwrap();
        println!("{child}");
        busy.plan(facts()).await.unwrap();
    });
    ExitCode::SUCCESS
}

pub(crate) async fn a_child_has_nothing_it_does_not_need() {
    // What the service may have open when it starts a child: a database file, a listening socket.
    let file = File::open(this_program().unwrap()).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let secrets = [file.as_raw_fd(), socket.as_raw_fd()].map(name_of);
    let report = publish(&pool(limits(1)), "").await.unwrap();
    assert_eq!(report.environment, 0);
    assert_eq!(report.nice, 5);
    assert_eq!(report.limits["RLIMIT_CORE"], 0);
    assert_eq!(report.limits["RLIMIT_FSIZE"], 0);
    assert_eq!(report.limits["RLIMIT_NOFILE"], 64);
    assert_eq!(report.limits["RLIMIT_DATA"], (64 + 256) << 20);
    for file in secrets {
        assert!(!report.open_files.contains(&file), "{} is open in the child", file.display());
    }
}

/// What the kernel calls an open file.
fn name_of(file: RawFd) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{file}")).unwrap()
}

pub(crate) async fn a_print_does_not_garble_the_conversation() {
    let analysis = pool(limits(1));
    publish(&analysis, "examine print").await.unwrap();
    publish(&analysis, "plan print").await.unwrap();
}

pub(crate) async fn the_polite_signal_is_ignored() {
    let examined = pool(limits(1)).examine(upload("")).await.unwrap();
    let child = child_of(&examined);
    kill_process(child, Signal::TERM).unwrap();
    assert_eq!(examined.plan(facts()).await.unwrap().plan.pid, child.as_raw_pid());
}

pub(crate) async fn children_die_with_their_parent() {
    let mut parent = Command::new(this_program().unwrap()).arg("parent").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    assert!(is_running(child));
    // The hard way, which leaves it no chance to tell anybody.
    parent.kill().unwrap();
    parent.wait().unwrap();
    gone(child).await;
}
