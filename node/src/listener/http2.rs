//! The limits of HTTP/2, in one place for both listeners.

use std::time::Duration;

use tonic::transport::Server;

/// Bytes of metadata of one call. Decoding ends a connection that sends much more, and refuses the call before that.
const HEADER_LIST_BYTES_MAX: u32 = 16 << 10;
/// Streams that were reset before the node took them up: more of them at once, and the connection is one that opens
/// streams only to reset them (CVE-2023-44487).
const PENDING_RESET_STREAMS_MAX: usize = 64;
/// Streams that this node had to reset for errors of the caller; more, and the connection is ended (CVE-2025-8671).
const ERROR_RESET_STREAMS_MAX: usize = 256;

/// What one connection may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes on their way to us on one stream.
    pub stream_window_bytes: u32,
    /// Bytes on their way to us on one connection.
    pub connection_window_bytes: u32,
    /// Bytes of one frame, 16 KiB or more.
    pub frame_bytes: u32,
    /// Calls and streams under way.
    pub streams_max: u32,
    /// A connection is asked for a sign of life when it has been silent for so long.
    pub keepalive_interval: Duration,
    /// Time to give one.
    pub keepalive_timeout: Duration,
}

impl Limits {
    /// A ping that comes too late finds a connection that has let bytes lie for as long.
    #[must_use]
    pub fn taken_within(&self) -> Duration {
        self.keepalive_interval + self.keepalive_timeout
    }
}

/// A server with these limits and those that are the same everywhere.
#[must_use]
pub fn server(limits: &Limits) -> Server {
    Server::builder()
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_frame_size(limits.frame_bytes)
        .http2_adaptive_window(Some(false))
        .max_concurrent_streams(limits.streams_max)
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(ERROR_RESET_STREAMS_MAX))
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
}
