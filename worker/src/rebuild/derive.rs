//! What the row of a version was, from its record and what is stored of it.
//!
//! Nothing is believed that its digest does not confirm: the record pins the manifest and what npm is told.

use serde_json::{Map, Value};
use slipway_common::fault::AnyFault;
use slipway_common::formats::record::VersionRecord;
use slipway_common::formats::version_meta::VersionMeta;
use slipway_common::ids::{PackageName, Sha256};
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::version::{ArtefactRecord, PackageVersion, VersionContent};
use slipway_common::storage::{Storage, StorageError, StorageKey};

/// What the npm document says of each version. Nothing where it is not there or cannot be read.
pub(crate) async fn npm_versions(storage: &Storage, package: &PackageName) -> Result<Map<String, Value>, AnyFault> {
    let seen = storage.look(&StorageKey::Packument(package.clone())).await?;
    let document = seen.bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    Ok(match document.and_then(|mut document| document.get_mut("versions").map(Value::take)) {
        Some(Value::Object(versions)) => versions,
        _ => Map::new(),
    })
}

/// The row of a version, or why it cannot be made.
pub(crate) async fn version(
    storage: &Storage,
    package: &PackageName,
    remembered: &VersionRecord,
    npm: &Map<String, Value>,
) -> Result<Result<PackageVersion, String>, AnyFault> {
    let key = StorageKey::VersionMeta { package: package.clone(), version: remembered.version.clone() };
    let bytes = match storage.get(&key).await {
        Ok(bytes) => bytes,
        Err(StorageError::Missing(_)) => return Ok(Err(format!("`{}` is not there", key.text()))),
        Err(error) => return Err(error.into()),
    };
    Ok(of(package, remembered, &bytes, npm).map_err(|why| format!("{why} (`{}`)", key.text())))
}

fn of(package: &PackageName, remembered: &VersionRecord, meta: &[u8], npm: &Map<String, Value>) -> Result<PackageVersion, String> {
    let digest = Sha256::of(meta);
    if remembered.meta() != Some(digest) {
        return Err("the manifest is not the one that was published".to_owned());
    }
    let meta: VersionMeta = serde_json::from_slice(meta).map_err(|error| format!("the manifest cannot be read: {error}"))?;
    let said = npm.get(&remembered.version.to_string()).and_then(Value::as_object);
    let npm_manifest = said.and_then(|said| frozen(said, &remembered.npm_manifest));
    let npm_manifest = npm_manifest.ok_or("the npm document does not say of it what was published")?;
    let mut artefacts = remembered.artefacts.clone();
    for (path, entry) in meta.manifest {
        let digest = entry.checksum.strip_prefix("sha256-").and_then(|hex| Sha256::from_hex(hex).ok());
        let digest = digest.ok_or("the manifest has a digest that is none")?;
        artefacts.push(ArtefactRecord { kind: ArtefactKind::Module(path), digest, size: entry.size });
    }
    artefacts.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(PackageVersion {
        package: package.clone(),
        version: remembered.version.clone(),
        is_yanked: remembered.is_yanked,
        task_id: remembered.task_id,
        user_id: remembered.user_id,
        content: VersionContent {
            exports: meta.exports,
            license: remembered.license.clone(),
            readme: remembered.readme.clone(),
            uses_npm: remembered.uses_npm,
            augmentations: meta.augmentations,
            meta: digest,
            npm_manifest,
            npm_revision: remembered.npm_revision,
            artefacts,
        },
        stored_generation: Some(remembered.stored_generation),
        created_at: remembered.created_at,
        updated_at: remembered.updated_at,
    })
}

/// What the row said of a version, without what the npm document adds to it. Told by its digest.
fn frozen(said: &Map<String, Value>, digest: &Sha256) -> Option<Value> {
    let mut plain = said.clone();
    if let Some(Value::Object(dist)) = plain.get_mut("dist") {
        dist.shift_remove("tarball");
    }
    let mut without = plain.clone();
    without.shift_remove("deprecated");
    [plain, without].into_iter().map(Value::Object).find(|manifest| Sha256::of(manifest.to_string().as_bytes()) == *digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_npm_was_told_is_found_again_to_the_byte() {
        let row = json!({ "name": "x", "dist": { "b": 1, "a": 2 }, "last": true });
        let digest = Sha256::of(row.to_string().as_bytes());
        let said = json!({ "name": "x", "dist": { "b": 1, "a": 2, "tarball": "https://r.example/x" }, "last": true, "deprecated": "why" });
        let found = frozen(said.as_object().unwrap(), &digest).unwrap();
        assert_eq!(found.to_string(), row.to_string());
        let other = json!({ "name": "y", "dist": {} });
        assert!(frozen(other.as_object().unwrap(), &digest).is_none());
    }
}
