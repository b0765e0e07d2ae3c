//! Headers that describe the entry after them: PAX records, and GNU's long names.
//!
//! They exist because a plain header holds paths of a hundred bytes. They are also how two readers can be made to see
//! different archives, so whatever would move a boundary between entries is refused.

use std::borrow::Cow;
use std::io::Read;

use tar::{Entry, EntryType};

use super::Stop;

/// Longest body of an extended header. A path is at most 155 bytes here, and a commit id or a set of file attributes a few
/// hundred; whoever sends more is not describing a source file.
pub(super) const MAX_HEADER_BYTES: u64 = 64 * 1024;

/// What the headers so far say about the entry to come.
#[derive(Default)]
pub(super) struct Pending {
    pax_path: Option<Vec<u8>>,
    pax_size: Option<u64>,
    long_name: Option<Vec<u8>>,
    pax_seen: bool,
    long_link_seen: bool,
    /// The entry's bytes are not its content but a map with holes.
    pub(super) sparse: bool,
}

impl Pending {
    /// Takes the entry in if it describes the next one, and says whether it did.
    pub(super) fn absorb<R: Read>(&mut self, kind: EntryType, entry: &mut Entry<'_, R>) -> Result<bool, Stop> {
        match kind {
            EntryType::XHeader => {
                if std::mem::replace(&mut self.pax_seen, true) {
                    return Err(Stop::corrupt("two extended headers describe one entry"));
                }
                let body = body(entry)?;
                self.records(&body)?;
            }
            EntryType::XGlobalHeader => {
                let mut all = Self::default();
                all.records(&body(entry)?)?;
                if all.pax_path.is_some() || all.pax_size.is_some() || all.sparse {
                    return Err(Stop::corrupt("a global extended header sets paths or sizes"));
                }
            }
            EntryType::GNULongName => {
                let mut name = body(entry)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                if self.long_name.replace(name).is_some() {
                    return Err(Stop::corrupt("two long names describe one entry"));
                }
            }
            EntryType::GNULongLink => {
                // The target of a link, which is refused under its own name.
                body(entry)?;
                if std::mem::replace(&mut self.long_link_seen, true) {
                    return Err(Stop::corrupt("two long link names describe one entry"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn records(&mut self, body: &[u8]) -> Result<(), Stop> {
        let mut rest = body;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(|| Stop::corrupt("an extended header is malformed"))?;
            rest = after;
            let again = match key {
                b"path" => self.pax_path.replace(value.to_vec()).is_some(),
                b"size" => self.pax_size.replace(number(value)?).is_some(),
                key => {
                    self.sparse |= key.starts_with(b"GNU.sparse.");
                    false
                }
            };
            if again {
                return Err(Stop::corrupt("an extended header says the same thing twice"));
            }
        }
        Ok(())
    }

    /// Refuses two sizes for one entry. Readers disagree about which of them counts; where they differ, the body of a file
    /// for one is further entries for the other.
    pub(super) fn check_size(&self, plain: u64) -> Result<(), Stop> {
        match self.pax_size {
            Some(size) if size != plain => {
                Err(Stop::corrupt(format!("an entry has {plain} bytes by its header and {size} by its extended header")))
            }
            _ => Ok(()),
        }
    }

    /// The path of the entry: the longest name wins, as everywhere.
    pub(super) fn path<'a, R: Read>(&'a self, entry: &'a Entry<'_, R>) -> Cow<'a, [u8]> {
        match self.pax_path.as_ref().or(self.long_name.as_ref()) {
            Some(path) => Cow::Borrowed(path),
            None => entry.path_bytes(),
        }
    }

    /// Refuses headers that describe nothing because the archive ends.
    pub(super) fn check_used(&self) -> Result<(), Stop> {
        if self.pax_seen || self.long_name.is_some() || self.long_link_seen {
            return Err(Stop::corrupt("it ends where an entry was announced"));
        }
        Ok(())
    }
}

/// One record, `<length> <key>=<value>\n`, and what follows it. By its length and not by lines: the attributes that macOS puts
/// into every archive are binary, and a comment with a line feed must not become a path.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let pair = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    Some((&pair[..equals], &pair[equals + 1..], rest))
}

/// Decimal digits and nothing else: `parse` alone would take a plus sign.
fn number(value: &[u8]) -> Result<u64, Stop> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Stop::corrupt("an extended header has a size that is no number"))
}

fn body<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, Stop> {
    let size = entry.size();
    if size > MAX_HEADER_BYTES {
        return Err(Stop::corrupt(format!("an extended header has {size} bytes, more than the {MAX_HEADER_BYTES} that are read")));
    }
    let mut body = Vec::new();
    entry.read_to_end(&mut body)?;
    if (body.len() as u64) < size {
        return Err(Stop::corrupt("an extended header is cut short"));
    }
    Ok(body)
}
