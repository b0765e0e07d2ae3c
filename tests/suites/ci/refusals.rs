//! What a job is told that may not publish: wrong repositories, forks, other branches, foreign audiences, forged and expired tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::model::identity::{Identity, ProviderKind};
use slipway_tests::issuer::Issuer;
use slipway_tests::{Client, TestRegistry};

use crate::bench::{Bench, PUBLISHERS, permission, said, small};

#[tokio::test]
async fn a_trusted_job_publishes() {
    let bench = Bench::start().await;
    let job = bench.job(&bench.claims(&[&small("1.0.0")]));
    // What the stock client asks for on its way.
    drop(job.get("/api/scopes/acme/packages/maths").await.expect(200));
    let task = job.publish_through(&small("1.0.0")).await;
    assert_eq!((&task["status"], &task["user"], &task["ci"]["repository"]), (&json!("success"), &json!(null), &json!("acme/widgets")));
    bench.registry.drain().await;
    let version = bench.registry.anonymous().get("/api/scopes/acme/packages/maths/versions/1.0.0").await.expect(200).json();
    let expected = json!({
        "issuer": bench.issuer.url(), "repository": "acme/widgets", "repositoryId": "1", "ref": "refs/heads/main",
        "workflow": "publish.yml", "environment": null, "actor": "ada", "commit": "deadbeef", "run": "77",
    });
    assert_eq!(version["ci"], expected);
    let list = bench.registry.anonymous().get("/api/scopes/acme/packages/maths/versions").await.expect(200).json();
    assert_eq!((&list["items"][0]["ci"], &list["items"][0]["user"]), (&expected, &json!(null)));
    let tasks = bench.author.get("/api/scopes/acme/packages/maths/publishing_tasks").await.expect(200).json();
    assert_eq!(tasks[0]["ci"], expected);
}

#[tokio::test]
async fn what_does_not_match_is_said_claim_by_claim() {
    let bench = Bench::start().await;
    let package = small("1.0.0");
    let refuse = async |changes: Value| said(&bench.job(&bench.claims_with(&[&package], changes)).publish(&package).await);
    assert_eq!(
        refuse(json!({ "ref": "refs/heads/evil" })).await,
        "403 actorNotAuthorized: @acme/maths does not trust this CI job: `ref` is `refs/heads/evil`, expected `refs/heads/main`"
    );
    assert_eq!(
        refuse(json!({ "workflow_ref": "acme/widgets/.github/workflows/other.yml@refs/heads/main" })).await,
        "403 actorNotAuthorized: @acme/maths does not trust this CI job: `workflow` is `other.yml`, expected `publish.yml`"
    );
    // A fork, and somebody who took the name that was given up: neither learns more than the repository.
    for changes in [json!({ "repository": "mallory/widgets", "repository_id": "2" }), json!({ "repository_id": "2" })] {
        let said = refuse(changes).await;
        assert!(said.contains("(id 2)`, expected `acme/widgets (id 1)`") && !said.contains("publish.yml"), "{said}");
    }
    // The file of this name in another repository, called from a repository that is trusted.
    let foreign = refuse(json!({ "workflow_ref": "mallory/evil/.github/workflows/publish.yml@refs/heads/main" })).await;
    assert!(foreign.contains("`workflow` is `mallory/evil/.github/workflows/publish.yml@refs/heads/main`"), "{foreign}");
    let pull = refuse(json!({ "ref": "refs/pull/7/merge" })).await;
    assert!(pull.contains("`ref` is `refs/pull/7/merge`"), "{pull}");

    let job = bench.job(&bench.claims_with(&[&package], json!({ "ref": "refs/heads/evil" })));
    let claims = job.publish(&package).await.json()["claims"].clone();
    assert_eq!(claims[3], json!({ "claim": "ref", "expected": "refs/heads/main", "actual": "refs/heads/evil", "holds": false }));
    assert_eq!(claims.as_array().map(Vec::len), Some(4));
    assert_eq!(bench.registry.private_objects().await, [""; 0], "nothing that was refused is kept");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_everywhere() {
    let bench = Bench::start().await;
    let package = small("1.0.0");
    let now = bench.registry.now().timestamp();
    let other_registry = json!({ "permissions": [] }).to_string();
    for (changes, word) in [
        (json!({ "exp": now - 60 }), "it expired at 2024-12-31T23:59:00Z"),
        (json!({ "iat": now + 61 }), "`iat`"),
        (json!({ "nbf": now + 61 }), "`nbf`"),
        (json!({ "exp": now + 25 * 3600 }), "longer than 24 hours"),
        (json!({ "exp": null }), "no `exp`"),
        (json!({ "iat": null }), "no `iat`"),
        (json!({ "jti": null }), "no `jti`"),
        (json!({ "aud": null }), "no `aud`"),
        (json!({ "aud": "sigstore" }), "`aud` does not list what is to be published"),
        (json!({ "aud": "http://registry.test/" }), "`aud` does not list what is to be published"),
        (json!({ "aud": other_registry }), "0 permissions"),
        (json!({ "repository_id": null }), "no `repository_id`"),
        (json!({ "iss": format!("{}.evil.example", bench.issuer.url()) }), "which this registry does not know"),
        (json!({ "iss": format!("{}/", bench.issuer.url()) }), "which this registry does not know"),
        (json!({ "iss": bench.issuer.url().to_uppercase() }), "which this registry does not know"),
    ] {
        let job = bench.job(&bench.claims_with(&[&package], changes.clone()));
        for answer in [job.publish(&package).await, job.get("/api/scopes/acme/packages/maths").await] {
            let said = said(&answer);
            assert!(said.starts_with("401 invalidOidcToken: the CI token is not accepted: ") && said.contains(word), "{changes}: {said}");
        }
    }
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let bench = Bench::start().await;
    let package = small("1.0.0");
    let claims = bench.claims(&[&package]);
    let good = bench.issuer.sign(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let swapped = bench.issuer.sign(&bench.claims_with(&[&package], json!({ "repository_id": "2" })));
    let forger = Issuer::start();
    let mut forged = claims.clone();
    forged["iss"] = json!(bench.issuer.url());
    for (token, word) in [
        (forger.sign(&forged), "its signature does not hold"),
        (format!("{signed}.{}", &signature[..signature.len() - 2]), "its signature does not hold"),
        (format!("{signed}."), "its signature does not hold"),
        (format!("{header}.{}.{signature}", swapped.split('.').nth(1).unwrap()), "its signature does not hold"),
        (bench.issuer.sign_with_header(&claims, &json!({ "alg": "none" })), "`alg`"),
        (bench.issuer.sign_with_header(&claims, &json!({ "alg": "HS256" })), "`alg`"),
        // A key on a curve, and a token that says RSA.
        (bench.issuer.sign_with_header(&claims, &json!({ "alg": "RS256" })), "is of another kind"),
        (bench.issuer.sign_with_header(&claims, &json!({ "alg": "ES384" })), "is of another kind"),
        (bench.issuer.sign_with_header(&claims, &json!({ "kid": "nobody's" })), "has no key `nobody's`"),
        (bench.issuer.sign_with_header(&claims, &json!({ "kid": null })), "no `kid`"),
        (format!("{}.{}", "a".repeat(17_000), signature), "longer than 16384 bytes"),
        ("a.b.c".to_owned(), "header"),
        ("not a token".to_owned(), "three parts"),
        (String::new(), "three parts"),
    ] {
        let said = said(&bench.shows(&token).publish(&package).await);
        assert!(said.starts_with("401 invalidOidcToken") && said.contains(word), "{word}: {said}");
    }
    assert_eq!(bench.shows(&good).publish_through(&package).await["status"], "success");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_token_is_for_what_it_says() {
    let bench = Bench::start().await;
    let package = small("1.0.0");
    let job = bench.job(&bench.claims(&[&package]));
    let swapped = small("1.0.0").file("mod.ts", "export const stolen = true;\n");
    let refusal = said(&job.publish(&swapped).await);
    assert!(refusal.starts_with("403 missingPermission: the credential allows the upload sha256-"), "{refusal}");
    assert_eq!(bench.registry.private_objects().await, [""; 0], "the wrong bytes are not kept");
    assert_eq!(said(&job.publish(&small("1.0.1")).await), "403 missingPermission: the CI token was not made for @acme/maths@1.0.1");
    // It publishes, and does nothing else.
    for answer in [
        job.get("/api/user").await,
        job.post("/api/scopes", json!({ "scope": "mine", "description": "" })).await,
        job.post("/api/scopes/acme/packages", json!({ "package": "more" })).await,
        job.get(crate::bench::PUBLISHERS).await,
        job.post(crate::bench::PUBLISHERS, json!({ "issuer": "github", "repository": "a/b", "repositoryId": "1" })).await,
        job.patch("/api/scopes/acme", json!({ "requirePublishingFromCI": false })).await,
        job.delete("/api/scopes/acme/packages/maths").await,
    ] {
        assert_eq!(answer.refusal(), "403 actorNotUser");
    }
    assert_eq!(job.publish_through(&package).await["status"], "success", "a refusal uses nothing up");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_scope_may_demand_ci_and_an_actor_that_it_knows() {
    let bench = Bench::start().await;
    drop(bench.author.patch("/api/scopes/acme", json!({ "requirePublishingFromCI": true })).await.expect(200));
    assert_eq!(bench.author.publish(&small("1.0.0")).await.refusal(), "403 scopeRequiresPublishingFromCi");
    assert_eq!(bench.job(&bench.claims(&[&small("1.0.0")])).publish_through(&small("1.0.0")).await["status"], "success");
    drop(bench.author.patch("/api/scopes/acme", json!({ "ghActionsVerifyActor": true })).await.expect(200));
    let claims = bench.claims_with(&[&small("1.0.1")], json!({ "jti": "token-2" }));
    let said = said(&bench.job(&claims).publish(&small("1.0.1")).await);
    assert!(said.starts_with("403 actorNotScopeMember") && said.contains("which account `ada` is"), "{said}");
    bench.registry.drain().await;
}

#[tokio::test]
async fn an_actor_is_known_by_the_account_they_sign_in_with() {
    // The jobs of a GitHub of one's own: whoever signs their tokens is there, too, where people sign in.
    let (place, issuer) = ("https://code.acme.example", Issuer::start());
    let setting = format!("github {place}/_services/token {}/keys", issuer.url());
    let registry = TestRegistry::configured(&[("ci_issuer", &setting)]).await;
    let bench = Bench { author: registry.author("@acme/maths").await, registry, issuer }.trusting().await;
    drop(bench.author.patch("/api/scopes/acme", json!({ "ghActionsVerifyActor": true })).await.expect(200));
    let publish = async |version: &str, actor: Value| {
        let changes = json!({ "iss": format!("{place}/_services/token"), "jti": version, "actor_id": actor });
        bench.job(&bench.claims_with(&[&small(version)], changes)).publish(&small(version)).await
    };
    let known = async |person: &Client, issuer: &str, subject: &str| {
        let context = bench.registry.context();
        let user_id = person.get("/api/user").await.json()["id"].as_str().unwrap().parse().unwrap();
        let mut tx = context.db.write("test.identity").await.unwrap();
        let (id, now) = (context.ids.next(), tx.now());
        let (issuer, subject, kind) = (issuer.to_owned(), subject.to_owned(), ProviderKind::Github);
        let identity = Identity { id, user_id, kind, issuer, subject, login: None, email: None, created_at: now, seen_at: now };
        assert!(tx.create_identity(&identity).await.unwrap());
        tx.commit().await.unwrap();
    };
    // The same number somewhere else is somebody else.
    known(&bench.author, "https://github.com", "7").await;
    let unknown = said(&publish("1.0.0", json!("7")).await);
    assert!(unknown.starts_with("403 actorNotScopeMember") && unknown.contains("have to sign in here"), "{unknown}");
    let (stranger, member) = (bench.registry.person("stranger").await, &bench.author);
    known(&stranger, place, "7").await;
    known(member, place, "8").await;
    let none = said(&publish("1.0.1", json!("7")).await);
    assert!(none.starts_with("403 actorNotScopeMember") && none.contains("`ada` is none of them"), "{none}");
    assert_eq!(publish("1.0.2", Value::Null).await.refusal(), "403 actorNotScopeMember");
    // Systems disagree about whether a number is one.
    for (version, actor) in [("1.0.3", json!("8")), ("1.0.4", json!(8))] {
        assert_eq!(publish(version, actor).await.expect(200).json()["packageVersion"], version);
    }
    bench.registry.database().execute("UPDATE users SET is_blocked = TRUE WHERE login = 'acme-author'").await;
    assert_eq!(publish("1.0.5", json!("8")).await.refusal(), "403 blocked");
    bench.registry.drain().await;
}

#[tokio::test]
async fn a_package_that_trusts_nobody_says_so() {
    let bench = Bench::of("github").await;
    let package = small("1.0.0");
    let said_of = async |claims: &Value| said(&bench.job(claims).publish(&package).await);
    let untrusted = said_of(&bench.claims(&[&package])).await;
    assert!(untrusted.starts_with("403 actorNotAuthorized: @acme/maths trusts no CI job") && untrusted.contains("(id 1)"), "{untrusted}");
    for (name, code) in [("@acme/nothing", "404 packageNotFound"), ("@nobody/maths", "404 scopeNotFound")] {
        let package = slipway_tests::PackageBuilder::small(name, "1.0.0");
        assert_eq!(bench.job(&bench.claims(&[&package])).publish(&package).await.refusal(), code);
    }
    assert_eq!(permission(&package)["package"], "maths");
    bench.registry.drain().await;
}

#[tokio::test]
async fn without_an_issuer_there_are_no_ci_identities() {
    let registry = slipway_tests::TestRegistry::start().await;
    let anonymous = registry.anonymous().with("authorization", "githuboidc a.b.c");
    let said = said(&anonymous.get("/api/packages").await);
    assert!(said.starts_with("401 invalidOidcToken") && said.contains("no issuer is configured"), "{said}");
}

#[tokio::test]
async fn the_same_number_at_another_issuer_is_another_repository() {
    let (own, other) = (Issuer::start(), Issuer::start());
    let settings = format!("{}, {}", own.setting("github"), other.setting("github"));
    let registry = TestRegistry::configured(&[("ci_issuer", &settings)]).await;
    let bench = Bench { author: registry.author("@acme/maths").await, registry, issuer: own };
    let trusted = json!({ "issuer": bench.issuer.url(), "repository": "acme/widgets", "repositoryId": "1" });
    drop(bench.author.post(PUBLISHERS, trusted).await.expect(200));
    let package = small("1.0.0");
    // Everything but the issuer is as it should be, and what vouches for it is a key of that issuer.
    let claims = bench.claims_with(&[&package], json!({ "iss": other.url() }));
    let refused = bench.shows(&other.sign(&claims)).publish(&package).await;
    assert_eq!(refused.refusal(), "403 actorNotAuthorized", "{}", refused.text());
    assert_eq!(bench.job(&bench.claims(&[&package])).publish_through(&package).await["status"], "success");
    bench.registry.drain().await;
}

#[tokio::test]
async fn other_systems_are_heard_in_their_own_words() {
    let bench = Bench::of("gitlab").await;
    let trusted = json!({ "issuer": "gitlab", "repository": "acme/widgets", "repositoryId": "20", "ref": "refs/tags/v*" });
    drop(bench.author.post(crate::bench::PUBLISHERS, trusted).await.expect(200));
    let now = bench.registry.now().timestamp();
    let claims = |audience: &str, reference: &str| {
        json!({
            "iss": bench.issuer.url(), "aud": audience, "jti": format!("{audience} {reference}"), "iat": now, "exp": now + 3600,
            "project_path": "acme/widgets", "project_id": "20", "ref_path": reference, "user_login": "ada", "sha": "1",
        })
    };
    let bearer = |claims: &Value| bench.registry.anonymous().bearer(&bench.issuer.sign(claims));
    let elsewhere = said(&bearer(&claims("https://other.example/", "refs/tags/v1")).publish(&small("1.0.0")).await);
    assert!(elsewhere.contains("`aud` is `https://other.example/`, expected `http://registry.test/`"), "{elsewhere}");
    let branch = said(&bearer(&claims("http://registry.test", "refs/heads/main")).publish(&small("1.0.0")).await);
    assert!(branch.contains("`ref` is `refs/heads/main`, expected `refs/tags/v*`"), "{branch}");
    let job = bearer(&claims("http://registry.test", "refs/tags/v1"));
    assert_eq!(job.publish_through(&small("1.0.0")).await["status"], "success");
    // It says nothing of versions, so it publishes the package once.
    assert_eq!(job.publish(&small("1.0.1")).await.refusal(), "403 oidcTokenUsed");
    bench.registry.advance(TimeDelta::hours(2));
    assert_eq!(job.publish(&small("1.0.1")).await.refusal(), "401 invalidOidcToken");
    bench.registry.drain().await;
}
