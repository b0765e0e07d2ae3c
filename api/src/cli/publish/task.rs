//! One upload, from sending it to its end.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use slipway_common::ids::TaskId;

use super::registry::{Registry, RegistryError};
use super::report::Entry;
use super::tarball::Packed;
use super::{Target, tell};

/// The first pause between two looks, and the longest; each is half as long again as the one before. The registry itself answers
/// at the end of the task if it comes soon.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How often is looked: for ten minutes. A registry that needs longer has a queue that nobody should wait for.
const MAX_LOOKS: u32 = 250;
/// How many looks in a row may fail. A registry that is restarted is away for some seconds.
const MAX_FAILURES: u32 = 8;

/// How an upload ended.
#[derive(Debug)]
pub(super) enum Published {
    /// The version is there.
    Now(Vec<Entry>),
    /// It was there before.
    Before,
    /// The registry refused it.
    Refused {
        /// Why, as data.
        findings: Vec<Entry>,
        /// Why, in one text.
        message: String,
    },
}

/// A publishing task, as much of it as is needed.
#[derive(Debug, Deserialize)]
struct Task {
    id: TaskId,
    status: String,
    #[serde(default)]
    error: Option<TaskError>,
    /// Other registries of the same protocol have none.
    #[serde(default)]
    findings: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct TaskError {
    message: String,
}

/// Uploads a package and waits for the end.
pub(super) async fn publish(registry: &Registry, target: &Target, packed: &Packed) -> anyhow::Result<Published> {
    let sent = registry.upload::<Task>(target, packed.bytes.clone()).await;
    let task = match sent {
        Ok(task) => {
            tell("uploaded");
            task
        }
        Err(error) => match duplicate(&error) {
            Some(task) if task.status == "success" => return Ok(Published::Before),
            Some(task) => {
                tell("uploaded before, waiting for its end");
                task
            }
            None => return Err(error).context(format!("{}@{} was not published", target.package, target.version)),
        },
    };
    end(registry, task).await
}

/// The task that a version is being published by already.
fn duplicate(error: &RegistryError) -> Option<Task> {
    let RegistryError::Refused { code, body, .. } = error else { return None };
    let task = body.get("task").filter(|_| code == "duplicateVersionPublish")?;
    serde_json::from_value(task.clone()).ok()
}

async fn end(registry: &Registry, mut task: Task) -> anyhow::Result<Published> {
    let id = task.id;
    let (mut pause, mut failures) = (FIRST_PAUSE, 0);
    for _ in 0..MAX_LOOKS {
        match task.status.as_str() {
            "success" => return Ok(Published::Now(task.findings)),
            "failure" => {
                let message = task.error.map_or_else(|| "the registry does not say why".to_owned(), |error| error.message);
                return Ok(Published::Refused { findings: task.findings, message });
            }
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 3 / 2);
        match registry.stands(id).await {
            Ok(now) => (task, failures) = (now, 0),
            Err(error) if error.is_passing() && failures < MAX_FAILURES => failures += 1,
            Err(error) => return Err(error).context(format!("the upload was accepted as task {id}, but its end is not known")),
        }
    }
    anyhow::bail!("the upload was accepted as task {id}, which has not ended yet; run the command again to see how it ended")
}
