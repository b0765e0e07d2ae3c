//! What only a bucket shows.

use std::time::Duration;

use slipway_tests::engines::told;

use super::*;

/// The longest that the server takes for an answer, many times over.
const PATIENCE: Duration = Duration::from_secs(30);

/// More keys than one page of a listing holds.
const KEYS: usize = 1_005;

#[tokio::test]
async fn an_edge_finds_what_it_needs_beside_the_bytes() {
    let Some((storage, url)) = shelf_of_bucket() else { return };
    let (endpoint, place) = (told("AWS_ENDPOINT").unwrap(), url.strip_prefix("s3://").unwrap().to_owned());
    let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
    for (key, content_type, cache) in [
        (module("/mod.ts"), "text/typescript", "public, max-age=31536000, immutable"),
        (module("/data.json"), "application/json", "public, max-age=31536000, immutable"),
        (
            StorageKey::NpmTarball { package: package(), version: version_of("1.0.0") },
            "application/octet-stream",
            "public, max-age=31536000, immutable",
        ),
    ] {
        put(&storage, &key, b"{}").await.unwrap();
        let found = http.get(format!("{endpoint}/{place}/public/{}", key.text())).send().await.unwrap();
        assert_eq!(found.status(), 200, "{key:?}");
        assert_eq!(found.headers()["content-type"], content_type, "{key:?}");
        assert_eq!(found.headers()["cache-control"], cache, "{key:?}");
    }
}

#[tokio::test]
async fn a_listing_has_as_many_pages_as_it_takes() {
    let Some((storage, _)) = shelf_of_bucket() else { return };
    let keys: Vec<StorageKey> = (0..KEYS).map(|number| module(&format!("/{number:04}.ts"))).collect();
    let written = keys.iter().map(|key| put(&storage, key, b"x"));
    assert!(futures::future::join_all(written).await.iter().all(Result::is_ok));
    let listed: Vec<String> = storage.list(Store::Public).await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(listed, keys.iter().map(StorageKey::text).collect::<Vec<_>>());
}
