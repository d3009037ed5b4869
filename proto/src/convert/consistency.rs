//! How fresh a read must be.

use crate::v1;

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Sees everything that was answered before it was sent.
    #[default]
    Linearizable,
    /// Sees at least this log index, on any node.
    MinLogIndex(u64),
    /// Sees whatever the asked node has applied.
    Stale,
}

impl From<Option<v1::Consistency>> for Consistency {
    fn from(message: Option<v1::Consistency>) -> Self {
        use v1::consistency::Level;
        match message.and_then(|message| message.level) {
            Some(Level::MinLogIndex(index)) => Consistency::MinLogIndex(index),
            Some(Level::Stale(true)) => Consistency::Stale,
            Some(Level::Stale(false) | Level::Linearizable(_)) | None => Consistency::Linearizable,
        }
    }
}

impl From<Consistency> for Option<v1::Consistency> {
    fn from(consistency: Consistency) -> Self {
        use v1::consistency::Level;
        let level = match consistency {
            Consistency::Linearizable => return None,
            Consistency::MinLogIndex(index) => Level::MinLogIndex(index),
            Consistency::Stale => Level::Stale(true),
        };
        Some(v1::Consistency { level: Some(level) })
    }
}
