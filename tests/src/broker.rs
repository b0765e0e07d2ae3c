//! The queues that suites run on: the one inside a process always, RabbitMQ where there is a server.
//!
//! A [`Broker`] is a virtual host of one test in the server that `SLIPWAY_TEST_QUEUE` names, made and taken away over the management
//! interface that `SLIPWAY_TEST_QUEUE_ADMIN` names. Without a server those variants say so and pass, or fail where
//! `SLIPWAY_TEST_REQUIRE` promises one.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use slipway_common::queue::{self, Queue};
use url::Url;

use crate::bells::PATIENCE;
use crate::engines::told;
use crate::proxy::Proxy;

/// Makes two tests of one body, one for each kind of queue: `on_both_queues!(name, async |queue| { … })` becomes
/// `name::in_process` and `name::amqp`.
#[macro_export]
macro_rules! on_both_queues {
    ($name:ident, $case:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the body sees what the file around it sees")]
            use super::*;

            #[test]
            fn in_process() {
                $crate::broker::without_broker($case);
            }

            #[test]
            fn amqp() {
                $crate::broker::over_broker($case);
            }
        }
    };
}

/// Runs a test on the queue of a process.
pub fn without_broker(case: impl AsyncFnOnce(Arc<dyn Queue>)) {
    runtime().block_on(in_time(case(queue::open("in-process:").expect("this queue can be opened"))));
}

/// Runs a test on the queue over a virtual host of its own.
pub fn over_broker(case: impl AsyncFnOnce(Arc<dyn Queue>)) {
    with_broker(async |broker| case(broker.queue()).await);
}

/// Runs a test on a virtual host of its own.
pub fn with_broker(case: impl AsyncFnOnce(&Broker)) {
    runtime().block_on(async {
        let Some(broker) = Broker::make().await else { return };
        let outcome = AssertUnwindSafe(in_time(case(&broker))).catch_unwind().await;
        broker.remove().await;
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be made")
}

async fn in_time(case: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, case).await.expect("what the test waits for happens");
}

/// A virtual host.
#[derive(Debug)]
pub struct Broker {
    /// Its address, as the configuration has it.
    pub url: String,
    name: String,
    admin: Url,
    http: reqwest::Client,
}

impl Broker {
    /// An empty virtual host. `None` where there is no server and none was promised.
    pub async fn make() -> Option<Self> {
        let (server, admin) = server()?;
        Some(Self::on(server, admin).await)
    }

    /// An empty virtual host in a server that is given by its address and that of its management interface.
    pub async fn on(server: Url, admin: Url) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("slipway-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut url = server;
        url.set_path(&name);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client can be made");
        let broker = Self { url: url.into(), name, admin, http };
        broker.create().await;
        broker
    }

    /// The queue, as a process opens it.
    #[must_use]
    pub fn queue(&self) -> Arc<dyn Queue> {
        queue::open(&self.url).expect("the address can be read")
    }

    /// A queue behind a proxy that the test can cut.
    pub async fn behind_proxy(&self) -> (Arc<dyn Queue>, Proxy) {
        let (url, proxy) = self.proxy().await;
        (queue::open(&url).expect("the address can be read"), proxy)
    }

    /// A proxy that the test can cut, and the address of the virtual host behind it.
    pub async fn proxy(&self) -> (String, Proxy) {
        let mut url = Url::parse(&self.url).expect("this is a URL");
        let proxy = Proxy::before((url.host_str().expect("a host").to_owned(), url.port().unwrap_or(5672))).await;
        url.set_host(Some("127.0.0.1")).expect("a host can be set");
        url.set_port(Some(proxy.port())).expect("a port can be set");
        (url.into(), proxy)
    }

    /// Puts a message in a queue that no queue of ours would send.
    pub async fn put(&self, queue: &str, base64: &str) {
        let message = json!({ "properties": {}, "routing_key": queue, "payload": base64, "payload_encoding": "base64" });
        let answer = self.ask(Method::POST, "exchanges/{}/amq.default/publish", &message).await;
        assert_eq!(answer["routed"], true, "there is no {queue}");
    }

    /// What the broker says about a queue.
    pub async fn describe(&self, queue: &str) -> Value {
        self.ask(Method::GET, &format!("queues/{{}}/{queue}"), &Value::Null).await
    }

    /// The first message of a queue, which stays there.
    pub async fn peek(&self, queue: &str) -> Value {
        let how = json!({ "count": 1, "ackmode": "ack_requeue_true", "encoding": "auto" });
        self.ask(Method::POST, &format!("queues/{{}}/{queue}/get"), &how).await[0].take()
    }

    /// Throws away the messages of a queue.
    pub async fn purge(&self, queue: &str) {
        self.ask(Method::DELETE, &format!("queues/{{}}/{queue}/contents"), &Value::Null).await;
    }

    /// Throws away a queue.
    pub async fn delete(&self, queue: &str) {
        self.ask(Method::DELETE, &format!("queues/{{}}/{queue}"), &Value::Null).await;
    }

    /// Takes the virtual host away and makes it again, empty. The broker closes every connection to it, with a word of why, as it does
    /// when it is shut down.
    pub async fn start_over(&self) {
        self.ask(Method::DELETE, "vhosts/{}", &Value::Null).await;
        self.create().await;
    }

    async fn create(&self) {
        self.ask(Method::PUT, "vhosts/{}", &json!({})).await;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.ask(Method::PUT, &format!("permissions/{{}}/{}", self.admin.username()), &all).await;
    }

    /// Takes the virtual host away, with all that is in it. [`with_broker`] does it for the one that it made.
    pub async fn remove(self) {
        self.ask(Method::DELETE, "vhosts/{}", &Value::Null).await;
    }

    /// Asks the management interface, as whom its address says; `{}` in the path is the virtual host.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let address = self.admin.join("api/").and_then(|api| api.join(&path.replace("{}", &self.name))).expect("this is a path");
        let mut request = self.http.request(method, address);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("SLIPWAY_TEST_QUEUE_ADMIN can be reached");
        let status = answer.status();
        let text = answer.text().await.expect("an answer has an end");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// The server to make virtual hosts in and its management interface, or `None`, with a word of why.
#[expect(clippy::print_stdout, reason = "a suite that does not run says so")]
fn server() -> Option<(Url, Url)> {
    let (Some(server), Some(admin)) = (told("SLIPWAY_TEST_QUEUE"), told("SLIPWAY_TEST_QUEUE_ADMIN")) else {
        let why = "SLIPWAY_TEST_QUEUE and SLIPWAY_TEST_QUEUE_ADMIN name no RabbitMQ; `./tests/run` starts one";
        assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
        println!("not run: {why}");
        return None;
    };
    let read = |name: &str, text: &str| Url::parse(text).unwrap_or_else(|error| panic!("{name} is no URL: {error}"));
    Some((read("SLIPWAY_TEST_QUEUE", &server), read("SLIPWAY_TEST_QUEUE_ADMIN", &admin)))
}
