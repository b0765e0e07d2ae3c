//! Searching, as npm clients ask for it, in the catalogue of the private store.
//!
//! The catalogue is read when it has changed and kept meanwhile; a search goes through it once. Every word has to be found in the name,
//! the keywords or the description.

use std::sync::Arc;

use bytes::Bytes;
use chrono::SecondsFormat;
use futures::TryStreamExt;
use serde_json::{Value, json};
use slipway_common::clock::Instant;
use slipway_common::formats::catalogue::{Catalogue, Entry};
use slipway_common::shutdown::aside;
use slipway_common::storage::{ReadRequest, Reading, Storage, StorageError, StorageKey};
use tokio::sync::Mutex;
use url::form_urlencoded;

/// Results of one page where nobody says how many, and most of them. npm's numbers.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 250;

/// Longest text that is searched for, in bytes, and most of its words.
pub(super) const MAX_TEXT_BYTES: usize = 256;
const MAX_WORDS: usize = 16;

/// The catalogue as it was read last.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<Option<Read>>>);

#[derive(Clone)]
struct Read {
    tag: Option<String>,
    written: Instant,
    packages: Arc<Vec<Shelved>>,
}

/// A package, and the texts that are looked through, in lower case: they are made once, and searched a thousand times.
struct Shelved {
    entry: Entry,
    name: String,
    npm_name: String,
    keywords: Vec<String>,
    description: String,
}

impl From<Entry> for Shelved {
    fn from(entry: Entry) -> Self {
        Self {
            name: entry.package.to_string(),
            npm_name: entry.package.npm_name(),
            keywords: entry.keywords.iter().map(|word| word.to_lowercase()).collect(),
            description: entry.description.to_lowercase(),
            entry,
        }
    }
}

/// What is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    words: Vec<String>,
    keywords: Vec<String>,
    from: usize,
    size: usize,
}

impl Query {
    /// Reads what stands behind the `?`. Nothing when it does not say what to look for.
    pub(super) fn parse(query: &str) -> Option<Self> {
        let (mut text, mut from, mut size) = (String::new(), 0, PAGE);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "text" => text = value.into_owned(),
                "from" => from = value.parse().unwrap_or(from),
                "size" => size = value.parse::<usize>().unwrap_or(size).min(LARGEST_PAGE),
                _ => {}
            }
        }
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let (mut words, mut keywords) = (Vec::new(), Vec::new());
        for word in text.to_lowercase().split_whitespace().take(MAX_WORDS) {
            match word.strip_prefix("keywords:") {
                Some(list) => keywords.extend(list.split([',', '+']).filter(|word| !word.is_empty()).map(ToOwned::to_owned)),
                None => words.push(word.to_owned()),
            }
        }
        (!words.is_empty() || !keywords.is_empty()).then_some(Self { words, keywords, from, size })
    }

    /// How well a package fits: the smaller the better. Nothing when it does not.
    fn rank(&self, package: &Shelved) -> Option<usize> {
        if !self.keywords.iter().all(|word| package.keywords.contains(word)) {
            return None;
        }
        let of_word = |word: &String| {
            let Shelved { entry, name, npm_name, keywords, description } = package;
            if word == name || word == npm_name || word == entry.package.name() {
                Some(0)
            } else if name.contains(word.as_str()) || npm_name.contains(word.as_str()) {
                Some(1)
            } else if keywords.contains(word) {
                Some(2)
            } else {
                description.contains(word.as_str()).then_some(3)
            }
        };
        self.words.iter().map(of_word).sum()
    }
}

impl Shelf {
    /// The answer to a query.
    pub(super) async fn search(&self, storage: &Storage, query: Query) -> Result<Bytes, StorageError> {
        let Read { written, packages, .. } = self.read(storage).await?;
        Ok(aside(move || answer(&packages, written, &query)).await)
    }

    /// The catalogue, read again if it was written since. An absent one is empty.
    async fn read(&self, storage: &Storage) -> Result<Read, StorageError> {
        let mut shelf = self.0.lock().await;
        let if_none_match = shelf.as_ref().and_then(|read| read.tag.clone());
        let found = match storage.read(&StorageKey::Catalogue, ReadRequest { if_none_match, ..ReadRequest::default() }).await {
            Ok(Reading::Found(found)) => found,
            Ok(Reading::NotModified { .. } | Reading::NoSuchRange(_)) if shelf.is_some() => {
                return Ok(shelf.clone().unwrap_or_else(Read::nothing));
            }
            Ok(_) | Err(StorageError::Missing(_)) => return Ok(Read::nothing()),
            Err(error) => return Err(error),
        };
        let (tag, written) = (found.e_tag, found.last_modified);
        let chunks: Vec<Bytes> = found.bytes.try_collect().await.map_err(StorageError::Backend)?;
        let packages = aside(move || shelved(&chunks.concat())).await;
        let read = Read { tag, written, packages: Arc::new(packages) };
        *shelf = Some(read.clone());
        Ok(read)
    }
}

impl Read {
    fn nothing() -> Self {
        Self { tag: None, written: Instant::UNIX_EPOCH, packages: Arc::default() }
    }
}

/// What a catalogue says. One that cannot be read is about to be written anew.
fn shelved(bytes: &[u8]) -> Vec<Shelved> {
    let catalogue: Catalogue = serde_json::from_slice(bytes).unwrap_or_default();
    catalogue.packages.into_iter().map(Shelved::from).collect()
}

/// The page that a query asks for, in npm's shape.
fn answer(packages: &[Shelved], written: Instant, query: &Query) -> Bytes {
    let mut found: Vec<(usize, &Entry)> =
        packages.iter().filter_map(|package| query.rank(package).map(|rank| (rank, &package.entry))).collect();
    // The catalogue is in order of names, and packages that fit equally well stay so.
    found.sort_by_key(|(rank, _)| *rank);
    let objects: Vec<Value> = found.iter().skip(query.from).take(query.size).map(|(rank, entry)| object(*rank, entry)).collect();
    let document = json!({ "objects": objects, "total": found.len(), "time": time(written) });
    Bytes::from(document.to_string())
}

fn object(rank: usize, entry: &Entry) -> Value {
    let name = entry.package.npm_name();
    // Nothing is known here of quality, popularity and maintenance, by which others rank.
    let score = 1.0 / f64::from(u32::try_from(rank + 1).unwrap_or(u32::MAX));
    json!({
        "package": {
            "name": name,
            "scope": "jsr",
            "version": entry.version,
            "description": entry.description,
            "keywords": entry.keywords,
            "date": time(entry.published_at),
            "license": entry.license,
            "links": { "homepage": entry.homepage },
            "maintainers": [],
        },
        "score": { "final": score, "detail": { "quality": score, "popularity": 0, "maintenance": 0 } },
        "searchScore": score,
        "flags": { "insecure": 0 },
    })
}

fn time(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<String> {
        let entry = |name: &str, description: &str, keywords: &[&str]| Entry {
            package: name.try_into().unwrap(),
            generation: 1,
            version: "1.0.0".try_into().unwrap(),
            description: description.to_owned(),
            keywords: keywords.iter().map(|word| (*word).to_owned()).collect(),
            license: None,
            homepage: None,
            published_at: Instant::UNIX_EPOCH,
        };
        let packages = vec![
            entry("@acme/left-path", "", &[]),
            entry("@acme/words", "Counts words in a path", &["Text"]),
            entry("@std/path", "Joins", &["files", "path"]),
            entry("@zz/text", "", &["files"]),
        ];
        let Some(query) = Query::parse(query) else { return vec!["nothing asked".to_owned()] };
        let document: Value =
            serde_json::from_slice(&answer(&shelved(&Catalogue { packages }.to_bytes()), Instant::UNIX_EPOCH, &query)).unwrap();
        let names = document["objects"].as_array().unwrap().iter().map(|object| object["package"]["name"].as_str().unwrap().to_owned());
        names.chain([document["total"].to_string()]).collect()
    }

    #[test]
    fn names_come_before_keywords_and_those_before_descriptions() {
        assert_eq!(found("text=path"), ["@jsr/std__path", "@jsr/acme__left-path", "@jsr/acme__words", "3"]);
        assert_eq!(found("text=PATH&size=1&from=1"), ["@jsr/acme__left-path", "3"]);
        assert_eq!(found("text=@std/path"), ["@jsr/std__path", "1"]);
        assert_eq!(found("text=%40jsr%2Fstd__path"), ["@jsr/std__path", "1"]);
        assert_eq!(found("text=text"), ["@jsr/zz__text", "@jsr/acme__words", "2"]);
        assert_eq!(found("text=counts+path"), ["@jsr/acme__words", "1"], "every word counts");
        assert_eq!(found("text=keywords:files"), ["@jsr/std__path", "@jsr/zz__text", "2"]);
        assert_eq!(found("text=keywords:files,path"), ["@jsr/std__path", "1"]);
        assert_eq!(found("text=nothing"), ["0"]);
        assert_eq!(found("text=path&size=0&from=99999999999999999999"), ["3"]);
        assert_eq!(found("text=path&from=50"), ["3"]);
        for nothing in ["", "text=", "text=%20", "size=3", "text=keywords:", &format!("text={}", "a".repeat(300))] {
            assert_eq!(found(nothing), ["nothing asked"], "{nothing}");
        }
    }
}
