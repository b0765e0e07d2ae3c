//! Packages to publish, good and hostile: files and entries in, a gzip-compressed tar out, the same bytes every time.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use slipway_common::ids::Sha256;
use tar::{EntryType, Header};

/// A package on its way to a registry.
#[derive(Debug, Clone)]
pub struct PackageBuilder {
    name: String,
    version: String,
    /// The query's `config`.
    config: String,
    /// The config file's keys; a file of the same name that a test gives wins.
    keys: Map<String, Value>,
    entries: Vec<Entry>,
}

/// An entry of the tar. Nothing about it has to be true.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name, byte for byte.
    pub name: Vec<u8>,
    /// What it says it is.
    pub kind: EntryType,
    /// What a link points at.
    pub target: Option<String>,
    /// The content.
    pub content: Bytes,
    /// The size in the header, where it is not that of the content.
    pub claimed: Option<u64>,
}

impl PackageBuilder {
    /// An empty package: a config file with a licence and one export, `./mod.ts`, which is for the test to add.
    #[must_use]
    pub fn empty(name: &str, version: &str) -> Self {
        let keys = [("name", json!(name)), ("version", json!(version)), ("license", json!("MIT")), ("exports", json!("./mod.ts"))];
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            config: "/jsr.json".to_owned(),
            keys: keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            entries: Vec::new(),
        }
    }

    /// A small package that is in order.
    #[must_use]
    pub fn small(name: &str, version: &str) -> Self {
        Self::empty(name, version).file("mod.ts", "/** One more. */\nexport function next(n: number): number {\n  return n + 1;\n}\n")
    }

    /// The same package as another version.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self.key("version", json!(version))
    }

    /// Another value in the config file; null takes the key away.
    #[must_use]
    pub fn key(mut self, key: &str, value: Value) -> Self {
        if value.is_null() {
            self.keys.remove(key)
        } else {
            self.keys.insert(key.to_owned(), value)
        };
        self
    }

    /// Another config file: the query names it, and it is written unless the test gives one.
    #[must_use]
    pub fn config(mut self, path: &str) -> Self {
        path.clone_into(&mut self.config);
        self
    }

    /// A file. One of the same name is replaced.
    #[must_use]
    pub fn file(self, name: &str, content: impl Into<Bytes>) -> Self {
        self.without(name).entry(Entry::file(name, content))
    }

    /// The package without a file.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.entries.retain(|entry| entry.name != name.as_bytes());
        self
    }

    /// The package without a config file of its own making.
    #[must_use]
    pub fn without_config(mut self) -> Self {
        self.keys.clear();
        self
    }

    /// The package with a file under another name.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        for entry in self.entries.iter_mut().filter(|entry| entry.name == from.as_bytes()) {
            entry.name = to.into();
        }
        self
    }

    /// One more entry, whatever it is.
    #[must_use]
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// The address of the package in the API.
    ///
    /// # Panics
    /// When its name has no scope.
    #[must_use]
    pub fn home(&self) -> String {
        let (scope, name) = self.name.trim_start_matches('@').split_once('/').expect("a package has a scope");
        format!("/api/scopes/{scope}/packages/{name}")
    }

    /// The address that the version is sent to.
    #[must_use]
    pub fn address(&self) -> String {
        let config = utf8_percent_encode(&self.config, NON_ALPHANUMERIC);
        let version = utf8_percent_encode(&self.version, NON_ALPHANUMERIC);
        format!("{}/versions/{version}?config={config}", self.home())
    }

    /// The tar, not compressed.
    #[must_use]
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        let config = self.config.trim_start_matches('/');
        if !self.entries.iter().any(|entry| entry.name == config.as_bytes()) && !self.keys.is_empty() {
            let text = serde_json::to_string_pretty(&self.keys).expect("a map with text keys always serialises");
            Entry::file(config, text).write(&mut tar);
        }
        for entry in &self.entries {
            entry.write(&mut tar);
        }
        tar.extend([0; 1024]);
        tar
    }

    /// What is sent.
    #[must_use]
    pub fn tarball(&self) -> Bytes {
        gzip(&self.tar())
    }

    /// The digest of what is sent, as a device names it when it asks for permission.
    #[must_use]
    pub fn tarball_hash(&self) -> String {
        Sha256::of(&self.tarball()).checksum()
    }
}

impl Entry {
    /// A file.
    pub fn file(name: impl Into<Vec<u8>>, content: impl Into<Bytes>) -> Self {
        Self { name: name.into(), kind: EntryType::Regular, target: None, content: content.into(), claimed: None }
    }

    /// An entry of another kind.
    pub fn of(kind: EntryType, name: impl Into<Vec<u8>>) -> Self {
        Self { kind, ..Self::file(name, Bytes::new()) }
    }

    /// A link to `target`.
    pub fn link(kind: EntryType, name: impl Into<Vec<u8>>, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..Self::of(kind, name) }
    }

    /// The same entry, whose header says another size.
    #[must_use]
    pub fn claiming(mut self, size: u64) -> Self {
        self.claimed = Some(size);
        self
    }

    fn write(&self, tar: &mut Vec<u8>) {
        let mut header = Header::new_gnu();
        header.set_entry_type(self.kind);
        header.set_mode(0o644);
        header.set_size(self.claimed.unwrap_or(self.content.len() as u64));
        let field = &mut header.as_gnu_mut().expect("we made it so").name;
        if self.name.len() <= field.len() {
            field[..self.name.len()].copy_from_slice(&self.name);
        } else {
            let long =
                Self { kind: EntryType::GNULongName, name: b"././@LongLink".to_vec(), ..Self::file("", [&self.name[..], &[0]].concat()) };
            long.write(tar);
            field.copy_from_slice(&self.name[..100]);
        }
        if let Some(target) = &self.target {
            header.set_link_name_literal(target).expect("a test writes short targets");
        }
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(&self.content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
}

/// Compresses bytes, the same way every time.
///
/// # Panics
/// Never: memory does not fail to be written.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written").into()
}
