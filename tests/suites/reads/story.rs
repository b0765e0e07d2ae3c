//! Publish, end everything, read.

use serde_json::json;
use slipway_common::shutdown::aside;
use slipway_tests::PackageBuilder;
use slipway_tests::engines::told;
use slipway_tests::fleet::{self, Bucket, Mode, Role};

use crate::clients::Clients;
use crate::edge::{Behind, Edge, free_port, is_installed};
use crate::headers;

/// What is said by a program that uses everything.
const PROGRAM: &str = r#"
import { answer, late, welcome } from "@acme/kit";
import { double } from "@acme/kit/numbers";
console.log(JSON.stringify([welcome("you"), answer, double(4), await late()]));
"#;

/// What it prints.
fn printed(version: &str) -> String {
    json!(["hello you", 42, 8, version]).to_string()
}

fn base() -> PackageBuilder {
    let code = "/** Says hello. */\nexport function greet(name: string): string {\n  return `hello ${name}`;\n}\n";
    PackageBuilder::empty("@acme/base", "1.0.0").file("mod.ts", code)
}

/// Several modules, JSON, a dynamic import, a dependency, and a name that has to be escaped.
fn kit(version: &str) -> PackageBuilder {
    let code = r#"import { greet } from "jsr:@acme/base@^1.0.0";
import table from "./src/table.json" with { type: "json" };
import { double } from "./src/numbers.ts";

/** The answer. */
export const answer: number = double(table.half);

/** Greets. */
export function welcome(name: string): string {
  return greet(name);
}

/** Loads what is rarely needed. */
export async function late(): Promise<string> {
  const { edition } = await import("./src/late.ts");
  return edition;
}
"#;
    PackageBuilder::empty("@acme/kit", version)
        .key("exports", json!({ ".": "./mod.ts", "./numbers": "./src/numbers.ts" }))
        .file("mod.ts", code)
        .file("src/numbers.ts", "/** Twice as much. */\nexport function double(n: number): number {\n  return n * 2;\n}\n")
        .file("src/table.json", "{ \"half\": 21 }\n")
        .file("src/late.ts", format!("/** Which version this is. */\nexport const edition: string = \"{version}\";\n"))
        .file("pages/[id]~$.tsx", "export const Page = null;\n")
        .file("pixel.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")
        .file("style.css", "p { color: red }\n")
        .file("README.md", "# kit\n")
        .file("LICENSE", "as you like\n")
}

/// A bucket of its own that everybody may read, on the server that the suites have.
async fn bucket() -> Option<(Bucket, String, String)> {
    let (Some(_), Some(server)) = (told("SLIPWAY_TEST_OBJECTS"), told("AWS_ENDPOINT")) else {
        let why = "SLIPWAY_TEST_OBJECTS and AWS_ENDPOINT name no S3 server; `./tests/run` starts one";
        assert!(told("SLIPWAY_TEST_REQUIRE").is_none(), "{why}");
        eprintln!("not run: {why}");
        return None;
    };
    let name = format!("slipway-reads-{}", std::process::id());
    let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
    let made = http.put(format!("{server}/{name}")).header("x-amz-acl", "public-read").send().await.expect("the server answers");
    assert!(made.status().is_success(), "{made:?}");
    let variables = ["AWS_ENDPOINT", "AWS_ALLOW_HTTP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let environment = variables.iter().filter_map(|name| Some(((*name).to_owned(), told(name)?))).collect();
    let url = format!("s3://{name}");
    Some((Bucket { read_at: url.clone(), url, environment }, server, format!("/{name}/public")))
}

/// The whole of it.
pub(crate) async fn everything_is_read_from_the_bucket_alone() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = free_port();
    let (true, Some(clients)) = (is_installed(), Clients::of(&format!("http://{address}"))) else { return };
    let Some((bucket, server, prefix)) = bucket().await else { return };
    fleet::with_objects(Mode::Scaled, Some(bucket), async |fleet| {
        let public = format!("http://{address}/");
        let environment = [("SLIPWAY_PUBLIC_URL", public.as_str())];
        let processes: Vec<_> = [Role::Api, Role::Worker].map(|role| fleet.start(role, &environment)).into();
        let api = processes[0].address().to_string();
        let edge = Edge::start(address, &Behind { api: &api, bucket: &server, prefix: &prefix }).await;
        // Published through the edge as well: this is how a registry is set up.
        let owner = fleet.owner(&processes[0]).at(address);
        for name in ["base", "kit"] {
            owner.create_package(name).await;
        }
        for package in [base(), kit("1.0.0"), kit("1.1.0"), kit("2.0.0-rc.1+build.7")] {
            let task = owner.go_on(&package, None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
        }
        for process in processes {
            process.stop().await;
        }
        fleet.broker.take().expect("it has one").remove().await;
        fleet.database().execute("DROP SCHEMA public CASCADE").await;

        assert!(headers::are_right(&edge, &fleet.storage).await > 40, "there is something to read");
        headers::misses_are_right(&edge).await;
        headers::npm_documents_are_chosen(&edge, &fleet.storage, "@acme/kit").await;
        aside(move || install(&clients)).await;
        let log = edge.log();
        assert!(log.contains("Deno/") && log.contains("npm/"), "both were here:\n{log}");
    })
    .await;
}

/// Real clients install everything, and run it.
fn install(clients: &Clients) {
    for (range, version) in [("^1.0.0", "1.1.0"), ("1.0.0", "1.0.0"), ("^2.0.0-rc.1", "2.0.0-rc.1+build.7")] {
        let imports =
            |scheme: &str| json!({ "@acme/kit": format!("{scheme}@{range}"), "@acme/kit/numbers": format!("{scheme}@{range}/numbers") });
        for (name, scheme) in [("jsr", "jsr:@acme/kit"), ("npm", "npm:@jsr/acme__kit")] {
            let config = json!({ "imports": imports(scheme) }).to_string();
            let project = clients.project(&format!("deno-{name}-{version}"), &[("deno.json", &config), ("main.ts", PROGRAM)]);
            assert_eq!(clients.deno(&project, &["run", "--no-lock", "main.ts"]), printed(version), "{scheme}@{range}");
        }
        let registry = format!("@jsr:registry={}/npm/\n", clients.registry());
        let manifest = r#"{ "name": "project", "version": "1.0.0", "type": "module", "private": true }"#;
        let files = [(".npmrc", registry.as_str()), ("package.json", manifest), ("main.mjs", PROGRAM)];
        let project = clients.project(&format!("npm-{version}"), &files);
        clients.program("npm", &project, &["install", &format!("@acme/kit@npm:@jsr/acme__kit@{range}")]);
        assert_eq!(clients.program("node", &project, &["main.mjs"]), printed(version), "npm {range}");
        // Somebody else, with an empty cache and the same lock file.
        clients.program("npm", &project, &["ci", "--cache", "elsewhere"]);
        assert_eq!(clients.program("node", &project, &["main.mjs"]), printed(version), "npm ci {range}");
    }
}
