//! What an error looks like, whichever way it is reached.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use serde_json::json;
use slipway_tests::TestRegistry;

#[test]
fn codes_are_never_renamed() {
    let table = slipway_api::codes().iter().fold(String::new(), |mut table, (code, status)| {
        writeln!(table, "{status} {code}").unwrap();
        table
    });
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn a_refusal_is_readable_by_people_and_clients() {
    let registry = TestRegistry::start().await;
    let answer = registry.anonymous().get("/api/scopes/nowhere").await;
    assert_eq!(answer.text(), "{\n  \"code\": \"scopeNotFound\",\n  \"message\": \"there is no such scope\"\n}");
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"));
}

#[tokio::test]
async fn addresses_that_are_none() {
    let registry = TestRegistry::start().await;
    let nobody = registry.anonymous();
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/scopes",
        "/api/scopes/",
        "/api/scopes/acme/",
        "/api/%ff",
        "/api//packages",
        "/api/../api/packages",
    ] {
        let refusal = nobody.get(path).await.refusal();
        assert!(["404 notFound", "405 methodNotAllowed"].contains(&refusal.as_str()), "{path}: {refusal}");
    }
    assert_eq!(nobody.send(Method::PUT, "/api/packages", &[], Bytes::new()).await.refusal(), "405 methodNotAllowed");
    assert_eq!(nobody.send(Method::PUT, "/api/scopes/acme", &[], Bytes::new()).await.refusal(), "405 methodNotAllowed");
    assert_eq!(nobody.get("/api/scopes/%ff").await.refusal(), "400 malformedRequest");
    assert_eq!(nobody.get("/api/scopes/%00").await.refusal(), "400 malformedRequest");
    assert_eq!(nobody.get(&format!("/api/scopes/{}", "a".repeat(10_000))).await.refusal(), "400 malformedRequest");
    assert_eq!(nobody.get("/nothing").await.refusal(), "404 notFound");
    assert_eq!(nobody.get("/@acme/maths@1.0.0").await.status, 404);
}

#[tokio::test]
async fn bodies_that_are_none() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let post = async |body: &str| ada.send(Method::POST, "/api/scopes", &[], Bytes::from(body.to_owned())).await;
    for bad in ["", "{", "null", "[]", "\"acme\"", "{\"scope\":7}", "{\"scope\":\"acme\"}x", "\u{feff}{}"] {
        assert_eq!(post(bad).await.refusal(), "400 malformedRequest", "{bad:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(post(&deep).await.refusal(), "400 malformedRequest");
    let large = json!({ "scope": "acme", "description": "x".repeat(3_000_000) }).to_string();
    assert_eq!(post(&large).await.refusal(), "400 malformedRequest");
    // Said in another way, or not said at all, JSON is JSON.
    let answer =
        ada.send(Method::POST, "/api/scopes", &[("content-type", "text/plain")], Bytes::from_static(b"{\"scope\":\"acme\"}")).await;
    drop(answer.expect(200));
}

/// Words of the program, which mean nothing to who sent the body.
const OF_THE_PROGRAM: [&str; 14] =
    ["serde", "struct", "enum", "variant", "invalid type", "map", "sequence", "unit", "i64", "u64", "u32", "Option", "tuple", "newtype"];

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_in_words_of_json() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    registry.database().execute("UPDATE users SET is_staff = TRUE").await;
    let said = async |method: Method, path: &str, body: &str| {
        let answer = author.send(method, path, &[], Bytes::from(body.to_owned())).await;
        assert_eq!(answer.refusal(), "400 malformedRequest", "{path} {body}");
        answer.json()["message"].as_str().unwrap().to_owned()
    };
    let wrong = ["", "{", "null", "[]", "7", "\"text\"", "{}", "{\"nothing\":7}", "{\"a\":1,}"];
    for (method, path) in [
        (Method::POST, "/api/scopes"),
        (Method::PATCH, "/api/scopes/acme"),
        (Method::POST, "/api/scopes/acme/packages"),
        (Method::PATCH, "/api/scopes/acme/packages/maths"),
        (Method::PATCH, "/api/scopes/acme/packages/maths/versions/1.0.0"),
        (Method::POST, "/api/authorizations"),
        (Method::POST, "/api/authorizations/exchange"),
        (Method::POST, "/api/user/tokens"),
        (Method::POST, "/api/scopes/acme/members"),
        (Method::PATCH, "/api/scopes/acme/members/00000000-0000-0000-0000-0000000000ff"),
        (Method::POST, "/api/scopes/acme/packages/maths/transfer"),
        (Method::PATCH, "/api/admin/users/00000000-0000-0000-0000-0000000000ff"),
        (Method::POST, "/api/admin/scopes"),
        (Method::POST, "/api/tickets"),
        (Method::PATCH, "/api/admin/tickets/00000000-0000-0000-0000-0000000000ff"),
    ] {
        for body in wrong {
            let message = said(method.clone(), path, body).await;
            let word = OF_THE_PROGRAM.iter().find(|word| message.contains(**word));
            assert_eq!(word, None, "{path} {body}: {message}");
        }
    }
    for (method, path, body, message) in [
        (Method::POST, "/api/scopes", "", "the body is not JSON: it is empty"),
        (Method::POST, "/api/scopes", "{}", "the body cannot be used: `scope` is missing"),
        (Method::POST, "/api/scopes", "{\"scope\":{}}", "the body cannot be used: `scope` must be text"),
        (
            Method::PATCH,
            "/api/scopes/acme",
            "{\"requirePublishingFromCI\":\"yes\"}",
            "the body cannot be used: `requirePublishingFromCI` must be `true` or `false`",
        ),
        (
            Method::POST,
            "/api/authorizations",
            "{\"challenge\":\"x\",\"permissions\":[{\"permission\":\"package/publish\"}]}",
            "the body cannot be used: `scope` is missing in `permissions[0]`",
        ),
        (
            Method::PATCH,
            "/api/admin/scopes/acme",
            "{\"uploadLimits\":{\"entries\":\"many\"}}",
            "`uploadLimits` cannot be used: `entries` must be a whole number",
        ),
    ] {
        assert_eq!(said(method, path, body).await, message);
    }
}

#[tokio::test]
async fn whether_it_lives_and_whether_it_is_ready() {
    let registry = TestRegistry::start().await;
    assert_eq!(registry.anonymous().get("/healthz").await.expect(200).text(), "alive\n");
    assert_eq!(registry.anonymous().get("/readyz").await.expect(200).text(), "ready\n");
    registry.context().db.close().await;
    drop(registry.anonymous().get("/healthz").await.expect(200));
    assert_eq!(registry.anonymous().get("/readyz").await.refusal(), "503 unavailable");
}
