//! A migrated database with a clock that stands still, and short ways to fill it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use slipway_common::clock::{Clock as _, Instant, ManualClock};
use slipway_common::db::{Db, ReadTx, WriteTx};
use slipway_common::ids::{ExportKey, ExportTarget, Exports, IdSource, PackageName, PackagePath, ScopeName, Sha256, TaskId, Version};
use slipway_common::model::finding::Findings;
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::{Publish, PublishState};
use slipway_common::model::scope::{Quotas, Scope};
use slipway_common::model::user::User;
use slipway_common::model::version::{PackageVersion, VersionContent};
use slipway_tests::engines::{Engine, Scratch};

/// A migrated database, and what its callers hand in.
pub(crate) struct Bench<'a> {
    pub(crate) scratch: &'a Scratch,
    pub(crate) db: Db,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: IdSource,
}

/// How long a race waits for the loser to be seen waiting. Only a test that is about to fail waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The instant at which the clock of every bench stands, in odd microseconds.
pub(crate) fn start() -> Instant {
    DateTime::parse_from_rfc3339("2026-02-03T04:05:06.123457Z").unwrap().to_utc()
}

impl<'a> Bench<'a> {
    /// A bench with an empty schema.
    pub(crate) async fn on(scratch: &'a Scratch) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let db = Db::open(&scratch.url, None, clock.clone()).await.unwrap();
        db.migrate().await.unwrap();
        Self { scratch, db, clock, ids: IdSource::counting() }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Looks.
    pub(crate) async fn read<T>(&self, look: impl AsyncFnOnce(&mut ReadTx) -> T) -> T {
        let mut tx = self.db.read().await.unwrap();
        look(&mut tx).await
    }

    /// Changes something, and commits it.
    pub(crate) async fn write<T>(&self, act: impl AsyncFnOnce(&mut WriteTx) -> T) -> T {
        let mut tx = self.db.write("test").await.unwrap();
        let outcome = act(&mut tx).await;
        tx.commit().await.unwrap();
        outcome
    }

    /// Lets `first` act and keep its transaction open, then `second`, as another process would, and ends the first one once the
    /// second is seen to wait for it. SQLite's writers wait before they begin, where nothing is to be seen.
    pub(crate) async fn race<A, B>(
        &self,
        first: impl AsyncFnOnce(&mut WriteTx) -> A,
        second: impl AsyncFnOnce(&mut WriteTx) -> B,
    ) -> (A, B) {
        let rival = Db::open(&self.scratch.url, None, self.clock.clone()).await.unwrap();
        let mut tx = self.db.write("first").await.unwrap();
        let won = first(&mut tx).await;
        let end = async {
            self.until_somebody_waits().await;
            tx.commit().await.unwrap();
        };
        let challenge = async {
            let mut tx = rival.write("second").await.unwrap();
            let outcome = second(&mut tx).await;
            // After an error the transaction is over and PostgreSQL says so; the outcome tells the test.
            let _ = tx.commit().await;
            outcome
        };
        let (lost, ()) = tokio::join!(challenge, end);
        (won, lost)
    }

    async fn until_somebody_waits(&self) {
        if self.scratch.engine == Engine::Sqlite {
            return;
        }
        let mut watcher = self.scratch.connect().await;
        let waiting = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let seen = async { while watcher.texts(waiting).await.is_empty() {} };
        tokio::time::timeout(PATIENCE, seen).await.expect("the second transaction waits for the first");
    }

    /// A new user.
    pub(crate) async fn user(&self, login: &str) -> User {
        let user = User {
            id: self.ids.next(),
            login: login.to_owned(),
            name: format!("{login} by name"),
            email: Some(format!("{login}@example.org")),
            avatar_url: String::new(),
            is_staff: false,
            is_blocked: false,
            scope_limit: 3,
            created_at: self.now(),
            updated_at: self.now(),
        };
        assert!(self.write(async |tx| tx.create_user(&user).await.unwrap()).await);
        user
    }

    /// A scope that is not stored yet.
    pub(crate) fn draft_scope(&self, name: &str, creator: &User) -> Scope {
        Scope {
            name: scope_name(name),
            description: String::new(),
            creator_id: creator.id,
            quotas: Quotas::default(),
            verify_oidc_actor: true,
            require_publishing_from_ci: false,
            is_private: false,
            upload_limits: None,
            frozen: None,
            created_at: self.now(),
            updated_at: self.now(),
        }
    }

    /// A new package in a scope that is made when it is not there.
    pub(crate) async fn package(&self, name: &str) -> PackageName {
        let name = package_name(name);
        let known = self.read(async |tx| tx.scope(name.scope()).await.unwrap()).await;
        if known.is_none() {
            let creator = self.user(&format!("maker-of-{}", name.scope())).await;
            let scope = self.draft_scope(name.scope().as_str(), &creator);
            assert!(self.write(async |tx| tx.create_scope(&scope).await.unwrap()).await);
        }
        assert!(self.write(async |tx| tx.create_package(&name, Visibility::Public).await.unwrap()).await, "{name} is taken");
        name
    }

    /// A publish that is not stored yet.
    pub(crate) fn draft_publish(&self, package: &PackageName, version: &str) -> Publish {
        let id = self.ids.next();
        Publish {
            id,
            package: package.clone(),
            version: version_of(version),
            user_id: None,
            config: PackagePath::try_from("/jsr.json").unwrap(),
            state: PublishState::Queued,
            upload_id: id,
            upload: Sha256::of(version.as_bytes()),
            upload_bytes: 1_234,
            error: None,
            findings: Findings::default(),
            created_at: self.now(),
            updated_at: self.now(),
        }
    }

    /// A publish that waits.
    pub(crate) async fn publish(&self, package: &PackageName, version: &str) -> Publish {
        let publish = self.draft_publish(package, version);
        assert!(self.write(async |tx| tx.create_publish(&publish).await.unwrap()).await);
        publish
    }

    /// A version that is not stored yet.
    pub(crate) fn draft_version(&self, package: &PackageName, version: &str, task: TaskId) -> PackageVersion {
        let exports = [(ExportKey::root(), ExportTarget::try_from("./mod.ts").unwrap())];
        PackageVersion {
            package: package.clone(),
            version: version_of(version),
            is_yanked: false,
            task_id: task,
            user_id: None,
            content: VersionContent {
                exports: Exports(exports.into_iter().collect()),
                license: Some("MIT".to_owned()),
                readme: None,
                uses_npm: false,
                augmentations: false,
                meta: Sha256::of(b"meta"),
                npm_manifest: json!({ "name": package.npm_name(), "version": version }),
                npm_revision: 1,
                artefacts: Vec::new(),
                attestation: None,
                logged: None,
            },
            stored_generation: None,
            created_at: self.now(),
            updated_at: self.now(),
        }
    }

    /// A version whose bytes are not in place yet.
    pub(crate) async fn committed(&self, package: &PackageName, version: &str) -> Version {
        let draft = self.draft_version(package, version, self.ids.next());
        assert!(self.write(async |tx| tx.create_version(&draft, &[]).await.unwrap()).await);
        draft.version
    }

    /// A version that readers can see.
    pub(crate) async fn stored(&self, package: &PackageName, version: &str) -> Version {
        let version = self.committed(package, version).await;
        self.write(async |tx| {
            let generation = tx.bump_generation(package).await.unwrap().unwrap();
            assert!(tx.mark_stored(package, &version, generation).await.unwrap());
            tx.mark_announced(package, generation).await.unwrap();
        })
        .await;
        version
    }
}

/// A scope's name.
pub(crate) fn scope_name(text: &str) -> ScopeName {
    ScopeName::try_from(text).unwrap()
}

/// A package's name.
pub(crate) fn package_name(text: &str) -> PackageName {
    PackageName::try_from(text).unwrap()
}

/// A version.
pub(crate) fn version_of(text: &str) -> Version {
    Version::try_from(text).unwrap()
}
