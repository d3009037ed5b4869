//! How far a sink is, kept in the ledger, where the place itself cannot say it; and whose turn it is.

use std::time::{Duration, Instant};

use farthing_client::Client;
use farthing_client::events::Cursor;

use crate::delivery::Delivery;
use crate::error::Error;
use crate::source::from_client;

/// A cursor is saved after so many events, or so long after the first that was not saved.
const SAVE_EVENTS: u64 = 10_000;
const SAVE_AFTER: Duration = Duration::from_secs(1);
/// What sinks' cursors begin with, so that they do not meet those of other consumers.
const PREFIX: &str = "sink/";

/// A cursor under the sink's name. The sink that opened it last owns it: one that opened it earlier is fenced when it saves.
#[derive(Debug)]
pub(crate) struct Place {
    client: Client,
    name: String,
    cursor: Option<Cursor>,
    /// Everything up to here was delivered.
    handled: u64,
    /// Delivered since the last save, cursors not counted.
    unsaved: u64,
    due: Option<Instant>,
}

impl Place {
    pub(crate) fn new(client: &Client, name: &str) -> Place {
        Place {
            client: client.clone(),
            name: format!("{PREFIX}{name}"),
            cursor: None,
            handled: 0,
            unsaved: 0,
            due: None,
        }
    }

    /// The last sequence that was delivered; the first time, as the ledger has it, after taking the name over.
    pub(crate) async fn resume(&mut self) -> Result<u64, Error> {
        if self.cursor.is_none() {
            let mut cursor = Cursor::open(&self.client, &self.name)
                .await
                .map_err(from_client)?;
            cursor.claim(cursor.sequence()).await.map_err(from_client)?;
            self.handled = cursor.sequence();
            self.cursor = Some(cursor);
        }
        Ok(self.handled)
    }

    /// These were delivered.
    pub(crate) fn handled(&mut self, batch: &[Delivery]) {
        let Some(last) = batch.last() else {
            return;
        };
        self.handled = last.sequence;
        self.unsaved += batch.iter().filter(|event| !event.is_cursor).count() as u64;
        if self.unsaved > 0 && self.due.is_none() {
            self.due = Instant::now().checked_add(SAVE_AFTER);
        }
    }

    /// Saves when it is time. With [`Error::Fenced`] another sink owns the name.
    pub(crate) async fn save_if_due(&mut self) -> Result<(), Error> {
        let is_due = self.due.is_some_and(|due| due <= Instant::now());
        if is_due || self.unsaved >= SAVE_EVENTS {
            self.save().await?;
        }
        Ok(())
    }

    /// Saves what was delivered and was not saved.
    pub(crate) async fn save(&mut self) -> Result<(), Error> {
        if self.unsaved > 0
            && let Some(cursor) = &mut self.cursor
        {
            cursor.save(self.handled).await.map_err(from_client)?;
        }
        self.unsaved = 0;
        self.due = None;
        Ok(())
    }
}
