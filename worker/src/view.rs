//! From where a package sees the others: what it may depend on follows from who publishes it and who may read it.

use std::collections::BTreeMap;

use slipway_common::db::{Db, DbResult};
use slipway_common::ids::{PackageName, UserId};
use slipway_common::model::package::Visibility;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::ResolvablePackage;

/// The view of a package that is being published.
#[derive(Debug, Clone)]
pub(crate) struct View {
    package: PackageName,
    /// Who publishes it, if a person does.
    user: Option<UserId>,
    visibility: Visibility,
}

impl View {
    pub(crate) fn of(publish: &Publish, visibility: Visibility) -> Self {
        Self { package: publish.package.clone(), user: publish.user_id, visibility }
    }

    /// The packages with a version, as far as it is known from here that they exist.
    #[tracing::instrument(level = "debug", name = "publish.look_up", skip_all)]
    pub(crate) async fn look_up(&self, db: &Db, names: &[PackageName]) -> DbResult<BTreeMap<PackageName, ResolvablePackage>> {
        db.read().await?.resolvable_packages(names, self.package.scope(), self.user).await
    }

    /// Whether one of them cannot be read by everybody who will read the package.
    pub(crate) fn hides(&self, name: &PackageName, package: &ResolvablePackage) -> bool {
        self.visibility.is_for_everybody() && !package.visibility.is_public() && *name != self.package
    }
}
