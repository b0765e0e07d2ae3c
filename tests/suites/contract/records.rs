//! What records are made of.

use chrono::TimeDelta;
use slipway_common::formats::record::{self, Shown};
use slipway_common::ids::Sha256;
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::dependency::{Dependency, DependencyKind};
use slipway_common::model::version::ArtefactRecord;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name};

on_both_engines!(a_scope_is_remembered_with_its_members_and_counts_their_changes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let scope = bench.draft_scope("acme", &ada);
    let name = scope_name("acme");
    let remembered = async || bench.read(async |tx| tx.scope_record(&name).await.unwrap()).await;
    assert!(remembered().await.is_none());
    bench.write(async |tx| assert!(tx.create_scope(&scope).await.unwrap())).await;
    let first = remembered().await.unwrap();
    assert_eq!((first.generation, first.members.len(), first.creator_id), (0, 0, ada.id));
    bench.advance(TimeDelta::seconds(1));
    bench.write(async |tx| tx.add_member(&name, bob.id, false).await.unwrap()).await;
    bench.write(async |tx| tx.add_member(&name, ada.id, true).await.unwrap()).await;
    let second = remembered().await.unwrap();
    assert_eq!(
        second.members.iter().map(|member| (member.user_id, member.is_admin)).collect::<Vec<_>>(),
        [(ada.id, true), (bob.id, false)]
    );
    bench.write(async |tx| tx.update_scope(&scope).await.unwrap()).await;
    bench.write(async |tx| tx.limit_scope(&scope).await.unwrap()).await;
    let last = remembered().await.unwrap();
    assert!(first.generation < second.generation && second.generation + 1 < last.generation, "every change counts");
    assert_eq!(serde_json::from_slice::<record::ScopeRecord>(&record::to_bytes(&last)).unwrap(), last);
    let shown = Shown::of(&record::to_bytes(&last)).unwrap();
    assert!(shown.is_newer_than(&Shown { generation: second.generation, ..shown }) && !shown.is_newer_than(&shown));
    let reborn = Shown { created_at: shown.created_at + TimeDelta::seconds(1), generation: 0 };
    assert!(reborn.is_newer_than(&shown), "a scope that was deleted and made again counts anew");
});

on_both_engines!(a_user_is_remembered_without_credentials, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let found = bench.read(async |tx| tx.user_record(ada.id).await.unwrap()).await.unwrap();
    assert_eq!((found.id, found.login.as_str(), found.email.as_deref(), found.generation), (ada.id, "ada", Some("ada@example.org"), 0));
    assert_eq!(serde_json::from_slice::<record::UserRecord>(&record::to_bytes(&found)).unwrap(), found);
    assert!(bench.read(async |tx| tx.user_record(bench.ids.next()).await.unwrap()).await.is_none());
});

on_both_engines!(versions_are_remembered_from_a_generation_on, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@acme/maths").await;
    let publish = bench.publish(&package, "1.0.0").await;
    let mut draft = bench.draft_version(&package, "1.0.0", publish.id);
    let artefact = |kind| ArtefactRecord { kind, digest: Sha256::of(b"x"), size: 1 };
    let module = ArtefactKind::Module("/mod.ts".try_into().unwrap());
    draft.content.artefacts = vec![artefact(module), artefact(ArtefactKind::VersionMeta), artefact(ArtefactKind::NpmTarball)];
    let needs = Dependency { kind: DependencyKind::Npm, name: "adder".to_owned(), constraint: "^1".to_owned(), path: String::new() };
    bench.write(async |tx| assert!(tx.create_version(&draft, std::slice::from_ref(&needs)).await.unwrap())).await;
    let remembered = async |after| bench.read(async |tx| tx.version_records(&package, after).await.unwrap()).await;
    assert!(remembered(-1).await.is_empty(), "its bytes are not in place");
    bench.write(async |tx| tx.mark_stored(&package, &draft.version, 1).await.unwrap()).await;
    bench.stored(&package, "2.0.0").await;
    bench.write(async |tx| tx.mark_stored(&package, &draft.version, 1).await.unwrap()).await;
    let all = remembered(-1).await;
    assert_eq!(all.iter().map(|record| record.version.to_string()).collect::<Vec<_>>(), ["2.0.0", "1.0.0"]);
    let (second, first) = (&all[0], &all[1]);
    assert_eq!((&second.publish, second.dependencies.len()), (&None, 0), "nobody knows the publish of this one");
    assert_eq!(
        first.artefacts.iter().map(|artefact| &artefact.kind).collect::<Vec<_>>(),
        [&ArtefactKind::VersionMeta, &ArtefactKind::NpmTarball]
    );
    assert_eq!(first.meta(), Some(Sha256::of(b"x")));
    assert_eq!((first.dependencies.as_slice(), first.stored_generation), (std::slice::from_ref(&needs), 1));
    let known = first.publish.as_ref().unwrap();
    assert_eq!((known.upload, known.upload_bytes, known.upload_id), (publish.upload, publish.upload_bytes, publish.id));
    assert!(remembered(second.stored_generation).await.is_empty());
    let record: record::VersionRecord = serde_json::from_slice(&record::to_bytes(first)).unwrap();
    assert_eq!(&record, first);
});
