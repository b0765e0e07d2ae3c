//! What the registry answers: the JSON API, and the read path that serves files to clients.

mod accounts;
mod attestations;
mod authorizations;
mod credentials;
mod errors;
mod faults;
mod manifests;
mod modules;
mod npm;
mod origins;
mod packages;
mod scopes;
mod search;
mod signatures;
mod tags;
mod tasks;
mod tokens;
mod upstream;
mod wire;
