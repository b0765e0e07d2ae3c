//! `deno publish` and `jsr publish` on a terminal: the client shows a code, a person decides.

use serde_json::json;

use crate::bench::Bench;
use crate::browser::Browser;
use crate::run::Run;
use crate::stock::BASE;
use crate::terminal::Terminal;

const CLIENTS: [&str; 2] = ["deno", "jsr"];

/// Starts a client in a project of its own; the package exists already.
fn start(bench: &Bench, client: &str) -> Terminal {
    let name = format!("@acme/by-{client}");
    bench.registry.open(&name);
    let config = json!({"name": name, "version": "1.0.0", "license": "MIT", "exports": "./mod.ts"}).to_string();
    let project = bench.project(client, &[("deno.json", &config), BASE[1]]);
    let run: Run = if client == "jsr" { bench.jsr(&project) } else { bench.deno(&project) };
    Terminal::start(run.args(["publish", "--allow-dirty"]))
}

fn published(terminal: Terminal, client: &str) {
    let (succeeded, screen) = terminal.end();
    assert!(succeeded && screen.contains(&format!("Successfully published @acme/by-{client}@1.0.0")), "{screen}");
}

#[test]
fn a_publish_is_approved_through_the_api() {
    let Some(bench) = Bench::set_up() else { return };
    let browser = Browser::new(&bench.project("browser", &[]), bench.registry.url());
    browser.fill(&browser.open("login"), "token", bench.registry.token());
    for client in CLIENTS {
        let mut terminal = start(&bench, client);
        let code = terminal.code();
        let details = bench.registry.get(&format!("api/authorizations/details/{code}"));
        assert_eq!(details.body["permissions"][0]["package"], format!("by-{client}"), "{details:?}");
        // A token that may lie in a script decides nothing; a person with a session does.
        let refused = bench.registry.call("POST", &format!("authorizations/approve/{code}"), None);
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("credentialNotInteractive")), "{refused:?}");
        let approved = browser.post(&format!("api/authorizations/approve/{code}"), None);
        assert_eq!(approved.status, 204, "{}", approved.html);
        published(terminal, client);
    }
    bench.close();
}

#[test]
fn a_publish_is_approved_on_the_page() {
    let Some(bench) = Bench::set_up() else { return };
    let browser = Browser::new(&bench.project("browser", &[]), bench.registry.url());
    for client in CLIENTS {
        let mut terminal = start(&bench, client);
        let code = terminal.code();
        let mut page = browser.open(&format!("auth?code={code}"));
        if client == CLIENTS[0] {
            // The first visit asks who this is, and comes back to the question.
            assert_eq!(page.url.path(), "/login", "{}", page.html);
            assert!(!browser.is_signed_in());
            page = browser.fill(&page, "token", bench.registry.token());
            assert!(browser.is_signed_in());
        }
        assert_eq!(page.url.path(), "/auth", "{}", page.html);
        // A person sees what they are about to allow.
        for shown in [&format!("by-{client}"), "1.0.0", &code] {
            assert!(page.html.contains(shown), "the page does not show {shown}:\n{}", page.html);
        }
        let after = browser.press(&page, "approve");
        assert_eq!(after.status, 200, "{}", after.html);
        published(terminal, client);
    }
    bench.close();
}

#[test]
fn a_publish_is_denied_on_the_page() {
    let Some(bench) = Bench::set_up() else { return };
    let browser = Browser::new(&bench.project("browser", &[]), bench.registry.url());
    let mut terminal = start(&bench, "deno");
    let code = terminal.code();
    let page = browser.fill(&browser.open(&format!("auth?code={code}")), "token", bench.registry.token());
    browser.press(&page, "deny");
    let (succeeded, screen) = terminal.end();
    assert!(!succeeded && screen.contains("authorizationDenied"), "{screen}");
    assert!(bench.registry.versions("@acme/by-deno").is_empty());
    bench.close();
}

#[test]
fn a_stranger_signs_nothing() {
    let Some(bench) = Bench::set_up() else { return };
    let browser = Browser::new(&bench.project("browser", &[]), bench.registry.url());
    let page = browser.fill(&browser.open("login?redirect=/auth"), "token", "jsrw_00000000000000000000000000000000000");
    assert!((400..500).contains(&page.status), "{}: {}", page.status, page.html);
    assert!(!browser.is_signed_in());
    bench.close();
}
