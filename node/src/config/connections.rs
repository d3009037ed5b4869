//! Settings of connections.

use std::time::Duration;

use super::file::FileConnections;
use super::{Error, Flags};

/// Longest that a connection may take to begin.
const PREFACE_MS_MAX: u64 = 10_000;

/// What connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Of clients, open at once.
    pub max: usize,
    /// Time to begin to speak HTTP/2, on both listeners.
    pub preface: Duration,
    /// Silence of a client after which it is asked for a sign of life.
    pub keepalive: Duration,
    /// Time a client has to give one.
    pub keepalive_timeout: Duration,
}

impl Connections {
    /// # Errors
    /// The first setting that has no sense.
    pub(super) fn load(flags: &Flags, file: &FileConnections) -> Result<Self, Error> {
        let max = flags.connections_max.or(file.max).unwrap_or(10_000);
        if max == 0 {
            return Err(Error::Invalid {
                setting: "connections.max",
                why: "a node without connections serves nobody: at least 1".into(),
            });
        }
        let preface_ms = flags.connections_preface_ms.or(file.preface_ms);
        let preface_ms = preface_ms.unwrap_or(PREFACE_MS_MAX);
        let keepalive_ms = flags.connections_keepalive_ms.or(file.keepalive_ms);
        let keepalive_timeout_ms = flags
            .connections_keepalive_timeout_ms
            .or(file.keepalive_timeout_ms);
        if preface_ms > PREFACE_MS_MAX {
            return Err(Error::Invalid {
                setting: "connections.preface_ms",
                why: format!("at most {PREFACE_MS_MAX}: it bounds what a silent crowd can hold"),
            });
        }
        let duration = |setting, ms: u64| match ms {
            0 => Err(Error::Invalid {
                setting,
                why: "at least 1 ms".into(),
            }),
            ms => Ok(Duration::from_millis(ms)),
        };
        Ok(Self {
            max,
            preface: duration("connections.preface_ms", preface_ms)?,
            keepalive: duration("connections.keepalive_ms", keepalive_ms.unwrap_or(20_000))?,
            keepalive_timeout: duration(
                "connections.keepalive_timeout_ms",
                keepalive_timeout_ms.unwrap_or(10_000),
            )?,
        })
    }
}
