//! What people ask of the staff.

use serde_json::{Value, json};
use slipway_tests::TestRegistry;

use crate::company::{Person, person};

async fn staff(registry: &TestRegistry) -> Person {
    let staff = person(registry, "root").await;
    registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'root'").await;
    staff
}

fn asks(message: &str) -> Value {
    json!({ "kind": "scope_claim", "meta": { "scope": "google" }, "message": message })
}

async fn ticket(person: &Person, message: &str) -> String {
    let ticket = person.client.post("/api/tickets", asks(message)).await.expect(200).json();
    ticket["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn somebody_asks_and_staff_answers() {
    let registry = TestRegistry::start().await;
    let (root, ada) = (staff(&registry).await, person(&registry, "ada").await);
    let id = ticket(&ada, "  it is ours ").await;
    let at = format!("/api/tickets/{id}");
    assert_eq!(ada.client.get("/api/user").await.expect(200).json()["newerTicketMessagesCount"], 0);
    registry.advance(chrono::TimeDelta::seconds(1));
    let said = root.client.post(&at, json!({ "message": "show us" })).await.expect(200).json();
    assert_eq!((&said["author"]["name"], &said["message"]), (&json!("root"), &json!("show us")));
    assert_eq!(ada.client.get("/api/user").await.expect(200).json()["newerTicketMessagesCount"], 1);
    let thread = ada.client.get(&at).await.expect(200).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&thread).unwrap());
    assert_eq!(root.client.get(&at).await.expect(200).json(), thread);
    drop(ada.client.post(&at, json!({ "message": "here" })).await.expect(200));
    assert_eq!(ada.client.get("/api/user").await.expect(200).json()["newerTicketMessagesCount"], 0);

    let own = ada.client.get("/api/user/tickets").await.expect(200).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&own).unwrap());
    assert_eq!(root.client.get("/api/user/tickets").await.expect(200).json(), json!([]));
    let closed = root.client.patch(&format!("/api/admin/tickets/{id}"), json!({ "closed": true })).await.expect(200).json();
    assert_eq!((&closed["closed"], &closed["messages"]), (&json!(true), &own[0]["messages"]));
    let newer = ticket(&ada, "more").await;
    let listed = root.client.get("/api/admin/tickets").await.expect(200).json();
    let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!((ids, &listed["total"]), (vec![newer.as_str(), id.as_str()], &json!(2)), "what is open comes first");
    let opened = root.client.patch(&format!("/api/admin/tickets/{id}"), json!({ "closed": false })).await.expect(200).json();
    assert_eq!(opened["closed"], false);
}

#[tokio::test]
async fn a_ticket_is_between_somebody_and_staff() {
    let registry = TestRegistry::start().await;
    let (root, ada, eve) = (staff(&registry).await, person(&registry, "ada").await, person(&registry, "eve").await);
    let at = format!("/api/tickets/{}", ticket(&ada, "it is ours").await);
    let close = at.replace("/tickets", "/admin/tickets");
    let nobody = registry.anonymous();
    for body in [json!({ "message": "me too" }), json!({ "nothing": 7 })] {
        assert_eq!(nobody.post("/api/tickets", body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(nobody.post(&at, body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(eve.client.post(&at, body.clone()).await.refusal(), "404 ticketNotFound");
        assert_eq!(nobody.patch(&close, body.clone()).await.refusal(), "401 missingAuthentication");
        assert_eq!(ada.client.patch(&close, body).await.refusal(), "403 actorNotAuthorized");
    }
    assert_eq!(nobody.get(&at).await.refusal(), "401 missingAuthentication");
    assert_eq!(nobody.get("/api/user/tickets").await.refusal(), "401 missingAuthentication");
    assert_eq!(nobody.get("/api/admin/tickets").await.refusal(), "401 missingAuthentication");
    assert_eq!(eve.client.get(&at).await.refusal(), "404 ticketNotFound", "which is what is said of one that does not exist");
    assert_eq!(eve.client.get("/api/tickets/00000000-0000-0000-0000-0000000000ff").await.refusal(), "404 ticketNotFound");
    assert_eq!(eve.client.get("/api/admin/tickets").await.refusal(), "403 actorNotAuthorized");
    let missing = "/api/admin/tickets/00000000-0000-0000-0000-0000000000ff";
    assert_eq!(root.client.patch(missing, json!({ "closed": true })).await.refusal(), "404 ticketNotFound");
    assert_eq!(root.client.patch(&close, json!({ "closed": "yes" })).await.refusal(), "400 malformedRequest");
}

#[tokio::test]
async fn a_ticket_says_what_it_is_about_within_bounds() {
    let registry = TestRegistry::start().await;
    let ada = person(&registry, "ada").await;
    let ask = async |kind: &str, meta: Value, message: &str| {
        ada.client.post("/api/tickets", json!({ "kind": kind, "meta": meta, "message": message })).await
    };
    for (kind, meta) in [
        ("scope_claim", json!({})),
        ("scope_quota_increase", json!({ "scope": "No Scope" })),
        ("package_report", json!({ "scope": "acme" })),
        ("package_report", json!({ "scope": "acme", "name": "maths", "version": "one" })),
        ("other", json!({ "text": "x".repeat(10_000) })),
        ("other", json!({ "text": "a\0b" })),
        ("other", json!({ "a\0b": 7 })),
    ] {
        assert_eq!(ask(kind, meta.clone(), "please").await.refusal(), "400 ticketMetaNotValid", "{kind} {meta}");
    }
    for (kind, meta) in [("nothing", json!({})), ("other", json!([])), ("other", json!("text"))] {
        assert_eq!(ask(kind, meta.clone(), "please").await.refusal(), "400 malformedRequest", "{kind} {meta}");
    }
    for empty in ["", " \n "] {
        assert_eq!(ask("other", json!({}), empty).await.refusal(), "400 ticketMessageEmpty");
    }
    assert_eq!(ask("other", json!({}), &"x".repeat(10_001)).await.refusal(), "400 malformedRequest");
    let first = ask("other", json!({ "text": "\u{1f6a2} \\u0041" }), "a\0b").await.expect(200).json();
    assert_eq!((&first["meta"]["text"], &first["messages"][0]["message"]), (&json!("\u{1f6a2} \\u0041"), &json!("a\u{fffd}b")));
    let at = format!("/api/tickets/{}", first["id"].as_str().unwrap());
    assert_eq!(ada.client.post(&at, json!({ "message": " " })).await.refusal(), "400 ticketMessageEmpty");
    for _ in 1..200 {
        drop(ada.client.post(&at, json!({ "message": "more" })).await.expect(200));
    }
    assert_eq!(ada.client.post(&at, json!({ "message": "more" })).await.refusal(), "400 malformedRequest");
    assert_eq!(ada.client.get(&at).await.expect(200).json()["events"].as_array().unwrap().len(), 200);
    for _ in 1..20 {
        drop(ask("user_scope_quota_increase", json!({}), "more").await.expect(200));
    }
    assert_eq!(ask("other", json!({}), "more").await.refusal(), "400 ticketLimitReached");
    registry.database().execute("UPDATE tickets SET is_closed = TRUE").await;
    drop(ask("other", json!({}), "more").await.expect(200));
}
