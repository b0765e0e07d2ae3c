//! Publishing from CI without a token: an issuer that signs real tokens, and everything that is tried with them.

mod audit;
mod bench;
mod bent;
mod forgeries;
mod keyless;
mod keys;
mod logged;
mod provenance;
mod publishers;
mod rebuild;
mod refusals;
mod replay;
mod times;
mod updates;
