//! What was done, on a page.

use serde_json::json;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_tests::{Client, TestRegistry};

async fn browser(registry: &TestRegistry, person: &Client) -> Client {
    let answer = registry.anonymous().form("/login", &[("token", person.secret().unwrap())]).await.expect(303);
    let cookie = answer.header("set-cookie").strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap().to_owned();
    registry.anonymous().cookie(&cookie)
}

#[tokio::test]
async fn admins_see_what_was_done_in_their_scope() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (registry.person("ada").await, registry.person("bob").await);
    registry.database().execute("UPDATE users SET name = 'Ada <b>' WHERE login = 'ada'").await;
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'bob'").await;
    drop(ada.post("/api/scopes", json!({ "scope": "acme", "description": "" })).await.expect(200));
    drop(ada.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    let upload = slipway_tests::PackageBuilder::small("@acme/maths", "1.0.0");
    assert_eq!(registry.anonymous().publish(&upload).await.refusal(), "401 missingAuthentication");
    drop(bob.patch("/api/admin/scopes/acme", json!({ "packageLimit": 7 })).await.expect(200));

    let place = "/account/audit/acme";
    let nobody = registry.anonymous().get(place).await.expect(303);
    assert_eq!(nobody.header("location"), "/login?redirect=/account/audit/acme");
    assert_eq!(browser(&registry, &bob).await.get(place).await.status, 403, "it is the admins' page");
    let browser = browser(&registry, &ada).await;
    let page = browser.get(place).await.expect(200);
    assert_eq!(page.header("cache-control"), "private, no-store");
    insta::assert_snapshot!(page.text());
    assert_eq!(browser.get("/account/audit/No").await.status, 400);
    assert_eq!(browser.get(&format!("{place}?cursor=x")).await.status, 400);
    let own = browser.get("/account/audit").await.expect(200).text();
    assert!(own.contains("session.open") && own.contains("scope.create") && !own.contains("scope.limits"), "{own}");
    assert_eq!(registry.anonymous().get("/account/audit").await.expect(303).header("location"), "/login?redirect=/account/audit");
    registry.drain().await;
}

#[tokio::test]
async fn a_long_log_has_several_pages() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    drop(ada.post("/api/scopes", json!({ "scope": "acme", "description": "" })).await.expect(200));
    let context = registry.context();
    let mut tx = context.db.write("test.audit").await.unwrap();
    for number in 0..60 {
        let deed = Deed::in_scope(Act::ScopeChange, &"acme".try_into().unwrap()).because(&format!("number{number}."));
        tx.audit(context.ids.next(), &Doer::registry(), &deed).await.unwrap();
    }
    tx.commit().await.unwrap();
    let browser = browser(&registry, &ada).await;
    let first = browser.get("/account/audit/acme").await.expect(200).text();
    let (_, rest) = first.split_once("href=\"?cursor=").expect("there is more");
    let cursor = rest.split('"').next().unwrap();
    let second = browser.get(&format!("/account/audit/acme?cursor={cursor}")).await.expect(200).text();
    assert!(first.contains("number59.") && first.contains("number10.") && !first.contains("number9."), "{first}");
    assert!(second.contains("number9.") && second.contains("scope.create") && !second.contains("cursor="), "{second}");
    registry.drain().await;
}
