//! Accounts that people have elsewhere.

use chrono::TimeDelta;
use slipway_common::model::identity::{Identity, ProviderKind};
use slipway_common::model::user::User;
use slipway_tests::on_both_engines;

use crate::bench::Bench;

pub(crate) fn draft(bench: &Bench<'_>, user: &User, kind: ProviderKind, subject: &str, login: Option<&str>) -> Identity {
    Identity {
        id: bench.ids.next(),
        user_id: user.id,
        kind,
        issuer: format!("https://{}.example", kind.as_str()),
        subject: subject.to_owned(),
        login: login.map(ToOwned::to_owned),
        email: Some(format!("{subject}@example.org")),
        created_at: bench.now(),
        seen_at: bench.now(),
    }
}

async fn add(bench: &Bench<'_>, identity: &Identity) -> bool {
    bench.write(async |tx| tx.create_identity(identity).await.unwrap()).await
}

on_both_engines!(an_identity_reads_back_as_written, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let mut all = Vec::new();
    for (kind, login) in ProviderKind::ALL.into_iter().zip([Some("mona"), None, Some("\u{1f6a2} O'Hara")]) {
        all.push(draft(&bench, &ada, kind, "7", login));
        assert!(add(&bench, all.last().unwrap()).await);
        bench.advance(TimeDelta::seconds(1));
    }
    let foreign = Identity { email: None, ..draft(&bench, &bob, ProviderKind::Oidc, "8", None) };
    assert!(add(&bench, &foreign).await);
    bench
        .read(async |tx| {
            assert_eq!(tx.identities_of(ada.id).await.unwrap(), all);
            assert_eq!(tx.identities_of(bench.ids.next()).await.unwrap(), []);
            for identity in all.iter().chain([&foreign]) {
                assert_eq!(tx.identity(&identity.issuer, &identity.subject).await.unwrap().as_ref(), Some(identity));
            }
            for (issuer, subject) in [("https://github.example", "8"), ("https://other.example", "7"), ("https://oidc.example", "8\0")] {
                assert_eq!(tx.identity(issuer, subject).await.unwrap(), None, "{issuer} {subject:?}");
            }
        })
        .await;
});

on_both_engines!(an_identity_belongs_to_one_user, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let first = draft(&bench, &ada, ProviderKind::Github, "7", Some("mona"));
    assert!(add(&bench, &first).await);
    for user in [&ada, &bob] {
        assert!(!add(&bench, &draft(&bench, user, ProviderKind::Github, "7", Some("hubot"))).await);
    }
    assert_eq!(bench.read(async |tx| tx.identities_of(ada.id).await.unwrap()).await, [first]);
    // Who comes second in a race hears of it, too.
    let (one, two) = (draft(&bench, &ada, ProviderKind::Oidc, "9", None), draft(&bench, &bob, ProviderKind::Oidc, "9", None));
    let raced = bench.race(async |tx| tx.create_identity(&one).await.unwrap(), async |tx| tx.create_identity(&two).await.unwrap()).await;
    assert_eq!(raced, (true, false));
});

on_both_engines!(a_login_is_that_of_who_was_seen_with_it_last, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let first = draft(&bench, &ada, ProviderKind::Github, "7", Some("mona"));
    let lab = draft(&bench, &ada, ProviderKind::Gitlab, "7", Some("mona"));
    assert!(add(&bench, &first).await && add(&bench, &lab).await);
    let called = async |kind, login: &str| bench.read(async |tx| tx.identities_called(kind, login).await.unwrap()).await;
    assert_eq!(called(ProviderKind::Github, "MONA").await, std::slice::from_ref(&first));
    assert_eq!(called(ProviderKind::Oidc, "mona").await, []);
    assert_eq!(called(ProviderKind::Github, "mon%").await, []);
    assert_eq!(called(ProviderKind::Github, "mona\0").await, []);
    let second = draft(&bench, &bob, ProviderKind::Github, "8", Some("mona"));
    assert!(add(&bench, &second).await);
    assert_eq!(called(ProviderKind::Github, "mona").await, std::slice::from_ref(&second));
    assert_eq!(called(ProviderKind::Gitlab, "mona").await, [lab], "another issuer has other people");
    // Seen again under that name, the first one has it back.
    bench.advance(TimeDelta::hours(1));
    let again = Identity { email: None, seen_at: bench.now(), ..first.clone() };
    assert!(bench.write(async |tx| tx.see_identity(&again, true).await.unwrap()).await);
    assert_eq!(called(ProviderKind::Github, "mona").await, [again]);
    let nameless = bench.read(async |tx| tx.identities_of(bob.id).await.unwrap()).await;
    assert_eq!(nameless, [Identity { login: None, ..second.clone() }]);
    let gone = Identity { id: bench.ids.next(), ..first.clone() };
    let foreign = Identity { user_id: bob.id, ..first };
    for nobodys in [gone, foreign] {
        assert!(!bench.write(async |tx| tx.see_identity(&nobodys, true).await.unwrap()).await);
    }
});

on_both_engines!(only_its_owner_removes_an_identity, async |scratch| {
    let bench = Bench::on(scratch).await;
    let (ada, bob) = (bench.user("ada").await, bench.user("bob").await);
    let identity = draft(&bench, &ada, ProviderKind::Github, "7", None);
    assert!(add(&bench, &identity).await);
    let remove = async |user: &User| bench.write(async |tx| tx.remove_identity(user.id, identity.id).await.unwrap()).await;
    assert_eq!((remove(&bob).await, remove(&ada).await, remove(&ada).await), (false, true, false));
    assert!(add(&bench, &Identity { user_id: bob.id, ..identity }).await, "it is free again");
});

on_both_engines!(what_a_record_shows_of_identities_is_counted, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let record = async || bench.read(async |tx| tx.user_record(ada.id).await.unwrap().unwrap()).await;
    let mut last = record().await.generation;
    let mut has_changed = async || {
        let now = record().await.generation;
        now > std::mem::replace(&mut last, now)
    };
    let identity = draft(&bench, &ada, ProviderKind::Github, "7", Some("mona"));
    assert!(add(&bench, &identity).await && has_changed().await);
    assert!(!add(&bench, &identity).await && !has_changed().await);
    bench.write(async |tx| assert!(tx.see_identity(&identity, false).await.unwrap())).await;
    assert!(!has_changed().await, "that it was seen is in no record");
    bench.write(async |tx| assert!(tx.see_identity(&identity, true).await.unwrap())).await;
    assert!(has_changed().await);
    bench.write(async |tx| tx.set_email(ada.id, Some("new@example.org")).await.unwrap()).await;
    assert!(has_changed().await);
    let shown = record().await;
    assert_eq!((shown.email.as_deref(), shown.identities[0].of(ada.id)), (Some("new@example.org"), identity.clone()));
    bench.write(async |tx| tx.set_email(ada.id, None).await.unwrap()).await;
    assert!(has_changed().await && record().await.email.is_none());
    bench.write(async |tx| assert!(tx.remove_identity(ada.id, identity.id).await.unwrap())).await;
    assert!(has_changed().await && record().await.identities.is_empty());
});
