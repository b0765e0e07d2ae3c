//! What a compiler is kept from, tried by one that means harm.
//!
//! For each limit: what the compiler saw, in its own words, which reach the author as a complaint; or, where it had none left, what the
//! registry says of it. The package is published every time. Which of the walls answered shows in the number of the error: 13 is
//! Landlock's, and 1 the filter's.

pub(crate) mod compiler;
pub(crate) mod lacking;
mod stage;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use stage::{Stage, surroundings};

use crate::process::{NAME, Test, mode, run_on};

pub(crate) const TESTS: &[Test] = &[
    ("confinement::files_are_out_of_reach", files_are_out_of_reach),
    ("confinement::nobody_is_spoken_to", nobody_is_spoken_to),
    ("confinement::what_is_used_is_limited", what_is_used_is_limited),
    ("confinement::what_is_written_is_limited", what_is_written_is_limited),
    ("confinement::who_waits_is_ended", who_waits_is_ended),
    ("confinement::where_files_cannot_be_kept_from_it_no_compiler_is_run", where_files_cannot_be_kept_from_it_no_compiler_is_run),
    ("confinement::where_calls_cannot_be_kept_from_it_no_compiler_is_run", where_calls_cannot_be_kept_from_it_no_compiler_is_run),
    ("confinement::an_empty_network_is_not_needed", an_empty_network_is_not_needed),
];

const BY_LANDLOCK: &str = "Permission denied (os error 13)";
const BY_FILTER: &str = "Operation not permitted (os error 1)";

/// What an author hears where no compiler is run, and nothing of why: that is for the operator.
const NOT_STARTED: &str = "the compiler cannot be started";

fn files_are_out_of_reach() {
    let stage = Stage::with(&[]);
    stage.compiles();
    let (bait, token) = (stage.path("bait.d.ts"), stage.path("data/admin.token"));
    fs::write(&bait, "export {};").expect("it can be written");
    let shown = |path: &Path| path.display().to_string();

    // What it may do, so that the rest means something.
    assert_eq!(stage.report("read package/mod.ts"), format!("read {} bytes", Stage::source("read package/mod.ts").len()));
    assert_eq!(stage.report("list out"), "listed 0 entries");
    assert_eq!(stage.report("write out/deep.d.ts"), "done");

    for outside in ["/etc/passwd", "/proc/self/environ", "/proc/meminfo", &shown(&bait), &shown(&token), "../../data/signing.key"] {
        assert_eq!(stage.report(&format!("read {outside}")), BY_LANDLOCK, "{outside}");
    }
    for outside in ["/", "/etc", "/proc", "..", &shown(&stage.path("")), &shown(&stage.path("data"))] {
        assert_eq!(stage.report(&format!("list {outside}")), BY_LANDLOCK, "{outside}");
    }
    assert_eq!(stage.report("parent"), BY_LANDLOCK);
    assert_eq!(stage.report("environment"), "GOMEMLIMIT OPENSSL_CONF");

    // Nothing is written outside, nor where the run is laid out: the sources and the settings stay what they are.
    let new = shown(&stage.path("new"));
    for place in [&new, &shown(&bait), "/tmp/slipway-written-by-the-enemy", "package/mod.ts", "tsconfig.json", "new.ts", "/dev/zero"] {
        assert_eq!(stage.report(&format!("write {place}")), BY_LANDLOCK, "{place}");
    }
    assert_eq!(stage.report(&format!("remove {}", shown(&bait))), BY_LANDLOCK);
    assert_eq!(stage.report(&format!("chmod {}", shown(&token))), BY_FILTER);
    assert_eq!((fs::read_to_string(&bait).ok().as_deref(), mode(&token)), (Some("export {};"), 0o600));
    assert!(!Path::new(&new).exists());

    // Nor is anything of outside put where the registry looks for declarations.
    for way in ["link", "hard-link", "rename"] {
        let report = stage.report(&format!("{way} {}", shown(&bait)));
        let is_refused = report == BY_LANDLOCK || report == "Invalid cross-device link (os error 18)";
        assert!(is_refused, "{way}: {report}");
    }
    assert!(bait.exists());
    stage.close();
}

fn nobody_is_spoken_to() {
    let stage = Stage::with(&[]);
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let unix = UnixListener::bind(stage.path("socket")).expect("a socket can be made");
    let name = format!("slipway-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("it is a name");
    let unnamed = UnixListener::bind_addr(&address).expect("a socket can be made");

    assert_eq!(stage.report(&format!("tcp {}", tcp.local_addr().expect("it has one"))), BY_FILTER);
    assert_eq!(stage.report(&format!("unix {}", stage.path("socket").display())), BY_FILTER);
    assert_eq!(stage.report(&format!("abstract {name}")), BY_FILTER);
    tcp.set_nonblocking(true).expect("it is a socket");
    assert_eq!(tcp.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    for listener in [unix, unnamed] {
        listener.set_nonblocking(true).expect("it is a socket");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    assert_eq!(stage.report("thread"), "done");
    assert_eq!(stage.report("fork"), BY_FILTER);
    assert_eq!(stage.report("signal"), BY_FILTER);
    stage.close();
}

fn what_is_used_is_limited() {
    let stage = Stage::with(&[("SLIPWAY_TYPESCRIPT_MEMORY_BYTES", "268435456"), ("SLIPWAY_TYPESCRIPT_CPU_SECONDS", "1")]);
    let report = stage.report("measure");
    let mebibytes = report.strip_prefix("no more after ").and_then(|rest| rest.strip_suffix(" MiB")?.parse::<u32>().ok());
    assert!(mebibytes.is_some_and(|mebibytes| (128..256).contains(&mebibytes)), "{report}");
    assert_eq!(stage.reason("hoard"), "the compiler ran out of memory");
    assert_eq!(stage.report("shared-memory"), BY_FILTER);

    assert_eq!(stage.reason("spin"), "the compiler ran out of processor time");

    assert_eq!(stage.report("deep 60"), "60 MiB deep");
    assert_eq!(stage.reason("deep 65"), "the compiler was ended by signal 11");

    let report = stage.report("open");
    let (files, error) = report.split_once(" files: ").expect("it says how many");
    assert_eq!(error, "Too many open files (os error 24)");
    assert!(files.parse::<u32>().is_ok_and(|files| (240..256).contains(&files)), "{report}");
    stage.close();
}

fn what_is_written_is_limited() {
    let stage = Stage::with(&[]);
    assert_eq!(stage.reason("print"), "the compiler printed more than 1048576 bytes");
    assert_eq!(stage.reason("long"), "the compiler wrote a file of more than 8388608 bytes");
    for many in ["many", "empty"] {
        assert_eq!(stage.reason(many), "the compiler wrote more than 67108864 bytes", "{many}");
    }
    stage.compiles();
    stage.close();
}

fn who_waits_is_ended() {
    let stage = Stage::with(&[("SLIPWAY_TYPESCRIPT_WALL_SECONDS", "1")]);
    assert_eq!(stage.reason("sleep"), "the compiler took longer than 1 s");
    assert_eq!(stage.reason("hush"), "the compiler closed its pipes and stayed");
    stage.close();
}

/// No compiler runs on such a system, and both who publishes and who operates are told.
fn is_refused(system: &str, why: &str) {
    let stage = Stage::on(system, &[]);
    let trace = stage.path("trace");
    assert_eq!(stage.reason(&format!("write {}", trace.display())), NOT_STARTED);
    assert!(!trace.exists());
    stage.close();

    let place = tempfile::tempdir().expect("a directory can be made");
    let environment = surroundings(place.path());
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let said = run_on(system, place.path(), &["doctor", "--data", "data"], &environment);
    let line = said.out.lines().find(|line| line.contains("compiler:")).unwrap_or_default();
    assert!(line.starts_with("problem") && line.contains("it is never run") && line.contains(why), "{}", said.out);
}

fn where_files_cannot_be_kept_from_it_no_compiler_is_run() {
    is_refused(lacking::LANDLOCK, "Landlock");
}

fn where_calls_cannot_be_kept_from_it_no_compiler_is_run() {
    is_refused(lacking::FILTERS, "seccomp");
}

fn an_empty_network_is_not_needed() {
    let stage = Stage::on(lacking::NAMESPACES, &[]);
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    stage.compiles();
    assert_eq!(stage.report(&format!("tcp {}", tcp.local_addr().expect("it has one"))), BY_FILTER);
    assert_eq!(stage.report("read /etc/passwd"), BY_LANDLOCK);
    stage.close();

    let place = tempfile::tempdir().expect("a directory can be made");
    let environment = surroundings(place.path());
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    for (system, network) in [(lacking::NAMESPACES, "the system allows no empty network besides"), (NAME, "has an empty network")] {
        let said = run_on(system, place.path(), &["doctor", "--data", "data"], &environment);
        let line = said.out.lines().find(|line| line.contains("compiler:")).unwrap_or_default();
        let kept = "typescript 9.9.9 answers; it is kept from other files, processes and sockets";
        assert!(line.starts_with("ok") && line.contains(kept) && line.contains(network), "{}", said.out);
    }
}
