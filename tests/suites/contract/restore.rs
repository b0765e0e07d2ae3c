//! Rows made from records.

use slipway_common::formats::record::PackageRecord;
use slipway_common::ids::Sha256;
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::identity::ProviderKind;
use slipway_common::model::package::{Repository, Visibility};
use slipway_common::model::version::ArtefactRecord;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};
use crate::identities;

on_both_engines!(what_was_remembered_comes_back_as_it_was, async |scratch| {
    let bench = Bench::on(scratch).await;
    assert!(bench.read(async |tx| tx.is_unused().await.unwrap()).await);
    let package = bench.package("@acme/maths").await;
    assert!(!bench.read(async |tx| tx.is_unused().await.unwrap()).await);
    let ada = bench.user("ada").await;
    bench.write(async |tx| tx.add_member(&scope_name("acme"), ada.id, true).await.unwrap()).await;
    let identity = identities::draft(&bench, &ada, ProviderKind::Gitlab, "7", Some("ada"));
    bench.write(async |tx| assert!(tx.create_identity(&identity).await.unwrap())).await;
    let publish = bench.publish(&package, "1.0.0").await;
    let mut draft = bench.draft_version(&package, "1.0.0", publish.id);
    draft.content.artefacts = vec![ArtefactRecord { kind: ArtefactKind::VersionMeta, digest: Sha256::of(b"x"), size: 1 }];
    draft.content.attestation = Some(serde_json::json!({ "mediaType": "z", "a": 1 }));
    draft.user_id = Some(ada.id);
    let needs = Dependency { kind: DependencyKind::Jsr, name: "@acme/other".to_owned(), constraint: "^1".to_owned(), path: String::new() };
    bench
        .write(async |tx| {
            assert!(tx.create_version(&draft, std::slice::from_ref(&needs)).await.unwrap());
            tx.mark_stored(&package, &draft.version, 3).await.unwrap();
            tx.freeze_scope(&scope_name("acme"), Some("it is looked into")).await.unwrap();
        })
        .await;

    let mut tx = bench.db.read().await.unwrap();
    let user = tx.user_record(ada.id).await.unwrap().unwrap();
    let scope = tx.scope_record(package.scope()).await.unwrap().unwrap();
    let maker = tx.user_record(scope.creator_id).await.unwrap().unwrap();
    let versions = tx.version_records(&package, -1).await.unwrap();
    let version = tx.version(&package, &draft.version).await.unwrap().unwrap();
    let row = tx.package(&package).await.unwrap().unwrap();
    drop(tx);
    let record = PackageRecord {
        package: package.clone(),
        description: "Adds.".to_owned(),
        repository: Some(Repository { owner: "acme".to_owned(), name: "maths".to_owned(), id: 7 }),
        is_archived: true,
        readme_source: row.readme_source,
        runtime_compat: row.runtime_compat,
        visibility: Visibility::Private,
        tags: [("next".try_into().unwrap(), draft.version.clone())].into(),
        changed: Vec::new(),
        held: Vec::new(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        generation: 9,
    };
    let mut raw = scratch.connect().await;
    for table in ["version_dependencies", "versions", "publishes", "packages", "scope_members", "scopes", "identities", "users"] {
        raw.execute(&format!("DELETE FROM {table}")).await;
    }
    bench
        .write(async |tx| {
            assert!(tx.restore_user(&user).await.unwrap() && tx.restore_user(&maker).await.unwrap());
            assert!(!tx.restore_user(&user).await.unwrap(), "there is one");
            assert!(tx.restore_scope(&scope).await.unwrap() && !tx.restore_scope(&scope).await.unwrap());
            assert!(tx.restore_package(&record, 8).await.unwrap() && !tx.restore_package(&record, 8).await.unwrap());
            assert!(tx.restore_version(&version, &versions[0]).await.unwrap());
            assert!(!tx.restore_version(&version, &versions[0]).await.unwrap());
        })
        .await;
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.user_record(ada.id).await.unwrap().unwrap(), user);
    assert_eq!(tx.identity(&identity.issuer, "7").await.unwrap(), Some(identity));
    assert_eq!(tx.scope_record(package.scope()).await.unwrap().unwrap(), scope);
    assert_eq!(tx.version_records(&package, -1).await.unwrap(), versions);
    assert_eq!(tx.version(&package, &draft.version).await.unwrap().unwrap(), version);
    assert_eq!(tx.dependencies_of(&package, &draft.version).await.unwrap(), [needs]);
    let back = tx.package(&package).await.unwrap().unwrap();
    assert_eq!(back.tags, record.tags);
    assert_eq!((back.generation, back.announced, back.is_archived, back.repository), (9, 8, true, record.repository));
    assert_eq!(tx.publish(publish.id).await.unwrap().unwrap().upload, publish.upload);
});
