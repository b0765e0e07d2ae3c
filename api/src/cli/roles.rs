//! What a deployment of several processes needs, checked before one of them starts.

use slipway_common::config::Config;

/// What about the doors keeps several processes from sharing them, if anything.
pub(super) fn obstacle(config: &Config) -> Option<String> {
    let is_one_file = config.database.expose().starts_with("sqlite:");
    let stores = [("objects", &config.objects), ("objects_private", &config.objects_private)];
    if is_one_file {
        return Some("`database` is one SQLite file, which belongs to one process: set it to a `postgres://` URL".to_owned());
    }
    stores.into_iter().find_map(|(setting, url)| {
        let what = match url.split_once(':')?.0 {
            "file" => "a directory",
            "memory" => "memory",
            _ => return None,
        };
        Some(format!("`{setting}` is {what}, which belongs to one process: set it to an `s3://`, `gs://` or `az://` URL"))
    })
}

/// Refuses to start a role whose doors other processes cannot share.
pub(super) fn check(config: &Config, role: &str) -> anyhow::Result<()> {
    let obstacle = if config.queue_is_in_process() {
        Some("`queue` is `in-process:`, so no other process hears this one: set it to an `amqp://` URL".to_owned())
    } else {
        obstacle(config)
    };
    match obstacle {
        Some(obstacle) => anyhow::bail!("`slipway {role}` is one process of several. {obstacle}, or use `slipway up`"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use slipway_common::config::{Config, Layers};

    use super::*;

    fn config(pairs: &[(&'static str, &str)]) -> Config {
        let scaled = [("database", "postgres://db/slipway"), ("objects", "s3://bucket/x"), ("queue", "amqp://broker")];
        let flags = scaled.iter().chain(pairs).map(|(key, value)| (*key, (*value).to_owned())).collect();
        Config::load(&Layers { flags, ..Layers::default() }).unwrap()
    }

    fn refusal(pairs: &[(&'static str, &str)]) -> Option<String> {
        check(&config(pairs), "worker").err().map(|error| error.to_string())
    }

    #[test]
    fn doors_that_one_process_holds_are_refused() {
        assert_eq!(refusal(&[]), None);
        assert!(refusal(&[("queue", "in-process:")]).unwrap().contains("`queue`"));
        assert!(refusal(&[("database", "sqlite:/data/registry.db")]).unwrap().contains("`postgres://`"));
        assert!(refusal(&[("objects", "file:/data/objects")]).unwrap().contains("`objects` is a directory"));
        let private = refusal(&[("objects_private", "file:/data/private")]).unwrap();
        assert_eq!(
            private,
            "`slipway worker` is one process of several. `objects_private` is a directory, which belongs to one process: \
             set it to an `s3://`, `gs://` or `az://` URL, or use `slipway up`"
        );
    }
}
