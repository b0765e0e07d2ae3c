//! Small packages: how long one waits for the end, and how many pass at once.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::try_join_all;
use tokio::time::sleep;

use crate::client::{Client, Ended};
use crate::code;
use crate::package::Package;
use crate::process::{Watch, processor_time};
use crate::registry::{Registry, Starter};
use crate::start;
use crate::table::{Sorted, Table, milliseconds};

/// Packages that the versions are spread over, so that no `meta.json` grows beyond what is usual.
const PACKAGES: u32 = 10;

/// Clients that publish at once.
const CLIENTS: u32 = 8;

/// Bytes of code in a small package, over an entry and two modules.
const BYTES: usize = 7_000;

/// How long a registry is left alone after the load before its memory counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// Publishes `count` packages by one client, then as many by several.
pub(crate) async fn measure(starter: &Starter, count: u32) -> anyhow::Result<String> {
    let registry = starter.start("publishes", None).await?;
    let columns =
        ["clients", "publishes", "p50", "p90", "p99", "longest", "first answer was the end", "a second", "CPU `up`", "CPU children"];
    let mut table = Table::new("Small packages: from the request to `success`", &columns);
    table.row(&round(&registry, "solo", 1, count).await?);
    table.row(&round(&registry, "many", CLIENTS, count).await?);
    let mut memory = Table::new("Memory after these publishes", &["what", "figure"]);
    sleep(SETTLE).await;
    for row in start::idle(&registry) {
        memory.row(&row);
    }
    registry.stop().await?;
    let about = format!(
        "Each package has a config and three modules, {BYTES} bytes of TypeScript; each client keeps one connection and waits for the \
         end before it goes on. Processor time is for each publish.\n\n"
    );
    Ok(format!("{}{}", table.note(&about), memory.note("")))
}

/// One round of `count` publishes by so many clients, as a row.
async fn round(registry: &Registry, scope: &str, clients: u32, count: u32) -> anyhow::Result<Vec<String>> {
    registry.client.open_scope(scope).await?;
    let mut queues: Vec<Vec<Package>> = vec![Vec::new(); usize::try_from(clients)?];
    for package in 0..PACKAGES {
        registry.client.open_package(scope, &format!("small-{package}")).await?;
    }
    for number in 0..count {
        let files = code::ordinary(BYTES, u64::from(number));
        let (name, version) = (format!("small-{}", number % PACKAGES), format!("1.{}.0", number / PACKAGES));
        queues[usize::try_from(number % clients)?].push(Package::pack(scope, &name, &version, &files)?);
    }

    let (watch, before) = (Watch::glance(registry.id), processor_time(registry.id));
    let start = Instant::now();
    let one = |queue: Vec<Package>| async { publish_all(registry.client.another()?, queue).await };
    let ended: Vec<Ended> = try_join_all(queues.into_iter().map(one)).await?.into_iter().flatten().collect();
    let wall = start.elapsed();
    let (children, own) = (watch.finish().processor_time, processor_time(registry.id).saturating_sub(before));
    for package in 0..PACKAGES.min(count) {
        let meta = registry.client.get(&format!("@{scope}/small-{package}/meta.json")).await?;
        let versions = meta["versions"].as_object().map_or(0, serde_json::Map::len);
        let expected = (count - package).div_ceil(PACKAGES);
        ensure!(versions == usize::try_from(expected)?, "small-{package} has {versions} versions of {expected}: {meta}");
    }

    let at_once = ended.iter().filter(|ended| ended.at_once).count();
    let took = Sorted::new(ended.iter().map(|ended| ended.took).collect());
    let mut row = vec![clients.to_string(), count.to_string()];
    row.extend(took.cells());
    row.push(format!("{at_once} of {count}"));
    row.push(format!("{:.1}", f64::from(count) / wall.as_secs_f64()));
    row.push(milliseconds(own / count));
    row.push(milliseconds(children / count));
    Ok(row)
}

async fn publish_all(client: Client, queue: Vec<Package>) -> anyhow::Result<Vec<Ended>> {
    let mut ended = Vec::with_capacity(queue.len());
    for package in &queue {
        ended.push(client.succeed(package).await?);
    }
    Ok(ended)
}
