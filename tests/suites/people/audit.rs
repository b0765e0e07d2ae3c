//! What was done is written down, and who may read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{Sha256, UserId};
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::token::TokenKind;
use slipway_tests::{Client, PackageBuilder, Settings, TestRegistry, Work};

use crate::company::{Person, join, owner, person};
use crate::staff::staff;

const SCOPE_LOG: &str = "/api/scopes/acme/audit";

/// A log as its reader sees it, oldest first.
async fn log(reader: &Client, path: &str) -> Vec<Value> {
    let mut items = reader.get(path).await.expect(200).json()["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

/// Who did what, a line each: with what, to what, why not.
fn lines(acts: &[Value]) -> Vec<String> {
    let line = |act: &Value| {
        let actor = format!("{} {}", act["actor"]["kind"].as_str().unwrap(), act["actor"]["name"].as_str().unwrap_or("-"));
        let credential = act["credential"]["kind"].as_str().unwrap_or("-");
        let object = ["scope", "package", "version"].map(|key| act[key].as_str().unwrap_or("-")).join("/");
        let reason = act["reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
        format!("{} {actor} {credential} {object}{reason}", act["act"].as_str().unwrap())
    };
    acts.iter().map(line).collect()
}

async fn browser(registry: &TestRegistry, person: &Person) -> Client {
    let id: UserId = person.id.parse().unwrap();
    registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await)
}

#[tokio::test]
async fn what_happens_in_a_scope_is_written_down() {
    let config = vec![("ci_issuer", "github https://token.actions.githubusercontent.com".to_owned())];
    let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
    let (ada, bob, root) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, staff(&registry).await);
    let (scope, package) = ("/api/scopes/acme", "/api/scopes/acme/packages/maths");
    join(&registry, "acme", &ada, &bob, true).await;
    let ask = async |answer: slipway_tests::Answer| drop(answer.expect(200));
    ask(ada.client.patch(scope, json!({ "description": "It counts." })).await).await;
    ask(ada.client.post(&format!("{scope}/packages"), json!({ "package": "maths" })).await).await;
    ask(ada.client.patch(package, json!({ "description": "It counts." })).await).await;
    assert_eq!(bob.client.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await["status"], "success");
    assert_eq!(bob.client.publish(&PackageBuilder::small("@acme/maths", "1.0.0")).await.refusal(), "400 duplicateVersionPublish");
    assert_eq!(registry.anonymous().publish(&PackageBuilder::small("@acme/maths", "2.0.0")).await.refusal(), "401 missingAuthentication");
    let bad = PackageBuilder::small("@acme/maths", "3.0.0").file("mod.ts", "export const = 1;");
    assert_eq!(ada.client.publish_through(&bad).await["status"], "failure");
    drop(ada.client.put(&format!("{package}/dist-tags/next"), json!({ "version": "1.0.0" })).await.expect(204));
    drop(ada.client.patch(&format!("{package}/versions/1.0.0"), json!({ "yanked": true })).await.expect(204));
    drop(ada.client.patch(&format!("{package}/versions/1.0.0"), json!({ "yanked": false })).await.expect(204));
    let job = json!({ "issuer": "github", "repository": "acme/maths", "repositoryId": "7" });
    let trusted = ada.client.post(&format!("{package}/publishers"), job).await.expect(200).json();
    drop(ada.client.delete(&format!("{package}/publishers/{}", trusted["id"].as_str().unwrap())).await.expect(204));
    ask(root.client.patch("/api/admin/scopes/acme", json!({ "packageLimit": 7 })).await).await;
    ask(ada.client.post(&format!("{scope}/members"), json!({ "email": "eve@example.org" })).await).await;
    drop(ada.client.delete(&bob.place("acme")).await.expect(204));
    registry.drain().await;

    let acts = log(&ada.client, SCOPE_LOG).await;
    insta::assert_snapshot!("in_a_scope", lines(&acts).join("\n"));
    let of = |name: &str| acts.iter().find(|act| act["act"] == name).unwrap();
    assert_eq!(of("scope.change")["details"], json!({ "description": { "before": "", "now": "It counts." } }));
    assert_eq!(of("member.role")["user"], json!(bob.id));
    assert_eq!(of("member.remove")["details"], json!({ "wasAdmin": true }));
    assert_eq!(of("publish.accept")["actor"], json!({ "kind": "user", "id": bob.id, "name": "bob" }));
    assert_eq!(of("tag.set")["details"], json!({ "tag": "next", "version": { "before": null, "now": "1.0.0" } }));
    assert_eq!(of("scope.limits")["details"]["packageLimit"]["now"], 7);
    assert_eq!(of("scope.limits")["actor"]["kind"], "staff");
    assert_eq!(of("scope.limits")["credential"], json!({}), "with what staff came is not for those whom it looks after");
    assert_eq!(of("publish.reject")["actor"]["kind"], "registry");

    let by_staff = log(&root.client, "/api/admin/audit?scope=acme&act=scope.limits").await;
    assert_eq!((by_staff.len(), by_staff[0]["credential"]["kind"].as_str()), (1, Some("personal")));
    let of_package = log(&ada.client, &format!("{SCOPE_LOG}?package=maths&actor={}", bob.id)).await;
    assert_eq!(
        lines(&of_package),
        ["publish.accept user bob personal acme/maths/1.0.0", "publish.refuse user bob personal acme/maths/1.0.0 duplicateVersionPublish"]
    );
    let whole = root.client.get("/api/admin/audit").await.expect(200).text();
    for who in [&ada, &bob, &root] {
        assert!(!whole.contains(who.client.secret().unwrap()), "no secret is in the log");
    }
}

#[tokio::test]
async fn small_things_are_written_down_as_well() {
    let registry = TestRegistry::without_worker().await;
    let (ada, bob, root) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await, staff(&registry).await);
    let (browser, scope) = (browser(&registry, &ada).await, "/api/scopes/acme");
    // Devices.
    let challenge = STANDARD.encode(Sha256::of(b"verifier").as_bytes());
    for decision in ["approve", "deny"] {
        let asked = registry.anonymous().post("/api/authorizations", json!({ "challenge": challenge })).await.expect(200).json();
        let code = asked["code"].as_str().unwrap();
        drop(browser.post(&format!("/api/authorizations/{decision}/{code}"), Value::Null).await.expect(204));
        let body = json!({ "exchangeToken": asked["exchangeToken"], "verifier": "verifier" });
        let status = if decision == "approve" { 200 } else { 400 };
        drop(registry.anonymous().post("/api/authorizations/exchange", body).await.expect(status));
    }
    let own = log(&ada.client, "/api/user/audit").await;
    assert_eq!(
        lines(&own)[1..],
        [
            "device.approve user ada web -/-/-",
            "device.exchange user ada authorization -/-/-",
            "device.deny user ada web -/-/-",
            "device.exchange user ada authorization -/-/- authorizationDenied",
        ]
    );
    assert_eq!((&own[1]["details"]["permissions"], &own[2]["details"]["kind"]), (&Value::Null, &json!("device")));
    // Invites that come to nothing, and packages that come and go.
    for answer in ["decline", "withdraw"] {
        let invite = ada.client.post(&format!("{scope}/members"), json!({ "id": bob.id })).await.expect(200).json();
        let gone = match answer {
            "decline" => bob.client.delete("/api/user/invites/acme").await,
            _ => ada.client.delete(&format!("{scope}/invites/{}", invite["id"].as_str().unwrap_or(&bob.id))).await,
        };
        drop(gone.expect(204));
    }
    drop(bob.client.delete("/api/user/invites/acme").await.expect(204));
    drop(ada.client.post("/api/scopes", json!({ "scope": "other", "description": "" })).await.expect(200));
    for name in ["maths", "words", "gone"] {
        drop(ada.client.post(&format!("{scope}/packages"), json!({ "package": name })).await.expect(200));
    }
    drop(ada.client.post(&format!("{scope}/packages/words/transfer"), json!({ "scope": "other" })).await.expect(200));
    drop(ada.client.delete(&format!("{scope}/packages/gone")).await.expect(204));
    let small = PackageBuilder::small("@acme/maths", "1.0.0");
    let task = registry.accept(&ada.client, &small).await;
    drop(ada.client.post(&format!("/api/publishing_tasks/{task}/cancel"), Value::Null).await.expect(200));
    drop(registry.accept(&ada.client, &small).await);
    registry.drain().await;
    for version in [Some("1.0.0"), None] {
        let tag = format!("{scope}/packages/maths/dist-tags/next");
        let answer = match version {
            Some(version) => ada.client.put(&tag, json!({ "version": version })).await,
            None => ada.client.delete(&tag).await,
        };
        drop(answer.expect(204));
    }
    registry.drain().await;
    insta::assert_snapshot!("small_things", lines(&log(&ada.client, SCOPE_LOG).await).join("\n"));
    let moved = log(&ada.client, "/api/scopes/other/audit?act=package.transfer").await;
    assert_eq!((&moved[0]["package"], &moved[0]["details"]), (&json!("words"), &json!({ "from": "@acme/words" })));
    // Tickets.
    let ticket = ada.client.post("/api/tickets", json!({ "kind": "other", "meta": {}, "message": "Hello." })).await.expect(200).json();
    let (id, by_staff) = (ticket["id"].as_str().unwrap(), format!("/api/admin/tickets/{}", ticket["id"].as_str().unwrap()));
    drop(root.client.post(&format!("/api/tickets/{id}"), json!({ "message": "Hello." })).await.expect(200));
    drop(root.client.patch(&by_staff, json!({ "closed": true })).await.expect(200));
    drop(root.client.patch(&by_staff, json!({ "closed": false })).await.expect(200));
    let own = lines(&log(&ada.client, "/api/user/audit").await);
    let expected =
        ["ticket.create user ada personal", "ticket.say staff root -", "ticket.close staff root -", "ticket.reopen staff root -"];
    assert_eq!(own[own.len() - 4..], expected.map(|line| format!("{line} -/-/-")));
}

#[tokio::test]
async fn a_log_is_for_those_who_answer_for_what_is_in_it() {
    let registry = TestRegistry::start().await;
    let (ada, bob) = (owner(&registry, "ada", "acme").await, person(&registry, "bob").await);
    assert_eq!(bob.client.get("/api/scopes/nothing/audit").await.refusal(), "404 scopeNotFound");
    for bad in ["act=nothing", "actor=ada", "cursor=7", "limit=many", "since=yesterday", "scope=No+Scope"] {
        assert_eq!(bob.client.get(&format!("{SCOPE_LOG}?{bad}")).await.refusal(), "403 actorNotScopeMember", "rights come first");
        assert_eq!(bob.client.get(&format!("/api/admin/audit?{bad}")).await.refusal(), "403 actorNotAuthorized");
        assert_eq!(ada.client.get(&format!("{SCOPE_LOG}?{bad}")).await.refusal(), "400 malformedRequest", "{bad}");
    }
    // Another scope cannot be asked for through one's own.
    drop(bob.client.post("/api/scopes", json!({ "scope": "other", "description": "" })).await.expect(200));
    assert_eq!(lines(&log(&ada.client, &format!("{SCOPE_LOG}?scope=other")).await), ["scope.create user ada personal acme/-/-"]);
    // A scope that is made again is another one.
    drop(ada.client.delete("/api/scopes/acme").await.expect(204));
    registry.advance(TimeDelta::seconds(1));
    drop(bob.client.post("/api/scopes", json!({ "scope": "acme", "description": "" })).await.expect(200));
    assert_eq!(lines(&log(&bob.client, SCOPE_LOG).await), ["scope.create user bob personal acme/-/-"]);
    let long_ago = format!("{SCOPE_LOG}?since=2001-01-01T00:00:00Z");
    assert_eq!(lines(&log(&bob.client, &long_ago).await), ["scope.create user bob personal acme/-/-"]);
}

#[tokio::test]
async fn a_log_is_read_in_pages_or_in_lines() {
    let registry = TestRegistry::start().await;
    let (ada, root) = (owner(&registry, "ada", "acme").await, staff(&registry).await);
    let context = registry.context();
    let mut tx = context.db.write("test.audit").await.unwrap();
    let scope = "acme".try_into().unwrap();
    for number in 0..1_203 {
        let deed = Deed::in_scope(Act::ScopeChange, &scope).with("number", number);
        tx.audit(context.ids.next(), &Doer::registry(), &deed).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut numbers = Vec::new();
    let mut path = format!("{SCOPE_LOG}?act=scope.change");
    loop {
        let page = ada.client.get(&path).await.expect(200).json();
        numbers.extend(page["items"].as_array().unwrap().iter().map(|act| act["details"]["number"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{SCOPE_LOG}?act=scope.change&cursor={next}");
    }
    assert!(numbers.iter().copied().eq((0..1_203).rev()), "{numbers:?}");
    let few = ada.client.get(&format!("{SCOPE_LOG}?limit=2")).await.expect(200).json();
    assert_eq!((few["items"].as_array().unwrap().len(), few["next"].as_str()), (2, few["items"][1]["id"].as_str()));

    for (reader, path) in [(&ada, format!("{SCOPE_LOG}?format=jsonl")), (&root, "/api/admin/audit?format=jsonl".to_owned())] {
        let answer = reader.client.get(&path).await.expect(200);
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/jsonl", "no-store"));
        let acts: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told = acts.iter().filter_map(|act| act["details"]["number"].as_i64());
        assert!(told.eq((0..1_203).rev()), "{path}");
        assert_eq!(acts.last().unwrap()["act"], "scope.create");
    }
    let accepting = ada.client.clone().with("accept", "text/plain, application/jsonl;q=0.9").get(SCOPE_LOG).await.expect(200);
    assert_eq!(accepting.text().lines().count(), 1_204);
}

#[tokio::test]
async fn people_see_what_was_done_with_their_account() {
    let registry = TestRegistry::start().await;
    let (ada, root) = (person(&registry, "ada").await, staff(&registry).await);
    let secret = ada.client.secret().unwrap();
    let signed_in = registry.anonymous().form("/login", &[("token", secret)]).await.expect(303);
    let cookie = signed_in.header("set-cookie").strip_prefix("token=").and_then(|rest| rest.split(';').next()).unwrap().to_owned();
    let session = registry.anonymous().cookie(&cookie);
    let made = session.post("/api/user/tokens", json!({ "description": "laptop" })).await.expect(200).json();
    let id = made["token"]["id"].as_str().unwrap();
    drop(session.delete(&format!("/api/user/tokens/{id}")).await.expect(204));
    // What works no more is known for whose it was only as long as it is there.
    let restricted = json!([{ "permission": "package/read", "scope": "*" }]);
    let reader = session.post("/api/user/tokens", json!({ "description": "reader", "permissions": restricted })).await.expect(200).json();
    let reader = reader["secret"].as_str().unwrap();
    drop(registry.anonymous().form("/login", &[("token", reader)]).await.expect(403));
    drop(registry.anonymous().form("/login", &[("token", made["secret"].as_str().unwrap())]).await.expect(401));
    drop(root.client.patch(&format!("/api/admin/users/{}", ada.id), json!({ "scopeLimit": 9 })).await.expect(200));

    let acts = log(&ada.client, "/api/user/audit").await;
    assert_eq!(
        lines(&acts),
        [
            "session.open user ada personal -/-/-",
            "token.create user ada web -/-/-",
            "token.delete user ada web -/-/-",
            "token.create user ada web -/-/-",
            "session.refuse user ada personal -/-/- missingPermission",
            "user.change staff root - -/-/-",
        ]
    );
    assert_eq!((&acts[1]["details"]["description"], &acts[1]["details"]["token"]), (&json!("laptop"), &json!(id)));
    let all = root.client.get("/api/admin/audit?act=session.refuse&format=jsonl").await.expect(200).text();
    assert_eq!(all.lines().count(), 2, "{all}");
    assert!(all.contains("invalidBearerToken") && !all.contains(made["secret"].as_str().unwrap()) && !all.contains(reader), "{all}");
}

#[tokio::test]
async fn a_change_that_cannot_be_written_down_does_not_happen() {
    let registry = TestRegistry::start().await;
    let ada = owner(&registry, "ada", "acme").await;
    let browser = browser(&registry, &ada).await;
    drop(ada.client.post("/api/scopes/acme/packages", json!({ "package": "maths" })).await.expect(200));
    registry.drain().await;
    registry.database().execute("ALTER TABLE audit RENAME TO elsewhere").await;
    let small = PackageBuilder::small("@acme/maths", "1.0.0");
    let tried = [
        ada.client.patch("/api/scopes/acme", json!({ "description": "It counts." })).await,
        ada.client.post("/api/scopes/acme/packages", json!({ "package": "words" })).await,
        ada.client.publish(&small).await,
        browser.post("/api/user/tokens", json!({ "description": "laptop" })).await,
        registry.anonymous().form("/login", &[("token", ada.client.secret().unwrap())]).await,
    ];
    assert_eq!(tried.map(|answer| answer.status), [503; 5]);
    // A refusal stands, whether it can be written down or not.
    assert_eq!(registry.anonymous().publish(&small).await.refusal(), "401 missingAuthentication");
    registry.database().execute("ALTER TABLE elsewhere RENAME TO audit").await;
    assert_eq!(ada.client.get("/api/scopes/acme").await.expect(200).json()["description"], "");
    assert_eq!(ada.client.get("/api/scopes/acme/packages/words").await.status, 404);
    assert_eq!(ada.client.get("/api/user/tokens").await.expect(200).json().as_array().unwrap().len(), 2);
    assert_eq!(ada.client.publish_through(&small).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_flood_of_refusals_does_not_fill_the_log() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (owner(&registry, "ada", "acme").await, person(&registry, "eve").await);
    let small = PackageBuilder::small("@acme/maths", "1.0.0");
    let publish = async |who: &Client, times: usize| {
        for _ in 0..times {
            assert!(who.publish(&small).await.status > 399);
        }
    };
    let refused = async || registry.database().count_blocking("SELECT COUNT(*) FROM audit WHERE act = 'publish.refuse'");
    publish(&registry.anonymous(), 105).await;
    assert_eq!(refused().await, 100);
    publish(&eve.client, 1).await;
    let told = lines(&log(&ada.client, &format!("{SCOPE_LOG}?act=publish.refuse")).await);
    assert_eq!(told.last().unwrap(), "publish.refuse user eve personal acme/maths/1.0.0 actorNotScopeMember", "strangers hide nobody");
    registry.advance(TimeDelta::hours(1));
    publish(&registry.anonymous(), 1).await;
    assert_eq!(refused().await, 102);
    // Of what is not there nobody could read, and there is no end of names.
    let nowhere = PackageBuilder::small("@nowhere/maths", "1.0.0");
    assert_eq!(eve.client.publish(&nowhere).await.refusal(), "404 scopeNotFound");
    assert_eq!(refused().await, 102);
    for _ in 0..35 {
        drop(registry.anonymous().form("/login", &[("token", "nonsense")]).await.expect(401));
    }
    let sign_ins = registry.database().count_blocking("SELECT COUNT(*) FROM audit WHERE act = 'session.refuse'");
    assert_eq!(sign_ins, 35, "whoever comes from nowhere is counted with everybody");
}

#[tokio::test]
async fn it_is_known_from_where_somebody_came() {
    let config = vec![("trusted_proxies", "127.0.0.0/8, ::1".to_owned())];
    let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
    let ada = owner(&registry, "ada", "acme").await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = registry.listen().await;
    let patch = http.patch(format!("http://{address}/api/scopes/acme")).bearer_auth(ada.client.secret().unwrap());
    let patch = patch.header("x-forwarded-for", "2001:db8::7").body(json!({ "description": "It counts." }).to_string());
    assert_eq!(patch.send().await.unwrap().status().as_u16(), 200);
    for _ in 0..35 {
        let sign_in = http.post(format!("http://{address}/login")).header("x-forwarded-for", "192.0.2.7").body("token=nonsense");
        assert_eq!(sign_in.send().await.unwrap().status().as_u16(), 401);
    }
    let sign_ins = registry.database().count_blocking("SELECT COUNT(*) FROM audit WHERE address = '192.0.2.7'");
    assert_eq!(sign_ins, 30, "and nobody fills the log from one place");
    let acts = log(&ada.client, SCOPE_LOG).await;
    assert_eq!((acts[0]["address"].clone(), acts[1]["address"].clone()), (Value::Null, json!("2001:db8::7")));
    registry.drain().await;
}
