//! The key that vouches for what npm clients are told of a version, and the list of keys by which they check it.
//!
//! A signature says that this registry published this name, this version and these bytes together. It is made once, when a version is
//! committed, and kept with it. What checks it (`npm audit signatures`, `pnpm audit signatures`) finds the public half of the key in
//! a document beside the packages, which also lists the keys of before, so that a version keeps its signature when the key changes.
//!
//! With the same key the registry attests from what it built an npm tarball: `envelope` signs a statement so that others can check it.
//!
//! Signing is deterministic (RFC 6979): one key and one text give one signature. The private half cannot print itself.

mod envelope;
mod key;
mod listing;
mod verify;

pub use envelope::open;
pub use key::{KeyError, SigningKey};
pub use listing::{announce, listed};
pub use verify::{Verdict, judge};

use crate::ids::{PackageName, Version};

/// What is signed of a version: the name and version that npm clients know, and the digest of the tarball.
fn subject(package: &PackageName, version: &Version, integrity: &str) -> String {
    format!("{}@{version}:{integrity}", package.npm_name())
}
