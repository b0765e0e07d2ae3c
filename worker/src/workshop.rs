//! What every job has at hand.

use std::sync::Arc;

use slipway_common::context::Context;
use slipway_common::signing::SigningKey;

use crate::analyser::Analyser;
use crate::cdn::Cdn;
use crate::compiler::Compiler;
use crate::jobs::Documents;

/// What every job has at hand.
#[derive(Clone)]
pub struct Workshop {
    /// The doors to the outside.
    pub context: Context,
    /// Who judges packages.
    pub analyser: Analyser,
    /// Who finds out what sources do not say, if anybody is configured.
    pub compiler: Option<Arc<Compiler>>,
    /// The edge in front of the registry.
    pub cdn: Arc<dyn Cdn>,
    /// The documents of packages that this process wrote last.
    pub documents: Arc<Documents>,
    /// What vouches for the versions that are committed here.
    pub signing: Arc<SigningKey>,
    /// What this process is called in the rows it works on, for people.
    pub name: String,
}
