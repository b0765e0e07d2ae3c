//! A bench that does what the tarball says: a step, a verb and perhaps a number, as in `plan burn 700`.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use rlimit::Resource;
use rustix::process::Pid;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use slipway_common::ids::{PackageName, PackagePath, Version};
use slipway_common::model::finding::{Finding, FindingCode, Findings};
use slipway_common::model::limits::UploadLimits;
use slipway_worker::analysis::{Analysis, AnalysisError, AnalysisLimits, Bench, Examined, Planned, this_program};
use slipway_worker::pipeline::{Facts, Upload};

/// The bench.
pub(crate) struct Scripted;

/// What a child says of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) pid: i32,
    pub(crate) environment: usize,
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) nice: i32,
    pub(crate) open_files: Vec<PathBuf>,
    pub(crate) ballast: Bytes,
}

/// What is left in the ballast to go off when the child forgets the package.
const MINE: &[u8] = b"mine";

impl Drop for Report {
    fn drop(&mut self) {
        let at_home = self.pid == rustix::process::getpid().as_raw_pid();
        assert!(!at_home || self.ballast != MINE, "the report fell over");
    }
}

impl Bench for Scripted {
    type Draft = String;
    type Plan = Report;
    type Rest = String;
    type Documentation = Report;

    fn examine(upload: &Upload) -> Result<String, Findings> {
        let script = String::from_utf8(upload.tarball.to_vec()).unwrap();
        perform("examine", &script)?;
        Ok(script)
    }

    fn references(_: &String) -> Vec<PackageName> {
        vec![PackageName::try_from(format!("@child/p{}", std::process::id()).as_str()).unwrap()]
    }

    fn plan(script: String, _: &Facts) -> Result<(Report, String), Findings> {
        let ballast = perform("plan", &script)?;
        let limits = [Resource::DATA, Resource::CORE, Resource::FSIZE, Resource::NOFILE];
        let report = Report {
            pid: std::process::id().try_into().unwrap(),
            environment: std::env::vars_os().count(),
            limits: limits.into_iter().map(|limit| (limit.as_name().to_owned(), limit.get_hard().unwrap())).collect(),
            nice: rustix::process::getpriority_process(None).unwrap(),
            open_files: std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .map(|file| std::fs::read_link(file.unwrap().path()).unwrap_or_default())
                .collect(),
            ballast,
        };
        Ok((report, script))
    }

    fn document(script: String) -> Report {
        let mut report = Report::default();
        report.ballast = perform("document", &script).unwrap();
        report.pid = std::process::id().try_into().unwrap();
        report
    }
}

/// Does what the script has for this step.
fn perform(step: &str, script: &str) -> Result<Bytes, Findings> {
    let Some(act) = script.strip_prefix(step) else { return Ok(Bytes::new()) };
    let mut words = act.split_whitespace();
    let verb = words.next().unwrap();
    let number: usize = words.next().map_or(0, |word| word.parse().unwrap());
    match verb {
        "reject" => return Err(Finding::error(FindingCode::CommonJs, format!("rejected by {step}")).into()),
        "panic" => panic!("the bench fell over"),
        "recurse" => {
            black_box(recurse(number));
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "burn" => burn(Duration::from_millis(number as u64)),
        "park" => loop {
            std::thread::park();
        },
        "take" => {
            black_box(vec![1_u8; number << 20]);
        }
        // Many small pieces with one at the end that stays, so that the allocator cannot give the rest back.
        "keep" => {
            let mut pieces: Vec<_> = (0..number << 10).map(|_| vec![1_u8; 1 << 10]).collect();
            std::mem::forget(pieces.pop());
        }
        "print" => println!("noise"),
        "mine" => return Ok(Bytes::from_static(MINE)),
        "answer" => return Ok(vec![1; number << 20].into()),
        _ => unreachable!("{verb}"),
    }
    Ok(Bytes::new())
}

/// Uses a kibibyte of stack for each level.
fn recurse(levels: usize) -> usize {
    let room = black_box([1_u8; 1024]);
    if levels == 1 { room.len() } else { black_box(recurse(levels.wrapping_sub(1))) + room.len() }
}

fn burn(time: Duration) {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let end = now() + time;
    while now() < end {
        std::hint::spin_loop();
    }
}

/// Limits under which nothing dies by accident, with this many children.
pub(crate) fn limits(children: usize) -> AnalysisLimits {
    AnalysisLimits { children, memory_bytes: 64 << 20, cpu_seconds: 20, wall_seconds: 60, ..AnalysisLimits::default() }
}

/// A pool of this program.
pub(crate) fn pool(limits: AnalysisLimits) -> Analysis<Scripted> {
    Analysis::pool(this_program().unwrap(), vec!["analyse-child".into()], limits)
}

/// A package with this script.
pub(crate) fn upload(script: &str) -> Upload {
    Upload {
        package: PackageName::try_from("@scope/package").unwrap(),
        version: Version::try_from("1.0.0").unwrap(),
        config: PackagePath::try_from("/jsr.json").unwrap(),
        tarball: Bytes::copy_from_slice(script.as_bytes()),
        limits: UploadLimits::default(),
    }
}

/// A world with nothing in it.
pub(crate) fn facts() -> Facts {
    Facts { public_url: "https://registry.test/".parse().unwrap(), packages: BTreeMap::new(), hidden: BTreeSet::new(), inferred: None }
}

/// Both steps of a package.
pub(crate) async fn publish(analysis: &Analysis<Scripted>, script: &str) -> Result<Report, AnalysisError> {
    let planned = publish_documented(analysis, script).await?;
    planned.documentation.unwrap();
    Ok(planned.plan)
}

/// Both steps of a package, and its documentation.
pub(crate) async fn publish_documented(analysis: &Analysis<Scripted>, script: &str) -> Result<Planned<Scripted>, AnalysisError> {
    analysis.examine(upload(script)).await?.plan(facts()).await
}

/// The child that serves a package, which it says by way of its references.
pub(crate) fn child_of(examined: &Examined<Scripted>) -> Pid {
    let number = examined.references()[0].to_string().rsplit_once('p').unwrap().1.parse().unwrap();
    Pid::from_raw(number).unwrap()
}

/// Waits until a process is gone, or is at least dead.
pub(crate) async fn gone(pid: Pid) {
    while is_running(pid) {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn is_running(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}
