//! Where stores in local files live: who makes the directories, and who may enter them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use slipway_common::storage::{Storage, StorageError};

#[tokio::test]
async fn directories_are_made_by_those_who_write_and_the_private_one_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("file:{}", place.path().join(name).display());
    assert!(matches!(Storage::open_existing(&url("public"), &url("private")), Err(StorageError::Directory { .. })));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    drop(Storage::open(&url("public"), &url("private")).unwrap());
    let mode = || std::fs::metadata(place.path().join("private")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    std::fs::set_permissions(place.path().join("private"), Permissions::from_mode(0o755)).unwrap();
    Storage::open_existing(&url("public"), &url("private")).unwrap().check().await.unwrap();
    assert_eq!(mode(), 0o755, "who only looks changes nothing");
    drop(Storage::open(&url("public"), &url("private")).unwrap());
    assert_eq!(mode(), 0o700);
}
