//! From the upload's bytes to files in memory: gunzip and untar in one stream, with limits on everything.
//!
//! What is accepted, and why:
//!
//! * Every byte that leaves the decompressor is counted, be it file, header, padding or an entry that is skipped (`gauge`).
//!   Nothing is allocated because a header says so.
//! * A gzip file of several members is one stream, as RFC 1952 has it. Bytes after the last member are refused: whoever
//!   reads only the tar would not see them.
//! * A tar may end with its two blocks of zeros or, where gzip itself ended properly, without them. Anything but zeros after
//!   the end is refused: tools that concatenate archives would find files there that we do not.
//! * A size that an extended header gives must be the size in the plain header, so that no two readers can see different
//!   files in one archive (`header`).
//! * Directories are skipped silently, as are global extended headers. Modes, owners and times are never read.
//! * Bad paths and bad entries are collected; corruption and limits end the reading, since there is no going on.
//!
//! Deliberately not here: what the files mean.

mod gauge;
mod header;
mod names;
#[cfg(test)]
mod tests;

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use slipway_common::ids::{MAX_PATH_BYTES, PackagePath};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};
use slipway_common::model::limits::UploadLimits;
use tar::{Archive, Entry, EntryType};

use super::files::Files;
use gauge::{Counted, Gauge};
use header::Pending;
use names::{EntryName, Names, shown};

/// Deepest path, in segments. A segment takes at least two of [`MAX_PATH_BYTES`] with its slash, so the limit on length
/// implies it and nothing can be deeper; whoever walks a path upwards may rely on the number.
pub const MAX_DEPTH: usize = MAX_PATH_BYTES / 2;

/// What a single entry costs in the tar beside its bytes: its header, its padding, and an extended header with a body for
/// a long name, 512 bytes each. The decompressed stream may be this much longer for each file that is allowed.
const TAR_BYTES_PER_ENTRY: u64 = 4 * 512;
/// Zeros that a tar may end with beside its entries: tools pad to a record of 10 KiB, some to a megabyte.
const TAR_PADDING: u64 = 1024 * 1024;
/// First allocation for a file. A header may claim gigabytes; memory grows with the bytes that come.
const FIRST_ALLOCATION: u64 = 64 * 1024;

/// Reads every file of a gzip-compressed tar.
///
/// # Errors
/// With everything that is wrong with the archive, in the order of its entries.
pub fn unpack(tarball: &[u8], limits: &UploadLimits) -> Result<Files, Findings> {
    let compressed = tarball.len() as u64;
    if compressed > limits.compressed_bytes {
        let message = format!("the upload has {compressed} bytes, more than the {} that are allowed", limits.compressed_bytes);
        return Err(Finding::error(FindingCode::PackageTooLarge, message).into());
    }
    let gauge = Gauge::new(compressed, limits, limits.unpacked_bytes.saturating_add(overhead(limits)));
    let mut archive = Archive::new(Counted::new(MultiGzDecoder::new(tarball), &gauge));
    let mut reading = Reading { limits, files: Files::default(), names: Names::default(), findings: Findings::default(), file_bytes: 0 };
    match reading.walk(&mut archive).and_then(|()| drain(archive.into_inner())) {
        Ok(()) => {}
        Err(stop) => reading.findings.extend([stop.into_finding(&gauge)]),
    }
    reading.finish()
}

/// How much longer than its files the decompressed stream may be.
fn overhead(limits: &UploadLimits) -> u64 {
    limits.entries.saturating_add(1).saturating_mul(TAR_BYTES_PER_ENTRY).saturating_add(TAR_PADDING)
}

/// Why the reading cannot go on.
enum Stop {
    /// The bytes cannot be read, or the gauge stopped them.
    Read(std::io::Error),
    /// The archive is well-formed but says something it must not.
    Found(Finding),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Read(error)
    }
}

impl Stop {
    /// An archive that contradicts itself.
    fn corrupt(why: impl std::fmt::Display) -> Self {
        Self::Found(Finding::error(FindingCode::InvalidTarball, format!("the upload is not a usable tar archive: {why}")))
    }

    fn into_finding(self, gauge: &Gauge) -> Finding {
        match self {
            Self::Found(finding) => finding,
            // A reader that was stopped by the gauge fails with whatever error its layers make of it.
            Self::Read(error) => gauge.stopped().unwrap_or_else(|| {
                let message = format!("the upload is not a readable gzip-compressed tar archive: {error}");
                Finding::error(FindingCode::InvalidTarball, message).hint("send the output of `tar -cz`, whole and with nothing behind it")
            }),
        }
    }
}

/// What has been read so far.
struct Reading<'a> {
    limits: &'a UploadLimits,
    files: Files,
    names: Names,
    findings: Findings,
    file_bytes: u64,
}

impl Reading<'_> {
    /// Reads all entries.
    fn walk<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), Stop> {
        let mut pending = Pending::default();
        // Raw entries: extended headers come as entries of their own, so that each is bounded and judged here.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            if pending.absorb(kind, &mut entry)? {
                continue;
            }
            let described = std::mem::take(&mut pending);
            described.check_size(entry.size())?;
            let name = EntryName::read(&described.path(&entry));
            self.entry(kind, described.sparse, &name, &mut entry)?;
        }
        pending.check_used()
    }

    /// Judges one entry, and keeps it if it is a file with a good path.
    fn entry<R: Read>(&mut self, kind: EntryType, sparse: bool, name: &EntryName, entry: &mut Entry<'_, R>) -> Result<(), Stop> {
        let finding = match kind {
            EntryType::Directory => return Ok(()),
            // Before there was a type for directories, a slash at the end made one.
            EntryType::Regular if name.is_directory() && entry.size() == 0 => return Ok(()),
            EntryType::Link | EntryType::Symlink => Finding::error(
                FindingCode::LinkInTarball,
                format!("'{}' is a {} link", name.shown(), if kind == EntryType::Link { "hard" } else { "symbolic" }),
            )
            .hint("links are not supported, put a copy of the file in its place"),
            EntryType::Regular if !sparse => match name.path() {
                Ok(path) => return self.file(path, entry),
                Err(finding) => finding,
            },
            _ => {
                let what = if sparse || kind == EntryType::GNUSparse { "a sparse file" } else { "neither a file nor a directory" };
                Finding::error(FindingCode::InvalidEntryType, format!("'{}' is {what}", name.shown()))
                    .hint("only plain files can be published")
            }
        };
        self.findings.push(finding.at(Place::file(name.shown())));
        Ok(())
    }

    fn file<R: Read>(&mut self, path: PackagePath, entry: &mut Entry<'_, R>) -> Result<(), Stop> {
        if self.files.len() as u64 >= self.limits.entries {
            let message = format!("the package has more than the {} files that are allowed", self.limits.entries);
            return Err(Stop::Found(Finding::error(FindingCode::TooManyFiles, message)));
        }
        let bytes = self.read(&path, entry)?;
        self.file_bytes += bytes.len() as u64;
        if self.file_bytes > self.limits.unpacked_bytes {
            return Err(Stop::Found(gauge::too_large(self.limits.unpacked_bytes)));
        }
        if let Some(finding) = self.names.claim(&path) {
            self.findings.push(finding);
        } else {
            self.files.insert(path, bytes);
        }
        Ok(())
    }

    /// The bytes of a file: as many as its header says, or the archive is cut short.
    fn read<R: Read>(&self, path: &PackagePath, entry: &mut Entry<'_, R>) -> Result<Bytes, Stop> {
        let size = entry.size();
        let limit = self.limits.file_bytes;
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(FIRST_ALLOCATION)).expect("64 KiB fit every address space"));
        entry.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        let read = bytes.len() as u64;
        if read > limit {
            let message = format!("file '{}' is larger than the {limit} bytes that are allowed", shown(path.as_str()));
            return Err(Stop::Found(Finding::error(FindingCode::FileTooLarge, message).at(Place::file(path.as_str()))));
        }
        if read < size {
            return Err(Stop::corrupt(format!("'{path}' is cut short after {read} of {size} bytes")));
        }
        bytes.shrink_to_fit();
        Ok(bytes.into())
    }

    fn finish(mut self) -> Result<Files, Findings> {
        let clashes = self.names.files_that_are_directories();
        self.findings.extend(clashes);
        if self.findings.is_empty() { Ok(self.files) } else { Err(self.findings) }
    }
}

/// Reads what follows the tar's end. The decompressor checks its checksum only there, and only zeros may come.
fn drain(mut rest: impl Read) -> Result<(), Stop> {
    let mut block = [0; 8 * 1024];
    loop {
        match rest.read(&mut block)? {
            0 => return Ok(()),
            read if block[..read].iter().all(|byte| *byte == 0) => {}
            _ => return Err(Stop::corrupt("there is more after its end")),
        }
    }
}
