//! A reader that counts what passes through it and stops at the limits.

use std::cell::{Cell, OnceCell};
use std::io::{self, Read};

use slipway_common::model::finding::{Finding, FindingCode};
use slipway_common::model::limits::{RATIO_FLOOR, UploadLimits};

/// How much has been decompressed, and how much may be.
pub(super) struct Gauge {
    compressed: u64,
    files_limit: u64,
    stream_limit: u64,
    ratio: u64,
    passed: Cell<u64>,
    stopped: OnceCell<Finding>,
}

impl Gauge {
    /// A gauge for an upload of `compressed` bytes, of which at most `stream_limit` may come out.
    pub(super) fn new(compressed: u64, limits: &UploadLimits, stream_limit: u64) -> Self {
        Self {
            compressed,
            files_limit: limits.unpacked_bytes,
            stream_limit,
            ratio: limits.ratio,
            passed: Cell::new(0),
            stopped: OnceCell::new(),
        }
    }

    /// What stopped the stream, if the gauge did.
    pub(super) fn stopped(&self) -> Option<Finding> {
        self.stopped.get().cloned()
    }

    fn pass(&self, bytes: usize) -> io::Result<()> {
        let passed = self.passed.get().saturating_add(bytes as u64);
        self.passed.set(passed);
        let finding = if passed > self.stream_limit {
            too_large(self.files_limit)
        } else if passed > RATIO_FLOOR && passed > self.compressed.saturating_mul(self.ratio) {
            let message = format!("the upload unpacks to more than {} times its size, which only archives made for that do", self.ratio);
            Finding::error(FindingCode::PackageTooLarge, message)
        } else {
            return Ok(());
        };
        // The first reason stays.
        let _ = self.stopped.set(finding);
        Err(io::Error::other("over the limit"))
    }
}

/// The finding for a package whose files are too much together.
pub(super) fn too_large(limit: u64) -> Finding {
    Finding::error(
        FindingCode::PackageTooLarge,
        format!("the files of the package are together larger than the {limit} bytes that are allowed"),
    )
    .hint("leave out what users do not need, with `publish.exclude` or a `.gitignore`")
}

/// A reader under a [`Gauge`].
pub(super) struct Counted<'a, R> {
    inner: R,
    gauge: &'a Gauge,
}

impl<'a, R> Counted<'a, R> {
    pub(super) fn new(inner: R, gauge: &'a Gauge) -> Self {
        Self { inner, gauge }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.gauge.pass(read)?;
        Ok(read)
    }
}
