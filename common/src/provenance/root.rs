//! Whom the registry believes: authorities that certify jobs, and logs.

use serde_json::Value;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::TimeRange;
use sigstore_verify::{VerificationPolicy, Verifier};

use super::witness::Witness;
use crate::clock::Instant;
use crate::config::Config;
use crate::ids::IdSource;

/// Why a root of trust cannot be used. The text names the setting and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RootError(String);

impl RootError {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }
}

/// A root of trust that can be used.
pub(super) struct Root {
    name: String,
    trusted: TrustedRoot,
    pub(super) verifier: Verifier,
    /// Whoever stands in for the log, where none is required.
    pub(super) witness: Option<Witness>,
}

impl Root {
    /// Reads the root that is configured, or the public-good one.
    pub(super) fn load(config: &Config, ids: &IdSource) -> Result<Self, RootError> {
        let is_log_required = config.sigstore.is_log_required;
        let Some(file) = &config.sigstore.trusted_root else {
            let name = "the public-good root of this build".to_owned();
            return Self::read(name, SIGSTORE_PRODUCTION_TRUSTED_ROOT, is_log_required, ids);
        };
        let name = format!("`sigstore.trusted_root` ({})", file.display());
        let remedy = |error: RootError| RootError(format!("{error}; leave `sigstore.trusted_root` away to trust the public-good root"));
        let json = std::fs::read_to_string(file).map_err(|error| remedy(RootError(format!("{name}: cannot read it: {error}"))))?;
        Self::read(name, &json, is_log_required, ids).map_err(remedy)
    }

    pub(super) fn read(name: String, json: &str, is_log_required: bool, ids: &IdSource) -> Result<Self, RootError> {
        let not_a_root = |error: &dyn std::fmt::Display| RootError(format!("{name} is no Sigstore TrustedRoot in JSON: {error}"));
        let unusable = |error: &dyn std::fmt::Display| RootError(format!("{name} cannot be used as the root of trust: {error}"));
        let value: Value = serde_json::from_str(json).map_err(|error| not_a_root(&error))?;
        let trusted = TrustedRoot::from_json(json).map_err(|error| not_a_root(&error))?;
        let verifier = Verifier::new(&trusted).map_err(|error| unusable(&error))?;
        if trusted.certificate_authorities.is_empty() {
            return Err(unusable(&"it names no certificate authority, so nothing could ever be verified"));
        }
        if is_log_required && trusted.tlogs.is_empty() {
            return Err(unusable(&"it names no transparency log; name one in `tlogs`, or set `sigstore.require_log` to `false`"));
        }
        let witness = if is_log_required { None } else { Some(Witness::new(value, ids).map_err(|error| unusable(&error))?) };
        Ok(Self { name, trusted, verifier, witness })
    }

    /// Who signs is looked at by us. Without a log of certificates there is nobody whose promise could be asked for.
    pub(super) fn policy(&self) -> VerificationPolicy {
        let policy = VerificationPolicy::any_identity();
        if self.trusted.ctlogs.is_empty() { policy.skip_sct() } else { policy }
    }

    /// Says what is trusted, or that all of it is over.
    pub(super) fn examine(&self, now: Instant) -> Result<String, RootError> {
        let lasts = |window: Option<TimeRange>| window.and_then(|window| window.end).is_none_or(|end| end.as_second() > now.timestamp());
        let authorities = self.trusted.certificate_authorities.iter().filter(|authority| lasts(authority.valid_for)).count();
        let logs = self.trusted.tlogs.iter().filter(|log| lasts(log.public_key.valid_for)).count();
        let name = &self.name;
        if authorities == 0 {
            return Err(RootError(format!(
                "no certificate authority of {name} is valid any more; set `sigstore.trusted_root` to a newer file"
            )));
        }
        if logs == 0 && self.witness.is_none() {
            return Err(RootError(format!(
                "no transparency log of {name} is in use any more; set `sigstore.trusted_root` to a newer file"
            )));
        }
        let without = if self.witness.is_some() { "; a certificate without a log is taken at the time of the publish" } else { "" };
        Ok(format!("{name}; authorities in use: {authorities}, transparency logs: {logs}{without}"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn read(json: &str, is_log_required: bool) -> Result<Root, String> {
        Root::read("the root".to_owned(), json, is_log_required, &IdSource::counting()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_root_that_cannot_be_used_is_refused() {
        let good: Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
        let with = |field: &str, value: Value| {
            let mut changed = good.clone();
            changed[field] = value;
            changed.to_string()
        };
        let mut broken = good.clone();
        broken["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!("AAAA");
        for (json, word) in [
            ("", "no Sigstore TrustedRoot"),
            ("{}", "no Sigstore TrustedRoot"),
            (&with("certificateAuthorities", json!([])), "no certificate authority"),
            (&with("tlogs", json!([])), "set `sigstore.require_log` to `false`"),
            (&broken.to_string(), "cannot be used"),
        ] {
            let error = read(json, true).err().unwrap();
            assert!(error.contains(word), "{error}");
        }
        assert!(read(&with("tlogs", json!([])), false).is_ok());
    }

    #[test]
    fn a_root_that_is_over_is_told() {
        let root = read(SIGSTORE_PRODUCTION_TRUSTED_ROOT, true).unwrap();
        let at = |seconds| root.examine(DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(at(1_760_000_000).unwrap(), "the root; authorities in use: 1, transparency logs: 2");
        let mut old: Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
        for authority in old["certificateAuthorities"].as_array_mut().unwrap() {
            authority["validFor"]["end"] = json!("2023-01-01T00:00:00Z");
        }
        let old = read(&old.to_string(), true).unwrap();
        assert!(old.examine(DateTime::from_timestamp(1_760_000_000, 0).unwrap()).unwrap_err().to_string().contains("newer file"));
    }
}
