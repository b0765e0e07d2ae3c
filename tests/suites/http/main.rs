//! What the registry answers: the JSON API, and the read path that serves files to clients.

mod accounts;
mod authorizations;
mod credentials;
mod errors;
mod faults;
mod modules;
mod npm;
mod origins;
mod packages;
mod scopes;
mod signatures;
mod tasks;
mod upstream;
mod wire;
