//! A server of what a registry stored, without the registry: a bucket. It can be told to lie.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

/// What becomes of an object before it is served: its key and its bytes in, its bytes out.
pub(crate) type Lie = fn(&str, String) -> String;

/// Serves until the test ends, and returns the address for npm clients. Nothing but documents is asked for here, and those are text.
pub(crate) fn serve(data: &Path, lie: Lie) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let objects = data.join("objects");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let objects = objects.clone();
            thread::spawn(move || answer(stream, &objects, lie));
        }
    });
    format!("http://{address}/npm/")
}

/// One answer for each connection. A client that goes away is no concern of anybody's.
fn answer(mut stream: TcpStream, objects: &Path, lie: Lie) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut lines = BufReader::new(reading).lines().map_while(Result::ok);
    let Some(line) = lines.next() else { return };
    // The rest of the head is read, or the client is cut off while it writes.
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = line.split(' ').nth(1).unwrap_or_default().replace("%2f", "/").replace("%2F", "/");
    let (status, body) = match find(objects, path.trim_start_matches('/')) {
        Some((key, text)) => ("200 OK", lie(&key, text)),
        None => ("404 Not Found", "{\"error\":\"not found\"}".to_owned()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// The object at a path, as the rules of an edge find it.
fn find(objects: &Path, path: &str) -> Option<(String, String)> {
    let keys = [path.to_owned(), path.strip_prefix("npm/").unwrap_or(path).to_owned(), format!("{path}/index.json")];
    keys.into_iter().find_map(|key| {
        let file: PathBuf = objects.join(&key);
        Some((key, fs::read_to_string(file).ok()?))
    })
}
