//! An edge in front is told what changed, and a publish does not wait for one that is gone.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::deep::publish;
use crate::process::{Test, Up, run};

pub(crate) const TESTS: &[Test] = &[("purge::an_edge_is_told_and_not_waited_for", an_edge_is_told_and_not_waited_for)];

/// How long a purge may be on its way.
const PATIENCE: Duration = Duration::from_secs(30);

fn an_edge_is_told_and_not_waited_for() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let place = place.path();
    let edge = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = edge.local_addr().expect("it has an address");
    let config = format!("[cdn]\npurge = \"url\"\npurge_url = \"http://{address}/\"\ntoken = \"hunter2\"\n");
    fs::write(place.join("slipway.toml"), config).expect("it is ours");
    let (tell, told) = mpsc::channel();
    let heard = thread::spawn(move || {
        // The three documents of a package have two addresses; then the edge is gone.
        for stream in edge.incoming().take(2) {
            let mut stream = stream.expect("somebody calls");
            let head: Vec<String> = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("it is listened to");
            tell.send(head).expect("the test waits");
        }
    });
    let up = Up::start(place);
    let said = run(place, &["admin", "scope", "assign", "acme", "--user", "admin", "--data", "data"], &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    publish(place, &up, "@acme/maths", "1.0.0");
    let mut lines = Vec::new();
    for _ in 0..2 {
        let head = told.recv_timeout(PATIENCE).expect("the edge is told");
        assert!(head.iter().any(|line| line == "authorization: Bearer hunter2"), "{head:?}");
        lines.push(head[0].clone());
    }
    lines.sort();
    assert_eq!(lines, ["PURGE /@acme/maths/meta.json HTTP/1.1", "PURGE /npm/@jsr/acme__maths HTTP/1.1"]);
    heard.join().expect("the edge saw nothing strange");
    publish(place, &up, "@acme/maths", "1.1.0");
    up.stop();
}
