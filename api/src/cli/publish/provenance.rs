//! Says where a version came from, signed as the job that published it.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use slipway_common::clock::SystemClock;
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{IdSource, Sha256};
use slipway_common::provenance::{Obstacle, sign};

use super::Target;
use super::ci::Job;
use super::registry::Registry;
use super::tarball::Packed;

/// Signs it, has a log take it in, and hands it in at the registry, which verifies it.
pub(super) async fn hand_in(registry: &Registry, job: &Job<'_>, target: &Target, packed: &Packed) -> anyhow::Result<()> {
    let manifest = registry.manifest(target).await?;
    compare(&manifest, packed)?;
    let statement = job.statement(target, &Sha256::of(&manifest))?;
    let token = job.token("sigstore").await?;
    let ids = IdSource::entropy(Arc::new(SystemClock));
    let signed = sign(&job.authorities()?, &token, statement.to_string().into_bytes(), &ids).await;
    let bundle = signed.map_err(|obstacle| match obstacle {
        Obstacle::Away(why) => anyhow::anyhow!(why),
        Obstacle::Failure(failure) => anyhow::anyhow!(failure.to_string()),
    })?;
    registry.hand_in(target, &json!({ "bundle": bundle })).await.context("the registry does not take it").map(drop::<Value>)
}

/// What is signed is the registry's word for what was sent, so it has to be that.
fn compare(manifest: &[u8], packed: &Packed) -> anyhow::Result<()> {
    let manifest: VersionMeta = serde_json::from_slice(manifest).context("the manifest of the version cannot be read")?;
    let published: BTreeMap<_, _> = manifest.manifest.iter().map(|(path, file)| (path.clone(), file.checksum.clone())).collect();
    let sent: BTreeMap<_, _> = packed.files.iter().map(|file| (file.path.clone(), file.digest.checksum())).collect();
    if published != sent {
        bail!("the registry says that the version has other files than those that were sent");
    }
    Ok(())
}
