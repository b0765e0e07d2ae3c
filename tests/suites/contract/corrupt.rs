//! A stored value that this build would not write is reported with its address.

use slipway_common::db::{DbError, DbResult, Page};
use slipway_common::ids::Sha256;
use slipway_common::jobs;
use slipway_common::model::publish::PublishState;
use slipway_common::model::token::TokenKind;
use slipway_tests::engines::Scratch;
use slipway_tests::on_both_engines;

use crate::bench::{Bench, scope_name, version_of};
use crate::jobs::announce;
use crate::{authorizations, tokens};

/// Does the damage, then looks.
async fn damage<T: std::fmt::Debug>(scratch: &Scratch, statement: &str, address: &str, look: impl AsyncFnOnce() -> DbResult<T>) {
    assert_eq!(scratch.connect().await.execute(statement).await, 1, "{statement}");
    match look().await {
        Err(DbError::Corrupt { table, column, reason }) => {
            assert_eq!(format!("{table}.{column}"), address, "{statement}");
            assert!(!reason.is_empty());
        }
        other => panic!("{statement}: {other:?}"),
    }
}

on_both_engines!(credentials, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let secret = Sha256::of(b"AAAA-BBBB");
    authorizations::asked(&bench, "AAAA-BBBB").await;
    bench.write(async |tx| tx.create_token(&tokens::draft(&bench, ada.id, TokenKind::Web), &secret).await.unwrap()).await;
    let bad = r#"'{"list":[{"permission":"dance","scope":"std"}]}'"#;
    let statement = format!("UPDATE tokens SET permissions = {bad}");
    damage(scratch, &statement, "tokens.permissions", async || bench.read(async |tx| tx.token_by_hash(&secret).await).await).await;
    damage(scratch, &statement, "tokens.permissions", async || bench.read(async |tx| tx.tokens_of(ada.id).await).await).await;
    let statement = format!("UPDATE authorizations SET permissions = {bad}");
    damage(scratch, &statement, "authorizations.permissions", async || {
        bench.read(async |tx| tx.authorization_by_exchange(&secret).await).await
    })
    .await;
});

on_both_engines!(names, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    bench.package("@std/path").await;
    let everything =
        "is_archived, readme_source, runtime_compat, dist_tags, generation, announced, trust_generation, created_at, updated_at";
    let copy = format!(
        "INSERT INTO packages (scope, name, skeleton, description, {everything}) SELECT scope, 'Bad', 'Bad', '', {everything} FROM packages"
    );
    damage(scratch, &copy, "packages.name", async || {
        bench.read(async |tx| tx.packages_of(&scope_name("std"), None, true, Page::default()).await).await
    })
    .await;
    let found = async || bench.read(async |tx| tx.find_packages("none", "Bad", None, Page::default()).await).await;
    damage(scratch, "UPDATE packages SET name = 'bad_' WHERE name = 'Bad'", "packages.name", found).await;
    damage(
        scratch,
        r#"UPDATE packages SET name = 'bad', runtime_compat = '{"moon":true}' WHERE name = 'bad_'"#,
        "packages.runtime_compat",
        found,
    )
    .await;
    damage(
        scratch,
        r#"UPDATE packages SET runtime_compat = '{}', dist_tags = '{"1.x":"1.0.0"}' WHERE name = 'bad'"#,
        "packages.dist_tags",
        found,
    )
    .await;
    let mut raw = scratch.connect().await;
    let everything = "description, creator_id, package_limit, new_package_per_week_limit, publish_attempts_per_week_limit, \
                      verify_oidc_actor, require_publishing_from_ci, generation, created_at, updated_at";
    raw.execute(&format!("INSERT INTO scopes (scope, skeleton, {everything}) SELECT 'X', 'X', {everything} FROM scopes")).await;
    let member = "INSERT INTO scope_members (scope, user_id, is_admin, created_at, updated_at)
                  SELECT 'X', id, is_staff, created_at, updated_at FROM users WHERE login = 'ada'";
    damage(scratch, member, "scope_members.scope", async || bench.read(async |tx| tx.scopes_of(ada.id).await).await).await;
});

on_both_engines!(publishes, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    for (column, bad) in [
        ("version", "'one'"),
        ("config", "'jsr.json'"),
        ("upload_sha256", "substr(upload_sha256, 1, 31)"),
        ("upload_bytes", "-1"),
        ("findings", r#"'{"list":[{"code":"dance"}]}'"#),
        ("findings", "'{}'"),
    ] {
        let publish = bench.publish(&package, "1.0.0").await;
        let statement = format!("UPDATE publishes SET {column} = {bad}");
        damage(scratch, &statement, &format!("publishes.{column}"), async || bench.read(async |tx| tx.publish(publish.id).await).await)
            .await;
        damage(scratch, &statement, &format!("publishes.{column}"), async || {
            bench.read(async |tx| tx.publishes_of(&package, Page::default()).await).await
        })
        .await;
        scratch.connect().await.execute("DELETE FROM publishes").await;
    }
});

on_both_engines!(versions, async |scratch| {
    let bench = Bench::on(scratch).await;
    let package = bench.package("@std/path").await;
    for (column, bad) in [
        ("version", "'one'"),
        ("exports", r#"'{"main":"./mod.ts"}'"#),
        ("readme_path", "'README.md'"),
        ("meta_sha256", "substr(meta_sha256, 1, 31)"),
        ("artefacts", "'{}'"),
    ] {
        bench.stored(&package, "1.0.0").await;
        let (statement, address) = (format!("UPDATE versions SET {column} = {bad}"), format!("versions.{column}"));
        damage(scratch, &statement, &address, async || bench.read(async |tx| tx.versions_of(&package, Page::default()).await).await).await;
        damage(scratch, &statement, &address, async || bench.read(async |tx| tx.latest_version(&package).await).await).await;
        if column == "version" {
            damage(scratch, &statement, &address, async || bench.read(async |tx| tx.listed_versions(&package).await).await).await;
        } else {
            damage(scratch, &statement, &address, async || bench.read(async |tx| tx.version(&package, &version_of("1.0.0")).await).await)
                .await;
        }
        if ["version", "exports"].contains(&column) {
            let asked = [package.clone()];
            damage(scratch, &statement, &address, async || {
                bench.read(async |tx| tx.resolvable_packages(&asked, asked[0].scope(), None).await).await
            })
            .await;
        }
        scratch.connect().await.execute("DELETE FROM versions").await;
    }
});

on_both_engines!(jobs_of_all_kinds, async |scratch| {
    let bench = Bench::on(scratch).await;
    let id = bench.enqueue(&announce()).await;
    damage(scratch, r#"UPDATE jobs SET payload = '{"kind":"announce"}'"#, "jobs.payload", async || {
        let mut tx = bench.db.write("test").await.unwrap();
        jobs::claim(&mut tx, id, "one").await
    })
    .await;
});

on_both_engines!(words_of_a_closed_list_are_guarded_by_the_schema, async |scratch| {
    let bench = Bench::on(scratch).await;
    let ada = bench.user("ada").await;
    let package = bench.package("@std/path").await;
    let publish = bench.publish(&package, "1.0.0").await;
    bench.enqueue(&announce()).await;
    authorizations::asked(&bench, "AAAA-BBBB").await;
    bench.write(async |tx| tx.create_token(&tokens::draft(&bench, ada.id, TokenKind::Web), &Sha256::of(b"x")).await.unwrap()).await;
    let mut raw = scratch.connect().await;
    for column in ["publishes.state", "jobs.state", "authorizations.state", "tokens.kind", "packages.readme_source"] {
        let (table, column) = column.split_once('.').unwrap();
        let refused = raw.attempt(&format!("UPDATE {table} SET {column} = 'dance'")).await;
        assert!(refused.is_err(), "{table}.{column}");
    }
    let state = bench.read(async |tx| tx.publish(publish.id).await.unwrap().unwrap().state).await;
    assert_eq!(state, PublishState::Queued);
});
