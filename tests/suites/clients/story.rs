//! One story from a fresh registry to packages that people trust: an administrator, two people, a scope that one asks the other into, a
//! package that a repository publishes without a token and says where it came from, and one that nobody else can see.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use slipway_tests::identity::{Manner, Provider};
use slipway_tests::issuer::Issuer;
use slipway_tests::sigstore::{self, Sigstore};

use crate::bench::Bench;
use crate::browser::Browser;
use crate::deno_ci::{came_from_the_job, certified_job, employ, settings, trust};
use crate::npm::{Client, installed_version, node};
use crate::private::{npm_project, stranger, with_token};
use crate::run::{Run, Said};
use crate::signatures::{audit, installed, more};
use crate::stock::BASE;

/// A command of the operator.
fn admin(bench: &Bench, arguments: &[&str]) -> Said {
    bench.slipway(bench.registry.data()).arg("admin").args(arguments).arg("--data").arg(bench.registry.data()).ok()
}

/// Somebody runs the registry. Returns their token.
fn administrator(bench: &Bench, name: &str) -> String {
    assert_eq!(admin(bench, &["user", "create", name, "--staff"]).out.trim().len(), 36, "the identifier alone");
    let token = admin(bench, &["token", "create", "--user", name, "--expires", "1d"]).out.trim().to_owned();
    let user = bench.registry.call_with(&token, "GET", "user", None).body;
    assert_eq!((&user["login"], &user["isStaff"]), (&json!(name), &json!(true)), "{user}");
    token
}

/// Somebody with a browser in which they are signed in, and a token that they made there.
struct Person {
    browser: Browser,
    token: String,
}

impl Person {
    /// Somebody who was sent a link.
    fn by_link(bench: &Bench, name: &str) -> Self {
        admin(bench, &["user", "create", name]);
        let link = admin(bench, &["user", "link", "--user", name]).out;
        let browser = Browser::new(&bench.project(name, &[]), bench.registry.url());
        browser.press(&browser.open(link.trim()), "sign in");
        Self::with_a_token(browser, bench, name)
    }

    /// Somebody who has an account elsewhere.
    fn by_account(bench: &Bench, provider: &Provider, name: &str) -> Self {
        provider.behave(Manner { claims: json!({ "preferred_username": name }), ..Manner::default() });
        let browser = Browser::new(&bench.project(name, &[]), bench.registry.url());
        let leave = browser.press(&browser.open("login"), "sign in with the work");
        let (_, rest) = leave.html.split_once(&format!("href=\"{}", provider.url())).expect("the page leads to the provider");
        let rest = rest.split('"').next().unwrap_or_default().replace("&#38;", "&");
        let now = i64::try_from(sigstore::now()).expect("a clock is not that far");
        let way = provider.let_in(&format!("{}{rest}", provider.url()), now);
        browser.open(&way.address());
        Self::with_a_token(browser, bench, name)
    }

    fn with_a_token(browser: Browser, bench: &Bench, name: &str) -> Self {
        assert!(browser.is_signed_in());
        let made = browser.post("api/user/tokens", Some(&json!({ "description": "my machine" }))).html;
        let made: Value = serde_json::from_str(&made).unwrap_or_else(|_| panic!("{made}"));
        let token = made["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        assert_eq!(bench.registry.call_with(&token, "GET", "user", None).body["login"], name);
        Self { browser, token }
    }

    fn posts(&self, bench: &Bench, path: &str, body: &Value) {
        let answer = bench.registry.call_with(&self.token, "POST", path, Some(body));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// What a stranger is answered, head and body, with the package's name taken out.
fn answered(bench: &Bench, path: &str, name: &str) -> String {
    let address = format!("{}{}", bench.registry.url(), path.replace("{p}", name));
    let output = Command::new("curl").args(["-sSi", "--max-time", "60", &address]).output().expect("curl is installed");
    assert!(output.status.success(), "curl {address}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).replace(name, "{p}");
    // The one line in which two answers to one question may differ.
    text.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect::<Vec<_>>().join("\n")
}

/// Where a package could be seen.
const PLACES: &[&str] = &[
    "@acme/{p}",
    "@acme/{p}/meta.json",
    "@acme/{p}/1.0.0_meta.json",
    "@acme/{p}/1.0.0/mod.ts",
    "npm/@jsr/acme__{p}",
    "npm/@jsr/acme__{p}/-/acme__{p}-1.0.0.tgz",
    "-/npm/v1/attestations/@jsr/acme__{p}@1.0.0",
    "api/scopes/acme/packages/{p}",
    "api/scopes/acme/packages/{p}/versions/1.0.0",
];

/// A program that uses the private package.
fn program(specifier: &str) -> String {
    format!("import {{ greet }} from \"{specifier}\";\nconsole.log(greet(\"bob\").text);\n")
}

/// A project of npm's, of somebody with a token or of a stranger, and npm installing the private package in it.
fn npm_install(bench: &Bench, token: Option<&str>) -> (PathBuf, Run) {
    let directory = npm_project(bench, Client::Npm, token);
    let cache = directory.join(if token.is_some() { "cache" } else { "cache-of-a-stranger" });
    let run = Client::Npm.command(bench, &directory).env("npm_config_cache", cache).args(["install", "@jsr/acme__secret@1.0.0"]);
    (directory, run)
}

fn deno_run(deno: Run, project: &Path) -> Run {
    assert!(project.join("main.ts").exists());
    deno.args(["run", "--no-lock", "main.ts"])
}

/// Two packages, one by each stock client, out of a job that has no token, and what pnpm says of them.
fn a_repository_publishes(bench: &Bench, issuer: &Issuer, sigstore: &Sigstore) {
    employ(issuer, "refs/heads/main");
    let base = bench.project("base", BASE);
    certified_job(bench.deno(&base), issuer, sigstore).ok().says("Successfully published @acme/base@1.0.0");
    let more = more(bench, "1.0.0");
    certified_job(bench.jsr(&more), issuer, sigstore).ok().says("Successfully published @acme/more@1.0.0");
    for package in ["base", "more"] {
        came_from_the_job(bench, package, "1.0.0");
    }
    let directory = installed(bench, Client::Pnpm, "1.0.0");
    audit(bench, Client::Pnpm, &directory).ok().says("2 packages have verified registry signatures");
}

/// A package that a member publishes and uses, and that nobody else can see.
fn a_member_keeps_a_secret(bench: &Bench, member: &Person) {
    let config = json!({ "name": "@acme/secret", "version": "1.0.0", "license": "MIT", "exports": "./mod.ts" }).to_string();
    let secret = bench.project("secret", &[("deno.json", &config), BASE[1]]);
    let at = ["--private", "--registry", bench.registry.url(), "--token", &member.token];
    bench.slipway(&secret).arg("publish").args(at).ok().says("which is private");

    let said = npm_install(bench, None).1.fails();
    assert!(said.all.contains("404"), "{}", said.all);
    let (directory, run) = npm_install(bench, Some(&member.token));
    run.ok();
    assert_eq!(installed_version(&directory, "@jsr/acme__secret"), "1.0.0");
    assert_eq!(node(bench, &directory, &program("@jsr/acme__secret")), "hello bob");

    let project = bench.project("run", &[("deno.json", "{}"), ("main.ts", &program("jsr:@acme/secret@^1.0.0"))]);
    deno_run(stranger(bench, &project), &project).fails().says("JSR package not found: @acme/secret");
    let run = deno_run(with_token(bench, bench.deno(&project), &member.token), &project);
    assert_eq!(run.ok().last_line(), "hello bob");

    for place in PLACES {
        let (hidden, missing) = (answered(bench, place, "secret"), answered(bench, place, "absent"));
        assert!(hidden.starts_with("HTTP/1.1 404 "), "{place}: {hidden}");
        assert_eq!(hidden, missing, "{place}");
    }
}

#[test]
fn a_company_moves_in() {
    let (issuer, sigstore, provider) = (Issuer::start(), Sigstore::start(), Provider::start());
    let told = |_: &_| {
        let people = ("SLIPWAY_IDENTITY_PROVIDER".to_owned(), provider.setting("work", "oidc"));
        settings(&issuer, &sigstore).into_iter().chain([people]).collect()
    };
    let Some(bench) = Bench::set_up_with(told) else { return };
    let boss = administrator(&bench, "grace");
    let (ada, bob) = (Person::by_link(&bench, "ada"), Person::by_account(&bench, &provider, "bob"));
    let known = bench.registry.call_with(&boss, "GET", "admin/users", None).body;
    let mut logins: Vec<_> = known["items"].as_array().into_iter().flatten().map(|user| user["login"].as_str().unwrap()).collect();
    logins.sort_unstable();
    assert_eq!(logins, ["ada", "admin", "bob", "grace"], "{known}");

    ada.posts(&bench, "scopes", &json!({ "scope": "acme", "description": "" }));
    ada.posts(&bench, "scopes/acme/members", &json!({ "login": "bob" }));
    let early = bench.registry.call_with(&bob.token, "POST", "scopes/acme/packages", Some(&json!({ "package": "early" })));
    assert_eq!(early.body["code"], "actorNotScopeMember", "{early:?}");
    let after = bob.browser.press(&bob.browser.open("account/invites"), "join");
    assert_eq!(after.status, 200, "{}", after.html);
    let members = bench.registry.get("api/scopes/acme/members").body;
    assert_eq!(members.as_array().map(Vec::len), Some(2), "{members}");

    for package in ["base", "more"] {
        trust(&bench, &ada.token, package);
    }
    a_repository_publishes(&bench, &issuer, &sigstore);
    a_member_keeps_a_secret(&bench, &bob);
    bench.close();
}
