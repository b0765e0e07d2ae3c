//! A `slipway up` of one's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::run::signal;

/// Longest wait for `ready`, and for the end after SIGTERM. Both take under a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often the state of a task is asked for. The registry holds each question open for about a second and a half.
const ASKED: usize = 60;

/// A registry in a process of its own.
pub(crate) struct Registry {
    child: Option<Child>,
    binary: PathBuf,
    data: PathBuf,
    /// What it is told on its command line besides where its data is.
    arguments: Vec<String>,
    settings: Vec<(String, String)>,
    url: String,
    token: String,
    answers: PathBuf,
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body; `null` where there is none.
    pub(crate) body: Value,
}

impl Registry {
    /// Starts the binary on a free port, with these settings, and waits until it says that it is ready.
    pub(crate) fn start(binary: &Path, data: &Path, settings: &[(String, String)]) -> Self {
        let port = free_port();
        let arguments = vec!["--listen".to_owned(), format!("127.0.0.1:{port}")];
        let settings = settings.to_vec();
        let child = Self::launch(binary, data, &arguments, &settings);
        let token = fs::read_to_string(data.join("admin.token")).expect("the first start writes a token");
        let answers = data.with_extension("answers");
        fs::create_dir_all(&answers).expect("a directory can be made");
        let (url, token) = (format!("http://127.0.0.1:{port}/"), token.trim().to_owned());
        Self { child: Some(child), binary: binary.to_owned(), data: data.to_owned(), arguments, settings, url, token, answers }
    }

    /// Its files.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Starts it again after [`Self::halt`], at the same address, with more to say on its command line.
    pub(crate) fn start_again(&mut self, more: &[&str]) {
        self.arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        self.child = Some(Self::launch(&self.binary, &self.data, &self.arguments, &self.settings));
    }

    fn launch(binary: &Path, data: &Path, arguments: &[String], settings: &[(String, String)]) -> Child {
        let mut child = Command::new(binary)
            .arg("up")
            .arg("--data")
            .arg(data)
            .args(arguments)
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
        let (lines, said) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("it is piped")), Box::new(child.stderr.take().expect("it is piped"))];
        for stream in streams {
            let lines = lines.clone();
            // Reads to the end even when nobody listens any more: a full pipe would stop the registry.
            thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| drop(lines.send(line))));
        }
        drop(lines);
        let mut seen = Vec::new();
        loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) if line.starts_with("ready") => break,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("`slipway up` is not ready after {PATIENCE:?}:\n{}", seen.join("\n")),
                Err(RecvTimeoutError::Disconnected) => panic!("`slipway up` ended before it was ready:\n{}", seen.join("\n")),
            }
        }
        child
    }

    /// The address, with a trailing slash.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The token of the first user.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Calls the API as the first user.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(&self.token, method, path, body)
    }

    /// Calls the API with a token.
    pub(crate) fn call_with(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(ToString::to_string);
        let mut more = vec!["-H".to_owned(), format!("authorization: Bearer {token}")];
        if let Some(body) = body {
            more.extend(["-H".to_owned(), "content-type: application/json".to_owned(), "--data-binary".to_owned(), body]);
        }
        self.curl(method, &format!("api/{path}"), &more)
    }

    /// Fetches anything, as nobody in particular.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.curl("GET", path, &[])
    }

    /// Asks with curl, which is how a person would without any client.
    pub(crate) fn curl(&self, method: &str, path: &str, more: &[String]) -> Answer {
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "60", "-X", method, "-w", "\n%{http_code}"])
            .args(more)
            .arg(format!("{}{path}", self.url))
            .output()
            .expect("curl is installed");
        assert!(output.status.success(), "curl {method} {path}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("curl writes the status last");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or_else(|_| json!(body)) };
        Answer { status: status.parse().expect("a status is a number"), body }
    }

    /// Makes sure that a package exists, and its scope.
    pub(crate) fn open(&self, name: &str) {
        let (scope, package) = parts(name);
        let made = self.call("POST", "scopes", Some(&json!({"scope": scope, "description": ""})));
        assert!(made.status == 200 || made.body["code"] == "scopeAlreadyExists", "scope {scope}: {made:?}");
        let made = self.call("POST", &format!("scopes/{scope}/packages"), Some(&json!({"package": package})));
        assert_eq!(made.status, 200, "package {name}: {made:?}");
    }

    /// Packs a directory with tar and publishes it with curl. The answer is the POST's.
    pub(crate) fn upload(&self, directory: &Path, name: &str, version: &str, config: &str) -> Answer {
        let (scope, package) = parts(name);
        let tarball = self.answers.join(format!("{scope}-{package}-{version}.tgz"));
        let packed = Command::new("tar").arg("-czf").arg(&tarball).arg("-C").arg(directory).arg(".").status().expect("tar is installed");
        assert!(packed.success(), "tar cannot pack {}", directory.display());
        let more = [
            "-H".to_owned(),
            format!("authorization: Bearer {}", self.token),
            "-H".to_owned(),
            "content-encoding: gzip".to_owned(),
            "--data-binary".to_owned(),
            format!("@{}", tarball.display()),
        ];
        self.curl("POST", &format!("api/scopes/{scope}/packages/{package}/versions/{version}?config=/{config}"), &more)
    }

    /// The final state of a publishing task.
    pub(crate) fn finished(&self, task: &Value) -> Value {
        let mut task = task.clone();
        for _ in 0..ASKED {
            if task["status"] == "success" || task["status"] == "failure" {
                return task;
            }
            let id = task["id"].as_str().unwrap_or_else(|| panic!("a task has an id: {task}"));
            task = self.get(&format!("api/publish_status/{id}")).body;
        }
        panic!("the task does not end: {task}");
    }

    /// Publishes a directory with tar and curl. It must succeed.
    pub(crate) fn publish(&self, directory: &Path, name: &str, version: &str, config: &str) {
        let answer = self.upload(directory, name, version, config);
        assert_eq!(answer.status, 200, "{name}@{version}: {answer:?}");
        let task = self.finished(&answer.body);
        assert_eq!(task["status"], "success", "{name}@{version}: {task}");
    }

    /// The versions that resolvers see, as `meta.json` lists them.
    pub(crate) fn versions(&self, name: &str) -> Vec<String> {
        let meta = self.get(&format!("{name}/meta.json"));
        let mut versions: Vec<String> =
            meta.body["versions"].as_object().into_iter().flatten().map(|(version, _)| version.clone()).collect();
        versions.sort();
        versions
    }

    /// Asks the process to end and demands that it does so in good order.
    pub(crate) fn stop(mut self) {
        self.halt();
    }

    /// The same, for one that is started again or that others go on without. Nothing to do for one that is not running.
    pub(crate) fn halt(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let id = child.id();
        signal(id, "TERM");
        let (done, wait) = mpsc::channel();
        thread::spawn(move || done.send(child.wait()));
        let Ok(status) = wait.recv_timeout(PATIENCE) else {
            signal(id, "KILL");
            panic!("`slipway up` did not end within {PATIENCE:?} of SIGTERM");
        };
        let status = status.expect("a child can be waited for");
        assert!(status.success(), "`slipway up` ended with {status} after SIGTERM");
    }
}

/// A failed test leaves no process behind.
impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A free port on loopback.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("loopback has a free port").port()
}

fn parts(name: &str) -> (&str, &str) {
    name.strip_prefix('@').and_then(|name| name.split_once('/')).expect("a package is written @scope/name")
}
