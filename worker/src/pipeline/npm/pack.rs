//! The tarball, byte for byte the same whoever makes it.
//!
//! Plain ustar headers, and a PAX header before a name that they cannot hold. Entries are sorted, times and owners are fixed,
//! and the gzip header says nothing. The compressor picks its matches without a look at the processor, so its output is the
//! same everywhere too; a new version of it that is not is caught by the golden test, and takes a new
//! [`EMIT_REVISION`](super::EMIT_REVISION).

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::tree::{Entry, Tree};

/// 1985-10-26T08:15:00Z, the time npm gives to every file it packs.
const MODIFIED: u64 = 499_162_500;
/// "Unknown", as npm writes it, where others write the operating system they run on.
const OPERATING_SYSTEM: u8 = 255;
/// The level npm packs with by default; higher ones cost much and save little.
const LEVEL: u32 = 6;
/// The directory that npm clients strip.
const ROOT: &str = "package";

/// Packs all files.
pub(super) fn pack(tree: &Tree) -> io::Result<Bytes> {
    let gzip = GzBuilder::new().mtime(0).operating_system(OPERATING_SYSTEM).write(Vec::new(), Compression::new(LEVEL));
    let mut builder = Builder::new(gzip);
    for (path, entry) in tree.iter() {
        append(&mut builder, &format!("{ROOT}{path}"), entry)?;
    }
    Ok(builder.into_inner()?.finish()?.into())
}

fn append(builder: &mut Builder<impl Write>, name: &str, entry: &Entry) -> io::Result<()> {
    let mut file = header(EntryType::Regular, entry.bytes.len(), if entry.executable { 0o755 } else { 0o644 });
    if file.set_path(name).is_err() {
        let record = pax_record("path", name);
        let mut extension = header(EntryType::XHeader, record.len(), 0o644);
        extension.set_path("PaxHeader/path")?;
        extension.set_cksum();
        builder.append(&extension, record.as_bytes())?;
        // Readers take the name from the record; this one is for those that know no PAX.
        file.set_path(&name[..99])?;
    }
    file.set_cksum();
    builder.append(&file, &*entry.bytes)
}

fn header(kind: EntryType, size: usize, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MODIFIED);
    header
}

/// `<length> <key>=<value>\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut digits = 1;
    loop {
        let length = rest.len() + digits;
        if length.to_string().len() == digits {
            return format!("{length}{rest}");
        }
        digits += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use slipway_common::ids::{PackagePath, Sha256};

    use super::*;

    fn sample() -> Tree {
        let files = [("/mod.ts", "export {};\n"), ("/bin/cli.js", "#!/usr/bin/env node\n"), ("/empty", "")];
        let mut tree = Tree::new(&files.iter().map(|(path, text)| (PackagePath::try_from(*path).unwrap(), Bytes::from(*text))).collect());
        tree.replace(&format!("/_dist/{}/{}.d.ts", "d".repeat(90), "n".repeat(101)), "declare const long: 1;\n");
        tree.make_executable("/bin/cli.js");
        tree
    }

    #[test]
    fn reads_back() {
        let packed = pack(&sample()).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*packed));
        let mut listing = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header().clone();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, MODIFIED));
            assert_eq!((header.username().unwrap().unwrap(), header.groupname().unwrap().unwrap()), ("", ""));
            listing.push(format!("{:o} {} {}", header.mode().unwrap(), entry.path().unwrap().display(), text.len()));
        }
        assert_eq!(
            listing,
            [
                format!("644 package/_dist/{}/{}.d.ts 23", "d".repeat(90), "n".repeat(101)),
                "755 package/bin/cli.js 20".to_owned(),
                "644 package/empty 0".to_owned(),
                "644 package/mod.ts 11".to_owned(),
            ]
        );
    }

    /// The bytes are part of the contract: whoever changes them raises `EMIT_REVISION` and records the new digest here.
    #[test]
    fn golden_bytes() {
        assert_eq!(super::super::EMIT_REVISION, 3);
        let packed = pack(&sample()).unwrap();
        assert_eq!(packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(Sha256::of(&packed).hex(), "4d76c2e1f8730f8176a1aaac85e4f3b63aae57320cdda5c30841bd8ac6144d68");
    }

    #[test]
    fn pax_lengths_count_themselves() {
        assert_eq!(pax_record("path", "a"), "9 path=a\n");

        for length in 85..95 {
            let record = pax_record("path", &"a".repeat(length));
            assert_eq!(record.split_once(' ').unwrap().0.parse::<usize>().unwrap(), record.len());
        }
    }
}
