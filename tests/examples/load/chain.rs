//! Forty packages, each of which depends on the one before, published by one command of the real client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

use crate::registry::{Registry, Starter};
use crate::table::{Table, seconds};

/// Packages in the chain.
const PACKAGES: u32 = 40;

/// Where the client lies among the installed ones.
const DENO: &str = "node_modules/@deno/linux-x64-glibc/deno";

/// Publishes the chain.
pub(crate) async fn measure(starter: &Starter, clients: &Path) -> anyhow::Result<String> {
    let registry = starter.start("chain", None).await?;
    registry.client.open_scope("chain").await?;
    for number in 0..PACKAGES {
        registry.client.open_package("chain", &format!("link-{number}")).await?;
    }
    let deno = clients.join(DENO).canonicalize().with_context(|| format!("`{DENO}` is not installed in {}", clients.display()))?;
    let home = starter.directory("deno")?;
    let workspace = write(&starter.directory("workspace")?)?;

    let (version, _) = run(starter, &deno, &home, &workspace, &registry, &["--version"]).await?;
    // The first run makes the client's own caches; the second is what it does without the registry.
    let publish = ["publish", "--allow-dirty"];
    let (_, cold) = run(starter, &deno, &home, &workspace, &registry, &[&publish[..], &["--dry-run"]].concat()).await?;
    let (_, alone) = run(starter, &deno, &home, &workspace, &registry, &[&publish[..], &["--dry-run"]].concat()).await?;
    let token = registry.client.token().to_owned();
    let (said, took) = run(starter, &deno, &home, &workspace, &registry, &[&publish[..], &["--token", &token]].concat()).await?;
    let published = said.matches("Successfully published").count();
    ensure!(published == usize::try_from(PACKAGES)?, "{published} of {PACKAGES} packages were published:\n{said}");
    let last = format!("@chain/link-{}/1.0.0_meta.json", PACKAGES - 1);
    ensure!(registry.client.get(&last).await?["manifest"]["/mod.ts"].is_object(), "the last link is not there");
    registry.stop().await?;

    let title = format!("A chain of {PACKAGES} packages, one `deno publish`");
    let mut table = Table::new(&title, &["what", "wall time"]);
    table.row(&["`deno publish --dry-run`, for the first time".to_owned(), seconds(cold)]);
    table.row(&["the same again: what the client does by itself".to_owned(), seconds(alone)]);
    table.row(&["`deno publish`".to_owned(), seconds(took)]);
    table.row(&["of which each link, about".to_owned(), seconds(took.saturating_sub(alone) / PACKAGES)]);
    let version = version.lines().next().unwrap_or_default();
    Ok(table.note(&format!("{version}, with its checks, as `deno publish --allow-dirty --token …` and `NPM_CONFIG_MIN_RELEASE_AGE=0`.")))
}

/// Writes the workspace, the last link first, so that the order is the client's work.
fn write(directory: &Path) -> anyhow::Result<PathBuf> {
    let members: Vec<String> = (0..PACKAGES).rev().map(|number| format!("./link-{number}")).collect();
    fs::write(directory.join("deno.json"), json!({"workspace": members}).to_string())?;
    for number in 0..PACKAGES {
        let member = directory.join(format!("link-{number}"));
        fs::create_dir_all(&member)?;
        let config = json!({"name": format!("@chain/link-{number}"), "version": "1.0.0", "license": "MIT", "exports": "./mod.ts"});
        fs::write(member.join("deno.json"), config.to_string())?;
        let (import, value) = match number.checked_sub(1) {
            Some(before) => (format!("import {{ link{before} }} from \"@chain/link-{before}\";\n\n"), format!("link{before}() + 1")),
            None => (String::new(), "0".to_owned()),
        };
        let module =
            format!("{import}/** How far along the chain this is. */\nexport function link{number}(): number {{\n  return {value};\n}}\n");
        fs::write(member.join("mod.ts"), module)?;
    }
    Ok(directory.to_owned())
}

/// Runs the client, with a home of its own and nothing of the person who measures. What it said, and how long it took.
async fn run(
    starter: &Starter,
    deno: &Path,
    home: &Path,
    workspace: &Path,
    registry: &Registry,
    arguments: &[&str],
) -> anyhow::Result<(String, Duration)> {
    let mut command = Command::new(deno);
    command.args(arguments).current_dir(workspace).env_clear().kill_on_drop(true);
    command.env("HOME", home).env("DENO_DIR", home.join("cache")).env("NO_COLOR", "1").env("DENO_NO_UPDATE_CHECK", "1");
    // The client hides versions that are younger than a day.
    command.env("JSR_URL", registry.client.url()).env("NPM_CONFIG_MIN_RELEASE_AGE", "0");
    command.stdin(Stdio::null());
    let start = Instant::now();
    let output = timeout(starter.patience(), command.output()).await.context("`deno` does not end")?;
    let took = start.elapsed();
    let Output { status, stdout, stderr } = output.context("`deno` cannot be started")?;
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    ensure!(status.success(), "`deno {}` failed:\n{said}", arguments.first().unwrap_or(&""));
    Ok((said, took))
}
