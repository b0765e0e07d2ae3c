//! The audit log: what is written down reads back, in order, whatever it is about.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::db::AuditFilter;
use slipway_common::ids::{ActId, Sha256};
use slipway_common::model::audit::{Act, Deed, Doer, DoerKind, Refusals};
use slipway_common::model::ci::CiIdentity;
use slipway_common::model::token::{Token, TokenKind};
use slipway_tests::on_both_engines;

use crate::bench::{Bench, package_name, scope_name, version_of};
use crate::tokens;

fn job() -> CiIdentity {
    CiIdentity {
        issuer: "https://ci.example".to_owned(),
        repository: "acme/maths".to_owned(),
        repository_id: "7".to_owned(),
        reference: "refs/heads/main".to_owned(),
        workflow: Some("publish.yml".to_owned()),
        environment: None,
        actor: Some("a\0da".to_owned()),
        actor_id: None,
        commit: None,
        run: Some("12".to_owned()),
    }
}

async fn write(bench: &Bench<'_>, doer: &Doer, deed: &Deed) -> ActId {
    let id = bench.ids.next();
    bench.write(async |tx| tx.audit(id, doer, deed).await.unwrap()).await;
    id
}

on_both_engines!(every_act_of_everybody_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let token = Token { description: Some("laptop".to_owned()), ..tokens::draft(&bench, ada.id, TokenKind::Personal) };
    let address = "2001:db8::7".parse().ok();
    let doers = [
        Doer::user(&ada, &token, address),
        Doer::user(&ada, &token, address).as_staff(),
        Doer::ci(&job(), "192.0.2.7".parse().ok()),
        Doer::operator(),
        Doer::registry(),
        Doer::anonymous(None),
    ];
    assert!(doers.iter().map(|doer| doer.kind).eq(DoerKind::ALL));
    let package = package_name("@std/encoding");
    let mut expected = Vec::new();
    for (index, act) in Act::ALL.iter().enumerate() {
        let doer = &doers[index % doers.len()];
        let deed = match index % 4 {
            0 => Deed::new(*act).about(ada.id),
            1 => Deed::in_scope(*act, package.scope()).with("list", json!([1, null, { "text": "\u{1f6a2}" }])),
            2 => Deed::of_package(*act, &package).changing("description", "a\0b", "c"),
            _ => Deed::of_version(*act, &package, &version_of("1.0.0-rc.1+b")).because("someCode"),
        };
        bench.advance(TimeDelta::microseconds(1));
        expected.push((write(&bench, doer, &deed).await, doer.clone(), deed, bench.now()));
    }
    let read = bench.read(async |tx| tx.acts(&AuditFilter::default(), None, 1_000).await.unwrap()).await;
    assert_eq!(read.len(), Act::ALL.len());
    let plain = |map: &serde_json::Map<String, Value>| serde_json::to_string(map).unwrap().replace("\\u0000", "\u{fffd}");
    for (row, (id, doer, deed, at)) in read.iter().rev().zip(&expected) {
        assert_eq!((row.id, row.act.as_str(), row.created_at), (*id, deed.act.as_str(), *at));
        assert_eq!((row.doer.kind, row.doer.user, &row.doer.name, row.doer.address), (doer.kind, doer.user, &doer.name, doer.address));
        let credential: Value = serde_json::from_str(&plain(&doer.credential)).unwrap();
        assert_eq!(Value::from(row.doer.credential.clone()), credential);
        assert_eq!((&row.scope, &row.package, row.user, &row.reason), (&deed.scope, &deed.package, deed.user, &deed.reason));
        assert_eq!(row.version, deed.version.as_ref().map(ToString::to_string));
        let details: Value = serde_json::from_str(&plain(&deed.details)).unwrap();
        assert_eq!(Value::from(row.details.clone()), details);
    }
    // What an act is about may go. Nothing refers to it, and it stays.
    let left = bench
        .write(async |tx| {
            tx.create_token(&token, &Sha256::of(b"laptop")).await.unwrap();
            assert!(tx.delete_token(ada.id, token.id).await.unwrap());
            tx.acts(&AuditFilter::default(), None, 1_000).await.unwrap().len()
        })
        .await;
    assert_eq!(left, Act::ALL.len());
});

on_both_engines!(an_act_that_is_not_committed_did_not_happen, async |scratch| {
    let bench = Bench::on(scratch).await;
    let mut tx = bench.db.write("test").await.unwrap();
    tx.audit(bench.ids.next(), &Doer::operator(), &Deed::new(Act::UserCreate)).await.unwrap();
    drop(tx);
    assert_eq!(bench.read(async |tx| tx.acts(&AuditFilter::default(), None, 10).await.unwrap()).await, []);
});

on_both_engines!(a_log_is_read_in_pages_and_parts, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let by = |user| Doer::user(user, &tokens::draft(&bench, ada.id, TokenKind::Web), None);
    let (maths, words) = (package_name("@std/maths"), package_name("@other/maths"));
    let acts = [
        write(&bench, &by(&ada), &Deed::of_package(Act::PackageCreate, &maths)).await,
        write(&bench, &by(&bob), &Deed::of_package(Act::PackageCreate, &words)).await,
        write(&bench, &by(&bob), &Deed::in_scope(Act::MemberRole, maths.scope()).about(ada.id)).await,
    ];
    bench.advance(TimeDelta::seconds(1));
    let last = write(&bench, &by(&ada), &Deed::of_package(Act::PackageChange, &maths)).await;
    let ids = async |filter: AuditFilter, before, most| {
        let acts = bench.read(async |tx| tx.acts(&filter, before, most).await.unwrap()).await;
        acts.iter().map(|act| act.id).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(ids(all(), None, 10).await, [last, acts[2], acts[1], acts[0]]);
    assert_eq!(ids(all(), None, 2).await, [last, acts[2]]);
    assert_eq!(ids(all(), Some(acts[2]), 2).await, [acts[1], acts[0]]);
    assert_eq!(ids(all(), Some(acts[0]), 2).await, []);
    let std = || Some(scope_name("std"));
    assert_eq!(ids(AuditFilter { scope: std(), ..all() }, None, 10).await, [last, acts[2], acts[0]]);
    assert_eq!(ids(AuditFilter { scope: std(), package: Some("maths".to_owned()), ..all() }, None, 10).await, [last, acts[0]]);
    assert_eq!(ids(AuditFilter { package: Some("ma\0ths".to_owned()), ..all() }, None, 10).await, []);
    assert_eq!(ids(AuditFilter { act: Some(Act::PackageCreate), ..all() }, None, 10).await, [acts[1], acts[0]]);
    assert_eq!(ids(AuditFilter { actor: Some(ada.id), ..all() }, None, 10).await, [last, acts[0]]);
    assert_eq!(ids(AuditFilter { concerning: Some(ada.id), ..all() }, None, 10).await, [last, acts[2], acts[0]]);
    assert_eq!(ids(AuditFilter { concerning: Some(ada.id), scope: std(), ..all() }, Some(last), 1).await, [acts[2]]);
    assert_eq!(ids(AuditFilter { since: Some(bench.now()), ..all() }, None, 10).await, [last]);
});

on_both_engines!(what_was_refused_lately_is_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (here, there) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
    let refused = |scope: &str| Deed::in_scope(Act::PublishRefuse, &scope_name(scope)).because("packageNotFound");
    for (scope, address) in [("std", here), ("std", there), ("other", here)] {
        write(&bench, &Doer::anonymous(address), &refused(scope)).await;
    }
    write(&bench, &Doer::ci(&job(), here), &refused("std")).await;
    write(&bench, &Doer::anonymous(here), &Deed::new(Act::SessionRefuse)).await;
    let counted = async |deed: Deed, doer: Doer, ago: TimeDelta| {
        bench.read(async |tx| tx.count_refusals(&deed, &doer, bench.now() - ago).await.unwrap()).await
    };
    let (soon, later) = (TimeDelta::seconds(1), TimeDelta::zero());
    let refusals = |all, in_scope, from_address| Refusals { all, in_scope, from_address };
    assert_eq!(counted(refused("std"), Doer::anonymous(here), soon).await, refusals(3, 2, 2));
    assert_eq!(counted(refused("std"), Doer::anonymous(None), soon).await, refusals(3, 2, 0));
    assert_eq!(counted(refused("std"), Doer::ci(&job(), there), soon).await, refusals(1, 1, 0));
    assert_eq!(counted(Deed::new(Act::SessionRefuse), Doer::anonymous(here), soon).await, refusals(1, 0, 1));
    assert_eq!(counted(refused("std"), Doer::anonymous(here), later).await, refusals(0, 0, 0));
});
