//! The public documents of a package against its rows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use slipway_common::ids::{PackageName, Version};
use slipway_common::storage::{Storage, StorageKey};
use slipway_tests::registry::HOST;

use crate::rows::{PackageRow, VersionRow};

/// The documents of a package.
pub(crate) fn keys(package: &PackageName) -> [StorageKey; 3] {
    [StorageKey::PackageMeta(package.clone()), StorageKey::Packument(package.clone()), StorageKey::PackumentAbbreviated(package.clone())]
}

/// Demands that the documents say what the rows say.
pub(crate) async fn agree(storage: &Storage, name: &PackageName, row: &PackageRow) {
    let mut read = Vec::new();
    for key in keys(name) {
        let bytes = storage.get(&key).await.unwrap_or_else(|error| panic!("{}: {error}", key.text()));
        read.push(serde_json::from_slice::<Value>(&bytes).unwrap_or_else(|error| panic!("{}: {error}", key.text())));
    }
    let [meta, full, short]: [Value; 3] = read.try_into().expect("there are three");
    let generation = row.announced;
    assert_eq!(meta["generation"], generation, "{name}: meta.json");
    assert_eq!(full["_rev"], generation.to_string(), "{name}: index.json");
    assert_eq!(short["generation"], generation, "{name}: abbreviated.json");
    assert_eq!(full["description"], row.description.as_str(), "{name}: index.json");

    let rising: Vec<String> = row.versions.keys().map(ToString::to_string).collect();
    let falling: Vec<String> = rising.iter().rev().cloned().collect();
    for (document, title, order) in [(&meta, "meta.json", &falling), (&full, "index.json", &rising), (&short, "abbreviated.json", &rising)]
    {
        let listed: Vec<_> = document["versions"].as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
        assert_eq!(listed, *order, "{name}: {title}");
    }
    for (version, of_version) in &row.versions {
        let text = version.to_string();
        let yanked = if of_version.is_yanked { json!(true) } else { Value::Null };
        assert_eq!(meta["versions"][&text]["yanked"], yanked, "{name}@{text}: meta.json");
        for (document, title) in [(&full, "index.json"), (&short, "abbreviated.json")] {
            let entry = &document["versions"][&text];
            assert_eq!(entry["deprecated"].is_string(), of_version.is_yanked, "{name}@{text}: {title}");
            let tarball = StorageKey::NpmTarball { package: name.clone(), version: version.clone() };
            assert_eq!(entry["dist"]["tarball"], format!("http://{HOST}/{}", tarball.text()), "{name}@{text}: {title}");
            assert!(document["time"][&text].is_string(), "{name}@{text}: {title} does not say when");
        }
    }

    let stable = highest(&row.versions, Version::is_stable);
    assert_eq!(meta["latest"], json!(stable), "{name}: Deno's latest is the highest stable version that is not yanked");
    let tags = stable.or_else(|| highest(&row.versions, |_| true)).map_or(json!({}), |latest| json!({ "latest": latest }));
    for document in [&full, &short] {
        assert_eq!(
            document["dist-tags"], tags,
            "{name}: npm's latest is the highest stable version, or else the highest; never a yanked one"
        );
    }
}

/// The highest version that is not yanked.
pub(crate) fn highest(versions: &BTreeMap<Version, VersionRow>, counts: impl Fn(&Version) -> bool) -> Option<String> {
    versions.iter().rev().find(|(version, row)| !row.is_yanked && counts(version)).map(|(version, _)| version.to_string())
}
