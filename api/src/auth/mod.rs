//! Who is asking, and what they may do.

pub(crate) mod actor;
pub(crate) mod ci;
pub(crate) mod identity;
pub(crate) mod issuer;
pub(crate) mod origin;
pub mod secret;
