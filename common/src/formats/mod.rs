//! Files other people's tools read. Changing one is a public act: golden files in `tests/specs` hold them still.

pub mod catalogue;
pub mod npm_keys;
pub mod package_meta;
pub mod packument;
pub mod record;
pub mod version_meta;
