//! Names that cannot be wrong.
//!
//! Every name that a person or a client can send is a type here, made only by parsing, so that code behind the door never
//! asks again whether a scope, a version or a path is well-formed. `Display` gives back exactly what was parsed.
//!
//! Deliberately not here: what a name *refers to*. That is `model`.

mod digest;
mod entity;
mod export;
mod likeness;
mod package;
mod path;
mod scope;
mod tag;
mod version;

pub use digest::{Sha1, Sha256, Sha512};
pub use entity::{ActId, AuthorizationId, Entity, IdSource, IdentityId, InviteId, JobId, PublisherId, TaskId, TicketId, TokenId, UserId};
pub use export::{ExportKey, ExportKeyProblem, ExportTarget, ExportTargetProblem, Exports};
pub use likeness::likeness;
pub use package::{MAX_PACKAGE_BYTES, PackageName};
pub use path::{MAX_PATH_BYTES, MAX_SEGMENT_BYTES, PackagePath, PathProblem};
pub use scope::{MAX_SCOPE_BYTES, MIN_NAME_BYTES, ScopeName};
pub use tag::{DistTag, MAX_TAG_BYTES};
pub use version::{MAX_VERSION_BYTES, SortKey, Version};

/// Why a text is not the name it should be. The text says what is wrong and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub String);

/// Serde by way of `Display` and `TryFrom<&str>`, for a type that is one validated text.
macro_rules! text_serde {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(text.as_ref()).map_err(serde::de::Error::custom)
            }
        }
        impl std::str::FromStr for $type {
            type Err = <$type as TryFrom<&'static str>>::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }
    };
}
pub(crate) use text_serde;
