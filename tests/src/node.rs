//! A RabbitMQ of one test, which is really stopped and started: `services/node.sh`.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The node. It goes with its owner.
#[derive(Debug)]
pub struct Node {
    /// Its address, as the configuration has it.
    pub url: String,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Orders that were not answered yet: whoever waited may have gone away.
    open: usize,
    // Goes by itself when its orders end.
    _child: Child,
}

impl Node {
    /// Starts a node whose data is in a directory.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(directory: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/node.sh");
        let mut child = Command::new(script).arg(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a bash");
        let orders = child.stdin.take().expect("it is piped");
        let mut answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = answers.next_line().await.ok().flatten().expect("the node starts");
        Self { url, orders, answers, open: 0, _child: child }
    }

    /// Kills it.
    ///
    /// # Panics
    /// When it cannot be.
    pub async fn halt(&mut self) {
        self.order("stop").await;
    }

    /// Starts it again with what it has written, unless it runs, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn boot(&mut self) {
        self.order("start").await;
    }

    async fn order(&mut self, word: &str) {
        // A word is so short that it goes as a whole.
        self.open += 1;
        self.orders.write_all(format!("{word}\n").as_bytes()).await.expect("the script runs");
        while self.open > 0 {
            let answer = self.answers.next_line().await.expect("the script can be heard");
            assert_eq!(answer.as_deref(), Some("done"), "the node could not {word}");
            self.open -= 1;
        }
    }
}
