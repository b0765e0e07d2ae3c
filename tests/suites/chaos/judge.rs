//! How it has to be in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slipway_common::ids::PackageName;
use slipway_tests::fleet::Fleet;
use slipway_tests::fleet::observer::Observer;
use tokio::time::interval;

use crate::client::Heard;
use crate::packages::NAMES;
use crate::processes::{Fate, Processes};

/// How often the rows are looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(250);
/// How often the operator looks for what was parked. A worker that is restarted finishes what it holds first.
const ROUND: Duration = Duration::from_secs(10);
/// The worker that the operator restarts.
const WORKER: usize = 2;

async fn texts(fleet: &Fleet, query: &str) -> Vec<String> {
    fleet.database().connect().await.texts(query).await.into_iter().flatten().collect()
}

/// Reads again and again, for as long as somebody waits for something else. What was found once is found from then on.
pub(crate) async fn watch(observer: &mut Observer) {
    let mut looks = interval(LOOK);
    let mut before = look(observer).await;
    loop {
        looks.tick().await;
        let found = look(observer).await;
        for (before, found) in before.iter().zip(&found) {
            assert!(before.is_subset(found), "not listed any more: {:?}", before.difference(found));
        }
        before = found;
    }
}

/// What Deno and npm find, `@scope/name@version`.
async fn look(observer: &mut Observer) -> [BTreeSet<String>; 2] {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for name in NAMES {
        let name = PackageName::try_from(&*format!("@acme/{name}")).expect("this is a name");
        for (found, listed) in found.iter_mut().zip(observer.look(&name).await) {
            found.extend(listed.into_iter().map(|version| format!("{name}@{version}")));
        }
    }
    found
}

/// Does what an operator does who is told of a parked job: restarts a worker, as often as it takes. Counts the jobs.
pub(crate) async fn operate(fleet: &Fleet, processes: &Processes, parked: &mut usize) {
    let mut rounds = interval(ROUND);
    loop {
        rounds.tick().await;
        let found = texts(fleet, "SELECT kind FROM jobs WHERE state = 'parked'").await;
        if !found.is_empty() {
            *parked += found.len();
            processes.let_happen(WORKER, Fate::Restart);
        }
    }
}

/// Waits until nothing is under way any more.
pub(crate) async fn drained(fleet: &Fleet) {
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        if texts(fleet, "SELECT kind FROM jobs WHERE state IN ('queued', 'running', 'parked') LIMIT 1").await.is_empty() {
            return;
        }
    }
}

/// Compares what clients were told with what there is.
pub(crate) async fn judge(fleet: &Fleet, heard: &Heard, observer: &mut Observer) {
    let rows = texts(fleet, "SELECT id || ' ' || state || ' @' || scope || '/' || name || '@' || version FROM publishes").await;
    let mut published = BTreeSet::new();
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        let [id, state, version] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        *states.entry(state.to_owned()).or_default() += 1;
        let expected = match state {
            "published" => "success",
            "rejected" | "failed" => "failure",
            _ => panic!("{row} has no end"),
        };
        match heard.ends.get(id) {
            Some(end) => assert_eq!(end["status"], expected, "{row}: the client was told {end}"),
            // Its client was cut off, and sent it again when it had come to nothing.
            None => assert_ne!(state, "published", "nobody was told of {row}"),
        }
        if state == "published" {
            assert!(published.insert(version.to_owned()), "{version} was published twice");
        }
    }
    assert!(heard.ends.keys().all(|id| rows.iter().any(|row| row.starts_with(id.as_str()))), "a publish was lost");
    assert_eq!(published, heard.published.iter().cloned().collect());
    assert_eq!(look(observer).await, [published.clone(), published], "what is listed is what was published");

    for (act, count) in [
        ("publish.accept", rows.len()),
        ("publish.reject", states.get("rejected").copied().unwrap_or_default()),
        ("publish.fail", states.get("failed").copied().unwrap_or_default()),
    ] {
        let told = texts(fleet, &format!("SELECT act FROM audit WHERE act = '{act}'")).await;
        assert_eq!(told.len(), count, "{act}: what happened is written down, and once");
    }

    let jobs = texts(fleet, "SELECT kind || ' ' || state || ' ' || COALESCE(last_fault, '') FROM jobs WHERE state <> 'done'").await;
    let failed = states.get("failed").copied().unwrap_or_default();
    // Housekeeping that was killed three times over is given up, too; the next hour asks for it anew.
    let jobs = jobs.into_iter().filter(|job| !job.starts_with("housekeep failed incident "));
    let (given_up, left): (Vec<_>, Vec<_>) = jobs.partition(|job| job.starts_with("publish failed incident "));
    assert_eq!(left, [""; 0], "jobs are left");
    assert_eq!(given_up.len(), failed, "a publish that failed is a job that was given up: {given_up:?}");
    let hard = "SELECT kind || ': ' || COUNT(*) || ' tried again, ' || COALESCE(SUM(SIGN(crashes)), 0) || ' of them taken from the dead'
                FROM jobs WHERE attempt > 1 GROUP BY kind ORDER BY kind";
    eprintln!("rows: {states:?}; given up: {given_up:?}; {}", texts(fleet, hard).await.join("; "));
}
