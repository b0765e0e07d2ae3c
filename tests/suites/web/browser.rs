//! A browser, as far as signing in needs one: it keeps cookies, sends them where they belong, and sends a person on.

use std::collections::BTreeMap;

use slipway_tests::identity::{Provider, Way};
use slipway_tests::{Answer, Client, TestRegistry};

/// A browser.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: Client,
    /// Value and path, by name.
    pub(crate) jar: BTreeMap<String, (String, String)>,
    /// What time its registry has.
    now: i64,
}

impl Browser {
    /// A browser that was nowhere yet.
    pub(crate) fn of(registry: &TestRegistry) -> Self {
        Self { client: registry.anonymous(), jar: BTreeMap::new(), now: registry.now().timestamp() }
    }

    /// A browser in which somebody has signed in with their token.
    pub(crate) async fn signed_in(registry: &TestRegistry, person: &Client) -> Self {
        let mut browser = Self::of(registry);
        drop(browser.form("/login", &[("token", person.secret().unwrap())]).await.expect(303));
        browser
    }

    fn client(&self, path: &str) -> Client {
        let sent = self.jar.iter().filter(|(_, (_, place))| path.starts_with(place.as_str()));
        let cookies: Vec<String> = sent.map(|(name, (value, _))| format!("{name}={value}")).collect();
        let client = self.client.clone().with("origin", "http://registry.test");
        if cookies.is_empty() { client } else { client.with("cookie", &cookies.join("; ")) }
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, rest) = cookie.split_once('=').unwrap();
            let parts: Vec<&str> = rest.split("; ").collect();
            let path = parts.iter().find_map(|part| part.strip_prefix("Path=")).unwrap();
            if parts.contains(&"Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), (parts[0].to_owned(), path.to_owned()));
            }
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.client(path).get(path).await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.client(path).form(path, fields).await;
        self.keep(&answer);
        answer
    }

    /// The guard of the forms on a page.
    pub(crate) async fn guard(&mut self) -> String {
        let page = self.get("/account/identities").await.expect(200).text();
        page.split_once("name=\"guard\" value=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap().to_owned()
    }

    /// Presses the button of a provider, and says where it leads.
    pub(crate) async fn set_out(&mut self, name: &str, redirect: &str) -> String {
        let page = self.form(&format!("/login/{name}"), &[("redirect", redirect)]).await.expect(200);
        leads_to(&page)
    }

    /// Signs in with a provider, to where it leads on.
    pub(crate) async fn sign_in(&mut self, provider: &Provider, name: &str) -> Answer {
        let way = self.let_in(provider, name).await;
        self.get(&way.address()).await
    }

    /// The same until they are sent back.
    pub(crate) async fn let_in(&mut self, provider: &Provider, name: &str) -> Way {
        let address = self.set_out(name, "/").await;
        provider.let_in(&address, self.now)
    }

    /// Links an account, to where it leads on.
    pub(crate) async fn link(&mut self, provider: &Provider, name: &str) -> Answer {
        let guard = self.guard().await;
        let page = self.form(&format!("/connect/{name}"), &[("guard", &guard)]).await.expect(200);
        let way = provider.let_in(&leads_to(&page), self.now);
        self.get(&way.address()).await
    }

    /// Who is signed in, as the registry says.
    pub(crate) async fn user(&mut self) -> serde_json::Value {
        self.get("/api/user").await.expect(200).json()
    }
}

/// Where a page leads on by itself. Its link leads there as well.
pub(crate) fn leads_to(page: &Answer) -> String {
    let address = page.header("refresh").strip_prefix("0;url=").expect("the page leads on").to_owned();
    assert!(page.text().contains(&format!("href=\"{}\"", address.replace('&', "&#38;"))), "{}", page.text());
    address
}
