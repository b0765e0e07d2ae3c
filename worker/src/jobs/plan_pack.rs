//! The plan pack: every artefact of a publish in one object, written before the commit.
//!
//! Right of the hinge nothing depends on the build, the configuration or what else was published meanwhile: what has to be
//! stored is in memory in the ordinary case and in this pack after a crash.

use bytes::Bytes;
use slipway_common::fault::{AnyFault, Retry};
use slipway_common::model::artefact::Artefact;

/// The level at which a pack is compressed. It is read at most once and mostly never, so speed is all that counts.
const LEVEL: i32 = 1;

/// Most bytes a pack may unfold to. Above what any plan can hold, below what would hurt.
const MAX_BYTES: usize = 1 << 30;

pub(super) fn write(artefacts: &[Artefact]) -> Result<Bytes, AnyFault> {
    let plain = rmp_serde::to_vec_named(artefacts).map_err(|error| AnyFault::because("plan pack", Retry::Never, error))?;
    let packed = zstd::bulk::compress(&plain, LEVEL).map_err(|error| AnyFault::because("plan pack", Retry::Never, error))?;
    Ok(packed.into())
}

pub(super) fn read(packed: &[u8]) -> Result<Vec<Artefact>, AnyFault> {
    let broken = |error: std::io::Error| AnyFault::because("plan pack cannot be unfolded", Retry::Never, error);
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| *size <= MAX_BYTES).ok_or_else(|| AnyFault::never("plan pack does not say how large it is"))?;
    let plain = zstd::bulk::decompress(packed, size).map_err(broken)?;
    rmp_serde::from_slice(&plain).map_err(|error| AnyFault::because("plan pack cannot be read", Retry::Never, error))
}

#[cfg(test)]
mod tests {
    use slipway_common::ids::PackagePath;
    use slipway_common::model::artefact::ArtefactKind;

    use super::*;

    #[test]
    fn reads_back() {
        let path = PackagePath::try_from("/mod.ts").unwrap();
        let artefacts = [
            Artefact::new(ArtefactKind::Module(path), Bytes::from_static(b"export {};")),
            Artefact::new(ArtefactKind::Docs { revision: 1, name: "index.json".into() }, Bytes::from_static(&[0, 255, 128])),
        ];
        let pack = write(&artefacts).unwrap();
        assert_eq!(read(&pack).unwrap(), artefacts);
        assert!(read(&pack[..pack.len() - 3]).is_err());
        assert!(read(b"").is_err());
    }
}
