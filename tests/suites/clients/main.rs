//! The real clients against a real `slipway up`.
//!
//! Every test starts a registry of its own from the binary, lets clients from the npm registry publish to it and install from
//! it, and compares what the installed code prints. Nothing of the house is linked in: this is what a stranger sees.
//!
//! The suite needs the clients and the binary, which `tests/run` installs and builds. Without them each test says so and
//! returns; with `SLIPWAY_TEST_REQUIRE` it fails.

mod bench;
mod browser;
mod form;
mod npm;
mod proxy;
mod registry;
mod run;
mod shelf;
mod stock;
mod terminal;

mod authors;
mod deno_ci;
mod deno_publish;
mod deno_use;
mod inferred;
mod interactive;
mod matrix;
mod npm_tags;
mod npm_use;
mod outside;
mod plain;
mod plain_ci;
mod private;
mod proxies;
mod real_packages;
mod signatures;
mod story;
mod typescript;
