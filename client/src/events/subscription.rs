//! Events, read.

use std::collections::VecDeque;

use futures::stream::{self, Stream};

use super::consumer::{Consumer, SaveEvery};
use super::cursor::Cursor;
use super::feed::Feed;
use super::kinds::Event;
use super::read;
use crate::error::Error;

/// A part of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBatch {
    /// In order. With a filter there may be none: then none matched up to `last_sequence`.
    pub events: Vec<Event>,
    /// Everything up to here was given or did not match.
    pub last_sequence: u64,
    /// The last sequence that a node has told of.
    pub newest_sequence: u64,
}

/// Events in order, first those there are, then those that come, from whichever node serves them. Made by
/// [`Client::events`](crate::Client::events).
///
/// What it holds is bounded: when it is not asked, the node waits. Giving up a call before it is answered loses nothing.
/// After an error it may be asked again and goes on after the last event that it gave.
pub struct Subscription {
    feed: Feed,
    /// Of a part whose first events were given one by one.
    ready: VecDeque<Event>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Subscription")
            .field("endpoint", &self.endpoint())
            .field("last_sequence", &self.last_sequence())
            .field("newest_sequence", &self.newest_sequence())
            .finish_non_exhaustive()
    }
}

impl Subscription {
    pub(super) fn new(feed: Feed) -> Subscription {
        Subscription {
            feed,
            ready: VecDeque::new(),
        }
    }

    /// The next events: those that are there, or the next ones to come; `None` after the last one asked for.
    ///
    /// # Errors
    /// [`Error::BrokenStream`] when a node leaves events out or repeats them, [`Error::NotReachable`] and the like when
    /// no node serves the stream within the patience, [`Error::InvalidRequest`] for a filter that is none.
    pub async fn next(&mut self) -> Result<Option<EventBatch>, Error> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Some(self.batch()));
            }
            let before = self.feed.position();
            let Some(events) = self.feed.next(|_, reply| read::events(reply)).await? else {
                return Ok(None);
            };
            self.ready.extend(events);
            if self.ready.is_empty() && self.feed.position() > before {
                return Ok(Some(self.batch()));
            }
        }
    }

    /// The next event; `None` after the last one asked for.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    pub async fn next_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(batch) = self.next().await? else {
                return Ok(None);
            };
            self.ready.extend(batch.events);
        }
    }

    /// The events one by one, up to the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Event, Error>> + Send {
        stream::try_unfold(self, |mut events| async move {
            Ok(events.next_event().await?.map(|event| (event, events)))
        })
    }

    /// Saves how far this consumer is, in a cursor and by itself.
    pub fn save_every(self, cursor: Cursor, every: SaveEvery) -> Consumer {
        Consumer::new(self, cursor, every)
    }

    /// Everything up to here was given or did not match.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        match self.ready.front() {
            Some(next) => next.sequence.saturating_sub(1),
            None => self.feed.position(),
        }
    }

    /// The last sequence that a node has told of; 0 before the first answer.
    #[must_use]
    pub fn newest_sequence(&self) -> u64 {
        self.feed.newest()
    }

    /// Sequences between the last one given and the newest.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.newest_sequence().saturating_sub(self.last_sequence())
    }

    /// The node that serves the stream now.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.feed.address()
    }

    fn batch(&mut self) -> EventBatch {
        EventBatch {
            events: self.ready.drain(..).collect(),
            last_sequence: self.feed.position(),
            newest_sequence: self.feed.newest(),
        }
    }
}
