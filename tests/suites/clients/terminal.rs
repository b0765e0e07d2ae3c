//! A client on a terminal, which a person would sit at.

use std::io::Read as _;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use crate::run::{PATIENCE, Run, signal};

/// A client that runs on a terminal and waits for somebody.
pub(crate) struct Terminal {
    child: Child,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal.
    pub(crate) fn start(run: Run) -> Self {
        let mut child = run.on_terminal().spawn().expect("script is installed");
        let mut screen = child.stdout.take().expect("it is piped");
        let (written, output) = mpsc::channel();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if written.send(piece[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, output, seen: Vec::new() }
    }

    /// The code that the client asks a person to confirm, from the address that it shows.
    pub(crate) fn code(&mut self) -> String {
        self.wait_for(|text| {
            let (_, after) = text.split_once("auth?code=")?;
            // The code is whole once something follows it.
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))?;
            Some(after[..end].to_owned())
        })
    }

    /// Waits for the end. Whether it succeeded, and everything that was on the screen.
    pub(crate) fn end(mut self) -> (bool, String) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(piece) = self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.extend(piece);
        }
        if Instant::now() >= deadline {
            self.give_up();
        }
        let status = self.child.wait().expect("a child can be waited for");
        (status.success(), self.screen())
    }

    fn wait_for<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(&self.screen()) {
                return found;
            }
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.seen.extend(piece),
                Err(_) => self.give_up(),
            }
        }
    }

    fn give_up(&self) -> ! {
        signal(self.child.id(), "TERM");
        panic!("the terminal does not show what was waited for:\n{}", self.screen());
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
