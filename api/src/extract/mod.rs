//! What a request carries, read into types. Every failure is a refusal with a code, never a framework's own text.

mod actor;
mod address;
mod audit;
mod body;
mod json;
mod page;
mod path;
mod upload;

pub(crate) use actor::{Credential, SESSION_COOKIE, cookie, credential};
pub(crate) use address::{ClientAddress, Peer};
pub(crate) use audit::{AuditQuery, JSON_LINES};
pub(crate) use body::{broken_body, watch};
pub(crate) use json::Json;
pub(crate) use page::Paging;
pub(crate) use path::{Id, PackageAt, ScopeAt, TagAt, Text, VersionAt};
pub(crate) use upload::Upload;
