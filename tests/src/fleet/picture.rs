//! What is the case in a registry of real processes, without what differs from run to run: ids are `#`, times are `T`, and who did
//! a job and at which attempt is left out. Two registries in which the same was done are the same text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use slipway_common::storage::{Storage, StorageKey, Store};

use super::Fleet;
use crate::tables::tables;
use crate::world;

/// What differs from run to run, and what stands for it.
static DIFFERENT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "#"),
        (r"#[0-9]+", "#"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "T"),
        (r" hash=\S+", ""),
        (r" (worker|attempt|crashes|not_before|lease_until|rung_at|plan_attempt)=\S+", ""),
        (r"plan: [0-9]+", "plan: N"),
        (r#""plan_attempt":[0-9]+"#, r#""plan_attempt":N"#),
        (r"uploads/#\.[0-9]+\.plan", "uploads/#.N.plan"),
        // Over a statement that names times. In what npm is told the name of the key comes first.
        (r#""sig":"[^"]+","keyid""#, r#""sig":"S","keyid""#),
        // The state since which a package reads so. A round that begins with a process writes it down if it comes before the publish.
        (r#"("readme_source":"[a-z]+".*"generation":)[0-9]+"#, "${1}N"),
    ]
    .into_iter()
    .map(|(pattern, stand_in)| (Regex::new(pattern).expect("this is a pattern"), stand_in))
    .collect()
});

/// A statement in an envelope.
static PAYLOAD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""payload":"([A-Za-z0-9+/]+=*)""#).expect("this is a pattern"));

/// Lines by their section.
pub type Picture = BTreeMap<String, Vec<String>>;

/// Documents that a reader asks for again and again; they name times, so their text is compared and not their digest.
const DOCUMENTS: [&str; 3] = ["/meta.json", "/index.json", "/abbreviated.json"];

/// Rounds of the house, which come and go by the clock, and what is recorded in the background.
const ROUNDS: [&str; 5] = ["kind=catalogue", "kind=housekeep", "kind=readdress", "kind=reconcile", "kind=record"];

/// What is written in the background about what was there before the first process, and the catalogue, which comes when it comes.
const MEANWHILE: [&str; 3] = ["registry/users/", "registry/scopes/", "registry/catalogue.json"];

impl Fleet {
    /// Takes the picture.
    ///
    /// # Panics
    /// When something cannot be read.
    pub async fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        for (store, title) in [(Store::Public, "public objects"), (Store::Private, "private objects")] {
            let mut lines = world::objects(&self.storage, store).await;
            for line in &mut lines {
                let key = line.split(' ').next().expect("a line begins with a key").to_owned();
                let is_public_document = DOCUMENTS.iter().any(|name| key.ends_with(name)) && !key.starts_with("docs/");
                let is_attested = key.starts_with("-/npm/v1/attestations/");
                if is_public_document || is_attested || key.starts_with("registry/") {
                    *line = format!("{key} {}", text(&self.storage, store, &key).await);
                }
            }
            lines.retain(|line| !MEANWHILE.iter().any(|prefix| line.starts_with(prefix)));
            picture.insert(title.to_owned(), lines);
        }
        for table in tables(self.database()).await {
            if !["rounds", "addresses"].contains(&table.name.as_str()) {
                picture.insert(table.name, table.rows);
            }
        }
        if let Some(jobs) = picture.get_mut("jobs") {
            jobs.retain(|job| !ROUNDS.iter().any(|kind| job.contains(kind)));
        }
        if let Some(acts) = picture.get_mut("audit") {
            // A client that lost its answer asks again, and hears that its publish is under way.
            acts.retain(|act| !act.contains("act=publish.refuse"));
        }
        for lines in picture.values_mut() {
            for line in lines.iter_mut() {
                *line = PAYLOAD.replace_all(line, |found: &Captures| format!("\"payload\":{}", decoded(&found[1]))).into_owned();
                for (pattern, stand_in) in DIFFERENT.iter() {
                    *line = pattern.replace_all(line, *stand_in).into_owned();
                }
            }
            lines.sort();
        }
        picture
    }
}

fn decoded(payload: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(payload).expect("it is Base64")).into_owned()
}

async fn text(storage: &Storage, store: Store, key: &str) -> String {
    let key = StorageKey::parse(store, key).expect("it was listed as one of ours");
    String::from_utf8_lossy(&storage.get(&key).await.expect("what is listed can be read")).into_owned()
}
