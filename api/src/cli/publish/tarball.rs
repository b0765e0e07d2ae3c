//! The upload: a gzip-compressed tar that is the same whenever the files are.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use slipway_common::ids::{Exports, PackagePath, Sha256};
use tar::{Builder, Header};

use super::directory::Directory;
use super::human;

/// Most bytes that are packed. The upload is held in memory, and no registry of which we know takes a tenth of this.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A packed package.
#[derive(Debug)]
pub(super) struct Packed {
    /// The compressed tar.
    pub(super) bytes: Bytes,
    /// What is in it, by path.
    pub(super) files: Vec<PackedFile>,
    /// The entry points as they are to be published.
    pub(super) exports: Exports,
}

/// A file of the upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PackedFile {
    /// Its path.
    pub(super) path: PackagePath,
    /// Its length in bytes.
    pub(super) size: u64,
    /// The digest of its bytes.
    pub(super) digest: Sha256,
}

impl Packed {
    /// `42 files, 310 kB (98 kB compressed)`.
    pub(super) fn summary(&self) -> String {
        let size = self.files.iter().map(|file| file.size).sum();
        let files = if self.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", self.files.len()) };
        format!("{files}, {} ({} compressed)", human(size), human(self.bytes.len() as u64))
    }

    /// `sha256-…` of the upload, by which a permission names it.
    pub(super) fn checksum(&self) -> String {
        Sha256::of(&self.bytes).checksum()
    }
}

/// Packs files in the order of their paths, without owner, time, or any mode but the usual one.
pub(super) fn pack(directory: &Directory, chosen: &BTreeSet<PackagePath>, exports: Exports) -> anyhow::Result<Packed> {
    let size: u64 = chosen.iter().map(|path| directory.size(path)).sum();
    if size > MAX_BYTES {
        bail!("the package has {}, more than any registry takes; name what belongs to it in `files` of its config", human(size));
    }
    // The header of gzip says when and where something was compressed; here it says neither.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    let mut archive = Builder::new(gzip);
    let mut files = Vec::with_capacity(chosen.len());
    for path in chosen {
        let bytes = directory.read(path)?;
        let size = bytes.len() as u64;
        let mut header = Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, path.relative(), bytes.as_ref()).with_context(|| format!("cannot pack `{path}`"))?;
        files.push(PackedFile { path: path.clone(), size, digest: Sha256::of(&bytes) });
    }
    let bytes = archive.into_inner().and_then(flate2::write::GzEncoder::finish).context("cannot pack the package")?;
    Ok(Packed { bytes: Bytes::from(bytes), files, exports })
}
