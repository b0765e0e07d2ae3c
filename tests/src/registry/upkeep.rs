//! What keeps a registry in order, when a test says so, what is left in its hands, and what becomes of it elsewhere.

use std::sync::Arc;

use slipway_common::config::{Config, Secret};
use slipway_common::ids::IdSource;
use slipway_common::jobs;
use slipway_common::model::job::Job;
use slipway_common::signing::{self, SigningKey};
use slipway_common::storage::Store;
use slipway_worker::reconcile::{self, Repair, Round};

use super::{TestRegistry, Work};
use crate::database::TestDatabase;
use crate::{Client, PackageBuilder, world};

impl TestRegistry {
    /// Has an upload accepted by somebody who then goes away: nobody waits for its end. Returns the task.
    ///
    /// # Panics
    /// When it is not accepted.
    pub async fn accept(&self, author: &Client, package: &PackageBuilder) -> String {
        let newest = async || {
            let tasks = author.get(&format!("{}/publishing_tasks?limit=1", package.home())).await.expect(200).json();
            tasks[0]["id"].as_str().map(str::to_owned)
        };
        let (before, mut mark) = (newest().await, self.bells().mark());
        let mut sending = std::pin::pin!(author.publish(package));
        loop {
            tokio::select! {
                biased;
                answer = &mut sending => panic!("it was answered at once: {} {}", answer.status, answer.text()),
                () = self.bells().rung_since(mark) => {}
            }
            // It may have rung for something else.
            mark = self.bells().mark();
            match newest().await {
                Some(task) if before.as_ref() != Some(&task) => return task,
                _ => {}
            }
        }
    }

    /// Has the house cleaned up, and does what else is due.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn housekeep(&self) {
        let context = self.context();
        let mut tx = context.db.write("test.housekeep").await.expect("the database answers");
        let id = jobs::enqueue(&mut tx, &context.ids, &Job::Housekeep).await.expect("the database answers");
        tx.commit().await.expect("the database answers");
        context.ring(Job::Housekeep.lane(), id).await;
        self.drain().await;
    }

    /// Has the catalogue written, as it recurs, of what was announced until now, and does what else is due.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn catalogue(&self) {
        self.drain().await;
        let context = self.context();
        let mut tx = context.db.write("test.catalogue").await.expect("the database answers");
        let id = jobs::enqueue(&mut tx, &context.ids, &Job::Catalogue).await.expect("the database answers");
        tx.commit().await.expect("the database answers");
        context.ring(Job::Catalogue.lane(), id).await;
        self.drain().await;
    }

    /// Has a part of the rows compared with the objects, as it recurs, and does what else is due.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn reconcile(&self) {
        let context = self.context();
        let mut tx = context.db.write("test.reconcile").await.expect("the database answers");
        let id = jobs::enqueue(&mut tx, &context.ids, &Job::Reconcile).await.expect("the database answers");
        tx.commit().await.expect("the database answers");
        context.ring(Job::Reconcile.lane(), id).await;
        self.drain().await;
    }

    /// Compares all rows with all objects, and says what is wrong, one line each, sorted.
    ///
    /// # Panics
    /// When a door fails.
    pub async fn compare(&self, repair: Repair) -> Vec<String> {
        let mut lines = Vec::new();
        for round in Round::ALL {
            let mut after = None;
            loop {
                let page = reconcile::page(&self.life.workshop, round, after.as_deref(), repair).await.expect("the doors are open");
                let word = |repaired: bool| if repaired { " repaired" } else { "" };
                lines.extend(page.problems.iter().map(|one| format!("{} {}{}", one.code.as_str(), one.key, word(one.is_repaired))));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        lines.sort();
        lines
    }

    /// Ends the process in good order and starts it again under another address, which it notes as a worker does that starts. Returns
    /// whether that was news.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn call_itself(&mut self, public_url: &str) -> bool {
        self.misremember(public_url).await;
        slipway_worker::state_addresses(self.context()).await.expect("the database answers")
    }

    /// The same as a process does it that notes nothing.
    ///
    /// # Panics
    /// When the address is none.
    pub async fn misremember(&mut self, public_url: &str) {
        let mut config = (*self.config).clone();
        config.public_url = public_url.parse().expect("a test writes valid addresses");
        config.npm_url = config.public_url.join("npm/").expect("an address can be joined");
        self.config = Arc::new(config);
        self.restart_as(Work::Never).await;
    }

    /// The objects that everybody can read, one a line: key, size, digest. The list of signing keys aside, which every start writes.
    pub async fn public_objects(&self) -> Vec<String> {
        let objects = world::objects(&self.storage, Store::Public).await;
        objects.into_iter().filter(|line| !line.starts_with("-/npm/v1/keys ")).collect()
    }

    /// The objects that nobody outside can read, records aside.
    pub async fn private_objects(&self) -> Vec<String> {
        let objects = world::objects(&self.storage, Store::Private).await;
        objects.into_iter().filter(|line| !line.starts_with("registry/")).collect()
    }

    /// Ends the process in good order and starts it again with another key to sign with. Returns the name of the key.
    ///
    /// # Panics
    /// When memory does not answer.
    pub async fn restart_with_new_key(&mut self) -> String {
        let ids = IdSource::counting();
        let next = loop {
            let key = SigningKey::generate(&ids);
            let listed = signing::listed(&self.storage).await.expect("memory answers").unwrap_or_default();
            if listed.keys.iter().all(|listed| listed.id() != key.id()) {
                break key;
            }
        };
        self.signing = Arc::new(next);
        self.restart().await;
        self.signing.id()
    }

    /// Ends the process in good order and starts it again with another configuration.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = (*self.config).clone();
        change(&mut config);
        self.config = Arc::new(config);
        self.restart().await;
    }

    /// Ends the process in good order and starts it again on another database.
    ///
    /// # Panics
    /// When the database does not open.
    pub async fn move_to(&mut self, database: TestDatabase) {
        self.drain().await;
        let mut config = (*self.config).clone();
        config.database = Secret::new(database.url().to_owned());
        self.config = Arc::new(config);
        self.restart().await;
        self.database = database;
    }
}
