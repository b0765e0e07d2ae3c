//! What becomes of what the registry attests, beside that everybody can read it.

use url::Url;

use super::{ConfigError, Values, address};

/// What becomes of what the registry attests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The transparency log in which it is entered, with a trailing slash. Without one it is entered nowhere.
    pub rekor_url: Option<Url>,
    /// Whether the npm documents name what is entered there.
    pub is_shown_to_npm: bool,
}

impl Attestation {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let rekor_url = values.get("attestation.rekor_url").filter(|url| !url.is_empty());
        let rekor_url = rekor_url.map(|url| address("attestation.rekor_url", url)).transpose()?;
        let is_shown_to_npm = values.parse("attestation.in_npm_documents")?;
        if is_shown_to_npm && rekor_url.is_none() {
            return Err(ConfigError(
                "`attestation.in_npm_documents` names what is entered in a log, and there is none: set `attestation.rekor_url`".into(),
            ));
        }
        Ok(Self { rekor_url, is_shown_to_npm })
    }
}
