//! Calling a command, and reading what it says.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What the program is called as to be the binary.
pub(crate) const NAME: &str = "slipway";

/// Longest that an answer takes. Only a test that is about to fail waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A test of this suite and its name.
pub(crate) type Test = (&'static str, fn());

/// How a command ended, and what it said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command with nothing in its environment, in a directory of its own.
fn command(name: &str, directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let program = std::env::current_exe().expect("the program knows where it is");
    let mut command = Command::new(program);
    command.arg0(name).args(arguments).env_clear().envs(environment.iter().copied()).current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    run_on(NAME, directory, arguments, environment)
}

/// The same on a system that lacks what the name says.
pub(crate) fn run_on(system: &str, directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let output = command(system, directory, arguments, environment).output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A registry that runs.
pub(crate) struct Up {
    child: Child,
    address: String,
}

impl Up {
    /// Starts a registry on a free port, with its data in `directory/data`, and waits until it is ready.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_at(directory, "127.0.0.1:0")
    }

    /// The same at an address.
    pub(crate) fn start_at(directory: &Path, listen: &str) -> Self {
        Self::spawned(command(NAME, directory, &["up", "--data", "data", "--listen", listen], &[]))
    }

    /// The same on a system that lacks what the name says, with settings.
    pub(crate) fn start_on(system: &str, directory: &Path, environment: &[(&str, &str)]) -> Self {
        Self::spawned(command(system, directory, &["up", "--data", "data", "--listen", "127.0.0.1:0"], environment))
    }

    /// The same among other surroundings.
    pub(crate) fn start_among(directory: &Path, listen: &str, umask: &str, environment: &[(&str, &str)]) -> Self {
        let program = std::env::current_exe().expect("the program knows where it is");
        let line = format!("umask {umask}; exec -a {NAME} \"$0\" up --data data --listen {listen}");
        let mut shell = Command::new("bash");
        shell.args(["-c", &line]).arg(program).env_clear().envs(environment.iter().copied());
        shell.current_dir(directory).stdin(Stdio::null());
        Self::spawned(shell)
    }

    fn spawned(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let ready = lines.find_map(|line| line.strip_prefix("ready http://").map(|rest| rest.trim_end_matches('/').to_owned()));
        Self { child, address: ready.expect("it says that it is ready before it ends") }
    }

    /// Its address, as a browser has it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits for a file that the registry writes when it comes to it.
    pub(crate) fn until_there(&self, file: &Path) {
        self.until(|| file.exists());
    }

    /// Waits for something that the registry does when it comes to it.
    pub(crate) fn until(&self, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "what is waited for does not come");
            self.status("/healthz", "");
        }
    }

    /// The status of a GET with a token.
    pub(crate) fn status(&self, path: &str, token: &str) -> u16 {
        self.call("GET", path, token, &[], b"").0
    }

    /// The status and the body of an answer; the body is null when it is no JSON. An older HTTP, in which it comes in one piece.
    pub(crate) fn call(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("there is a deadline");
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n{more}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Asks it to end, and demands that it does so in good order.
    pub(crate) fn stop(mut self) {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).expect("it runs");
        assert!(self.child.wait().expect("it can be waited for").success());
    }
}

/// A failed test leaves no process behind.
impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The token in a registry's file.
pub(crate) fn token(directory: &Path) -> String {
    fs::read_to_string(directory.join("data/admin.token")).expect("it is there").trim().to_owned()
}

/// Who may do what with a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}
