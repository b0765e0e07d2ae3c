//! What happens on the wire: clients that say nothing, or stop in the middle.

use std::time::{Duration, Instant};

use futures::future::join_all;
use slipway_tests::{PackageBuilder, TestRegistry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The configuration of a registry that waits no longer than it must.
const IMPATIENT: [(&str, &str); 2] = [("timeouts.head_seconds", "1"), ("timeouts.body_seconds", "1")];

/// Longer than anything here takes, shorter than what the registry does without deadlines.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection on which this was said.
async fn said(registry: &TestRegistry, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(registry.listen().await).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Everything that is answered, to the end of the connection.
async fn heard(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    end.unwrap_or_else(|_| panic!("the connection is still open: {text}")).unwrap();
    text
}

/// The head of a request that asks before it sends: the answer says when the registry begins to read.
fn head(method: &str, path: &str, token: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: registry.test\r\nauthorization: Bearer {token}\r\ncontent-encoding: gzip\r\n\
         content-length: 1000\r\nexpect: 100-continue\r\n\r\n"
    )
}

async fn wait_for_continue(stream: &mut TcpStream) {
    let mut answer = [0; 25];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("it is answered").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let registry = TestRegistry::configured(&IMPATIENT).await;
    for begun in ["", "G", "GET / HTTP/1.1\r\nhost: registry.test\r\nx-more: "] {
        let mut stream = said(&registry, begun).await;
        assert_eq!(heard(&mut stream).await, "", "{begun:?}");
    }
    // A connection that has nothing more to ask ends in the same way.
    let mut stream = said(&registry, "GET /healthz HTTP/1.1\r\nhost: registry.test\r\n\r\n").await;
    assert!(heard(&mut stream).await.ends_with("alive\n"));
}

#[tokio::test]
async fn a_body_that_stops_is_not_waited_for() {
    let registry = TestRegistry::configured(&IMPATIENT).await;
    let author = registry.author("@acme/maths").await;
    let before = registry.world().await;
    let upload = PackageBuilder::small("@acme/maths", "1.0.0").address();
    for (path, status) in [(upload.as_str(), "requestTimeout"), ("/api/scopes", "requestTimeout"), ("/login", "requestTimeout")] {
        let mut stream = said(&registry, &head("POST", path, author.secret().unwrap())).await;
        wait_for_continue(&mut stream).await;
        stream.write_all(b"some of it").await.unwrap();
        let answer = heard(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains(status), "{path}: {answer}");
    }
    assert_eq!(registry.world().await, before, "nothing is left behind");
}

#[tokio::test]
async fn an_upload_on_its_way_does_not_hold_up_the_end() {
    let mut registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = PackageBuilder::small("@acme/maths", "1.0.0");
    let mut stream = said(&registry, &head("POST", &package.address(), author.secret().unwrap())).await;
    wait_for_continue(&mut stream).await;
    let begun = Instant::now();
    registry.restart().await;
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let answer = heard(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after"), "{answer}");
    // Nothing of it stands in the way of the next attempt.
    assert_eq!(author.publish_through(&package).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn half_a_head_does_not_hold_up_the_end() {
    let mut registry = TestRegistry::start().await;
    let address = registry.listen().await;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    // Who is answered after it came after it, too: half a head has been read by now.
    let mut whole = TcpStream::connect(address).await.unwrap();
    whole.write_all(b"GET /readyz HTTP/1.1\r\nhost: registry.test\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(heard(&mut whole).await.ends_with("ready\n"));
    let begun = Instant::now();
    registry.restart().await;
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert_eq!(heard(&mut half).await, "");
}

#[tokio::test]
async fn strangers_do_not_use_up_the_places_for_refused_uploads() {
    let registry = TestRegistry::configured(&[("timeouts.body_seconds", "2")]).await;
    let author = registry.author("@acme/maths").await;
    let address = PackageBuilder::small("@acme/maths", "1.0.0").address();
    let stranger = registry.anonymous().bearer("not a token");
    // More of them than there are places wait for bytes that never come; the next one is refused at once.
    let waiting = join_all((0..32).map(|_| stranger.stall(&address)));
    tokio::pin!(waiting);
    let next = tokio::select! {
        biased;
        _ = &mut waiting => panic!("they wait"),
        answer = stranger.stall(&address) => answer,
    };
    assert_eq!(next.refusal(), "401 invalidBearerToken");
    // An author has a place all the same: a refused upload is read for as long as theirs are, which began before.
    let author = author.with("content-encoding", "identity");
    tokio::select! {
        biased;
        answers = &mut waiting => assert!(answers.iter().all(|answer| answer.refusal() == "401 invalidBearerToken")),
        _ = author.stall(&address) => panic!("it is not read"),
    }
}
