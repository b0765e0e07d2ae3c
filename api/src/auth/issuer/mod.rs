//! What issuers of tokens publish, and what they sign, whoever asks: CI jobs and people who sign in.
//!
//! Nothing here is a secret of ours. What is read from elsewhere is bounded before it is parsed, is kept while it is fresh, and is asked for
//! no more often than [`known`] allows. Algorithms follow from the type of the key, never from the token alone.

mod claims;
mod discovery;
mod fetch;
mod keys;
mod known;
mod token;

pub(crate) use claims::{LEEWAY, Times, text};
pub(crate) use discovery::{Discovery, Endpoints};
pub(crate) use fetch::{ask, client};
pub(crate) use keys::Keys;
pub(crate) use known::{Lacking, RETRY_AFTER};
pub(crate) use token::Shown;
pub use token::can_be_read;
