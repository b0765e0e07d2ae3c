//! A registry in one process, with time, ids, bells and the edge in the hands of the test.
//!
//! It is made of what production is made of: the router of `slipway_api`, the jobs of `slipway_worker`, and the doors of
//! `slipway_common`. What differs is what a test must hold in its hand: the clock stands still, ids count, the queue and the edge
//! take notes, objects live in memory, and packages are judged on a thread instead of in a child.
//!
//! A test that ends with work undone has not seen what it did: [`TestRegistry`] fails it when it is dropped with open jobs.

mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use serde_json::json;
use slipway_api::{App, secret};
use slipway_common::clock::{Clock as _, ManualClock};
use slipway_common::config::{Config, Layers};
use slipway_common::context::Context;
use slipway_common::db::Db;
use slipway_common::ids::{IdSource, PackageName, UserId};
use slipway_common::jobs;
use slipway_common::model::job::{Job, Lane, Subject};
use slipway_common::model::token::{Permission, Token, TokenKind};
use slipway_common::model::user::User;
use slipway_common::provenance::Notary;
use slipway_common::queue::Queue as _;
use slipway_common::shutdown::Shutdown;
use slipway_common::signing::{self, SigningKey};
use slipway_common::storage::Storage;
use slipway_worker::{Analyser, Workshop, cdn};
use tokio::net::TcpListener;

use crate::bells::{Bells, Notes};
use crate::client::{Client, Door};
use crate::database::TestDatabase;
use crate::engines::Engine;
use crate::world;

/// Where the registry says it is.
pub const HOST: &str = "registry.test";
/// When every test begins.
pub const BEGINNING: &str = "2025-01-01T00:00:00Z";

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Work {
    /// Whoever hears a bell, one job at a time for each bell; nothing recurs by itself, so ids are the same in every run.
    #[default]
    OnBells,
    /// The workshop as a service starts it, with its relay and what recurs.
    AsInService,
    /// Nobody, until the test says [`TestRegistry::drain`].
    Never,
}

/// Work that a test must not leave undone: all but what is written down of people, scopes and empty packages, which follows
/// whatever a test begins with.
const OPEN: &str = "SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'running') AND kind <> 'record'
    AND NOT (kind = 'announce' AND NOT EXISTS (SELECT 1 FROM publishes WHERE 'announce:@' || scope || '/' || name = dedup_key))";

/// What a test may want otherwise.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who does the work.
    pub work: Work,
    /// Settings of the configuration, by key.
    pub config: Vec<(&'static str, String)>,
}

/// A registry and everything around it.
pub struct TestRegistry {
    life: Life,
    door: Door,
    settings: Settings,
    config: Arc<Config>,
    clock: Arc<ManualClock>,
    ids: IdSource,
    storage: Storage,
    notes: Notes,
    cdn: Arc<cdn::Recording>,
    signing: Arc<SigningKey>,
    // The last to go: the others hold connections to it.
    database: TestDatabase,
}

/// What ends with a restart.
struct Life {
    workshop: Workshop,
    bells: Arc<Bells>,
    desk: Shutdown,
    work: Shutdown,
}

impl TestRegistry {
    /// An empty registry at work.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// An empty registry in which nothing is done until the test says so.
    pub async fn without_worker() -> Self {
        Self::with(Settings { work: Work::Never, ..Settings::default() }).await
    }

    /// An empty registry with these settings of its configuration.
    pub async fn configured(config: &[(&'static str, &str)]) -> Self {
        let config = config.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self::with(Settings { config, ..Settings::default() }).await
    }

    /// An empty registry.
    ///
    /// # Panics
    /// When one of its doors does not open.
    pub async fn with(settings: Settings) -> Self {
        Self::over(TestDatabase::fresh().await, settings).await
    }

    /// An empty registry on this engine. `None` where it takes a server, and there is none and none was promised.
    pub async fn on(engine: Engine, settings: Settings) -> Option<Self> {
        let database = TestDatabase::of(engine).await?;
        Some(Self::over(database, settings).await)
    }

    async fn over(database: TestDatabase, settings: Settings) -> Self {
        let mut flags = vec![
            ("database", database.url().to_owned()),
            ("objects", "memory:".to_owned()),
            ("objects_private", "memory:".to_owned()),
            ("queue", "in-process:".to_owned()),
            ("public_url", format!("http://{HOST}/")),
        ];
        flags.extend(settings.config.iter().cloned());
        let config = Config::load(&Layers { flags, ..Layers::default() }).expect("the settings of a test are valid");
        let storage = Storage::open(&config.objects, &config.objects_private).expect("memory is always there");
        let start: DateTime<Utc> = BEGINNING.parse().expect("it is written as it should be");
        let (clock, ids) = (Arc::new(ManualClock::at(start)), IdSource::counting());
        let (config, notes, cdn) = (Arc::new(config), Notes::default(), Arc::<cdn::Recording>::default());
        let context = context(&config, &storage, &clock, &ids, &notes).await;
        context.0.db.migrate().await.expect("an empty database takes the schema");
        // A source of its own: the identifiers of a test do not begin at another number for it.
        let signing = Arc::new(SigningKey::generate(&IdSource::counting()));
        let (life, router) = Life::begin(context, cdn.clone(), signing.clone(), settings.work).await;
        let door = Door::new(router);
        Self { life, door, settings, config, clock, ids, storage, notes, cdn, signing, database }
    }

    /// Ends the process in good order and starts it again. What was rung and not answered is lost; what stands in rows and
    /// objects is not.
    pub async fn restart(&mut self) {
        self.restart_as(self.settings.work).await;
    }

    /// The same, with somebody else to do the work afterwards.
    pub async fn restart_as(&mut self, work: Work) {
        self.life.work.finish().await;
        self.life.desk.finish().await;
        self.life.workshop.context.db.close().await;
        self.settings.work = work;
        let context = context(&self.config, &self.storage, &self.clock, &self.ids, &self.notes).await;
        let (life, router) = Life::begin(context, self.cdn.clone(), self.signing.clone(), work).await;
        self.life = life;
        self.door.lead_to(router);
    }

    /// Does everything that is due, and waits for what is under way. A workshop that was started as a service has then gone home.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn drain(&self) {
        match self.settings.work {
            Work::OnBells => self.life.bells.quiet().await,
            Work::AsInService => self.life.work.finish().await,
            Work::Never => {}
        }
        slipway_worker::drain(&self.life.workshop).await.expect("the database answers");
    }

    /// Lets what was made be written down, so that it is not in the way of what the test is about. Where nobody works the test's own
    /// jobs are left alone.
    async fn settle(&self, made: &[Job]) {
        match self.settings.work {
            Work::AsInService => {}
            Work::OnBells => self.life.bells.quiet().await,
            Work::Never => {
                let context = self.context();
                for job in made {
                    let mut tx = context.db.write("test.settle").await.expect("the database answers");
                    let id = jobs::enqueue(&mut tx, &context.ids, job).await.expect("the database answers");
                    tx.commit().await.expect("the database answers");
                    slipway_worker::answer(&self.life.workshop, id).await;
                }
            }
        }
        drop(self.notes.take());
    }

    /// The work, for a test that has one job done and no other.
    #[must_use]
    pub fn workshop(&self) -> &Workshop {
        &self.life.workshop
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Opens a port on loopback, for tests of what happens on the wire. It is open until the next restart.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let context = self.life.workshop.context.clone();
        self.life.desk.spawn(slipway_api::serve(App::new(context, &self.life.desk), listener));
        address
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The queue.
    #[must_use]
    pub fn bells(&self) -> &Bells {
        &self.life.bells
    }

    /// The doors.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.life.workshop.context
    }

    /// The database, for looking past the house.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Everything that is the case, and what was rung, told and purged since this was last asked.
    pub async fn world(&self) -> String {
        let mut text = world::standing(&self.storage, &self.database).await;
        world::section(&mut text, "bells", &self.notes.take());
        let purges: Vec<String> = self.cdn.take().iter().map(|keys| keys.join(" ")).collect();
        world::section(&mut text, "purges", &purges);
        text
    }

    /// Somebody without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.door.clone(), HOST)
    }

    /// A new user, as the operator creates one, with a personal token that may do everything.
    ///
    /// # Panics
    /// When there is one of that name.
    pub async fn person(&self, login: &str) -> Client {
        let context = self.context();
        let mut tx = context.db.write("test.person").await.expect("the database answers");
        let now = tx.now();
        let user = User {
            id: context.ids.next(),
            login: login.to_owned(),
            name: login.to_owned(),
            email: None,
            avatar_url: String::new(),
            is_staff: false,
            is_blocked: false,
            scope_limit: context.config.scope_limit,
            created_at: now,
            updated_at: now,
        };
        assert!(tx.create_user(&user).await.expect("the database answers"), "there is a {login} already");
        let job = Job::Record { subject: Subject::User(user.id) };
        let id = jobs::enqueue(&mut tx, &context.ids, &job).await.expect("the database answers");
        tx.commit().await.expect("the database answers");
        context.ring(job.lane(), id).await;
        self.settle(&[job]).await;
        self.anonymous().bearer(&self.token(user.id, TokenKind::Personal, None, None).await)
    }

    /// Somebody who may publish this package, which is empty.
    ///
    /// # Panics
    /// When it exists.
    pub async fn author(&self, package: &str) -> Client {
        let (scope, name) = package.trim_start_matches('@').split_once('/').expect("a package has a scope");
        let author = self.person(&format!("{scope}-author")).await;
        drop(author.post("/api/scopes", json!({ "scope": scope, "description": "" })).await.expect(200));
        drop(author.post(&format!("/api/scopes/{scope}/packages"), json!({ "package": name })).await.expect(200));
        let name: PackageName = package.try_into().expect("a test writes valid names");
        let scope = Job::Record { subject: Subject::Scope(name.scope().clone()) };
        self.settle(&[scope, Job::Announce { package: name }]).await;
        author
    }

    /// A credential of a user.
    ///
    /// # Panics
    /// When there is no such user.
    pub async fn token(&self, user: UserId, kind: TokenKind, permissions: Option<Vec<Permission>>, life: Option<TimeDelta>) -> String {
        let context = self.context();
        let secret = secret::generate(kind, &context.ids);
        let mut tx = context.db.write("test.token").await.expect("the database answers");
        let now = tx.now();
        let token = Token { permissions, expires_at: life.map(|life| now + life), ..Token::new(context.ids.next(), user, kind, now) };
        tx.create_token(&token, &secret::hash(&secret)).await.expect("the user exists");
        tx.commit().await.expect("the database answers");
        secret
    }
}

/// The doors of one life.
async fn context(
    config: &Arc<Config>,
    storage: &Storage,
    clock: &Arc<ManualClock>,
    ids: &IdSource,
    notes: &Notes,
) -> (Context, Arc<Bells>) {
    let db = Db::open(config.database.expose(), None, clock.clone()).await.expect("the database is there");
    let bells = Arc::new(Bells::new(notes.clone()));
    let (notary, config) = (Arc::new(Notary::open(config, ids, storage).expect("the root can be used")), Arc::clone(config));
    let context = Context { db, storage: storage.clone(), queue: bells.clone(), clock: clock.clone(), ids: ids.clone(), notary, config };
    (context, bells)
}

impl Life {
    async fn begin(
        (context, bells): (Context, Arc<Bells>),
        cdn: Arc<cdn::Recording>,
        signing: Arc<SigningKey>,
        work: Work,
    ) -> (Self, Router) {
        signing::announce(&context.storage, &signing, context.clock.now()).await.expect("memory takes the list of keys");
        let (desk, worker) = (Shutdown::default(), Shutdown::default());
        let router = slipway_api::router(App::new(context.clone(), &desk));
        let workshop = Workshop {
            context: context.clone(),
            analyser: Analyser::Thread,
            compiler: None,
            cdn,
            documents: Arc::default(),
            signing,
            name: "test".to_owned(),
        };
        match work {
            Work::OnBells => {
                Lane::ALL.into_iter().for_each(|lane| worker.spawn(listen(workshop.clone(), bells.clone(), lane, worker.clone())))
            }
            Work::AsInService => {
                slipway_worker::start(&workshop, &worker);
                worker.spawn(slipway_worker::relay(context, worker.clone()));
            }
            Work::Never => {}
        }
        (Self { workshop, bells, desk, work: worker }, router)
    }
}

/// Answers the bells of a lane.
async fn listen(workshop: Workshop, bells: Arc<Bells>, lane: Lane, end: Shutdown) {
    let mut heard = bells.listen(lane, 1).await.expect("a queue in the process is always there");
    loop {
        let bell = tokio::select! {
            () = end.begun() => return,
            bell = heard.next() => bell,
        };
        let Some(bell) = bell else { return };
        let (workshop, bells) = (workshop.clone(), bells.clone());
        end.spawn(async move {
            slipway_worker::answer(&workshop, bell.job).await;
            bells.answered();
        });
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let open = self.database.count_blocking(OPEN);
        assert!(open == 0, "{open} jobs are left undone; a test sees its work through with `drain`");
    }
}
