//! Packages, as a client uploads them.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{Builder, Header};

/// A package that is ready to be sent.
#[derive(Clone)]
pub(crate) struct Package {
    /// Its scope, without `@`.
    pub(crate) scope: String,
    /// Its name in the scope.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The upload.
    pub(crate) tarball: Bytes,
}

/// A file of a package: its path without a slash at the start, and its bytes.
pub(crate) type File = (String, Vec<u8>);

impl Package {
    /// Packs files under a name. The first file is what the package exports.
    pub(crate) fn pack(scope: &str, name: &str, version: &str, files: &[File]) -> anyhow::Result<Self> {
        let entry = files.first().map_or("mod.ts", |(path, _)| path.as_str());
        let config = json!({"name": format!("@{scope}/{name}"), "version": version, "license": "MIT", "exports": format!("./{entry}")});
        let mut tarball = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let config = ("jsr.json".to_owned(), config.to_string().into_bytes());
        for (path, bytes) in std::iter::once(&config).chain(files) {
            let mut header = Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tarball.append_data(&mut header, path, bytes.as_slice())?;
        }
        let tarball = tarball.into_inner()?.finish()?.into();
        Ok(Self { scope: scope.to_owned(), name: name.to_owned(), version: version.to_owned(), tarball })
    }
}
