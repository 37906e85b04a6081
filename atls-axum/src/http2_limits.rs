//! How much of a server one connection of HTTP/2 may take.

use atls_core::ConfigError;
use atls_core::limits::DEFAULT_STREAM_WINDOW;
use atls_core::limits::DEFAULT_STREAMS;
use atls_core::limits::DEFAULT_WINDOW;

/// How much of a server one connection of HTTP/2 may take, under [`serve`](crate::serve).
///
/// More streams let one client ask more at once; larger windows let large bodies come faster over long ways. Both cost
/// [memory](Self::connection_memory).
///
/// ```
/// # use atls_axum::{AttestedListener, Http2Limits};
/// # use atls_tower::ServerAcceptor;
/// # async fn example(acceptor: ServerAcceptor) -> std::io::Result<()> {
/// let mut http2 = Http2Limits::default();
/// http2.streams = 250;
/// let listener = AttestedListener::builder(acceptor)
///     .http2(http2)
///     .connections_within(4 * 1024 * 1024 * 1024)
///     .bind("0.0.0.0:8443")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http2Limits {
    /// Most requests at a time, 1 to 10,000; clients wait with further ones. By default [`DEFAULT_STREAMS`].
    pub streams: u32,
    /// Most bytes of request bodies that are held unread, 64 KiB to 1 GiB. By default [`DEFAULT_WINDOW`].
    pub window: u32,
    /// The same of one request, 16 KiB to [`window`](Self::window). By default [`DEFAULT_STREAM_WINDOW`].
    pub stream_window: u32,
}

impl Http2Limits {
    /// The most bytes that one connection takes under these limits, without what the application keeps: 21 MiB by default.
    /// Not of one with a tunnel in a stream (CONNECT): small pieces of its bodies are not counted.
    pub fn connection_memory(&self) -> u64 {
        let streams = u64::from(self.streams).saturating_mul(OF_STREAM);
        let window = u64::from(self.window).saturating_mul(OF_WINDOW);
        streams.saturating_add(window).saturating_add(OF_HTTP1)
    }

    /// For a client that is told one thing, and not served.
    pub(crate) const fn least() -> Self {
        Self {
            streams: 1,
            window: MIN_WINDOW,
            stream_window: MIN_STREAM_WINDOW,
        }
    }

    /// # Errors
    /// [`ConfigError::Limit`] for one that is out of its range.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        if !(1..=MAX_STREAMS).contains(&self.streams) {
            return Err(ConfigError::Limit(
                "a connection of HTTP/2 has 1 to 10,000 streams",
            ));
        }
        if !(MIN_WINDOW..=MAX_WINDOW).contains(&self.window) {
            return Err(ConfigError::Limit(
                "the window of a connection of HTTP/2 has 64 KiB to 1 GiB",
            ));
        }
        if !(MIN_STREAM_WINDOW..=self.window).contains(&self.stream_window) {
            return Err(ConfigError::Limit(
                "the window of a stream of HTTP/2 has 16 KiB, and no more than that of its connection",
            ));
        }
        Ok(self)
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams: DEFAULT_STREAMS,
            window: DEFAULT_WINDOW,
            stream_window: DEFAULT_STREAM_WINDOW,
        }
    }
}

/// Bytes of one connection of HTTP/1.1: 64 KiB that wait in each direction, a piece of 64 KiB of the answer, and TLS. Before HTTP it is no more:
/// a frame of 128 KiB, and TLS.
pub(crate) const OF_HTTP1: u64 = 256 * KIB;

/// Bytes of one stream: its head of 16 KiB, as it came and as it is read; 32 KiB of its answer that wait, and a piece of 64 KiB; 32 KiB for
/// its task and tables.
const OF_STREAM: u64 = 160 * KIB;

/// What is held unread is held in frames. Where they are small each has some 400 bytes more, and there is one for each 128 bytes of the window at
/// most.
const OF_WINDOW: u64 = 5;

const KIB: u64 = 1024;

/// No client of the web asks for as many at once.
const MAX_STREAMS: u32 = 10_000;

/// RFC 9113 §6.9.2: a connection begins with 65,535 bytes, and nothing makes that less.
const MIN_WINDOW: u32 = 64 * 1024;

const MAX_WINDOW: u32 = 1024 * 1024 * 1024;

/// One frame of the usual size.
const MIN_STREAM_WINDOW: u32 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_21_mib_unless_it_is_said() {
        let memory = Http2Limits::default().connection_memory();
        assert!((20 * 1024 * KIB..=21 * 1024 * KIB).contains(&memory));
    }

    #[test]
    fn each_limit_has_a_range() {
        let limits = |streams, window, stream_window| Http2Limits {
            streams,
            window,
            stream_window,
        };
        let (least, most) = (64 * 1024, 1024 * 1024 * 1024);
        for good in [
            limits(1, least, 16 * 1024),
            limits(10_000, most, most),
            Http2Limits::default(),
        ] {
            assert_eq!(good.checked(), Ok(good));
        }
        for wrong in [
            limits(0, least, least),
            limits(10_001, least, least),
            limits(u32::MAX, least, least),
            limits(1, least - 1, least - 1),
            limits(1, most + 1, most),
            limits(1, least, 16 * 1024 - 1),
            limits(1, least, least + 1),
        ] {
            assert!(matches!(wrong.checked(), Err(ConfigError::Limit(_))));
        }
    }
}
