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

/// Signs it, has a log take it in, and hands it in at the registry, which verifies it. The registry is shown a token that the job asks for now: the
/// one with which it published may be over.
pub(super) async fn hand_in(registry: Registry, job: &Job<'_>, target: &Target, packed: &Packed) -> anyhow::Result<()> {
    let manifest = registry.manifest(target).await?;
    compare(&manifest, packed)?;
    let statement = job.statement(target, &Sha256::of(&manifest))?;
    let registry = registry.with_token_of_job(&job.token_for(target, packed).await?)?;
    let token = job.token("sigstore").await?;
    let ids = IdSource::entropy(Arc::new(SystemClock));
    let signed = sign(&job.authorities(&token)?, &token, statement.to_string().into_bytes(), &ids).await;
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
    if manifest.exports != packed.exports {
        bail!("the registry says that the version has other exports than the config");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use slipway_common::formats::version_meta::ManifestEntry;
    use slipway_common::ids::{ExportKey, ExportTarget, Exports, PackagePath};

    use super::super::tarball::PackedFile;
    use super::*;

    #[test]
    fn only_what_was_sent_is_signed() {
        let exports = |target: &str| {
            let entry = (ExportKey::try_from(".").unwrap(), ExportTarget::try_from(target).unwrap());
            Exports([entry].into_iter().collect())
        };
        let path = |path: &str| PackagePath::try_from(path).unwrap();
        let file = |at: &str, text: &[u8]| PackedFile { path: path(at), size: text.len() as u64, digest: Sha256::of(text) };
        let files = vec![file("/a.ts", b"a"), file("/mod.ts", b"m")];
        let packed = Packed { bytes: Bytes::new(), files, exports: exports("./mod.ts") };
        let meta = |files: &[(&str, &[u8])], target: &str| {
            let entry = |text: &[u8]| ManifestEntry { size: text.len() as u64, checksum: Sha256::of(text).checksum() };
            let manifest = files.iter().map(|(at, text)| (path(at), entry(text))).collect();
            VersionMeta { manifest, module_graph: BTreeMap::new(), exports: exports(target), augmentations: false }.to_bytes()
        };
        let sent: [(&str, &[u8]); 2] = [("/a.ts", b"a"), ("/mod.ts", b"m")];
        assert!(compare(&meta(&sent, "./mod.ts"), &packed).is_ok());
        for (manifest, word) in [
            (meta(&sent, "./a.ts"), "other exports"),
            (meta(&sent[..1], "./mod.ts"), "other files"),
            (meta(&[("/a.ts", b"a"), ("/mod.ts", b"n")], "./mod.ts"), "other files"),
            (meta(&[sent[0], sent[1], ("/b.ts", b"b")], "./mod.ts"), "other files"),
            (b"[]".to_vec(), "cannot be read"),
        ] {
            let error = compare(&manifest, &packed).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
