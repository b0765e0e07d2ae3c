//! The door to the transparency log: entries by their index.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use sigstore_verify::rekor::LogEntry;
use sigstore_verify::types::{KindVersion, TransparencyLogEntry};
use url::Url;

use super::Patience;
use super::door::{self, Silence};
use crate::model::provenance::{Failure, Step};

/// How often the log is asked while a client waits, and how long it is left alone in between. An entry that was just made can take a
/// moment to be found.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];
/// A job asks once: it is tried again by itself, and others wait behind it.
const ONCE: [Duration; 1] = [Duration::ZERO];
/// Largest answer, in bytes. An entry has ten kilobytes, and a proof some sixty digests.
const MAX_ANSWER: usize = 512 * 1024;

/// Why there is no entry.
#[derive(Debug)]
pub(super) enum NoEntry {
    /// The log cannot be reached right now.
    Away(String),
    /// The log has none, or none that can be read.
    Refused(Failure),
}

/// Fetches the entry at an index.
pub(super) async fn fetch(rekor_url: &Url, index: u64, patience: Patience) -> Result<TransparencyLogEntry, NoEntry> {
    let client = door::client()?;
    let mut last = NoEntry::Away("it was not asked".to_owned());
    let pauses: &[Duration] = match patience {
        Patience::OfClient => &PAUSES,
        Patience::OfJob => &ONCE,
    };
    for pause in pauses {
        tokio::time::sleep(*pause).await;
        match ask(&client, rekor_url, index).await {
            Ok(body) => return read(&body, index).map_err(NoEntry::Refused),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask(client: &Client, rekor_url: &Url, index: u64) -> Result<Vec<u8>, NoEntry> {
    let url = rekor_url.join("api/v1/log/entries").map_err(|error| NoEntry::Away(error.to_string()))?;
    let (status, body) = door::ask(client.get(url).query(&[("logIndex", index)]), MAX_ANSWER).await?;
    // Any other answer may be that of a proxy, or of a log that is asked too often, and says nothing of the entry.
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Err(NoEntry::Refused(Step::Log.fails(format!("the log has no entry {index} ({status})"))));
    }
    if status.is_success() { Ok(body) } else { Err(NoEntry::Away(status.to_string())) }
}

/// What a log answered, if it is not too long.
pub(super) async fn body(response: Response) -> Result<Vec<u8>, NoEntry> {
    Ok(door::body(response, MAX_ANSWER).await?)
}

impl From<Silence> for NoEntry {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Away(error) => Self::Away(error),
            Silence::TooLarge => Self::Refused(Step::Log.fails(format!("the log's entry is larger than {MAX_ANSWER} bytes"))),
        }
    }
}

/// Whether what a log answered can be read as its entry with this number, whatever it says.
///
/// # Errors
/// When it cannot.
pub fn can_entry_be_read(body: &[u8], index: u64) -> Result<(), Failure> {
    read(body, index).map(drop)
}

pub(super) fn read(body: &[u8], index: u64) -> Result<TransparencyLogEntry, Failure> {
    let entry = only(body, KindVersion::IntotoV002)?;
    if entry.log_index.get() != index {
        return Err(Step::Log.fails(format!("the log gave the entry {} for {index}", entry.log_index)));
    }
    Ok(entry)
}

/// The one entry in an answer, as bundles have it.
pub(super) fn only(body: &[u8], kind: KindVersion) -> Result<TransparencyLogEntry, Failure> {
    let unreadable = |error: String| Step::Log.fails(format!("the log's entry cannot be read: {error}"));
    let entries: BTreeMap<String, LogEntry> = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let mut entries = entries.into_values();
    let (Some(entry), None) = (entries.next(), entries.next()) else { return Err(unreadable("one is expected".to_owned())) };
    entry.to_bundle_entry(kind).map_err(|error| unreadable(error.to_string()))
}
