//! Whom the registry believes about where versions came from.

use std::path::PathBuf;

use url::Url;

use super::{ConfigError, Values, address};

/// Whom the registry believes about where versions came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigstore {
    /// A file with a Sigstore `TrustedRoot`. Without one it is the public-good root that the build carries.
    pub trusted_root: Option<PathBuf>,
    /// Where a newer one comes from, if it does.
    pub updates: Option<Updates>,
    /// Where log entries are fetched by their index, with a trailing slash.
    pub rekor_url: Url,
    /// Whether a certificate is believed only with a log entry. Otherwise it may be one that was issued around the publish.
    pub is_log_required: bool,
}

/// A TUF repository that keeps the root of trust up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updates {
    /// Where it is, with a trailing slash.
    pub url: Url,
    /// A file with the `root.json` with which its chain begins. Without one it is that of the public-good repository.
    pub root: Option<PathBuf>,
}

impl Sigstore {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let file = |key| values.get(key).filter(|path| !path.is_empty()).map(PathBuf::from);
        let trusted_root = file("sigstore.trusted_root");
        Ok(Self {
            updates: updates(values, file("sigstore.tuf_root"), trusted_root.is_some())?,
            trusted_root,
            rekor_url: address("sigstore.rekor_url", &values.required("sigstore.rekor_url")?)?,
            is_log_required: values.parse("sigstore.require_log")?,
        })
    }
}

/// Whoever follows another repository than the public-good one says with what it begins, and what is believed until it answers for the first
/// time: the public-good root is not that.
fn updates(values: &Values, root: Option<PathBuf>, has_file: bool) -> Result<Option<Updates>, ConfigError> {
    let refused = |why: &str| Err(ConfigError(why.to_owned()));
    match (values.get("sigstore.tuf_url").filter(|url| !url.is_empty()), root, has_file) {
        (None, None, _) => Ok(None),
        (None, Some(_), _) => refused("`sigstore.tuf_root` is the beginning of a repository: set `sigstore.tuf_url` to where that is"),
        (Some(_), None, true) => refused(
            "`sigstore.tuf_url` and `sigstore.trusted_root` are both set: set `sigstore.tuf_root` to the `root.json` with which the repository \
             begins, or leave one of them away",
        ),
        (Some(_), Some(_), false) => refused(
            "`sigstore.tuf_root` is set: set `sigstore.trusted_root` to what is believed until the repository answers for the first time",
        ),
        (Some(url), root, _) => Ok(Some(Updates { url: address("sigstore.tuf_url", url)?, root })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Layers, preset};

    #[test]
    fn a_repository_is_named_as_a_whole() {
        let load = |pairs: &[(&'static str, &str)]| {
            let flags = pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
            let config = Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() });
            config.map(|config| config.sigstore.updates).map_err(|error| error.to_string())
        };
        let (url, root, file) =
            (("sigstore.tuf_url", "https://tuf.example"), ("sigstore.tuf_root", "root.json"), ("sigstore.trusted_root", "trusted.json"));
        assert_eq!(load(&[]), Ok(None));
        assert_eq!(load(&[file]), Ok(None));
        assert_eq!(load(&[url]).unwrap().unwrap().url.as_str(), "https://tuf.example/");
        assert_eq!(load(&[url, root, file]).unwrap().unwrap().root.as_deref(), Some(Path::new("root.json")));
        for (pairs, remedy) in [
            (&[root][..], "set `sigstore.tuf_url`"),
            (&[root, file], "set `sigstore.tuf_url`"),
            (&[url, file], "set `sigstore.tuf_root`"),
            (&[url, root], "set `sigstore.trusted_root`"),
            (&[("sigstore.tuf_url", "ftp://tuf.example")], "`sigstore.tuf_url`"),
        ] {
            let error = load(pairs).unwrap_err();
            assert!(error.contains(remedy), "{error}");
        }
    }
}
