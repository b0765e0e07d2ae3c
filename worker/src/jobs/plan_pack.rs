//! The plan pack: every artefact of a publish in one piece.
//!
//! Right of the hinge nothing depends on the build, the configuration or what else was published meanwhile: what has to be
//! stored is in memory in the ordinary case and in this pack after a crash. A small pack is a row, written by the commit itself; a
//! large one is an object, written before it.

use std::io::{self, BufWriter, Read, Write};

use bytes::Bytes;
use slipway_common::fault::{AnyFault, Retry};
use slipway_common::model::artefact::Artefact;

/// The level at which a pack is compressed. It is read at most once and mostly never, so speed is all that counts.
const LEVEL: i32 = 1;

/// Up to so many bytes a pack goes to the database with the commit, as what the job to store carries. For a package
/// of ten files, whose pack is a few KiB, that is a write, a wait and a deletion less in the store of objects. A row is written twice, to the
/// journal and to its table, and sent to replicas, so what is large stays an object: a burst of a thousand such publishes costs a database
/// at most 64 MiB for as long as it takes to store them.
pub(super) const PARCEL_BYTES: usize = 64 * 1024;

/// Most bytes a pack may unfold to. Above what any plan can hold, below what would hurt.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes that are handed to the compressor at once. The encoder of a pack writes its small parts byte by byte.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where the pack of a committed version is.
#[derive(Debug)]
pub(crate) enum Pack {
    /// Carried by the job that stores the version.
    Parcel(Bytes),
    /// In the private store.
    Object,
}

impl Pack {
    /// What the job carries.
    pub(super) fn parcel(&self) -> Option<&[u8]> {
        match self {
            Self::Parcel(bytes) => Some(bytes),
            Self::Object => None,
        }
    }
}

/// The pack of these artefacts. It is compressed as it is written: the largest plans are tens of megabytes, which are in memory
/// once already. Takes as long as that takes, so not on a thread that answers requests.
pub(super) fn write(artefacts: &[Artefact]) -> Result<Bytes, AnyFault> {
    let fail = |error: io::Error| AnyFault::because("plan pack", Retry::Never, error);
    let mut folded = BufWriter::with_capacity(CHUNK_BYTES, zstd::Encoder::new(Vec::new(), LEVEL).map_err(fail)?);
    rmp_serde::encode::write_named(&mut folded, artefacts).map_err(|error| AnyFault::because("plan pack", Retry::Never, error))?;
    folded.flush().map_err(fail)?;
    let encoder = folded.into_inner().map_err(|error| fail(error.into_error()))?;
    Ok(encoder.finish().map_err(fail)?.into())
}

/// The artefacts in a pack. Not on a thread that answers requests either.
pub(super) fn read(packed: &[u8]) -> Result<Vec<Artefact>, AnyFault> {
    let broken = |error: io::Error| AnyFault::because("plan pack cannot be unfolded", Retry::Never, error);
    let mut plain = zstd::Decoder::new(packed).map_err(broken)?.take(MAX_BYTES);
    let artefacts = rmp_serde::from_read(&mut plain).map_err(|error| AnyFault::because("plan pack cannot be read", Retry::Never, error))?;
    // A pack that was cut off behind the last artefact shows it only here.
    match io::copy(&mut plain, &mut io::sink()).map_err(broken)? {
        0 => Ok(artefacts),
        _ => Err(AnyFault::never("plan pack has something after its end")),
    }
}

#[cfg(test)]
mod tests {
    use slipway_common::ids::PackagePath;
    use slipway_common::model::artefact::ArtefactKind;

    use super::*;

    #[test]
    fn reads_back_whole_or_not_at_all() {
        let path = PackagePath::try_from("/mod.ts").unwrap();
        let artefacts = [
            Artefact::new(ArtefactKind::Module(path), Bytes::from_static(b"export {};")),
            Artefact::new(ArtefactKind::Docs { revision: 1, name: "index.json".into() }, Bytes::from_static(&[0, 255, 128])),
        ];
        let pack = write(&artefacts).unwrap();
        assert_eq!(read(&pack).unwrap(), artefacts);
        for cut in [1, 3, pack.len() / 2, pack.len()] {
            assert!(read(&pack[..pack.len() - cut]).is_err(), "{cut}");
        }
    }
}
