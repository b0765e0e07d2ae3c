//! What was measured on: without it a figure says nothing.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use slipway_common::ids::Sha256;

use crate::table::{Sorted, milliseconds};

/// Writes that the disk is tried with. Enough for a ninety-ninth percentile.
const PROBES: usize = 200;

/// Bytes of each of these writes: a page, about what a small module takes.
const PROBE_BYTES: usize = 4_096;

/// Bytes that each processor digests, once alone and once all at the same time. A virtual machine does not get the same share all day, and
/// two of its processors may be one.
const DIGESTED: usize = 256 << 20;

/// The machine and the disk below a directory, as a list.
pub(crate) fn describe(place: &Path) -> anyhow::Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("unknown").trim().to_owned();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(2).collect::<Vec<_>>().join(" and ");
    let synced = probe(place)?;
    let (alone, together) = (pace(1), pace(count));
    Ok(format!(
        "* {count} × {}, {memory} of memory, Linux {}, load {load} before the start (1 and 5 minutes)\n\
         * SHA-256: {alone} MB a second by one processor, {together} by each of {count} at once\n\
         * data on {}; a new file of {PROBE_BYTES} bytes and its fsync: p50 {}, p99 {}\n\
         * SQLite with `synchronous=FULL`, objects with fsync\n",
        model.unwrap_or("unknown"),
        kernel.trim(),
        disk(place)?,
        milliseconds(synced.quantile(500)),
        milliseconds(synced.quantile(990)),
    ))
}

/// The file system that a directory is on, its device, and whether that turns.
fn disk(place: &Path) -> anyhow::Result<String> {
    let place = place.canonicalize().context("the data have no place")?;
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|fields| fields.len() > 3);
    let Some(mount) = fields.filter(|fields| place.starts_with(fields[1])).max_by_key(|fields| fields[1].len()) else {
        return Ok("an unknown disk".to_owned());
    };
    let device = mount[0].rsplit('/').next().unwrap_or_default();
    let disk = device.trim_end_matches(|c: char| c.is_ascii_digit());
    let turns = [device, disk].iter().find_map(|name| fs::read_to_string(format!("/sys/block/{name}/queue/rotational")).ok());
    let kind = match turns.as_deref().map(str::trim) {
        Some("0") => "does not turn",
        Some(_) => "turns, or says so",
        None => "unknown kind",
    };
    Ok(format!("{} ({}, {kind}; {})", mount[2], mount[0], mount[3]))
}

/// Megabytes that each of so many threads digests in a second.
fn pace(threads: usize) -> u128 {
    let digest = || {
        let (piece, start) = (vec![b'.'; 1 << 20], Instant::now());
        for _ in 0..DIGESTED / piece.len() {
            std::hint::black_box(Sha256::of(std::hint::black_box(&piece)));
        }
        DIGESTED as u128 / start.elapsed().as_micros().max(1)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(digest)).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).min().unwrap_or_default()
    })
}

fn probe(place: &Path) -> anyhow::Result<Sorted> {
    let path = place.join("probe");
    let once = |_| -> std::io::Result<Duration> {
        let start = Instant::now();
        let mut file = File::create(&path)?;
        file.write_all(&[b'.'; PROBE_BYTES])?;
        file.sync_all()?;
        let took = start.elapsed();
        fs::remove_file(&path)?;
        Ok(took)
    };
    let took: std::io::Result<Vec<_>> = (0..PROBES).map(once).collect();
    Ok(Sorted::new(took.context("the disk cannot be tried")?))
}
