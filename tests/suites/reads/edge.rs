//! A private nginx, with the configuration that users copy.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use slipway_tests::engines::told;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// What users copy.
pub(crate) const CONFIGURATION: &str = include_str!("../../services/nginx.conf.in");

/// Where the edge finds what it is in front of.
pub(crate) struct Behind<'a> {
    pub(crate) api: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) prefix: &'a str,
}

/// An nginx that runs.
pub(crate) struct Edge {
    process: Child,
    place: TempDir,
    address: SocketAddr,
}

/// A free port on loopback.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("loopback has a free port")
}

/// Whether there is an nginx. Says so if not.
pub(crate) fn is_installed() -> bool {
    let is_there = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok();
    if !is_there {
        let why = "there is no nginx; `./tests/run` installs it";
        assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
        eprintln!("not run: {why}");
    }
    is_there
}

impl Edge {
    /// Starts one at an address.
    pub(crate) async fn start(address: SocketAddr, behind: &Behind<'_>) -> Self {
        let place = TempDir::with_prefix("slipway-edge-").expect("a temporary directory can be made");
        let filled = CONFIGURATION
            .replace("@LISTEN@", &address.to_string())
            .replace("@API@", behind.api)
            .replace("@BUCKET@", behind.bucket)
            .replace("@PREFIX@", behind.prefix);
        fs::write(place.path().join("slipway.conf"), filled).expect("a file can be written");
        fs::write(place.path().join("nginx.conf"), around(place.path())).expect("a file can be written");
        let mut process = Command::new("nginx")
            .arg("-p")
            .arg(place.path())
            .arg("-c")
            .arg(place.path().join("nginx.conf"))
            .arg("-e")
            .arg(place.path().join("error.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx can be started");
        while TcpStream::connect(address).await.is_err() {
            let ended = process.try_wait().expect("it is our child");
            let log = || fs::read_to_string(place.path().join("error.log")).unwrap_or_default();
            assert!(ended.is_none(), "nginx ended: {ended:?}\n{}", log());
            tokio::task::yield_now().await;
        }
        Self { process, place, address }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        ["error.log", "access.log"].map(|name| fs::read_to_string(self.place.path().join(name)).unwrap_or_default()).concat()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the edge logged:\n{}", self.log());
        }
    }
}

/// What stands around the configuration in an nginx of one's own: everything in a directory, and one process.
fn around(place: &Path) -> String {
    let place = place.display();
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("  {kind}_temp_path {place}/{kind};\n")).concat();
    format!(
        "daemon off;\nmaster_process off;\npid {place}/nginx.pid;\nevents {{}}\nhttp {{\n  access_log {place}/access.log;\n{temporary}  \
         include {place}/slipway.conf;\n}}\n"
    )
}
