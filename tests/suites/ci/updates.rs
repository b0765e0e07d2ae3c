//! The root of trust, kept up to date from a TUF repository: what it says is believed, and nothing that it says in another way than it should.

use chrono::TimeDelta;
use serde_json::{Value, json};
use slipway_common::storage::StorageKey;
use slipway_tests::Answer;
use slipway_tests::sigstore::Sigstore;
use slipway_tests::sigstore::updates::{Edition, Repository, Signers};
use slipway_worker::reconcile::Repair;

use crate::provenance::{PROVENANCE, Published};

/// A week after every test begins, as far as the registry knows.
const WEEK: &str = "2025-01-08T00:00:00Z";
/// The log of an instance that is not believed is the first thing that is noticed.
const REFUSED: &str = "400 provenanceNotLogged";

/// A registry that believes one instance of Sigstore and follows a repository, and another instance of which it knows nothing yet.
struct Following {
    published: Published,
    updates: Repository,
    other: Sigstore,
}

impl Following {
    /// The repository says what the registry believes.
    async fn start() -> Self {
        let (sigstore, updates) = (Sigstore::start(), Repository::start(WEEK));
        updates.publish(&Edition::new(1, &sigstore.trusted_root()));
        let settings = updates.settings(&sigstore);
        Self { published: Published::configured(sigstore, &settings).await, updates, other: Sigstore::start() }
    }

    /// What becomes of a bundle that another instance vouches for.
    async fn tried(&self) -> Answer {
        self.by(&self.other).await
    }

    /// Handed in by a member, whose credential outlives a week.
    async fn by(&self, sigstore: &Sigstore) -> Answer {
        let bundle = sigstore.standard(&sigstore.signed(&self.published.claims, &self.published.standard()));
        self.published.bench.author.post(PROVENANCE, json!({ "bundle": bundle })).await
    }

    async fn is_not_believed(&self, why: &str) {
        assert_eq!(self.tried().await.refusal(), REFUSED, "{why}");
    }

    /// It holds, beside one that was taken in before.
    async fn is_believed(&self, why: &str) {
        assert_eq!(self.tried().await.refusal(), "409 provenanceAlreadyKnown", "{why}");
    }

    /// Why the root is not kept up to date, in the words of `slipway doctor`.
    async fn doctor_says(&self, word: &str) {
        let registry = &self.published.bench.registry;
        let said = registry.context().notary.examine(registry.now()).await.unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
    }

    /// Lets it be time to ask again.
    fn later(&self) {
        self.published.bench.registry.advance(TimeDelta::hours(6));
    }

    /// What is kept of the repository.
    async fn kept(&self) -> Option<Value> {
        let storage = &self.published.bench.registry.context().storage;
        let bytes = storage.get(&StorageKey::SigstoreRoot).await.ok()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }
}

#[tokio::test]
async fn a_root_that_is_replaced_is_believed() {
    let mut following = Following::start().await;
    assert_eq!((following.updates.asked(), following.kept().await), (0, None), "nobody is asked before there is something to verify");
    following.is_not_believed("it is nowhere yet").await;
    let asked = following.updates.asked();
    assert!(asked > 0 && following.kept().await.is_some());
    following.updates.publish(&Edition::new(2, &following.other.trusted_root()));
    following.is_not_believed("it is not time to ask").await;
    assert_eq!(following.updates.asked(), asked);
    following.later();
    drop(following.tried().await.expect(204));
    following.published.bench.registry.drain().await;
    // Another life begins with the root of its settings, and is told by the store what it was, not by the repository.
    following.updates.go_down(true);
    let asked = following.updates.asked();
    following.published.bench.registry.restart().await;
    following.is_believed("it was kept").await;
    assert_eq!(following.updates.asked(), asked);
    assert_eq!(following.by(&following.published.sigstore).await.refusal(), REFUSED, "it was replaced");
    // When it is time again nobody answers, and later what is answered is over.
    following.later();
    following.is_believed("nobody answers").await;
    assert!(following.updates.asked() > asked);
    following.published.bench.registry.restart().await;
    following.is_believed("nobody answers another life").await;
    following.updates.go_down(false);
    following.published.bench.registry.advance(TimeDelta::days(30));
    following.is_believed("the repository stands still").await;
    following.published.bench.registry.restart().await;
    following.is_believed("it stands still for another life").await;
    following.published.bench.registry.drain().await;
    assert_eq!(following.published.bench.registry.compare(Repair::Nothing).await, [""; 0], "what is kept is known to belong there");
}

#[tokio::test]
async fn a_repository_that_is_busy_is_asked_again() {
    let following = Following::start().await;
    following.updates.publish(&Edition::new(1, &following.other.trusted_root()));
    // Three times for a file, and then not before some minutes are over.
    following.updates.be_busy(3);
    following.is_not_believed("it is busy").await;
    assert_eq!(following.updates.asked(), 3);
    following.is_not_believed("nobody asks").await;
    assert_eq!(following.updates.asked(), 3);
    following.published.bench.registry.advance(TimeDelta::minutes(5));
    following.updates.be_busy(2);
    drop(following.tried().await.expect(204));
    following.published.bench.registry.drain().await;
}

#[tokio::test]
async fn keys_of_the_repository_are_replaced() {
    let mut following = Following::start().await;
    following.is_not_believed("it is nowhere yet").await;
    following.updates = following.updates.rotated(Signers::Enough);
    following.updates.publish(&Edition::new(2, &following.other.trusted_root()));
    following.later();
    drop(following.tried().await.expect(204));
    let kept = following.kept().await.unwrap();
    let mut names: Vec<_> = kept["files"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "root.json",
        "root_history/1.root.json",
        "root_history/2.root.json",
        "snapshot.json",
        "targets.json",
        "targets/trusted_root.json",
        "timestamp.json",
    ];
    assert_eq!(names, expected);
    following.published.bench.registry.drain().await;
}

#[tokio::test]
async fn keys_that_too_few_vouch_for_are_not_believed() {
    for (signers, word) in [
        (Signers::TooFew, "role root: 1/2 valid signatures"),
        (Signers::OneTwice, "duplicate signature"),
        (Signers::Strangers, "role root: 0/2 valid signatures"),
    ] {
        let mut following = Following::start().await;
        following.is_not_believed("it is nowhere yet").await;
        following.updates = following.updates.rotated(signers);
        following.updates.publish(&Edition::new(2, &following.other.trusted_root()));
        following.later();
        following.is_not_believed(word).await;
        following.doctor_says(word).await;
        drop(following.by(&following.published.sigstore).await.expect(204));
        following.published.bench.registry.drain().await;
    }
}

/// How a repository tells of a root of trust in a way in which nobody should.
type Lie = fn(&Value) -> Edition;

#[tokio::test]
async fn what_does_not_hold_is_not_believed_and_changes_nothing() {
    let lies: [(&str, &str, Lie); 7] = [
        ("it is over", "timestamp metadata expired", |theirs| Edition { until: Some("2025-01-01T00:00:01Z"), ..Edition::new(8, theirs) }),
        ("it turns back", "rollback detected for timestamp", |theirs| Edition::new(6, theirs)),
        ("it is signed by nobody who is known", "role timestamp: 0/1 valid signatures", |theirs| Edition {
            is_forged: true,
            ..Edition::new(8, theirs)
        }),
        ("other bytes than are listed", "integrity check failed", |theirs| Edition { swapped: Some(json!({})), ..Edition::new(8, theirs) }),
        ("more than anybody reads", "larger than 16384 bytes", |theirs| Edition { padding: 20_000, ..Edition::new(8, theirs) }),
        ("it is no root of trust", "is no Sigstore TrustedRoot", |_| Edition::new(8, &json!({}))),
        ("it names no authority", "it names no certificate authority", |theirs| {
            let mut root = theirs.clone();
            root["certificateAuthorities"] = json!([]);
            Edition::new(8, &root)
        }),
    ];
    for (why, word, lie) in lies {
        let following = Following::start().await;
        following.updates.publish(&Edition::new(7, &following.published.sigstore.trusted_root()));
        following.is_not_believed("it is nowhere yet").await;
        following.updates.publish(&lie(&following.other.trusted_root()));
        following.later();
        following.is_not_believed(why).await;
        following.doctor_says(word).await;
        drop(following.by(&following.published.sigstore).await.expect(204));
        // Said as it should be, it is believed.
        following.updates.publish(&Edition::new(9, &following.other.trusted_root()));
        following.later();
        following.is_believed(why).await;
        following.published.bench.registry.drain().await;
    }
}
