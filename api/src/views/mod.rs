//! The wire: twins of models, made to stay as they are while the inside moves. A model is never serialised itself.
//!
//! Times are RFC 3339 in UTC; an absent value is `null` unless it says otherwise.

mod account;
mod audit;
mod package;
mod people;
mod provenance;
mod publish;
mod publisher;
mod quarantine;
mod ticket;

use serde::Serialize;
use slipway_common::db::Listing;

pub(crate) use account::{AuthorizationView, FullScopeView, FullUserView, IdentityView, PermissionsView, ScopeView, TokenView, UserView};
pub(crate) use audit::{ActView, LogView};
pub(crate) use package::{DependencyView, PackageView, VersionView, VersionWithUserView};
pub(crate) use people::{InviteView, MemberView};
pub(crate) use provenance::{ProvenanceView, ProvenanceWithBundleView, UnverifiedView};
pub(crate) use publish::PublishView;
pub(crate) use publisher::{CiView, PublisherView};
pub(crate) use quarantine::QuarantineView;
pub(crate) use ticket::{TicketMessageView, TicketThreadView, TicketView};

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct ListView<T> {
    items: Vec<T>,
    total: i64,
}

impl<T> ListView<T> {
    /// A page whose items are shown by `view`.
    pub(crate) fn new<M>(listing: Listing<M>, view: impl FnMut(M) -> T) -> Self {
        Self { items: listing.items.into_iter().map(view).collect(), total: listing.total }
    }
}
