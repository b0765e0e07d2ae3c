//! How much of a package is accepted. Every number is configuration, and a scope may have its own.

use serde::{Deserialize, Serialize};

/// Twenty mebibytes, JSR's limit for the compressed upload, for one file and for all files together.
pub const DEFAULT_SIZE: u64 = 20 * 1024 * 1024;
/// Files in a package. JSR has no such limit; ten thousand is ten times the largest package that we know of, and each file is
/// an object to store, a row and a line in the manifest.
pub const DEFAULT_ENTRIES: u64 = 10_000;
/// Unpacked bytes for each compressed one, looked at only above [`RATIO_FLOOR`]. Text that repeats itself compresses a
/// hundredfold; `PyPI` draws the line at fifty.
pub const DEFAULT_RATIO: u64 = 100;
/// Below this size no ratio is suspicious: a small file of zeros is no bomb.
pub const RATIO_FLOOR: u64 = 8 * 1024 * 1024;

/// What an upload may measure. Everything is counted on bytes really read, never on what a header claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadLimits {
    /// Bytes of the compressed upload.
    pub compressed_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub unpacked_bytes: u64,
    /// Number of files.
    pub entries: u64,
    /// Unpacked bytes for each compressed byte, above [`RATIO_FLOOR`].
    pub ratio: u64,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            compressed_bytes: DEFAULT_SIZE,
            file_bytes: DEFAULT_SIZE,
            unpacked_bytes: DEFAULT_SIZE,
            entries: DEFAULT_ENTRIES,
            ratio: DEFAULT_RATIO,
        }
    }
}

impl UploadLimits {
    /// These limits with the numbers in which a scope differs: an object with some of the fields of this type. A number that does
    /// not read is left as it is here.
    #[must_use]
    pub fn for_scope(&self, of_scope: Option<&serde_json::Value>) -> Self {
        let of_scope = |field: &str, default: u64| of_scope.and_then(|limits| limits.get(field)?.as_u64()).unwrap_or(default);
        Self {
            compressed_bytes: of_scope("compressed_bytes", self.compressed_bytes),
            file_bytes: of_scope("file_bytes", self.file_bytes),
            unpacked_bytes: of_scope("unpacked_bytes", self.unpacked_bytes),
            entries: of_scope("entries", self.entries),
            ratio: of_scope("ratio", self.ratio),
        }
    }
}
