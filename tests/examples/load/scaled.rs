//! A registry of several processes, between a PostgreSQL, a RabbitMQ and an S3 server on the same machine.
//!
//! The services are those that the suites are told of; the S3 server is in this program, on threads of its own, and its work counts as
//! the machine's. The processes are this program again, which is the binary as well.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use slipway_tests::bucket::Server;
use slipway_tests::bucket::faults::Faults;
use slipway_tests::fleet::{self, Fleet, Mode, Own, Process, Role, SCOPE};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::client::Client;
use crate::code;
use crate::package::{File, Package};
use crate::process::{Watch, processor_time};
use crate::table::{Sorted, Table, megabytes, milliseconds, seconds};

/// Packages that the versions are spread over.
const PACKAGES: u32 = 20;
/// The same for those that wait for a worker: so many that none of them has a long past, which takes memory of its own.
const WAITING: u32 = 500;
/// Clients of the round that asks how many publishes pass.
const CLIENTS: u32 = 16;
/// Clients that leave uploads behind while nobody works. Each waits a moment for an end that does not come.
const LEAVERS: u32 = 200;
/// Modules of a package; its config is one more file.
const MODULES: usize = 9;
/// Bytes of each of them.
const BYTES: usize = 1_500;
/// How often it is counted what is left to do.
const LOOK: Duration = Duration::from_millis(500);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    /// Publishes of which it is measured when a worker takes them up.
    pub(crate) submissions: u32,
    /// Publishes that wait when the workers begin.
    pub(crate) queued: u32,
    /// Longest wait for one answer.
    pub(crate) patience: Duration,
}

/// Measures it, where there are services.
pub(crate) async fn measure(amount: Amount) -> anyhow::Result<String> {
    let (services, server) = bucket()?;
    let room = |name, value: u32| (name, value.to_string());
    let settings = vec![
        room("SLIPWAY_QUOTAS_PUBLISHES_PER_WEEK", 1_000_000),
        room("SLIPWAY_QUOTAS_NEW_PACKAGES_PER_WEEK", 1_000),
        room("SLIPWAY_QUOTAS_PACKAGES", 1_000),
        room("SLIPWAY_RATES_PACKAGES", 10_000),
        room("SLIPWAY_RATES_UPLOADS", 1_000_000),
    ];
    let own = Own { bucket: Some(server.bucket()), settings, ..Own::default() };
    let mut outcome = None;
    fleet::with_own(Mode::Scaled, own, async |fleet| outcome = Some(all(fleet, amount).await)).await;
    services.shutdown_background();
    outcome.context("there are no services; `./tests/run full` starts them")?
}

/// The S3 server, on threads of its own.
fn bucket() -> anyhow::Result<(Runtime, Server)> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = thread::scope(|scope| scope.spawn(|| runtime.block_on(Server::start(Faults::none()))).join());
    let Ok(server) = server else { bail!("the S3 server does not start") };
    Ok((runtime, server))
}

async fn all(fleet: &Fleet, amount: Amount) -> anyhow::Result<String> {
    let (api, worker) = (fleet.start(Role::Api, &[]), fleet.start(Role::Worker, &[]));
    let client = Client::new(&format!("http://{}/", api.address()), fleet.token(), amount.patience)?;
    for package in 0..PACKAGES {
        client.open_package(SCOPE, &format!("scaled-{package}")).await?;
    }
    for package in 0..WAITING.min(amount.queued) {
        client.open_package(SCOPE, &format!("waiting-{package}")).await?;
    }
    let mut table = Table::new(
        "PostgreSQL, RabbitMQ and S3 on this machine: 1 API, 1 worker",
        &["clients", "publishes", "p50", "p90", "p99", "longest", "a second", "CPU API", "CPU worker and children"],
    );
    let mut versions = 0..;
    table.row(&round(&client, &api, &worker, 1, amount.submissions, &mut versions).await?);
    let claimed = claims(fleet).await?;
    table.row(&round(&client, &api, &worker, CLIENTS, amount.submissions.min(600), &mut versions).await?);
    let mut text = table.note(&format!("Each package has {} files, {} bytes of TypeScript.\n", MODULES + 1, MODULES * BYTES));
    let mut table =
        Table::new("From the row of a submission to the claim of a worker that was free", &["submissions", "p50", "p90", "p99", "longest"]);
    let mut row = vec![amount.submissions.to_string()];
    row.extend(claimed.cells());
    table.row(&row);
    text.push_str(&table.note(""));
    worker.stop().await;
    text.push_str(&drain(fleet, &client, amount.queued, &mut versions).await?);
    api.stop().await;
    Ok(text)
}

fn packed(name: &str, version: u32) -> anyhow::Result<Package> {
    let module = |at: usize| (format!("src/part_{at}.ts"), code::module(at, BYTES, u64::from(version) * 100 + at as u64).into_bytes());
    let entry: String = (0..MODULES - 1).map(|at| format!("export * from \"./src/part_{at}.ts\";\n")).collect();
    let files: Vec<File> = std::iter::once(("mod.ts".to_owned(), entry.into_bytes())).chain((0..MODULES - 1).map(module)).collect();
    Package::pack(SCOPE, name, &format!("1.{version}.0"), &files)
}

/// One round of `count` publishes by so many clients, as a row.
async fn round(
    client: &Client,
    api: &Process,
    worker: &Process,
    clients: u32,
    count: u32,
    versions: &mut std::ops::RangeFrom<u32>,
) -> anyhow::Result<Vec<String>> {
    let mut queues: Vec<Vec<Package>> = vec![Vec::new(); usize::try_from(clients)?];
    for number in 0..count {
        let name = format!("scaled-{}", number % PACKAGES);
        queues[usize::try_from(number % clients)?].push(packed(&name, versions.next().unwrap_or_default())?);
    }
    let times = || (processor_time(api.number()), processor_time(worker.number()));
    let (watch, before) = (Watch::glance(worker.number()), times());
    let start = Instant::now();
    let one = |queue: Vec<Package>| async move {
        let client = client.another()?;
        let mut took = Vec::with_capacity(queue.len());
        for package in &queue {
            took.push(client.succeed(package).await?.took);
        }
        anyhow::Ok(took)
    };
    let took: Vec<Duration> = try_join_all(queues.into_iter().map(one)).await?.into_iter().flatten().collect();
    let wall = start.elapsed();
    let (children, after) = (watch.finish().processor_time, times());
    let mut row = vec![clients.to_string(), count.to_string()];
    row.extend(Sorted::new(took).cells());
    row.push(format!("{:.1}", f64::from(count) / wall.as_secs_f64()));
    row.push(milliseconds((after.0 - before.0) / count));
    row.push(milliseconds((after.1 - before.1 + children) / count));
    Ok(row)
}

/// How long each publish so far waited for a worker, by the clocks of the processes.
async fn claims(fleet: &Fleet) -> anyhow::Result<Sorted> {
    const WAITED: &str = "SELECT CAST(CAST(EXTRACT(EPOCH FROM claimed_at - created_at) * 1000000 AS BIGINT) AS TEXT) FROM publishes";
    let waited = fleet.database().connect().await.texts(WAITED).await;
    let waited: Option<Vec<Duration>> = waited.iter().map(|text| Some(Duration::from_micros(text.as_ref()?.parse().ok()?))).collect();
    Ok(Sorted::new(waited.context("a publish was not claimed, or before it was made")?))
}

/// Leaves publishes behind while nobody works, then has a worker do them.
async fn drain(fleet: &Fleet, client: &Client, queued: u32, versions: &mut std::ops::RangeFrom<u32>) -> anyhow::Result<String> {
    const OPEN: &str = "SELECT CAST(COUNT(*) AS TEXT) FROM publishes WHERE state IN ('queued', 'checking', 'committed')";
    let open = async || -> anyhow::Result<u32> {
        let count = fleet.database().connect().await.texts(OPEN).await;
        Ok(count.first().and_then(Option::as_ref).context("a count is a row")?.parse()?)
    };
    let mut queues: Vec<Vec<Package>> = vec![Vec::new(); usize::try_from(LEAVERS)?];
    for number in 0..queued {
        let name = format!("waiting-{}", number % WAITING);
        queues[usize::try_from(number % LEAVERS)?].push(packed(&name, versions.next().unwrap_or_default())?);
    }
    let start = Instant::now();
    let one = |queue: Vec<Package>| async move {
        let client = client.another()?;
        for package in &queue {
            client.leave(package).await?;
        }
        anyhow::Ok(())
    };
    try_join_all(queues.into_iter().map(one)).await?;
    let accepted = start.elapsed();
    ensure!(open().await? == queued, "somebody worked meanwhile");

    let worker = fleet.start(Role::Worker, &[]);
    let (watch, start) = (Watch::glance(worker.number()), Instant::now());
    let mut table =
        Table::new("A worker that finds so many publishes waiting", &["left", "after", "resident, without children", "its peak so far"]);
    let mut next = queued;
    loop {
        let left = open().await?;
        if left <= next {
            let (peak, now) = worker.memory();
            table.row(&[left.to_string(), seconds(start.elapsed()), megabytes(now), megabytes(peak)]);
            next = left.saturating_sub(queued / 5);
        }
        if left == 0 {
            break;
        }
        sleep(LOOK).await;
    }
    let taken = watch.finish();
    let pace = f64::from(queued) / start.elapsed().as_secs_f64();
    worker.stop().await;
    Ok(table.note(&format!(
        "{queued} uploads were accepted in {} while nobody worked. They were done at {pace:.1} a second; the largest child had {} at its peak.\n",
        seconds(accepted),
        megabytes(taken.peak)
    )))
}
