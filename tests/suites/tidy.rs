//! The architecture invariants, as tests over the source text.
//!
//! Most invariants of the house state an absence, and an absence is only true while something looks for it. Each test here is
//! one invariant and says in its message what to do. Nothing is compiled or started: the tests read the files of the rooms,
//! their manifests and the lock file. What clippy can see (`.clippy.toml`) is not repeated.

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/hand.rs"]
mod hand;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;

/// Fails with one line for every offence, after the rule that they break.
fn demand(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "\n\n{rule}\n\n  {}\n", offences.join("\n  "));
}
