//! A compiler that does what it is told by the package it compiles.
//!
//! The first line of `package/mod.ts` says what to try. What came of it is a complaint of the compiler, so it is read where an author
//! would read it: in a note of the task.

use std::fs::{self, File, Permissions};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::parent_id;
use std::process::{Command, ExitCode};
use std::thread;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, test_kill_process};

/// How a file of the suite's program is called that is such a compiler.
pub(crate) const NAME: &str = "tsc-of-the-enemy";

/// A mebibyte.
const MIB: usize = 1024 * 1024;
/// What it needs to have made declarations.
const DECLARATIONS: [(&str, &str); 2] = [
    ("out/mod.d.ts", "export declare const made: number;\n//# sourceMappingURL=mod.d.ts.map"),
    ("out/mod.d.ts.map", r#"{"version":3,"file":"mod.d.ts","sourceRoot":"","sources":["../package/mod.ts"],"names":[],"mappings":"AAAA"}"#),
];

/// The whole life of such a compiler.
pub(crate) fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let own = arguments.next().unwrap_or_default();
    if arguments.next().as_deref() == Some("--version") {
        println!("Version 9.9.9");
        return ExitCode::SUCCESS;
    }
    let source = fs::read_to_string("package/mod.ts").unwrap_or_default();
    let order = source.lines().next().unwrap_or_default().trim_start_matches("// ");
    let (act, what) = order.split_once(' ').unwrap_or((order, ""));
    if act == "compile" {
        return match DECLARATIONS.iter().try_for_each(|(path, text)| fs::write(path, text)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => said(&error.to_string()),
        };
    }
    said(&attempt(&own, act, what).unwrap_or_else(|error| error.to_string()))
}

fn said(report: &str) -> ExitCode {
    println!("package/mod.ts(1,1): error TS9001: {report}");
    ExitCode::from(2)
}

#[expect(clippy::disallowed_methods, reason = "what is in its environment is what the test wants to know")]
fn attempt(own: &str, act: &str, what: &str) -> io::Result<String> {
    let done = |()| "done".to_owned();
    match act {
        "read" => fs::read_to_string(what).map(|text| format!("read {} bytes", text.len())),
        "list" => fs::read_dir(what).map(|entries| format!("listed {} entries", entries.count())),
        "write" => fs::write(what, "x").map(done),
        "remove" => fs::remove_file(what).map(done),
        "rename" => fs::rename(what, "out/stolen.d.ts").map(done),
        "chmod" => fs::set_permissions(what, Permissions::from_mode(0o777)).map(done),
        "hard-link" => fs::hard_link(what, "out/mod.d.ts").map(done),
        "link" => symlink(what, "out/mod.d.ts").map(done),
        "environment" => Ok(std::env::vars().map(|(name, _)| name).collect::<Vec<_>>().join(" ")),
        "parent" => fs::read(format!("/proc/{}/environ", parent_id())).map(|bytes| format!("read {} bytes", bytes.len())),
        "tcp" => TcpStream::connect(what).map(|_| done(())),
        "unix" => UnixStream::connect(what).map(|_| done(())),
        "abstract" => UnixStream::connect_addr(&SocketAddr::from_abstract_name(what)?).map(|_| done(())),
        "fork" => Command::new(own).arg("--version").status().map(|_| done(())),
        "thread" => thread::Builder::new().spawn(|| ())?.join().map(done).map_err(|_| io::Error::other("it fell")),
        "signal" => Ok(test_kill_process(Pid::from_raw(i32::try_from(parent_id()).unwrap_or(1)).unwrap_or(Pid::INIT)).map(done)?),
        "shared-memory" => Ok(memfd_create("x", MemfdFlags::empty()).map(|_| done(()))?),
        "open" => Ok(open_without_end()),
        "deep" => Ok(format!("{} MiB deep", deep(what.parse().unwrap_or(usize::MAX)))),
        _ => without_end(act),
    }
}

/// What does not come back unless somebody sees to it.
fn without_end(act: &str) -> io::Result<String> {
    let mut held: Vec<Vec<u8>> = Vec::with_capacity(MIB);
    for count in 0_usize.. {
        match act {
            "spin" => _ = black_box(count),
            "sleep" => thread::park(),
            "hush" => {
                let nowhere = File::options().write(true).open("/dev/null")?;
                rustix::stdio::dup2_stdout(&nowhere)?;
                rustix::stdio::dup2_stderr(&nowhere)?;
                thread::park();
            }
            // A pipe that nobody listens to any more is no reason to leave.
            "print" => _ = io::stdout().write_all(&[b'x'; 4096]),
            "measure" => {
                let mut block = Vec::new();
                if block.try_reserve_exact(MIB).is_err() {
                    drop(held);
                    return Ok(format!("no more after {count} MiB"));
                }
                block.resize(MIB, 1);
                held.push(block);
            }
            "hoard" => held.push(vec![1; MIB]),
            "long" => File::options().create(true).append(true).open("out/long")?.write_all(&vec![1; MIB])?,
            "many" => fs::write(format!("out/{}", count % 200), vec![1; MIB])?,
            "empty" => fs::write(format!("out/{}", count % 100_000), "")?,
            other => return Ok(format!("cannot do '{other}'")),
        }
    }
    Ok("there are no more numbers".to_owned())
}

fn open_without_end() -> String {
    let mut held = Vec::new();
    loop {
        match File::open("package/mod.ts") {
            Ok(file) => held.push(file),
            Err(error) => return format!("{} files: {error}", held.len()),
        }
    }
}

/// Goes so many mebibytes down the stack, and comes back.
fn deep(mebibytes: usize) -> usize {
    let frame = [0_u8; MIB];
    black_box(&frame);
    if mebibytes <= 1 { 1 } else { 1 + black_box(deep(mebibytes - 1)) }
}
