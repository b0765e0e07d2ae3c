//! What goes over the pipes: frames of `MessagePack` with named fields, each behind its length in four bytes, big-endian.
//!
//! A length is compared with a limit before anything is allocated for it, and a message is measured before it is written, so
//! that neither side holds a message in two forms for longer than it must.

use std::io::{self, BufWriter, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slipway_common::ids::PackageName;
use slipway_common::model::finding::Findings;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::pipeline::{Facts, Unsaid, Upload};

/// Longest frame a child accepts. More than ten times the default limit of an upload, so that an operator who gives a scope
/// room is not stopped here; the child's limit on memory is what counts.
pub(super) const MAX_REQUEST_BYTES: u32 = 256 * 1024 * 1024;

/// Bytes of the length before each frame.
const LENGTH_BYTES: usize = 4;

/// What a parent says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// A package to examine.
    Upload(Upload),
    /// What there is to know for the package that was examined.
    Facts(Facts),
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer<P> {
    /// The package is in order so far, and these are to be looked up.
    Examined {
        /// The packages it refers to.
        references: Vec<PackageName>,
        /// What a compiler could find out, if the parent has one.
        unsaid: Option<Unsaid>,
    },
    /// The package is not in order.
    Rejected(Findings),
    /// The package is done.
    Planned(P),
    /// Follows the plan, unasked.
    Documented(P),
    /// Follows the last answer about a package, when everything of it is freed.
    Ready,
    /// The bench panicked with this message. The child is leaving.
    Panicked(String),
}

/// Why a frame could not pass.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    /// The frame is too long.
    #[error("a frame of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The longest that passes.
        limit: u32,
    },
    /// The pipe broke, or ended within a frame.
    #[error("the pipe broke: {0}")]
    Pipe(#[from] io::Error),
    /// The bytes are not the message that was expected, or the message has no bytes.
    #[error("a frame that cannot be read: {0}")]
    Malformed(String),
}

/// The whole frame of a message, length and all.
pub(super) fn encode(message: &impl Serialize, limit: u32) -> Result<Vec<u8>, FrameError> {
    let length = measure(message, limit)?;
    let mut frame = Vec::with_capacity(LENGTH_BYTES + length as usize);
    frame.extend_from_slice(&length.to_be_bytes());
    serialize(message, &mut frame)?;
    Ok(frame)
}

/// Writes the frame of a message, or nothing if it is over the limit.
pub(super) fn write(out: &mut impl Write, message: &impl Serialize, limit: u32) -> Result<(), FrameError> {
    let length = measure(message, limit)?;
    let mut out = BufWriter::new(out);
    out.write_all(&length.to_be_bytes())?;
    serialize(message, &mut out)?;
    Ok(out.flush()?)
}

/// Reads the next frame, or nothing if the pipe ended before it.
pub(super) fn read(input: &mut impl Read, limit: u32) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; LENGTH_BYTES];
    let mut have = 0;
    while have < LENGTH_BYTES {
        match input.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut frame = room(length, limit)?;
    input.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// Reads the next frame. A pipe that ended is an error.
pub(super) async fn receive(input: &mut (impl AsyncRead + Unpin), limit: u32) -> Result<Vec<u8>, FrameError> {
    let mut length = [0; LENGTH_BYTES];
    input.read_exact(&mut length).await?;
    let mut frame = room(length, limit)?;
    input.read_exact(&mut frame).await?;
    Ok(frame)
}

/// The message in a frame.
pub(super) fn decode<T: DeserializeOwned>(frame: &[u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(frame).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// Zeroed memory for a frame, which the system hands out as it is written to.
fn room(length: [u8; LENGTH_BYTES], limit: u32) -> Result<Vec<u8>, FrameError> {
    let length = u32::from_be_bytes(length);
    if length > limit {
        return Err(FrameError::TooLarge { bytes: length.into(), limit });
    }
    Ok(vec![0; length as usize])
}

/// The length of a message, if it is within the limit.
fn measure(message: &impl Serialize, limit: u32) -> Result<u32, FrameError> {
    let mut counter = Counter(0);
    serialize(message, &mut counter)?;
    match u32::try_from(counter.0) {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(FrameError::TooLarge { bytes: counter.0, limit }),
    }
}

fn serialize(message: &impl Serialize, out: &mut impl Write) -> Result<(), FrameError> {
    rmp_serde::encode::write_named(out, message).map_err(|error| match error {
        rmp_serde::encode::Error::InvalidValueWrite(error) => FrameError::Pipe(error.into()),
        error => FrameError::Malformed(error.to_string()),
    })
}

/// Counts what is written to it and keeps nothing.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use slipway_common::ids::{PackagePath, Version};
    use slipway_common::model::finding::{Finding, FindingCode, Place};
    use slipway_common::model::limits::UploadLimits;

    use super::*;

    fn upload(bytes: usize) -> Upload {
        Upload {
            package: PackageName::try_from("@scope/package").unwrap(),
            version: Version::try_from("1.0.0-rc.1+build").unwrap(),
            config: PackagePath::try_from("/jsr.json").unwrap(),
            tarball: Bytes::from(vec![7; bytes]),
            limits: UploadLimits::default(),
        }
    }

    #[test]
    fn an_upload_arrives_as_it_was_sent_and_bytes_cost_one_byte_each() {
        let frame = encode(&Request::Upload(upload(100_000)), MAX_REQUEST_BYTES).unwrap();
        assert!(frame.len() < 100_500, "{}", frame.len());
        let mut pipe = frame.as_slice();
        let body = read(&mut pipe, MAX_REQUEST_BYTES).unwrap().unwrap();
        let Request::Upload(arrived) = decode(&body).unwrap() else { panic!("not an upload") };
        assert_eq!(format!("{arrived:?}"), format!("{:?}", upload(100_000)));
        assert!(read(&mut pipe, MAX_REQUEST_BYTES).unwrap().is_none());
    }

    #[test]
    fn findings_arrive_with_their_place() {
        let finding = Finding::error(FindingCode::CommonJs, "no").at(Place::at("/a.ts", 3, 4)).hint("yes");
        let mut pipe = Vec::new();
        write(&mut pipe, &Answer::<()>::Rejected(finding.clone().into()), 1000).unwrap();
        let body = read(&mut pipe.as_slice(), 1000).unwrap().unwrap();
        let Answer::<()>::Rejected(findings) = decode(&body).unwrap() else { panic!("not rejected") };
        assert_eq!(findings, finding.into());
    }

    #[test]
    fn a_frame_over_the_limit_is_neither_written_nor_read() {
        let mut pipe = Vec::new();
        let error = write(&mut pipe, &Request::Upload(upload(1000)), 1000).unwrap_err();
        assert!(matches!(error, FrameError::TooLarge { bytes: 1001.., limit: 1000 }), "{error}");
        assert!(pipe.is_empty());
        let claim = [0xff; 8];
        assert!(matches!(read(&mut claim.as_slice(), 1000), Err(FrameError::TooLarge { bytes: 0xffff_ffff, .. })));
    }

    #[test]
    fn a_frame_cut_short_is_an_error_and_no_frame_is_none() {
        let frame = encode(&Answer::Planned(1), 100).unwrap();
        for cut in 1..frame.len() {
            assert!(matches!(read(&mut &frame[..cut], 100), Err(FrameError::Pipe(_))), "{cut}");
        }
        assert!(read(&mut [].as_slice(), 100).unwrap().is_none());
        assert!(matches!(decode::<Answer<u8>>(b"rubbish"), Err(FrameError::Malformed(_))));
    }
}
