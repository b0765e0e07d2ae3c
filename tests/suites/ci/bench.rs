//! A registry that believes an issuer, and a package that trusts one of its jobs.

use serde_json::{Value, json};
use slipway_tests::issuer::Issuer;
use slipway_tests::{Answer, Client, PackageBuilder, TestRegistry};

pub(crate) struct Bench {
    pub(crate) registry: TestRegistry,
    pub(crate) issuer: Issuer,
    /// An admin of the scope.
    pub(crate) author: Client,
}

pub(crate) const PUBLISHERS: &str = "/api/scopes/acme/packages/maths/publishers";

pub(crate) fn small(version: &str) -> PackageBuilder {
    PackageBuilder::small("@acme/maths", version)
}

impl Bench {
    /// A package that trusts `publish.yml` of `acme/widgets` on its main branch.
    pub(crate) async fn start() -> Self {
        Self::of("github").await.trusting().await
    }

    /// Trusts that job.
    pub(crate) async fn trusting(self) -> Self {
        let bench = self;
        let trusted = json!({
            "issuer": "github", "repository": "acme/widgets", "repositoryId": "1", "workflow": "publish.yml", "ref": "refs/heads/main",
        });
        drop(bench.author.post(PUBLISHERS, trusted).await.expect(200));
        bench
    }

    /// A package that trusts nobody, and an issuer of this kind.
    pub(crate) async fn of(kind: &str) -> Self {
        Self::configured(kind, &[]).await
    }

    /// The same with more settings.
    pub(crate) async fn configured(kind: &str, more: &[(&'static str, String)]) -> Self {
        let issuer = Issuer::start();
        let setting = issuer.setting(kind);
        let more = more.iter().map(|(key, value)| (*key, value.as_str()));
        let settings: Vec<(&'static str, &str)> = more.chain([("ci_issuer", setting.as_str())]).collect();
        let registry = TestRegistry::configured(&settings).await;
        let author = registry.author("@acme/maths").await;
        Self { registry, issuer, author }
    }

    /// The claims of a job on GitHub that is trusted and may publish these packages.
    pub(crate) fn claims(&self, packages: &[&PackageBuilder]) -> Value {
        let now = self.registry.now().timestamp();
        let permissions: Vec<Value> = packages.iter().map(|package| permission(package)).collect();
        json!({
            "iss": self.issuer.url(), "aud": json!({ "permissions": permissions }).to_string(), "jti": "token-1",
            "iat": now, "nbf": now, "exp": now + 300, "sub": "repo:acme/widgets:ref:refs/heads/main",
            "repository": "acme/widgets", "repository_id": "1", "ref": "refs/heads/main", "sha": "deadbeef", "actor": "ada",
            "actor_id": "7", "run_id": "77", "workflow_ref": "acme/widgets/.github/workflows/publish.yml@refs/heads/main",
        })
    }

    /// The same with some claims otherwise; `null` leaves one out.
    pub(crate) fn claims_with(&self, packages: &[&PackageBuilder], changes: Value) -> Value {
        let mut claims = self.claims(packages);
        for (name, value) in changes.as_object().expect("changes are an object") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims are an object").remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    /// A job that shows these claims, as the stock client does.
    pub(crate) fn job(&self, claims: &Value) -> Client {
        self.shows(&self.issuer.sign(claims))
    }

    pub(crate) fn shows(&self, token: &str) -> Client {
        self.registry.anonymous().with("authorization", &format!("githuboidc {token}"))
    }
}

pub(crate) fn permission(package: &PackageBuilder) -> Value {
    let address = package.address();
    let parts: Vec<&str> = address.split(['/', '?']).collect();
    let at = |name: &str| {
        let place = parts.iter().position(|part| *part == name).expect("the address has it");
        percent_encoding::percent_decode_str(parts[place + 1]).decode_utf8_lossy().into_owned()
    };
    json!({
        "permission": "package/publish", "scope": at("scopes"), "package": at("packages"), "version": at("versions"),
        "tarballHash": package.tarball_hash(),
    })
}

/// What a refusal says, after its code.
pub(crate) fn said(answer: &Answer) -> String {
    format!("{}: {}", answer.refusal(), answer.json()["message"].as_str().unwrap_or_default())
}
