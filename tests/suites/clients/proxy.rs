//! Registries of other people, and caches, in front of ours.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::registry::free_port;
use crate::stock::write;

/// Longest that one takes to listen. Verdaccio takes two seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A proxy that runs.
pub(crate) struct Proxy {
    child: Child,
    port: u16,
    place: PathBuf,
}

impl Proxy {
    /// Verdaccio, with our registry as its uplink for packages of ours. It keeps what it has seen.
    pub(crate) fn verdaccio(bench: &Bench) -> Self {
        let (place, port) = (bench.project("verdaccio", &[]), free_port());
        let settings = format!(
            "storage: ./storage\nweb: {{ enable: false }}\nlog: {{ type: stdout, format: json, level: info }}\n\
             uplinks:\n  slipway:\n    url: {}npm/\n    maxage: 0s\n    max_fails: 100\n    timeout: 5s\n\
             packages:\n  '@jsr/*':\n    access: $all\n    proxy: slipway\n",
            bench.registry.url()
        );
        write(&place.join("config.yaml"), &settings);
        let mut command = Command::new("node");
        command.arg(bench.installed("verdaccio/bin/verdaccio")).arg("--config").arg(place.join("config.yaml"));
        Self::start(command.args(["--listen", &format!("127.0.0.1:{port}")]).env("HOME", &place), place, port)
    }

    /// nginx as anybody sets up a cache: it keeps what it is allowed to keep, rewrites nothing, and says what it has when nobody
    /// behind it answers.
    pub(crate) fn nginx(bench: &Bench, port: u16) -> Self {
        let place = bench.project("nginx", &[]);
        let at = place.display();
        let temporary: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("  {kind}_temp_path {at}/{kind};\n")).concat();
        let settings = format!(
            "daemon off;\nmaster_process off;\npid {at}/nginx.pid;\nevents {{}}\nhttp {{\n  access_log {at}/access.log;\n{temporary}  \
             proxy_cache_path {at}/cache keys_zone=npm:1m;\n  server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      \
             proxy_pass {};\n      proxy_set_header Host $http_host;\n      proxy_cache npm;\n      \
             proxy_cache_use_stale error timeout http_502 http_503;\n      add_header X-Cache $upstream_cache_status always;\n    }}\n  \
             }}\n}}\n",
            bench.registry.url()
        );
        write(&place.join("nginx.conf"), &settings);
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&place).arg("-c").arg(place.join("nginx.conf")).arg("-e").arg(place.join("error.log"));
        Self::start(&mut command, place, port)
    }

    fn start(command: &mut Command, place: PathBuf, port: u16) -> Self {
        let log = fs::File::create(place.join("log")).expect("a log can be made");
        let child = command.current_dir(&place).stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{:?} cannot be started: {error}", command.get_program()));
        let mut proxy = Self { child, port, place };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = proxy.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < end, "it does not listen: {ended:?}\n{}", proxy.log().join("\n"));
            thread::yield_now();
        }
        proxy
    }

    /// The address, with a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// What it logged, a line each.
    pub(crate) fn log(&self) -> Vec<String> {
        let lines = |file: &Path| fs::File::open(file).map(|file| BufReader::new(file).lines().map_while(Result::ok).collect::<Vec<_>>());
        ["log", "access.log", "error.log"].iter().flat_map(|name| lines(&self.place.join(name)).unwrap_or_default()).collect()
    }
}

/// A test leaves no process behind.
impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
