//! What tokens may do, for how long, and from where.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{Sha256, UserId};
use slipway_common::model::token::TokenKind;
use slipway_tests::{Answer, Client, PackageBuilder, Settings, TestRegistry, Work};

/// A person in front of a browser.
async fn browser(registry: &TestRegistry, person: &Client) -> Client {
    let id: UserId = serde_json::from_value(person.get("/api/user").await.expect(200).json()["id"].clone()).unwrap();
    registry.anonymous().cookie(&registry.token(id, TokenKind::Web, None, None).await)
}

async fn token(browser: &Client, permissions: Value) -> Value {
    browser.post("/api/user/tokens", json!({ "description": "restricted", "permissions": permissions })).await.expect(200).json()
}

/// What there is to be done with a package, and whether somebody may.
async fn tried(who: &Client, package: &str, version: &str) -> [String; 7] {
    let at = format!("/api/scopes/acme/packages/{package}");
    [
        who.publish(&PackageBuilder::small(&format!("@acme/{package}"), version)).await,
        who.patch(&format!("{at}/versions/1.0.0"), json!({ "yanked": true })).await,
        who.patch(&at, json!({ "description": "It counts." })).await,
        who.put(&format!("{at}/dist-tags/next"), json!({ "version": "2.0.0" })).await,
        who.get(&format!("{at}/publishing_tasks")).await,
        who.patch(&at, json!({ "githubRepository": null })).await,
        who.get(&format!("{at}/publishers")).await,
    ]
    .map(|answer| said(&answer))
}

fn said(answer: &Answer) -> String {
    if answer.status < 300 { "yes".to_owned() } else { answer.refusal() }
}

#[tokio::test]
async fn each_permission_allows_what_it_says() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let browser = browser(&registry, &ada).await;
    drop(ada.post("/api/scopes/acme/packages", json!({ "package": "words" })).await.expect(200));
    for package in ["@acme/maths", "@acme/words"] {
        for version in ["1.0.0", "2.0.0"] {
            assert_eq!(ada.publish_through(&PackageBuilder::small(package, version)).await["status"], "success");
        }
    }
    let no = "403 missingPermission";
    let mut patch = 0;
    for (verb, allowed) in [
        // publish, yank, describe, tag, look at publishes, link a repository, see who is trusted
        ("publish", ["yes", no, no, no, "yes", no, no]),
        ("read", [no, no, no, no, "yes", no, no]),
        ("yank", [no, "yes", no, no, "yes", no, no]),
        ("manage", [no, no, "yes", "yes", "yes", no, no]),
    ] {
        let permission = format!("package/{verb}");
        for reach in [json!({ "scope": "acme", "package": "maths" }), json!({ "scope": "acme" }), json!({ "scope": "*" })] {
            let mut asked = reach.clone();
            asked["permission"] = permission.clone().into();
            let made = token(&browser, json!([asked])).await;
            assert_eq!(made["token"]["permissions"], json!([asked]));
            let restricted = registry.anonymous().bearer(made["secret"].as_str().unwrap());
            patch += 1;
            assert_eq!(tried(&restricted, "maths", &format!("3.0.{patch}")).await, allowed, "{asked}");
            let elsewhere = tried(&restricted, "words", &format!("3.0.{patch}")).await;
            if reach.get("package").is_some() {
                assert_eq!(elsewhere, [no; 7], "{asked}");
            } else {
                assert_eq!(elsewhere, allowed, "{asked}");
            }
        }
    }
    registry.drain().await;
}

#[tokio::test]
async fn a_token_never_allows_more_than_its_owner_may() {
    let registry = TestRegistry::start().await;
    let (ada, eve) = (registry.author("@acme/maths").await, registry.person("eve").await);
    assert_eq!(ada.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await["status"], "success");
    let everything = json!([{ "values": ["*"], "types": { "pkg": { "read": true, "write": true } } }]);
    let made = token(&browser(&registry, &eve).await, everything).await;
    assert_eq!(made["token"]["permissions"].as_array().unwrap().len(), 4);
    let stranger = registry.anonymous().bearer(made["secret"].as_str().unwrap());
    let [publish, yank, describe, tag, ..] = tried(&stranger, "maths", "2.0.0").await;
    for refused in [publish, yank, describe, tag] {
        assert_eq!(refused, "403 actorNotScopeMember");
    }
}

#[tokio::test]
async fn creating_a_package_is_managing_it() {
    let registry = TestRegistry::start().await;
    let ada = registry.author("@acme/maths").await;
    let browser = browser(&registry, &ada).await;
    let create = async |permissions: Value, name: &str| {
        let made = token(&browser, permissions).await;
        let restricted = registry.anonymous().bearer(made["secret"].as_str().unwrap());
        said(&restricted.post("/api/scopes/acme/packages", json!({ "package": name })).await)
    };
    let manage = |package: &str| json!([{ "permission": "package/manage", "scope": "acme", "package": package }]);
    assert_eq!(create(manage("words"), "words").await, "yes");
    assert_eq!(create(manage("words"), "other").await, "403 missingPermission");
    assert_eq!(create(json!([{ "permission": "package/publish", "scope": "acme" }]), "other").await, "403 missingPermission");
    assert_eq!(create(manage("words"), "Not A Name").await, "403 missingPermission", "names come after rights");
}

#[tokio::test]
async fn a_token_ends_unless_it_is_said_not_to() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let browser = browser(&registry, &ada).await;
    let make = async |body: Value| browser.post("/api/user/tokens", body).await;
    let by_default = make(json!({ "description": "a" })).await.expect(200).json();
    let end = registry.now() + TimeDelta::days(90);
    assert_eq!(by_default["token"]["expiresAt"], end.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    let never = make(json!({ "description": "b", "expiresAt": null })).await.expect(200).json();
    assert_eq!(never["token"]["expiresAt"], Value::Null);
    for past in [registry.now(), registry.now() - TimeDelta::days(1)] {
        assert_eq!(make(json!({ "description": "c", "expiresAt": past })).await.refusal(), "400 malformedRequest");
    }
    registry.advance(TimeDelta::days(90));
    let ask = async |made: &Value| registry.anonymous().bearer(made["secret"].as_str().unwrap()).get("/api/user").await;
    assert_eq!(ask(&by_default).await.refusal(), "401 invalidBearerToken");
    drop(ask(&never).await.expect(200));
}

#[tokio::test]
async fn people_see_when_a_token_was_used() {
    let registry = TestRegistry::start().await;
    let ada = registry.person("ada").await;
    let browser = browser(&registry, &ada).await;
    let made = browser.post("/api/user/tokens", json!({ "description": "a" })).await.expect(200).json();
    assert_eq!(made["token"]["lastUsedAt"], Value::Null);
    let used = async || {
        let listed = browser.get("/api/user/tokens").await.expect(200).json();
        let ours = listed.as_array().unwrap().iter().find(|token| token["id"] == made["token"]["id"]).unwrap().clone();
        ours["lastUsedAt"].clone()
    };
    let laptop = registry.anonymous().bearer(made["secret"].as_str().unwrap());
    let moment = |at: slipway_common::clock::Instant| Value::from(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    drop(laptop.get("/api/user").await.expect(200));
    let first = registry.now();
    assert_eq!(used().await, moment(first));
    registry.advance(TimeDelta::minutes(59));
    drop(laptop.get("/api/user").await.expect(200));
    assert_eq!(used().await, moment(first));
    registry.advance(TimeDelta::minutes(1));
    drop(laptop.get("/api/user").await.expect(200));
    assert_eq!(used().await, moment(registry.now()));
}

#[tokio::test]
async fn a_token_works_from_its_networks_alone() {
    let config = vec![("trusted_proxies", "127.0.0.0/8, ::1".to_owned())];
    let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
    let ada = registry.person("ada").await;
    let browser = browser(&registry, &ada).await;
    for networks in [json!([]), json!(["here"]), json!(["192.0.2.0/33"])] {
        let body = json!({ "description": "office", "networks": networks });
        assert_eq!(browser.post("/api/user/tokens", body).await.refusal(), "400 malformedRequest", "{networks}");
    }
    let body = json!({ "description": "office", "networks": ["192.0.2.77/24", "2001:db8::1"] });
    let made = browser.post("/api/user/tokens", body).await.expect(200).json();
    assert_eq!(made["token"]["networks"], json!(["192.0.2.0/24", "2001:db8::1/128"]));
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(registry.anonymous().bearer(secret).get("/api/user").await.refusal(), "403 addressNotAllowed", "from nowhere");

    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = registry.listen().await;
    let ask = async |forwarded: Option<&str>| {
        let mut request = http.get(format!("http://{address}/api/user")).bearer_auth(secret);
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(Some("192.0.2.4")).await, 200);
    assert_eq!(ask(Some("2001:db8::1")).await, 200);
    assert_eq!(ask(Some("198.51.100.1")).await, 403);
    assert_eq!(ask(Some("192.0.2.4, 198.51.100.1")).await, 403, "what a client says of itself stands before");
    assert_eq!(ask(None).await, 403);
}

#[tokio::test]
async fn what_is_made_from_a_network_works_from_no_other() {
    let config = vec![("trusted_proxies", "127.0.0.0/8".to_owned())];
    let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
    let ada = registry.person("ada").await;
    let body = json!({ "description": "office", "networks": ["192.0.2.0/24"] });
    let office = browser(&registry, &ada).await.post("/api/user/tokens", body).await.expect(200).json();

    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let origin = registry.context().config.public_url.as_str().trim_end_matches('/').to_owned();
    let address = registry.listen().await;
    let post = |path: &str| {
        let request = http.post(format!("http://{address}{path}")).header("x-forwarded-for", "192.0.2.4");
        request.header("origin", &origin).header("sec-fetch-site", "same-origin")
    };
    let form = format!("token={}", office["secret"].as_str().unwrap());
    let signed_in = post("/login").header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    let session = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let make = async |networks: Value| {
        let body = match networks {
            Value::Null => json!({ "description": "made there" }),
            networks => json!({ "description": "made there", "networks": networks }),
        };
        let answer = post("/api/user/tokens")
            .header("cookie", &session)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let (status, body) = (answer.status().as_u16(), serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap());
        (status, if status == 200 { body["token"]["networks"].clone() } else { body["code"].clone() })
    };
    assert_eq!(make(json!(null)).await, (200, json!(["192.0.2.0/24"])), "it is bound to the same ones");
    assert_eq!(make(json!(["192.0.2.64/26"])).await, (200, json!(["192.0.2.64/26"])), "or to a part of them");
    for outside in [json!(["198.51.100.1"]), json!(["192.0.0.0/16"]), json!(["192.0.2.64/26", "::/0"])] {
        assert_eq!(make(outside.clone()).await, (403, json!("addressNotAllowed")), "{outside}");
    }

    let device = registry.anonymous();
    let verifier = "3d3b2b5e-3c5b-4c0e-9d7e-0d4f3b1c7a55";
    let challenge = STANDARD.encode(Sha256::of(verifier.as_bytes()).as_bytes());
    let asked = device.post("/api/authorizations", json!({ "challenge": challenge })).await.expect(200).json();
    let code = asked["code"].as_str().unwrap();
    let approved = post(&format!("/api/authorizations/approve/{code}")).header("cookie", &session).send().await.unwrap();
    assert!(approved.status().is_success());
    let body = json!({ "exchangeToken": asked["exchangeToken"], "verifier": verifier });
    let given = device.post("/api/authorizations/exchange", body).await.expect(200).json();
    let given = registry.anonymous().bearer(given["token"].as_str().unwrap());
    assert_eq!(given.get("/api/user").await.refusal(), "403 addressNotAllowed", "the device is bound to them as well");
}
