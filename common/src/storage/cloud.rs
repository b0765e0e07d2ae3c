//! Buckets: S3, Google Cloud Storage and Azure, with bounds on how long and how hard they are asked.
//!
//! Where a bucket is and who we are to it comes from the variables that the `object_store` crate reads (`AWS_ENDPOINT`,
//! `AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, …), because that is where operators of these clouds have it already.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::limit::LimitStore;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use url::Url;

use super::StorageError;
use super::backend::Backend;

/// Writes that a process has on the way to one bucket at a time. S3 takes 3,500 a second for a prefix, so this is about memory
/// and connections: a package of ten thousand files would have one of each for every file.
const MAX_WRITES: usize = 64;

/// The first wait before a request is tried again. A bucket that hiccups is back within a fraction of a second, and somebody
/// waits for most requests.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// Tries of one request after the first.
const RETRIES: usize = 8;
/// How long one request is tried. Shorter than a lease (30 s): a worker gives its job back before it is taken.
const RETRY_FOR: Duration = Duration::from_secs(20);

/// How long a bucket may take to accept a connection.
const CONNECT: &str = "5 seconds";
/// How long a bucket may be silent in the middle of an answer.
const SILENCE: &str = "20 seconds";
/// How long one request may take in all. Readers of large objects may be slow; what is dead is noticed by the silence.
const WHOLE: &str = "900 seconds";

/// Opens the bucket of a URL such as `s3://bucket/prefix`.
pub(super) fn open(scheme: &str, text: &str) -> Result<Backend, StorageError> {
    let url = Url::parse(text).map_err(|error| StorageError::Url(format!("`{text}` is not a URL: {error}")))?;
    let root = Path::from_url_path(url.path())
        .map_err(|error| StorageError::Url(format!("`{text}` has a prefix that no key can have: {error}")))?;
    let store: Arc<dyn ObjectStore> = match scheme {
        "s3" => {
            let mut builder = AmazonS3Builder::from_env().with_url(text).with_retry(retries());
            for (key, value) in patience() {
                builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
            }
            Arc::new(builder.build().map_err(StorageError::Backend)?)
        }
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_url(text).with_retry(retries());
            for (key, value) in patience() {
                builder = builder.with_config(GoogleConfigKey::Client(key), value);
            }
            Arc::new(builder.build().map_err(StorageError::Backend)?)
        }
        _ => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_url(text).with_retry(retries());
            for (key, value) in patience() {
                builder = builder.with_config(AzureConfigKey::Client(key), value);
            }
            Arc::new(builder.build().map_err(StorageError::Backend)?)
        }
    };
    let writes = Arc::new(LimitStore::new(Arc::clone(&store), MAX_WRITES));
    Ok(Backend::of_objects(store, writes, root))
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_WAIT, max_backoff: LONGEST_WAIT, base: 2.0 },
        max_retries: RETRIES,
        retry_timeout: RETRY_FOR,
    }
}

fn patience() -> [(ClientConfigKey, &'static str); 3] {
    [(ClientConfigKey::ConnectTimeout, CONNECT), (ClientConfigKey::ReadTimeout, SILENCE), (ClientConfigKey::Timeout, WHOLE)]
}
