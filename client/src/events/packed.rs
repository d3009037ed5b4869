//! Events as the bytes that are hashed.

use bytes::Bytes;

use super::feed::Feed;
use crate::error::Error;

/// A part of the stream, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBatch {
    bytes: Bytes,
    /// Everything up to here was given or did not match.
    pub last_sequence: u64,
    /// The last sequence that a node has told of.
    pub newest_sequence: u64,
}

impl PackedBatch {
    /// The bytes of each event, in order: those of which its leaf in the tree is made. The format is in
    /// `docs/internals/disk.md`; its first eight bytes are the sequence, little-endian.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        // Checked when it was received.
        changes(&self.bytes).flatten()
    }

    /// All of them as they came: each with its length before it, u32 little-endian.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether there are none: then none matched up to `last_sequence`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Like [`Subscription`](super::Subscription), without reading what it is sent beyond sequences. Made by
/// [`Client::packed_events`](crate::Client::packed_events).
pub struct PackedSubscription {
    feed: Feed,
}

impl std::fmt::Debug for PackedSubscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PackedSubscription")
            .field("endpoint", &self.endpoint())
            .field("last_sequence", &self.last_sequence())
            .finish_non_exhaustive()
    }
}

impl PackedSubscription {
    pub(super) fn new(feed: Feed) -> PackedSubscription {
        PackedSubscription { feed }
    }

    /// The next events; `None` after the last one asked for.
    ///
    /// # Errors
    /// As [`Subscription::next`](super::Subscription::next).
    pub async fn next(&mut self) -> Result<Option<PackedBatch>, Error> {
        loop {
            let before = self.feed.position();
            let Some(bytes) = self.feed.next(|_, reply| Ok(reply.packed)).await? else {
                return Ok(None);
            };
            if self.feed.position() > before {
                return Ok(Some(PackedBatch {
                    bytes,
                    last_sequence: self.feed.position(),
                    newest_sequence: self.feed.newest(),
                }));
            }
        }
    }

    /// Everything up to here was given or did not match.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.feed.position()
    }

    /// The last sequence that a node has told of; 0 before the first answer.
    #[must_use]
    pub fn newest_sequence(&self) -> u64 {
        self.feed.newest()
    }

    /// The node that serves the stream now.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.feed.address()
    }
}

/// The parts of bytes in which each has its length before it; ends with `None` where they are cut.
pub(super) fn changes(bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
        let split = bytes.split_first_chunk().and_then(|(length, bytes)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            bytes.split_at_checked(length)
        });
        rest = split.map(|(_, rest)| rest);
        Some(split.map(|(change, _)| change))
    })
}
