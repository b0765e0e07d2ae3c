//! Files as Deno and browsers load them: conditions, ranges, headers, and which requests want a page instead.

use http::Method;
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

const FILE: &str = "/@acme/maths/1.0.0/mod.ts";
const TEXT: &str = "export const digits = \"0123456789\";\n";

/// A registry with one version in it.
async fn published() -> TestRegistry {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let package = PackageBuilder::empty("@acme/maths", "1.0.0")
        .file("mod.ts", TEXT)
        .file("pages/[id].tsx", "export const Page = null;\n")
        .file("$a(b)+c@d~e_{f}.ts", "export {};\n")
        .file("index.html", "<script>alert(1)</script>")
        .file("pixel.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")
        .file("empty.txt", "")
        .file("LICENSE", "as you like");
    assert_eq!(author.publish_through(&package).await["status"], "success");
    registry.drain().await;
    registry
}

fn with(client: &Client, headers: &[(&str, &str)]) -> Client {
    headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, value))
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_its_kind() {
    let registry = published().await;
    let nobody = registry.anonymous();
    let mut text = String::new();
    for path in
        [FILE, "/@acme/maths/meta.json", "/@acme/maths/1.0.0_meta.json", "/@acme/maths/1.0.0/index.html", "/@acme/maths/1.0.0/nope.ts"]
    {
        let answer = nobody.get(path).await;
        text.push_str(&format!("== {path} {}\n{}", answer.status, shown(&answer)));
    }
    insta::assert_snapshot!(text);
}

/// The headers, but for those that differ from store to store.
fn shown(answer: &Answer) -> String {
    let varying = ["etag", "last-modified"];
    let mut lines: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| match name.as_str() {
            name if varying.contains(&name) => format!("{name}: …\n"),
            name => format!("{name}: {}\n", value.to_str().unwrap()),
        })
        .collect();
    lines.sort();
    lines.concat()
}

#[tokio::test]
async fn content_types() {
    let registry = published().await;
    for (path, expected) in [
        ("mod.ts", "text/typescript"),
        ("pages/[id].tsx", "text/tsx"),
        ("jsr.json", "application/json"),
        ("index.html", "text/html"),
        ("pixel.svg", "image/svg+xml"),
    ] {
        let answer =
            registry.anonymous().get(&format!("/@acme/maths/1.0.0/{}", path.replace('[', "%5B").replace(']', "%5D"))).await.expect(200);
        assert_eq!(answer.header("content-type"), expected, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn whoever_has_it_is_told_so() {
    let registry = published().await;
    let nobody = registry.anonymous();
    let first = nobody.get(FILE).await.expect(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for condition in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = with(&nobody, &[("if-none-match", &condition)]).get(FILE).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()), "{condition}");
        assert_eq!(again.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(again.header("access-control-allow-origin"), "*");
        assert_eq!(with(&nobody, &[("if-none-match", &condition)]).head(FILE).await.status, 304, "{condition}");
    }
    let other = with(&nobody, &[("if-none-match", "\"other\"")]).get(FILE).await.expect(200);
    assert_eq!(other.text(), TEXT);
    let date = first.header("last-modified").to_owned();
    assert_eq!(with(&nobody, &[("if-modified-since", &date)]).get(FILE).await.status, 304);
    assert_eq!(with(&nobody, &[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")]).get(FILE).await.status, 200);
    assert_eq!(with(&nobody, &[("if-modified-since", "when it suits you")]).get(FILE).await.status, 200);
    // A tag that does not match outranks a date that does.
    assert_eq!(with(&nobody, &[("if-none-match", "\"other\""), ("if-modified-since", &date)]).get(FILE).await.status, 200);
}

#[tokio::test]
async fn a_mutable_document_gets_another_tag() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
    let before = registry.anonymous().get("/@acme/maths/meta.json").await.expect(200);
    author.publish_through(&PackageBuilder::small("@acme/maths", "1.1.0")).await;
    let nobody = with(&registry.anonymous(), &[("if-none-match", before.header("etag"))]);
    let after = nobody.get("/@acme/maths/meta.json").await.expect(200);
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(after.header("cache-control"), "public, max-age=60, s-maxage=60");
    assert_eq!(with(&nobody, &[("if-none-match", after.header("etag"))]).get("/@acme/maths/meta.json").await.status, 304);
    registry.drain().await;
}

#[tokio::test]
async fn head_says_what_get_would() {
    let registry = published().await;
    let nobody = registry.anonymous();
    for path in [
        FILE,
        "/@acme/maths/meta.json",
        "/@acme/maths/1.0.0/empty.txt",
        "/@acme/maths/1.0.0/nope.ts",
        "/npm/@jsr/acme__maths",
        "/npm/@jsr/acme__nope",
    ] {
        let (get, head) = (nobody.get(path).await, nobody.head(path).await);
        assert_eq!((get.status, shown(&get)), (head.status, shown(&head)), "{path}");
        assert_eq!(head.body.len(), 0, "{path}");
    }
    assert_eq!(nobody.head(FILE).await.header("content-length"), TEXT.len().to_string());
    let ranged = with(&nobody, &[("range", "bytes=0-3")]).head(FILE).await;
    assert_eq!((ranged.status, ranged.header("content-length")), (200, TEXT.len().to_string().as_str()), "a range means nothing to HEAD");
}

#[tokio::test]
async fn parts_of_files() {
    let registry = published().await;
    let nobody = registry.anonymous();
    let last = TEXT.len() - 1;
    for (range, part, said) in [
        ("bytes=0-5", &TEXT[..6], format!("bytes 0-5/{}", TEXT.len())),
        ("bytes=7-", &TEXT[7..], format!("bytes 7-{last}/{}", TEXT.len())),
        ("bytes=-4", &TEXT[TEXT.len() - 4..], format!("bytes {}-{last}/{}", TEXT.len() - 4, TEXT.len())),
        ("bytes=-4000", TEXT, format!("bytes 0-{last}/{}", TEXT.len())),
        ("bytes=30-4000", &TEXT[30..], format!("bytes 30-{last}/{}", TEXT.len())),
    ] {
        let answer = with(&nobody, &[("range", range)]).get(FILE).await.expect(206);
        assert_eq!((answer.text().as_str(), answer.header("content-range")), (part, said.as_str()), "{range}");
        assert_eq!(answer.header("content-length"), part.len().to_string());
        assert_eq!(answer.header("content-type"), "text/typescript");
    }
    for beyond in [format!("bytes={}-", TEXT.len()), "bytes=4000-5000".to_owned(), "bytes=-0".to_owned()] {
        let answer = with(&nobody, &[("range", &beyond)]).get(FILE).await.expect(416);
        assert_eq!(answer.header("content-range"), format!("bytes */{}", TEXT.len()), "{beyond}");
        assert_eq!(answer.body.len(), 0);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    // What makes no sense, or asks for several parts, is answered with the whole.
    for whole in ["bytes=5-2", "bytes=0-1,3-4", "bytes=", "lines=1-2", "bytes=a-b"] {
        assert_eq!(with(&nobody, &[("range", whole)]).get(FILE).await.expect(200).text(), TEXT, "{whole}");
    }
    assert_eq!(with(&nobody, &[("range", "bytes=0-5")]).get("/@acme/maths/1.0.0/nope.ts").await.status, 404);
}

#[tokio::test]
async fn a_part_only_of_what_is_known() {
    let registry = published().await;
    let nobody = with(&registry.anonymous(), &[("range", "bytes=0-5")]);
    let tag = nobody.get(FILE).await.expect(206).header("etag").to_owned();
    assert_eq!(with(&nobody, &[("if-range", &tag)]).get(FILE).await.expect(206).text(), TEXT[..6]);
    assert_eq!(with(&nobody, &[("if-range", "\"other\"")]).get(FILE).await.expect(200).text(), TEXT);
    assert_eq!(with(&nobody, &[("if-range", &format!("W/{tag}"))]).get(FILE).await.expect(200).text(), TEXT, "a weak tag does not do");
    assert_eq!(with(&nobody, &[("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")]).get(FILE).await.expect(200).text(), TEXT);
    assert_eq!(with(&nobody, &[("if-none-match", &tag)]).get(FILE).await.status, 304, "the condition comes first");
}

#[tokio::test]
async fn who_wants_a_page_gets_a_page() {
    let registry = published().await;
    let nobody = registry.anonymous();
    let is_file = async |headers: &[(&str, &str)]| {
        let answer = with(&nobody, headers).get(FILE).await.expect(200);
        let vary = answer.header("vary").to_owned();
        (answer.text() == TEXT, vary.contains("Accept"))
    };
    for headers in [
        &[][..],
        &[("accept", "*/*")],
        &[("accept", "application/typescript, text/html")],
        &[("sec-fetch-dest", "empty")],
        &[("sec-fetch-dest", "image"), ("sec-fetch-site", "same-origin")],
    ] {
        assert_eq!(is_file(headers).await, (true, true), "{headers:?}");
    }
    for headers in [
        &[("accept", "text/html,application/xhtml+xml")][..],
        &[("sec-fetch-dest", "document")],
        &[("sec-fetch-dest", "iframe")],
        &[("sec-fetch-dest", "script")],
        &[("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")],
    ] {
        // So far there is no page that shows a file.
        let answer = with(&nobody, headers).get(FILE).await.expect(404);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    }
    // A shared cache in front must not give one to those who want the other.
    let page = with(&nobody, &[("accept", "text/html")]).get(FILE).await;
    assert!(page.header("cache-control").contains("no-store") || page.header("vary").contains("Accept"), "{}", shown(&page));
}

#[tokio::test]
async fn names_as_they_are_spelt_in_addresses() {
    let registry = published().await;
    let nobody = registry.anonymous();
    for (path, text) in [
        ("/@acme/maths/1.0.0/pages/%5Bid%5D.tsx", "export const Page = null;\n"),
        ("/@acme/maths/1.0.0/%24a(b)%2Bc@d~e_%7Bf%7D.ts", "export {};\n"),
        ("/@acme/maths/1.0.0/%6d%6F%64.ts", TEXT),
        ("/%40acme/maths/1.0.0/mod.ts", ""),
    ] {
        let answer = nobody.get(path).await;
        if text.is_empty() {
            // JSR, too, reads the sign only where it stands for itself.
            assert_eq!(answer.status, 404, "{path}");
        } else {
            assert_eq!(answer.expect(200).text(), text, "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let registry = published().await;
    let nobody = registry.anonymous();
    for path in [
        "/@acme/maths/1.0.0/nope.ts",
        "/@acme/maths/1.0.0/MOD.ts",
        "/@acme/maths/1.0.0/",
        "/@acme/maths/1.0.0/pages",
        "/@acme/maths/1.0.1/mod.ts",
        "/@acme/maths/1.0.1_meta.json",
        "/@acme/nope/meta.json",
        "/@acme/maths/1.0.0/../../../../etc/passwd",
        "/@acme/maths/1.0.0/..%2f..%2fmeta.json",
        "/@acme/maths/1.0.0/%2e%2e/1.0.0/mod.ts",
        "/@acme/maths/1.0.0/mod.ts%00",
        "/@acme/maths/1.0.0/%ff",
        "/@acme/maths/1.0.0/a//b",
        "/@acme/maths/01.0.0/mod.ts",
        "/@ACME/maths/meta.json",
    ] {
        let answer = nobody.get(path).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, "404 - Not Found"), "{path}");
        assert_eq!((answer.header("cache-control"), answer.header("access-control-allow-origin")), ("no-store", "*"), "{path}");
    }
    // Uploads and plans are in another store altogether.
    for path in
        ["/uploads/00000000-0000-0000-0000-000000004e24.tgz", "/docs/@acme/maths/1.0.0/1/index.json", "/npm/@jsr/acme__maths/index.json"]
    {
        assert_eq!(nobody.get(path).await.status, 404, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = nobody.send(method.clone(), FILE, &[], bytes::Bytes::new()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
    }
}
