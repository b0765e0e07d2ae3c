//! Running a client and reading what it says.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longest a client may take. The slowest of them compiles its own TypeScript for a first check in about ten seconds on two busy
/// cores; one that is still there after two minutes waits for something that will not come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A command that is put together, to be run by [`Run::ok`] or [`Run::fails`].
pub(crate) struct Run {
    command: Command,
    shown: String,
    patience: Duration,
}

/// What a command said, and how it ended.
pub(crate) struct Said {
    /// Standard output.
    pub(crate) out: String,
    /// Standard output, then standard error.
    pub(crate) all: String,
    shown: String,
}

impl Run {
    /// A program in a directory, with an empty environment.
    pub(crate) fn new(program: impl AsRef<OsStr>, directory: &Path) -> Self {
        let mut command = Command::new(&program);
        command.env_clear().current_dir(directory).stdin(Stdio::null());
        let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { command, shown: name, patience: PATIENCE }
    }

    /// Gives it longer than others get.
    pub(crate) fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        let _ = write!(self.shown, " {}", argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub(crate) fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Runs it. It must succeed.
    pub(crate) fn ok(self) -> Said {
        let (succeeded, said) = self.finish();
        assert!(succeeded, "`{}` failed:\n{}", said.shown, said.all);
        said
    }

    /// Runs it. It must fail.
    pub(crate) fn fails(self) -> Said {
        let (succeeded, said) = self.finish();
        assert!(!succeeded, "`{}` should have failed:\n{}", said.shown, said.all);
        said
    }

    /// The same command on a terminal of its own. `script` makes the terminal and ends as the command does.
    pub(crate) fn on_terminal(self) -> Command {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))).collect();
        let mut command = Command::new("script");
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.args(["-qec", &line.join(" "), "/dev/null"]);
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        command
    }

    fn finish(mut self) -> (bool, Said) {
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.unwrap_or_else(|error| panic!("`{}` cannot be started: {error}", self.shown));
        let id = child.id();
        let (done, wait) = mpsc::channel();
        thread::spawn(move || done.send(child.wait_with_output()));
        let Ok(output) = wait.recv_timeout(self.patience) else {
            signal(id, "KILL");
            panic!("`{}` did not end within {:?}", self.shown, self.patience);
        };
        let Output { status, stdout, stderr } = output.expect("the output of a child can be read");
        let out = String::from_utf8_lossy(&stdout).into_owned();
        let all = format!("{out}{}", String::from_utf8_lossy(&stderr));
        (status.success(), Said { out, all, shown: self.shown })
    }
}

impl Said {
    /// Demands that a text was said, on whichever stream.
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.all.contains(text), "`{}` does not say {text:?}:\n{}", self.shown, self.all);
        self
    }

    /// The last line of standard output, which is what the small programs of these tests print.
    pub(crate) fn last_line(&self) -> &str {
        self.out.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default()
    }
}

/// Sends a signal to one process.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().expect("a shell is there");
    assert!(sent.success(), "process {id} cannot be sent {name}");
}
