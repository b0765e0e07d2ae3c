//! Reading: Deno's files, npm's documents and tarballs, the API and the page, for those who may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway_common::ids::Sha512;
use slipway_tests::{PackageBuilder, TestRegistry};

use crate::{PACKAGE, browser, publish, registry, restricted};

/// What clients read of a version.
const READ: [&str; 9] = [
    "/@acme/maths/meta.json",
    "/@acme/maths/1.0.0_meta.json",
    "/@acme/maths/1.0.0/mod.ts",
    "/npm/@jsr/acme__maths",
    "/npm/@jsr%2facme__maths",
    "/npm/@jsr/acme__maths/1.0.0",
    "/npm/@jsr/acme__maths/^1.0.0",
    "/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz",
    "/npm/-/package/@jsr%2facme__maths/dist-tags",
];

#[tokio::test]
async fn whoever_may_read_reads_what_everybody_would() {
    let (registry, author) = registry().await;
    let open = TestRegistry::start().await;
    let other = open.author(PACKAGE).await;
    publish(&open, &other, &PackageBuilder::small(PACKAGE, "1.0.0")).await;

    let secret = author.secret().unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{secret}")));
    let readers = [
        author.clone(),
        browser(&registry, &author).await,
        registry.anonymous().with("authorization", &basic),
        restricted(&registry, &author, &["read:@acme/maths"]).await,
        restricted(&registry, &author, &["read:@acme/*"]).await,
        restricted(&registry, &author, &["read:*"]).await,
        // A client that publishes looks at the package first.
        restricted(&registry, &author, &["publish:@acme/maths"]).await,
    ];
    for path in READ {
        let public = open.anonymous().get(path).await.expect(200);
        for reader in &readers {
            let answer = reader.get(path).await.expect(200);
            // The documents show how often a package was changed, and it was closed first.
            if !path.contains("meta.json") || path.contains("1.0.0") {
                let strip = |text: String| text.replace("\"_rev\":\"2\"", "\"_rev\":\"1\"");
                assert_eq!(strip(answer.text()), strip(public.text()), "{path}");
            }
            for header in ["content-type", "content-security-policy", "x-content-type-options"] {
                assert_eq!(answer.header(header), public.header(header), "{path} {header}");
            }
            assert_eq!(answer.header("cache-control"), "private, no-store", "{path}");
            assert_eq!(answer.header("vary"), "Accept, Authorization, Cookie", "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("surrogate-key"), "", "{path}: no edge is to keep it");
        }
    }
    let document = author.get("/npm/@jsr/acme__maths").await.json();
    let tarball = author.get("/npm/@jsr/acme__maths/-/acme__maths-1.0.0.tgz").await.body;
    assert_eq!(document["versions"]["1.0.0"]["dist"]["integrity"], Sha512::of(&tarball).integrity());
    let short = author.clone().with("accept", "application/vnd.npm.install-v1+json").get("/npm/@jsr/acme__maths").await.expect(200);
    assert!(short.body.len() < document.to_string().len(), "the short document is there as well");
}

#[tokio::test]
async fn conditions_and_parts_work() {
    let (_registry, author) = registry().await;
    let path = "/@acme/maths/1.0.0/mod.ts";
    let whole = author.get(path).await.expect(200);
    let again = author.clone().with("if-none-match", whole.header("etag")).get(path).await.expect(304);
    assert_eq!((again.body.len(), again.header("cache-control")), (0, "private, no-store"));
    let part = author.clone().with("range", "bytes=0-5").get(path).await.expect(206);
    assert_eq!(part.body, whole.body[..6]);
    let head = author.head(path).await.expect(200);
    assert_eq!((head.body.len(), head.header("content-length")), (0, whole.header("content-length")));
    assert_eq!(author.head("/@acme/maths/1.0.0/other.ts").await.expect(404).header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_credential_that_does_not_hold_is_told_so_where_there_is_nothing_for_everybody() {
    let (registry, author) = registry().await;
    let public = registry.author("@open/words").await;
    publish(&registry, &public, &PackageBuilder::small("@open/words", "1.0.0")).await;
    let stale = registry.anonymous().bearer("jsrp_0000000000000000000000000000000000000000");
    let gone = registry.anonymous().cookie("jsrw_0000000000000000000000000000000000000000");
    for who in [&stale, &gone] {
        assert_eq!(who.get("/@open/words/1.0.0/mod.ts").await.expect(200).header("vary"), "Accept, Sec-Fetch-Dest, Sec-Fetch-Site");
        drop(who.get("/npm/@jsr/open__words").await.expect(200));
        for nothing in ["/@acme/maths/meta.json", "/@acme/none/meta.json"] {
            let answer = who.get(nothing).await.expect(401);
            assert_eq!(answer.text(), "the token is unknown or has expired", "{nothing}");
        }
        for nothing in ["/npm/@jsr/acme__maths", "/npm/@jsr/acme__none"] {
            let answer = who.get(nothing).await.expect(401);
            assert_eq!(answer.json()["message"], "the token is unknown or has expired", "{nothing}");
            assert_eq!(answer.header("cache-control"), "private, no-store");
        }
    }
    drop(author.get("/@acme/maths/meta.json").await.expect(200));
}

#[tokio::test]
async fn who_leaves_the_scope_reads_no_more() {
    let (registry, author) = registry().await;
    let bob = registry.person("bob").await;
    let path = "/@acme/maths/meta.json";
    drop(bob.get(path).await.expect(404));
    drop(author.post("/api/scopes/acme/members", serde_json::json!({ "login": "bob" })).await.expect(200));
    drop(bob.get(path).await.expect(404));
    drop(bob.post("/api/user/invites/acme", serde_json::json!({})).await.expect(200));
    drop(bob.get(path).await.expect(200));
    drop(bob.delete(&format!("/api/scopes/acme/members/{}", crate::id(&bob).await)).await.expect(204));
    drop(bob.get(path).await.expect(404));
    registry.drain().await;
}

#[tokio::test]
async fn members_see_it_in_lists_and_on_its_page() {
    let (registry, author) = registry().await;
    let open = registry.author("@open/words").await;
    publish(&registry, &open, &PackageBuilder::small("@open/words", "1.0.0")).await;
    let mine = format!("/api/users/{}/packages", crate::id(&author).await);
    for list in ["/api/packages?query=maths", "/api/scopes/acme/packages", mine.as_str()] {
        let names = |value: serde_json::Value| -> Vec<String> {
            let items = value.as_array().or(value["items"].as_array()).unwrap().clone();
            items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(author.get(list).await.expect(200).json()), ["maths"], "{list}");
        let restricted = restricted(&registry, &author, &["read:*"]).await;
        for other in [&registry.anonymous(), &open, &restricted] {
            assert_eq!(names(other.get(list).await.expect(200).json()), Vec::<String>::new(), "{list}");
        }
    }
    assert_eq!(author.get("/api/scopes/acme/packages/maths").await.expect(200).json()["visibility"], "private");
    let browser = browser(&registry, &author).await.with("accept", "text/html");
    let page = browser.get("/@acme/maths").await.expect(200);
    assert!(page.text().contains("private"), "{}", page.text());
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert_eq!(author.get("/api/scopes/acme/packages/maths").await.header("cache-control"), "private, no-store");
    let tarball = author.get("/api/scopes/acme/packages/maths/versions/1.0.0/tarball").await.expect(200);
    assert_eq!(tarball.header("cache-control"), "private, no-store");
    registry.catalogue().await;
    let found = author.get("/npm/-/v1/search?text=maths").await.expect(200).json();
    assert_eq!(found["total"], 0, "searches are answered from what everybody may know");
}
