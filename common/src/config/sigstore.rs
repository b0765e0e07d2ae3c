//! Whom the registry believes about where versions came from.

use std::path::PathBuf;

use url::Url;

use super::{ConfigError, Values, address};

/// Whom the registry believes about where versions came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigstore {
    /// A file with a Sigstore `TrustedRoot`. Without one it is the public-good root that the build carries.
    pub trusted_root: Option<PathBuf>,
    /// Where log entries are fetched by their index, with a trailing slash.
    pub rekor_url: Url,
    /// Whether a certificate is believed only with a log entry. Otherwise it may be one that was issued around the publish.
    pub is_log_required: bool,
}

impl Sigstore {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            trusted_root: values.get("sigstore.trusted_root").filter(|path| !path.is_empty()).map(PathBuf::from),
            rekor_url: address("sigstore.rekor_url", &values.required("sigstore.rekor_url")?)?,
            is_log_required: values.parse("sigstore.require_log")?,
        })
    }
}
