//! Where the broker is, and as whom to go there. Never printed: there is a password in it.

use std::fmt;

use lapin::uri::AMQPUri;
use url::Url;

use crate::queue::QueueError;

/// How often both sides say that they live, in seconds. A connection that is silent for twice as long is given up, which is how a
/// broker is missed whose machine went away without a word. The broker's own proposal is a minute.
const HEARTBEAT: u16 = 10;
/// The largest frame, in bytes. A message here has 36 bytes; the client keeps 64 frames of buffer for each connection, which is 8 MiB
/// at the size that brokers propose. Brokers refuse less than this.
const FRAME: u32 = 8_192;

/// A broker's address with what it takes to get in.
#[derive(Clone)]
pub(super) struct Address(AMQPUri);

impl Address {
    /// Reads a URL as `RabbitMQ` defines it. The path is the virtual host, none or `/` is the default one; a slash in its name is
    /// written `%2F`.
    pub(super) fn parse(text: &str) -> Result<Self, QueueError> {
        // What the parsers say may quote the text, so it is not passed on.
        let unreadable = || {
            QueueError::Url(
                "the queue's URL cannot be read: it is `amqp://user:password@host:5672/vhost`, with special characters of each part \
                 percent-encoded (`/` as `%2F`)"
                    .into(),
            )
        };
        let url = Url::parse(text).map_err(|_| unreadable())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(unreadable)?;
        let mut uri: AMQPUri = text.parse().map_err(|_| unreadable())?;
        // The client takes an IPv6 address for no host at all.
        host.trim_start_matches('[').trim_end_matches(']').clone_into(&mut uri.authority.host);
        if uri.vhost.is_empty() {
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        uri.query.frame_max.get_or_insert(FRAME);
        Ok(Self(uri))
    }

    /// The address, for the client.
    pub(super) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.0.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rabbitmq_documents() {
        let read = |text| Address::parse(text).unwrap().uri();
        let full = read("amqps://ada:s%2Fecret@broker.example:5673/registry?heartbeat=30");
        assert_eq!((full.authority.host.as_str(), full.authority.port, full.vhost.as_str()), ("broker.example", 5673, "registry"));
        assert_eq!((full.authority.userinfo.password.as_str(), full.query.heartbeat), ("s/ecret", Some(30)));
        let bare = read("amqp://[::1]");
        assert_eq!((bare.authority.host.as_str(), bare.authority.port, bare.vhost.as_str()), ("::1", 5672, "/"));
        assert_eq!((bare.query.heartbeat, bare.query.frame_max), (Some(HEARTBEAT), Some(FRAME)));
        assert_eq!(read("amqp://host/").vhost, "/");
        assert_eq!(read("amqp://host/%2fteam").vhost, "/team");
    }

    #[test]
    fn says_nothing_secret() {
        for text in
            ["amqp://ada:secret", "amqp:secret", "amqp:///secret", "amqp://ada:sec/secret@host", "amqp://ada:secret@host?heartbeat=secret"]
        {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let address = Address::parse("amqp://ada:secret@host/vhost").unwrap();
        assert_eq!(format!("{address:?}"), "amqp:…");
    }
}
