//! nginx against the table of routes, which the load balancer of `terraform/` follows and which is held to the read path of the API.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use reqwest::Method;
use slipway_common::shutdown::Shutdown;
use slipway_tests::routes::{CLIENTS, OTHERS, Table, To};
use tokio::net::TcpListener;

use crate::edge::{Behind, CONFIGURATION, Edge, free_port, is_installed};

/// Addresses of objects, in every spelling that clients have.
const OBJECTS: [&str; 13] = [
    "/@acme/maths/meta.json",
    "/@acme/maths/1.0.0_meta.json",
    "/@acme/maths/1.0.0/mod.ts",
    "/@acme/maths/1.0.0-rc.1+b/pages/%5Bid%5D.tsx",
    "/@acme/maths/1.0.0/$a(b)+c@d~e_%7Bf%7D.ts",
    "/npm/@jsr/acme__maths",
    "/npm/@jsr/acme__maths/-/acme__maths-1.0.0-rc.1+b.tgz",
    "/-/npm/v1/keys",
    "/-/npm/v1/attestations/@jsr/acme__maths@1.0.0",
    "/-/npm/v1/attestations/@jsr%2facme__maths@1.0.0",
    "/npm/-/npm/v1/keys",
    "/npm/-/npm/v1/attestations/@jsr/acme__maths@1.0.0",
    "/npm/-/npm/v1/attestations/@jsr%2facme__maths@1.0.0",
];

/// Where the public store is on the bucket's server.
const PREFIX: &str = "/bucket/public";

/// Stands for the API or the bucket, and says which one it is and what it was asked for.
async fn stand_in(name: &'static str) -> String {
    let answer = async move |request: Request| -> Response { [("x-asked", format!("{name} {}", request.uri()))].into_response() };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    Shutdown::default().spawn(async move { drop(axum::serve(listener, Router::new().fallback(answer)).await) });
    address.to_string()
}

fn plain(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Who is asked for what, by the edge.
async fn asked(http: &reqwest::Client, edge: &Edge, method: &str, path: &str, headers: &[(&str, &str)]) -> (To, String) {
    let mut request = http.request(Method::from_bytes(method.as_bytes()).expect("it is a method"), edge.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
    let asked = answer.headers().get("x-asked").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
    match asked.to_str().expect("it is text").split_once(' ').expect("it has two parts") {
        ("bucket", path) => (To::Bucket, plain(path.strip_prefix(PREFIX).expect("the bucket is asked below its prefix"))),
        (_, path) => (To::Api, plain(path)),
    }
}

/// An nginx knows an address by what it means, a load balancer by how it is spelled: where the two differ, the upright spelling counts.
pub(crate) async fn the_edge_sends_everybody_where_the_table_says() {
    if !is_installed() {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (api, bucket) = (stand_in("api").await, format!("http://{}", stand_in("bucket").await));
    let edge = Edge::start(free_port(), &Behind { api: &api, bucket: &bucket, prefix: PREFIX }).await;
    let (table, http) = (Table::read(), reqwest::Client::builder().no_proxy().build().expect("a client can be made"));
    let mut found = Vec::new();
    for path in OBJECTS.into_iter().chain(OTHERS) {
        for (client, headers) in CLIENTS {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let asked = asked(&http, &edge, method, path, headers).await;
                let said = [path, &plain(path)].map(|path| table.choose(method, path, headers)).map(|(to, path)| (to, plain(&path)));
                if !said.contains(&asked) {
                    found.push(format!("{method} {path} by {client}: nginx asks {asked:?}, the table says {said:?}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));

    // Beyond the table: this edge can tell who asks for the short npm document, and knows the other names of the registry.
    let (full, short) = ("/npm/@jsr/acme__maths/index.json", "/npm/@jsr/acme__maths/abbreviated.json");
    for (accept, document) in [
        ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", short),
        ("application/vnd.npm.install-v1+json", short),
        ("application/json, application/vnd.npm.install-v1+json", short),
        ("application/json; q=1.0, application/vnd.npm.install-v1+json; q=0.8, */*", full),
        ("application/vnd.npm.install-v1+json;q=0", full),
        ("application/json; q=1.0, */*", full),
        ("*/*", full),
    ] {
        for path in ["/npm/@jsr/acme__maths", "/npm/@jsr%2facme__maths", "/npm/@jsr%2Facme__maths"] {
            for method in ["GET", "HEAD"] {
                assert_eq!(
                    asked(&http, &edge, method, path, &[("accept", accept)]).await,
                    (To::Bucket, document.to_owned()),
                    "{path} {accept}"
                );
            }
        }
    }
    for path in
        ["/@jsr/acme__maths", "/@jsr/acme__maths/1.0.0", "/@jsr/acme__maths/-/acme__maths-1.0.0.tgz", "/-/ping", "/npm/@jsr/acme__maths"]
    {
        let asked = asked(&http, &edge, "GET", path, &[("host", "npm.registry.example")]).await;
        assert_eq!(asked, (To::Api, path.to_owned()), "npm.<host>{path}");
    }
}

/// A bucket that has nothing, in the words of one that may be listed or of one that may not.
async fn empty_bucket(status: StatusCode) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let answer = async move |request: Request| -> Response {
        assert!(
            request.headers().get("authorization").is_none() && request.headers().get("cookie").is_none(),
            "a bucket is told of nobody"
        );
        status.into_response()
    };
    Shutdown::default().spawn(async move { drop(axum::serve(listener, Router::new().fallback(answer)).await) });
    format!("http://{address}")
}

/// The bucket first, whatever the headers; who shows a credential is then asked about at the API, by the address as it came.
pub(crate) async fn what_the_bucket_does_not_have_is_asked_of_the_api_by_who_shows_a_credential() {
    if !is_installed() {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
    let known: [&[(&str, &str)]; 3] =
        [&[("authorization", "Bearer x")], &[("authorization", "Basic eDp5")], &[("cookie", "theme=dark; token=x")]];
    let (api, full) = (stand_in("api").await, format!("http://{}", stand_in("bucket").await));
    let edge = Edge::start(free_port(), &Behind { api: &api, bucket: &full, prefix: PREFIX }).await;
    for path in OBJECTS {
        for headers in known {
            assert_eq!(asked(&http, &edge, "GET", path, headers).await.0, To::Bucket, "{path}");
        }
    }
    for status in [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
        let empty = empty_bucket(status).await;
        let edge = Edge::start(free_port(), &Behind { api: &api, bucket: &empty, prefix: PREFIX }).await;
        for path in OBJECTS {
            for method in ["GET", "HEAD"] {
                for headers in known {
                    assert_eq!(asked(&http, &edge, method, path, headers).await, (To::Api, plain(path)), "{path} {headers:?}");
                }
            }
            for headers in [&[][..], &[("cookie", "theme=dark")]] {
                let mut request = http.get(edge.url(path));
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let answer = request.send().await.expect("the edge answers");
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
                assert!(answer.headers().get("x-asked").is_none(), "{path}: nobody is asked for strangers");
                assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
            }
        }
    }
}

/// What the bucket does not say is said by both edges.
pub(crate) fn the_edge_says_what_the_table_says() {
    let headers = Table::read().headers;
    assert!(headers.len() > 4);
    for (name, value) in headers {
        assert!(CONFIGURATION.contains(&format!("add_header {name} \"{value}\" always;")), "{name}: {value}");
    }
}
