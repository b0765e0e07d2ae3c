//! What actors do, and which answers they take.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use slipway_common::ids::PackageName;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::{Answer, Client, TestRegistry};
use tokio::sync::Mutex as Turn;

use crate::journal::Journal;
use crate::packages::{Draft, Mistake, draft, version};

/// The scopes, each with packages that are there from the beginning.
const SCOPES: [(&str, &[&str]); 2] = [("acme", &["maths", "text", "colour"]), ("globe", &["shapes", "words"])];
/// Packages that come and go.
const SPARE: [&str; 3] = ["spare-one", "spare-two", "spare-three"];
/// Scopes that come and go.
const SPARE_SCOPES: [&str; 2] = ["passing", "fleeting"];

/// What all actors share.
pub(crate) struct Stage<'a> {
    pub(crate) registry: TestRegistry,
    pub(crate) observer: Turn<Observer>,
    journal: &'a Journal,
    /// The owner of each scope, in their order, and somebody who owns none.
    owners: Vec<Client>,
    stranger: Client,
    /// The mark of every version whose author was told that it is published.
    published: Mutex<BTreeMap<(String, String), String>>,
}

impl<'a> Stage<'a> {
    /// Two people with a scope each, a few packages, and somebody else.
    pub(crate) async fn set(registry: TestRegistry, journal: &'a Journal) -> Self {
        let mut owners = Vec::new();
        for (scope, packages) in SCOPES {
            let owner = registry.person(&format!("{scope}-owner")).await;
            drop(owner.post("/api/scopes", json!({ "scope": scope })).await.expect(200));
            for package in packages {
                drop(owner.post(&format!("/api/scopes/{scope}/packages"), json!({ "package": package })).await.expect(200));
            }
            owners.push(owner);
        }
        let stranger = registry.person("stranger").await;
        let observer = Turn::new(Observer::of(&registry.context().storage));
        Self { registry, observer, journal, owners, stranger, published: Mutex::default() }
    }

    /// Every version whose author was told that it is published, with its mark.
    pub(crate) fn published(&self) -> BTreeMap<(String, String), String> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many publishes succeeded.
    pub(crate) fn successes(&self) -> usize {
        self.published().len()
    }
}

/// Somebody who acts at random.
pub(crate) struct Actor {
    number: usize,
    dice: StdRng,
}

/// A package with the one who owns its scope.
struct Place<'a> {
    scope: &'static str,
    package: &'static str,
    owner: &'a Client,
}

impl Place<'_> {
    fn name(&self) -> String {
        format!("@{}/{}", self.scope, self.package)
    }

    fn api(&self) -> String {
        format!("/api/scopes/{}/packages/{}", self.scope, self.package)
    }
}

impl Actor {
    /// Whose acts follow from the seed.
    pub(crate) fn new(number: usize, seed: u64) -> Self {
        Self { number, dice: StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(number as u64)) }
    }

    /// Acts so many times.
    pub(crate) async fn play(&mut self, stage: &Stage<'_>, acts: usize) {
        for _ in 0..acts {
            let begun = stage.journal.begin();
            let what = self.act(stage, begun).await;
            stage.journal.note(format!("#{begun} actor {}: {what}", self.number));
        }
    }

    async fn act(&mut self, stage: &Stage<'_>, number: usize) -> String {
        match self.dice.random_range(0..100) {
            0..46 => self.publish(stage, number).await,
            46..62 => self.yank(stage).await,
            62..73 => self.edit(stage).await,
            73..77 => self.create(stage).await,
            77..81 => self.delete(stage).await,
            81..85 => self.edit_scope(stage).await,
            85..89 => self.pass_by(stage).await,
            89..93 => self.cancel(stage).await,
            93..96 => self.intrude(stage).await,
            _ => self.look(stage).await,
        }
    }

    fn place<'a>(&mut self, stage: &'a Stage<'_>) -> Place<'a> {
        let at = self.dice.random_range(0..SCOPES.len());
        let (scope, packages) = SCOPES[at];
        let among = if self.dice.random_bool(0.15) { &SPARE } else { packages };
        let package = among.choose(&mut self.dice).expect("there are some");
        Place { scope, package, owner: &stage.owners[at] }
    }

    async fn publish(&mut self, stage: &Stage<'_>, number: usize) -> String {
        let place = self.place(stage);
        let others: Vec<_> =
            SCOPES.iter().flat_map(|(scope, packages)| packages.iter().map(move |name| format!("@{scope}/{name}"))).collect();
        let draft = draft(&mut self.dice, &place.name(), &others, number);
        let goes_away = self.dice.random_bool(0.1).then(|| Duration::from_millis(self.dice.random_range(0..60)));
        let Draft { version, mistake, needs, .. } = &draft;
        let what = format!("publish {}@{version} as {} ({mistake:?}, {needs:?})", place.name(), draft.mark);
        let sent = async {
            match draft.mistake {
                Some(Mistake::Garbage) => place.owner.upload(&draft.package.address(), Bytes::from_static(b"no archive")).await,
                _ => place.owner.publish(&draft.package).await,
            }
        };
        let answer = match goes_away {
            None => sent.await,
            Some(patience) => match tokio::time::timeout(patience, sent).await {
                Ok(answer) => answer,
                Err(_) => return format!("{what}: went away"),
            },
        };
        if answer.status != 200 {
            let allowed = ["400 duplicateVersionPublish", "400 packageArchived", "404 packageNotFound"];
            return refused(&what, &answer, &allowed);
        }
        let task = place.owner.follow(answer.json()).await;
        let code = task["error"]["code"].as_str().unwrap_or_default();
        if task["status"] == "success" {
            assert_eq!(draft.mistake, None, "{what}: a mistake was published");
            let before = stage
                .published
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((place.name(), draft.version.clone()), draft.mark.clone());
            assert_eq!(before, None, "{what}: it was published before");
        } else {
            let is_explained = match code {
                "cancelled" => true,
                "unresolvableJsrDependency" => draft.needs.is_some() || draft.mistake == Some(Mistake::Dependency),
                "internalServerError" => false,
                _ => draft.mistake.is_some(),
            };
            assert!(is_explained, "{what}: {task}");
        }
        format!("{what}: {} {code}", task["status"])
    }

    async fn yank(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let listed = place.owner.get(&format!("{}/versions?limit=100", place.api())).await.json();
        let listed: Vec<_> = listed["items"].as_array().into_iter().flatten().filter_map(|item| item["version"].as_str()).collect();
        // Sometimes one that may not exist.
        let is_known = self.dice.random_bool(0.9);
        let known = listed.choose(&mut self.dice).filter(|_| is_known).map(|text| (*text).to_owned());
        let version = known.unwrap_or_else(|| version(&mut self.dice));
        let yanked = self.dice.random_bool(0.65);
        let path = format!("{}/versions/{}", place.api(), version.replace('+', "%2B"));
        let answer = place.owner.patch(&path, json!({ "yanked": yanked })).await;
        let what = format!("yank {}@{version} {yanked}", place.name());
        expected(&what, &answer, 204, &["404 packageVersionNotFound", "404 packageNotFound"])
    }

    async fn edit(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let change = match self.dice.random_range(0..8) {
            0..3 => json!({ "description": format!("Number {}.", self.dice.random_range(0..100)) }),
            3 => json!({ "isArchived": true }),
            4 | 5 => json!({ "isArchived": false }),
            6 => json!({ "readmeSource": "readme" }),
            _ => json!({ "runtimeCompat": { "deno": true, "node": self.dice.random_bool(0.5) } }),
        };
        let answer = place.owner.patch(&place.api(), change.clone()).await;
        let what = format!("edit {} {change}", place.name());
        expected(&what, &answer, 200, &["404 packageNotFound", "400 packageArchived"])
    }

    async fn create(&mut self, stage: &Stage<'_>) -> String {
        let at = self.dice.random_range(0..SCOPES.len());
        let (scope, package) = (SCOPES[at].0, SPARE.choose(&mut self.dice).expect("there are some"));
        let answer = stage.owners[at].post(&format!("/api/scopes/{scope}/packages"), json!({ "package": package })).await;
        expected(&format!("create @{scope}/{package}"), &answer, 200, &["409 packageAlreadyExists"])
    }

    async fn delete(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let answer = place.owner.delete(&place.api()).await;
        // One of those that everybody publishes to may be gone for a moment, too: then somebody makes it anew.
        let what = format!("delete {}", place.name());
        let outcome = expected(&what, &answer, 204, &["404 packageNotFound", "409 packageNotEmpty"]);
        if answer.status == 204 && !SPARE.contains(&place.package) {
            let made = place.owner.post(&format!("/api/scopes/{}/packages", place.scope), json!({ "package": place.package })).await;
            drop(made.expect(200));
        }
        outcome
    }

    async fn edit_scope(&mut self, stage: &Stage<'_>) -> String {
        let at = self.dice.random_range(0..SCOPES.len());
        let change = match self.dice.random_range(0..2) {
            0 => json!({ "description": format!("A scope, number {}.", self.dice.random_range(0..100)) }),
            _ => json!({ "ghActionsVerifyActor": self.dice.random_bool(0.5) }),
        };
        let answer = stage.owners[at].patch(&format!("/api/scopes/{}", SCOPES[at].0), change.clone()).await;
        expected(&format!("edit scope {} {change}", SCOPES[at].0), &answer, 200, &[])
    }

    /// A scope that is made, or deleted, perhaps with a package in it.
    async fn pass_by(&mut self, stage: &Stage<'_>) -> String {
        let scope = SPARE_SCOPES.choose(&mut self.dice).expect("there are some");
        let packages = format!("/api/scopes/{scope}/packages");
        let (stranger, gone) = (&stage.stranger, "404 scopeNotFound");
        let (what, answer, status, allowed): (_, _, _, &[&str]) = match self.dice.random_range(0..4) {
            0 => {
                let answer = stranger.post("/api/scopes", json!({ "scope": scope })).await;
                ("create scope", answer, 200, &["409 scopeAlreadyExists"])
            }
            1 => (
                "create a package in",
                stranger.post(&packages, json!({ "package": "lone" })).await,
                200,
                &[gone, "409 packageAlreadyExists", "403 actorNotScopeMember"],
            ),
            2 => (
                "delete the package in",
                stranger.delete(&format!("{packages}/lone")).await,
                204,
                &[gone, "404 packageNotFound", "403 actorNotScopeMember"],
            ),
            _ => {
                let answer = stranger.delete(&format!("/api/scopes/{scope}")).await;
                ("delete scope", answer, 204, &[gone, "409 scopeNotEmpty", "403 actorNotScopeMember"])
            }
        };
        expected(&format!("{what} {scope}"), &answer, status, allowed)
    }

    async fn cancel(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let tasks = place.owner.get(&format!("{}/publishing_tasks?limit=5", place.api())).await.json();
        let ids: Vec<_> = tasks.as_array().into_iter().flatten().filter_map(|task| task["id"].as_str()).collect();
        let Some(id) = ids.choose(&mut self.dice) else { return format!("cancel in {}: nothing there", place.name()) };
        let act = if self.dice.random_bool(0.8) { "cancel" } else { "retry" };
        let answer = place.owner.post(&format!("/api/publishing_tasks/{id}/{act}"), Value::Null).await;
        // Whatever it is answered, it is answered in order.
        let outcome = if answer.status == 200 { "200".to_owned() } else { answer.refusal() };
        assert!(answer.status < 500, "{outcome}");
        format!("{act} {id} of {}: {outcome}", place.name())
    }

    /// Somebody who has no business here changes nothing.
    async fn intrude(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let (stranger, version) = (&stage.stranger, version(&mut self.dice));
        let answers = [
            stranger.patch(&place.api(), json!({ "description": "Mine." })).await,
            stranger.patch(&format!("{}/versions/{}", place.api(), version.replace('+', "%2B")), json!({ "yanked": true })).await,
            stranger.delete(&place.api()).await,
            stranger.publish(&slipway_tests::PackageBuilder::small(&place.name(), "9.9.9")).await,
        ];
        let what = format!("intrude into {}", place.name());
        let outcomes = answers.each_ref().map(|answer| refused(&what, answer, &["403 actorNotScopeMember", "404 packageNotFound"]));
        outcomes.last().expect("there are some").clone()
    }

    async fn look(&mut self, stage: &Stage<'_>) -> String {
        let place = self.place(stage);
        let name = PackageName::try_from(place.name().as_str()).expect("this is a name");
        let [by_deno, by_npm] = stage.observer.lock().await.look(&name).await;
        format!("look at {name}: {} and {}", by_deno.len(), by_npm.len())
    }
}

/// The refusal, which has to be one of these.
fn refused(what: &str, answer: &Answer, allowed: &[&str]) -> String {
    let refusal = answer.refusal();
    assert!(allowed.contains(&refusal.as_str()), "{what}: {}", answer.text());
    format!("{what}: {refusal}")
}

/// The answer, which has to be this one or one of these refusals.
fn expected(what: &str, answer: &Answer, status: u16, allowed: &[&str]) -> String {
    if answer.status == status { format!("{what}: {status}") } else { refused(what, answer, allowed) }
}
