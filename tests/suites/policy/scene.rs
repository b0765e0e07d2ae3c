//! A registry in one state, with everybody in it, and all that can be tried there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::ids::{IdentityId, UserId};
use slipway_common::model::identity::{Identity, ProviderKind};
use slipway_common::model::token::{Permission, TokenKind};
use slipway_tests::{Answer, Client, PackageBuilder, Settings, TestRegistry, Work};

use crate::matrix::{ACTORS, CREDENTIALS};

/// Everything that is tried.
pub(crate) const ACTIONS: [&str; 52] = [
    "read.module",
    "read.npm",
    "see.scope",
    "see.members",
    "see.package",
    "see.tags",
    "see.version",
    "see.upload",
    "see.task",
    "search",
    "see.self",
    "see.own-tokens",
    "see.own-scopes",
    "see.own-invites",
    "see.own-tickets",
    "see.own-audit",
    "see.own-identities",
    "make.scope",
    "make.token",
    "unlink.account",
    "change.scope",
    "ask.somebody",
    "see.invites",
    "see.audit",
    "set.role",
    "take.out",
    "trust.publisher",
    "move.package",
    "see.publishers",
    "link.repository",
    "change.visibility",
    "describe",
    "tag",
    "make.package",
    "archive",
    "delete.package",
    "yank",
    "publish",
    "cancel",
    "see.publishes",
    "staff.audit",
    "staff.users",
    "staff.account",
    "staff.scopes",
    "staff.assign",
    "staff.quota",
    "staff.freeze",
    "staff.hold",
    "staff.quarantine",
    "staff.packages",
    "staff.publishes",
    "staff.tickets",
];

/// A registry in which the package `@acme/maths` has a version.
pub(crate) struct Scene {
    registry: TestRegistry,
    state: &'static str,
    ids: BTreeMap<&'static str, String>,
    /// By actor and credential.
    clients: BTreeMap<(&'static str, &'static str), Client>,
    /// Who sets up what an action uses up.
    stagehand: Client,
    bystander: Client,
    bystander_id: String,
    task: String,
    count: AtomicU32,
}

impl Scene {
    /// A registry in a state.
    pub(crate) async fn set(state: &'static str) -> Self {
        let roomy = |key| (key, "100000".to_owned());
        let config = vec![
            roomy("quotas.scopes_per_user"),
            roomy("quotas.packages"),
            roomy("quotas.new_packages_per_week"),
            roomy("quotas.publishes_per_week"),
            ("ci_issuer", "github https://token.actions.githubusercontent.com".to_owned()),
            ("identity_provider", "kind=github&client_id=a&client_secret=b".to_owned()),
        ];
        let registry = TestRegistry::with(Settings { work: Work::OnBells, config }).await;
        let stagehand = registry.person("admin").await;
        let visibility = |is_private: bool| if is_private { "private" } else { "public" };
        for scope in ["acme", "other"] {
            let visibility = visibility(state == "vault");
            drop(stagehand.post("/api/scopes", json!({ "scope": scope, "visibility": visibility })).await.expect(200));
        }
        let (mut ids, mut people) = (BTreeMap::from([("admin", id(&stagehand).await)]), BTreeMap::new());
        for name in ["stranger", "member", "staff", "blocked", "bystander"] {
            let person = registry.person(name).await;
            ids.insert(name, id(&person).await);
            people.insert(name, person);
        }
        for (name, is_admin) in [("member", false), ("blocked", true), ("bystander", false)] {
            join(&stagehand, &people[name], &ids[name]).await;
            if is_admin {
                let place = format!("/api/scopes/acme/members/{}", ids[name]);
                drop(stagehand.patch(&place, json!({ "isAdmin": true })).await.expect(200));
            }
        }
        drop(
            stagehand
                .post("/api/scopes/acme/packages", json!({ "package": "maths", "visibility": visibility(state == "private") }))
                .await
                .expect(200),
        );
        // One for staff to hold, and the one that everything is tried with.
        drop(stagehand.publish_through(&PackageBuilder::small("@acme/maths", "0.1.0")).await);
        let task = stagehand.publish_through(&PackageBuilder::small("@acme/maths", "1.0.0")).await;
        assert_eq!(task["status"], "success");
        match state {
            "archived" => drop(stagehand.patch("/api/scopes/acme/packages/maths", json!({ "isArchived": true })).await.expect(200)),
            "ci" => drop(stagehand.patch("/api/scopes/acme", json!({ "requirePublishingFromCI": true })).await.expect(200)),
            _ => {}
        }
        if state == "frozen" {
            drop(stagehand.post("/api/scopes/acme/packages", json!({ "package": "empty" })).await.expect(200));
            registry.database().execute("UPDATE scopes SET frozen = 'it is looked into' WHERE scope = 'acme'").await;
        }
        registry.database().execute("UPDATE users SET is_staff = TRUE WHERE login = 'staff'").await;
        registry.database().execute("UPDATE users SET is_blocked = TRUE WHERE login = 'blocked'").await;
        let mut clients = BTreeMap::new();
        for actor in ACTORS {
            for credential in CREDENTIALS {
                clients.insert((actor, credential), client(&registry, &ids[actor], credential).await);
            }
        }
        let bystander = people.remove("bystander").unwrap();
        let (bystander_id, task) = (ids["bystander"].clone(), task["id"].as_str().unwrap().to_owned());
        for actor in ACTORS {
            link(&registry, &ids[actor], actor).await;
        }
        Self { registry, state, ids, clients, stagehand, bystander, bystander_id, task, count: AtomicU32::new(0) }
    }

    /// Tries something, and says what came of it: `yes`, or the refusal.
    pub(crate) async fn tried(&self, action: &str, credential: &'static str, actor: &'static str) -> String {
        let who = &self.clients[&(actor, credential)];
        let answer = match action.split_once('.') {
            Some(("staff", what)) => self.as_staff(who, what).await,
            Some(("see", what)) => self.look(who, what).await,
            Some(("read", what)) => return read(who, what).await,
            _ if action == "unlink.account" => self.unlink(who, actor).await,
            _ => self.change(who, action).await,
        };
        if answer.status < 300 { "yes".to_owned() } else { answer.refusal() }
    }

    /// Sees the work through.
    pub(crate) async fn end(self) {
        self.registry.drain().await;
    }

    /// A number that was not used before.
    fn next(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    async fn look(&self, who: &Client, what: &str) -> Answer {
        let package = "/api/scopes/acme/packages/maths";
        let path = match what {
            "scope" => "/api/scopes/acme".to_owned(),
            "members" => "/api/scopes/acme/members".to_owned(),
            "audit" => "/api/scopes/acme/audit".to_owned(),
            "invites" => "/api/scopes/acme/invites".to_owned(),
            "package" => package.to_owned(),
            "tags" => format!("{package}/dist-tags"),
            "version" => format!("{package}/versions/1.0.0"),
            "upload" => format!("{package}/versions/1.0.0/tarball"),
            "publishers" => format!("{package}/publishers"),
            "publishes" => format!("{package}/publishing_tasks"),
            "task" => format!("/api/publishing_tasks/{}", self.task),
            "self" => "/api/user".to_owned(),
            own => format!("/api/user/{}", own.strip_prefix("own-").unwrap()),
        };
        who.get(&path).await
    }

    async fn change(&self, who: &Client, action: &str) -> Answer {
        let (scope, package, n) = ("/api/scopes/acme", "/api/scopes/acme/packages/maths", self.next());
        let bystander = format!("{scope}/members/{}", self.bystander_id);
        match action {
            "search" => who.get("/api/packages?query=maths").await,
            "make.scope" => who.post("/api/scopes", json!({ "scope": unlike(n), "description": "" })).await,
            "make.token" => who.post("/api/user/tokens", json!({ "description": "a" })).await,
            "change.scope" => who.patch(scope, json!({ "description": "It counts." })).await,
            "ask.somebody" => who.post(&format!("{scope}/members"), json!({ "email": format!("{n}@example.org") })).await,
            "set.role" => who.patch(&bystander, json!({ "isAdmin": false })).await,
            "take.out" => {
                let answer = who.delete(&bystander).await;
                if answer.status < 300 {
                    join(&self.stagehand, &self.bystander, &self.bystander_id).await;
                }
                answer
            }
            "trust.publisher" => {
                let job = json!({ "issuer": "github", "repository": "acme/maths", "repositoryId": n.to_string() });
                who.post(&format!("{package}/publishers"), job).await
            }
            "move.package" => who.post(&format!("{}/transfer", self.empty(n).await), json!({ "scope": "other" })).await,
            "change.visibility" => {
                let is_private = ["private", "vault"].contains(&self.state);
                who.patch(package, json!({ "visibility": if is_private { "private" } else { "public" } })).await
            }
            "link.repository" => who.patch(package, json!({ "githubRepository": null })).await,
            "describe" => who.patch(package, json!({ "description": "It counts." })).await,
            "tag" => who.put(&format!("{package}/dist-tags/next"), json!({ "version": "1.0.0" })).await,
            "make.package" => who.post(&format!("{scope}/packages"), json!({ "package": unlike(n) })).await,
            "archive" => who.patch(package, json!({ "isArchived": self.state == "archived" })).await,
            "delete.package" => who.delete(&self.empty(n).await).await,
            "yank" => who.patch(&format!("{package}/versions/1.0.0"), json!({ "yanked": false })).await,
            "publish" => who.publish(&PackageBuilder::small("@acme/maths", &format!("2.{n}.0"))).await,
            "cancel" => who.post(&format!("/api/publishing_tasks/{}/cancel", self.task), Value::Null).await,
            other => panic!("nobody knows how to `{other}`"),
        }
    }

    /// Unlinks an account elsewhere that was linked a moment ago, beside the one that everybody has.
    async fn unlink(&self, who: &Client, actor: &str) -> Answer {
        let id = link(&self.registry, &self.ids[actor], &format!("{actor}-{}", self.next())).await;
        who.delete(&format!("/api/user/identities/{id}")).await
    }

    async fn as_staff(&self, who: &Client, what: &str) -> Answer {
        match what {
            "account" => who.patch(&format!("/api/admin/users/{}", self.bystander_id), json!({ "scopeLimit": 3 })).await,
            "assign" => who.post("/api/admin/scopes", json!({ "scope": unlike(self.next()), "userId": self.bystander_id })).await,
            "quota" => who.patch("/api/admin/scopes/acme", json!({ "packageLimit": 100_000 })).await,
            "freeze" if self.state == "frozen" => who.put("/api/admin/scopes/acme/freeze", json!({ "reason": "it is looked into" })).await,
            "freeze" => who.delete("/api/admin/scopes/acme/freeze").await,
            "hold" => {
                who.put("/api/admin/scopes/acme/packages/maths/versions/0.1.0/quarantine", json!({ "reason": "it is looked into" })).await
            }
            "publishes" => who.get("/api/admin/publishing_tasks").await,
            list => who.get(&format!("/api/admin/{list}")).await,
        }
    }

    /// An empty package, where it is.
    async fn empty(&self, n: u32) -> String {
        if self.state == "frozen" {
            return "/api/scopes/acme/packages/empty".to_owned();
        }
        let name = unlike(n);
        drop(self.stagehand.post("/api/scopes/acme/packages", json!({ "package": name })).await.expect(200));
        format!("/api/scopes/acme/packages/{name}")
    }
}

/// Reads as clients do, who are answered in their own words: the refusal that these stand for.
async fn read(who: &Client, what: &str) -> String {
    let path = if what == "npm" { "/npm/@jsr/acme__maths" } else { "/@acme/maths/1.0.0/mod.ts" };
    let answer = who.get(path).await;
    let said = match (answer.status, answer.text()) {
        (200, _) => "yes",
        (404, text) if text == "404 - Not Found" || text.contains("not found") => "404 packageNotFound",
        (403, text) if text.contains("the account is blocked") => "403 blocked",
        (401, text) if text.contains("the token is unknown or has expired") => "401 invalidBearerToken",
        (status, text) => panic!("{path}: {status} {text}"),
    };
    said.to_owned()
}

/// A name that does not look like that of another number: digits look like letters, so it is spelt.
fn unlike(n: u32) -> String {
    let letters = n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>();
    format!("x{letters}")
}

async fn id(person: &Client) -> String {
    person.get("/api/user").await.expect(200).json()["id"].as_str().unwrap().to_owned()
}

async fn join(admin: &Client, person: &Client, id: &str) {
    drop(admin.post("/api/scopes/acme/members", json!({ "id": id })).await.expect(200));
    drop(person.post("/api/user/invites/acme", Value::Null).await.expect(200));
}

/// Links an account on GitHub to somebody's, and says how it is known.
async fn link(registry: &TestRegistry, user: &str, subject: &str) -> IdentityId {
    let context = registry.context();
    let mut tx = context.db.write("test.identity").await.unwrap();
    let (id, now) = (context.ids.next(), tx.now());
    let identity = Identity {
        id,
        user_id: user.parse().unwrap(),
        kind: ProviderKind::Github,
        issuer: "https://github.com".to_owned(),
        subject: subject.to_owned(),
        login: None,
        email: None,
        created_at: now,
        seen_at: now,
    };
    assert!(tx.create_identity(&identity).await.unwrap());
    tx.commit().await.unwrap();
    id
}

/// Somebody with a credential.
async fn client(registry: &TestRegistry, id: &str, credential: &str) -> Client {
    let user: UserId = id.parse().unwrap();
    let permission = |value: Value| Some(vec![serde_json::from_value::<Permission>(value).unwrap()]);
    let (kind, permissions, life) = match credential {
        "none" => return registry.anonymous(),
        "session" => return registry.anonymous().cookie(&registry.token(user, TokenKind::Web, None, None).await),
        "token" => (TokenKind::Personal, None, None),
        "device" => (TokenKind::Device, None, None),
        "expired" => (TokenKind::Personal, None, Some(TimeDelta::seconds(-1))),
        "version" => {
            let hash = format!("sha256-{}", "0".repeat(64));
            let once =
                json!({ "permission": "package/publish", "scope": "acme", "package": "maths", "version": "9.9.9", "tarballHash": hash });
            (TokenKind::Device, permission(once), None)
        }
        verb => (TokenKind::Personal, permission(json!({ "permission": format!("package/{verb}"), "scope": "acme" })), None),
    };
    registry.anonymous().bearer(&registry.token(user, kind, permissions, life).await)
}
