//! A subscription whose progress is saved by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::cursor::{CURSOR_NAMESPACE, Cursor};
use super::kinds::{Event, EventBody};
use super::subscription::{EventBatch, Subscription};
use crate::error::Error;

/// Sequences passed without an event of the filter, after which that is worth saving.
pub(crate) const PASSED_MAX: u64 = 65_536;

/// When a cursor is saved: as soon as either is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveEvery {
    /// After so many events.
    pub events: u64,
    /// So long after the first event that was not saved.
    pub interval: Duration,
}

impl Default for SaveEvery {
    /// 10,000 events or a second.
    fn default() -> Self {
        SaveEvery {
            events: 10_000,
            interval: Duration::from_secs(1),
        }
    }
}

/// A subscription that saves in a cursor how far it is. Made by [`Subscription::save_every`].
///
/// A batch counts as handled when the next one is asked for, and is saved then or later: after a crash, events since the
/// last save come again, and none is left out. Saving writes a record, which is an event too; those of cursors are given
/// like all others, but are no reason to save.
#[derive(Debug)]
pub struct Consumer {
    events: Subscription,
    cursor: Cursor,
    every: SaveEvery,
    /// Everything up to here was given.
    given: u64,
    /// Everything up to here was handled.
    handled: u64,
    /// Events given since the last save.
    unsaved: u64,
    /// When they are to be saved.
    due: Option<Instant>,
}

impl Consumer {
    pub(super) fn new(events: Subscription, cursor: Cursor, every: SaveEvery) -> Consumer {
        let begun = events.last_sequence();
        Consumer {
            events,
            cursor,
            every,
            given: begun,
            handled: begun,
            unsaved: 0,
            due: None,
        }
    }

    /// Says that the events given before were handled, and asks for the next ones.
    ///
    /// # Errors
    /// Those of [`Subscription::next`] and of [`Cursor::save`]: with [`Error::Fenced`] another consumer goes on.
    pub async fn next(&mut self) -> Result<Option<EventBatch>, Error> {
        self.handled = self.given;
        loop {
            if self.is_due() {
                self.save().await?;
            }
            // Giving it up loses nothing.
            let next = self.events.next();
            let batch = match self.due {
                None => next.await?,
                Some(due) => tokio::select! {
                    batch = next => batch?,
                    () = sleep_until(due) => continue,
                },
            };
            let Some(batch) = batch else {
                self.save().await?;
                return Ok(None);
            };
            self.given = batch.last_sequence;
            let count = batch
                .events
                .iter()
                .filter(|event| !is_cursor(event))
                .count();
            self.unsaved += count as u64;
            if self.unsaved > 0 && self.due.is_none() {
                self.due = Instant::now().checked_add(self.every.interval);
            }
            if !batch.events.is_empty() {
                return Ok(Some(batch));
            }
            // Nobody has anything to do with it.
            self.handled = self.given;
        }
    }

    /// Says that everything given was handled, saves, and gives the cursor back.
    ///
    /// # Errors
    /// Those of [`Cursor::save`].
    pub async fn finish(mut self) -> Result<Cursor, Error> {
        self.handled = self.given;
        self.save().await?;
        Ok(self.cursor)
    }

    /// The cursor as it was saved last.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The subscription.
    #[must_use]
    pub fn events(&self) -> &Subscription {
        &self.events
    }

    /// Sequences between the last one saved and the newest that a node has told of.
    #[must_use]
    pub fn lag(&self) -> u64 {
        let newest = self.events.newest_sequence();
        newest.saturating_sub(self.cursor.sequence())
    }

    fn is_due(&self) -> bool {
        self.handled > self.cursor.sequence()
            && (self.unsaved >= self.every.events.max(1)
                || self.due.is_some_and(|due| due <= Instant::now())
                || self.handled - self.cursor.sequence() >= PASSED_MAX)
    }

    async fn save(&mut self) -> Result<(), Error> {
        // A subscription that begins before the cursor handles events again; the cursor stays where it is meanwhile.
        if self.handled > self.cursor.sequence() {
            self.cursor.save(self.handled).await?;
        }
        self.unsaved = 0;
        self.due = None;
        Ok(())
    }
}

fn is_cursor(event: &Event) -> bool {
    matches!(&event.body, EventBody::RecordWritten(record) if record.namespace == CURSOR_NAMESPACE)
}
