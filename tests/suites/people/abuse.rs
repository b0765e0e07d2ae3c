//! What staff does against abuse.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::UserId;
use slipway_common::model::token::TokenKind;
use slipway_tests::{Answer, PackageBuilder, TestRegistry};

use crate::company::{join, owner, person};
use crate::staff::staff;

const FREEZE: &str = "/api/admin/scopes/acme/freeze";

#[tokio::test]
async fn nothing_changes_in_a_frozen_scope() {
    let registry = TestRegistry::start().await;
    let (ada, root) = (owner(&registry, "ada", "acme").await, staff(&registry).await);
    let (bob, eve) = (person(&registry, "bob").await, person(&registry, "eve").await);
    join(&registry, "acme", &ada, &bob, false).await;
    drop(ada.client.post("/api/scopes/acme/members", json!({ "id": eve.id })).await.expect(200));
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    let small = |version: &str| PackageBuilder::small("@acme/maths", version);
    assert_eq!(ada.client.publish_through(&small("1.0.0")).await["status"], "success");

    assert_eq!(root.client.put("/api/admin/scopes/none/freeze", json!({ "reason": "x" })).await.refusal(), "404 scopeNotFound");
    for bad in [json!({}), json!({ "reason": " " }), json!({ "reason": "two\nlines" }), json!({ "reason": "x".repeat(501) })] {
        assert_eq!(root.client.put(FREEZE, bad.clone()).await.refusal(), "400 malformedRequest", "{bad}");
        assert_eq!(ada.client.put(FREEZE, bad.clone()).await.refusal(), "403 actorNotAuthorized", "{bad}");
    }
    let frozen = root.client.put(FREEZE, json!({ "reason": " A token was stolen. " })).await.expect(200).json();
    assert_eq!(frozen["frozen"], "A token was stolen.");

    let package = "/api/scopes/acme/packages/maths";
    let tried = [
        ada.client.publish(&small("2.0.0")).await,
        bob.client.publish(&small("2.0.0")).await,
        ada.client.patch("/api/scopes/acme", json!({ "description": "It counts." })).await,
        ada.client.post("/api/scopes/acme/packages", json!({ "package": "words" })).await,
        ada.client.patch(package, json!({ "isArchived": true })).await,
        ada.client.patch(&format!("{package}/versions/1.0.0"), json!({ "yanked": true })).await,
        bob.client.put(&format!("{package}/dist-tags/next"), json!({ "version": "1.0.0" })).await,
        ada.client.post("/api/scopes/acme/members", json!({ "email": "joe@example.org" })).await,
        ada.client.patch(&bob.place("acme"), json!({ "isAdmin": true })).await,
        bob.client.delete(&bob.place("acme")).await,
        eve.client.post("/api/user/invites/acme", json!({})).await,
        ada.client.delete("/api/scopes/acme").await,
    ];
    for answer in tried {
        assert_eq!(answer.refusal(), "403 scopeFrozen");
        assert!(answer.text().contains("@acme is frozen by the staff of this registry: A token was stolen."), "{}", answer.text());
    }
    assert_eq!(eve.client.publish(&small("2.0.0")).await.refusal(), "403 actorNotScopeMember", "strangers learn nothing");
    // What is there is read on.
    for path in [package, "/@acme/maths/meta.json", "/@acme/maths/1.0.0/mod.ts", "/npm/@jsr/acme__maths", "/api/scopes/acme/members"] {
        drop(registry.anonymous().get(path).await.expect(200));
    }
    assert_eq!(ada.client.get("/api/scopes/acme").await.expect(200).json()["frozen"], "A token was stolen.");

    assert_eq!(root.client.delete(FREEZE).await.expect(200).json()["frozen"], json!(null));
    drop(root.client.delete(FREEZE).await.expect(200));
    assert_eq!(bob.client.publish_through(&small("2.0.0")).await["status"], "success");
    registry.drain().await;
    let log = ada.client.get("/api/scopes/acme/audit?limit=3").await.expect(200).json();
    let told: Vec<_> =
        log["items"].as_array().unwrap().iter().map(|act| (act["act"].as_str().unwrap(), act["details"]["reason"].clone())).collect();
    assert_eq!(told[0].0, "publish.accept");
    assert_eq!(told[1], ("scope.unfreeze", json!({ "before": "A token was stolen.", "now": null })));
    assert_eq!(told[2].0, "publish.refuse");
}

#[tokio::test]
async fn what_was_accepted_before_a_freeze_is_not_published_after_it() {
    let registry = TestRegistry::without_worker().await;
    let author = registry.author("@acme/maths").await;
    let root = staff(&registry).await;
    let small = PackageBuilder::small("@acme/maths", "1.0.0");
    let task = registry.accept(&author, &small).await;
    drop(root.client.put(FREEZE, json!({ "reason": "A token was stolen." })).await.expect(200));
    registry.drain().await;
    let ended = author.get(&format!("/api/publish_status/{task}")).await.expect(200).json();
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failure"), &json!("scopeFrozen")), "{ended}");
    assert!(ended["error"]["message"].as_str().unwrap().contains("A token was stolen."));
    assert_eq!(author.get("/api/scopes/acme/packages/maths/versions/1.0.0").await.refusal(), "404 packageVersionNotFound");
    assert_eq!(registry.anonymous().get("/@acme/maths/meta.json").await.status, 404);
    let log = author.get("/api/scopes/acme/audit?act=publish.reject").await.expect(200).json();
    assert_eq!(log["items"][0]["reason"], "scopeFrozen");
    drop(root.client.delete(FREEZE).await.expect(200));
    let again = registry.accept(&author, &small).await;
    registry.drain().await;
    assert_eq!(author.get(&format!("/api/publish_status/{again}")).await.expect(200).json()["status"], "success");
}

/// What is limited hears so, and when to come back.
fn is_limited(answer: &Answer, key: &str, seconds: &str) {
    assert_eq!((answer.refusal().as_str(), answer.header("retry-after")), ("429 tooManyRequests", seconds), "{}", answer.text());
    assert!(answer.text().contains(&format!("rates.{key}")), "{}", answer.text());
}

#[tokio::test]
async fn accounts_do_so_much_within_an_hour() {
    let mut registry = TestRegistry::configured(&[
        ("rates.tokens", "2"),
        ("rates.scopes", "2"),
        ("rates.packages", "2"),
        ("rates.invites", "2"),
        ("rates.tickets", "2"),
        ("rates.uploads", "2"),
        ("quotas.scopes_per_user", "100"),
    ])
    .await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    let id: UserId = ada.id.parse().unwrap();
    let browser = registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await);
    let make = async |n: usize| {
        let name = ["one", "two", "three", "four", "five"][n];
        [
            browser.post("/api/user/tokens", json!({ "description": name })).await,
            ada.client.post("/api/scopes", json!({ "scope": format!("scope{name}"), "description": "" })).await,
            ada.client.post("/api/scopes/acme/packages", json!({ "package": if n == 0 { "maths" } else { name } })).await,
            ada.client.post("/api/scopes/acme/members", json!({ "email": format!("{name}@example.org") })).await,
            ada.client.post("/api/tickets", json!({ "kind": "other", "meta": {}, "message": name })).await,
            ada.client.publish(&PackageBuilder::small("@acme/maths", &format!("{n}.0.0"))).await,
        ]
    };
    // The scope that the test begins with is the first of two.
    let keys = ["tokens", "scopes", "packages", "invites", "tickets", "uploads"];
    for (n, free) in [(0, 6), (1, 5)] {
        let answers = make(n).await;
        assert_eq!(answers.iter().filter(|answer| answer.status < 300).count(), free, "{n}: {answers:?}");
    }
    registry.advance(TimeDelta::minutes(20));
    for (answer, key) in make(2).await.iter().zip(keys) {
        is_limited(answer, key, "2401");
    }
    // What is refused for another reason is not counted, what is limited is not either, and others are counted by themselves.
    assert_eq!(ada.client.post("/api/scopes", json!({ "scope": "No", "description": "" })).await.refusal(), "400 scopeNameNotAllowed");
    drop(bob.client.post("/api/scopes", json!({ "scope": "bobs", "description": "" })).await.expect(200));
    // It holds for every process, since it stands in the database.
    registry.restart().await;
    for (answer, key) in make(3).await.iter().zip(keys) {
        is_limited(answer, key, "2401");
    }
    // Looking is as free as ever.
    for _ in 0..10 {
        drop(ada.client.get("/api/user/tokens").await.expect(200));
        drop(registry.anonymous().get("/@acme/maths/meta.json").await.expect(200));
    }
    registry.advance(TimeDelta::minutes(40));
    let answers = make(4).await;
    assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
    let log = ada.client.get("/api/scopes/acme/audit?act=publish.refuse").await.expect(200).json();
    assert_eq!(log["items"][0]["reason"], "tooManyRequests");
    registry.drain().await;
}

#[tokio::test]
async fn addresses_do_so_much_within_an_hour() {
    let registry =
        TestRegistry::configured(&[("trusted_proxies", "127.0.0.0/8, ::1"), ("rates.sign_ins", "2"), ("rates.authorizations", "2")]).await;
    let ada = person(&registry, "ada").await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let address = registry.listen().await;
    let challenge = json!({ "challenge": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }).to_string();
    let ask = async |from: &str, token: &str| {
        let request = http.post(format!("http://{address}/api/authorizations")).header("x-forwarded-for", from).body(challenge.clone());
        let asked = request.send().await.unwrap();
        let signed_in = http.post(format!("http://{address}/login")).header("x-forwarded-for", from).body(format!("token={token}"));
        let signed_in = signed_in.send().await.unwrap();
        let wait = signed_in.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
        (asked.status().as_u16(), signed_in.status().as_u16(), wait)
    };
    let secret = ada.client.secret().unwrap();
    assert_eq!(ask("192.0.2.1", "nonsense").await, (200, 401, None));
    assert_eq!(ask("192.0.2.1", secret).await, (200, 303, None));
    let limited = (429, 429, Some("3601".to_owned()));
    assert_eq!(ask("192.0.2.1", secret).await, limited, "whether the token holds is not said any more");
    assert_eq!(ask("192.0.2.2", secret).await, (200, 303, None));
    // A customer of IPv6 has more addresses than can be counted.
    assert_eq!(ask("2001:db8:1:2::1", secret).await, (200, 303, None));
    assert_eq!(ask("2001:db8:1:2:3::1", secret).await, (200, 303, None));
    assert_eq!(ask("2001:db8:1:2:ffff::1", secret).await, limited);
    assert_eq!(ask("2001:db8:1:3::1", secret).await, (200, 303, None));
    registry.advance(TimeDelta::hours(1));
    assert_eq!(ask("192.0.2.1", secret).await, (200, 303, None));
    let tries = registry.database().count_blocking("SELECT COUNT(*) FROM audit WHERE act = 'session.refuse'");
    assert_eq!(tries, 1, "whoever is limited does not fill the log");
}

#[tokio::test]
async fn nought_is_no_limit() {
    let registry = TestRegistry::configured(&[("rates.tickets", "0")]).await;
    let ada = person(&registry, "ada").await;
    let ticket = ada.client.post("/api/tickets", json!({ "kind": "other", "meta": {}, "message": "a" })).await.expect(200).json();
    for _ in 0..100 {
        drop(ada.client.post(&format!("/api/tickets/{}", ticket["id"].as_str().unwrap()), json!({ "message": "b" })).await.expect(200));
    }
    assert_eq!(registry.database().count_blocking("SELECT COUNT(*) FROM rates"), 0);
    assert_eq!(ada.client.get("/api/user/tickets").await.expect(200).json()[0]["closed"], Value::Bool(false));
}

#[tokio::test]
async fn reports_are_found_by_what_they_are_about() {
    let registry = TestRegistry::start().await;
    let (ada, root) = (person(&registry, "ada").await, staff(&registry).await);
    let mut opened = Vec::new();
    for meta in [json!({ "scope": "acme", "name": "maths", "version": "1.0.0" }), json!({ "scope": "acme", "name": "words" })] {
        registry.advance(TimeDelta::seconds(1));
        let body = json!({ "kind": "package_report", "meta": meta, "message": "It mines coins." });
        opened.push(ada.client.post("/api/tickets", body).await.expect(200).json()["id"].as_str().unwrap().to_owned());
    }
    drop(ada.client.post("/api/tickets", json!({ "kind": "other", "meta": { "scope": "acme" }, "message": "Hello." })).await.expect(200));
    let about = async |query: &str| {
        let found = root.client.get(&format!("/api/admin/tickets?query={query}")).await.expect(200).json();
        let ids: Vec<String> = found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found["total"], ids.len());
        ids
    };
    assert_eq!(about("").await.len(), 3);
    assert_eq!(about("@acme/maths").await, opened[..1]);
    assert_eq!(about("acme").await, [opened[1].clone(), opened[0].clone()]);
    for nothing in ["@acme/other", "@other/maths", "@No+Scope", "@acme/"] {
        assert_eq!(about(nothing).await, [""; 0], "{nothing}");
    }
    drop(root.client.patch(&format!("/api/admin/tickets/{}", opened[1]), json!({ "closed": true })).await.expect(200));
    assert_eq!(about("acme").await, opened, "open ones first");
    assert_eq!(ada.client.get("/api/admin/tickets?query=acme").await.refusal(), "403 actorNotAuthorized");
}
