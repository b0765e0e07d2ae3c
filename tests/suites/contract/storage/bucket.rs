//! What only a bucket shows.

use object_store::aws::AmazonS3Builder;
use object_store::{Attribute, ObjectStoreExt as _};

use super::*;

/// More keys than one page of a listing holds.
const KEYS: usize = 1_005;

#[tokio::test]
async fn an_edge_finds_what_it_needs_beside_the_bytes() {
    let Some((storage, url)) = shelf_of_bucket() else { return };
    // What the server keeps, without the room that is tested.
    let bucket = AmazonS3Builder::from_env().with_url(&url).build().unwrap();
    let place = url.splitn(4, '/').nth(3).unwrap().to_owned();
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
        let path = object_store::path::Path::parse(format!("{place}/public/{}", key.text())).unwrap();
        let kept = bucket.get(&path).await.unwrap().attributes;
        assert_eq!(kept.get(&Attribute::ContentType).map(AsRef::as_ref), Some(content_type), "{key:?}");
        assert_eq!(kept.get(&Attribute::CacheControl).map(AsRef::as_ref), Some(cache), "{key:?}");
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
