//! What a running worker does with what comes: parts of the stream, attempts that are over, times that are reached.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use farthing_ledger::PendingStatus;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::select;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, warn};

use super::attempt::{Attempts, Step, Why};
use super::decision::{PendingTransfer, Settlement};
use super::progress::{ProgressHandle, SettlementProgress};
use super::reader::{Arrived, Part};
use super::start::passes;
use super::table::{Open, Table};
use super::worker::{OnSettled, Options};
use crate::error::Error;
use crate::events::{Cursor, PASSED_MAX};

type Saving = BoxFuture<'static, (Cursor, Result<(), Error>)>;

pub(super) struct Run {
    options: Options,
    attempts: Arc<Attempts>,
    on_settled: Option<Arc<OnSettled>>,
    progress: ProgressHandle,
    table: Table,
    /// Of the part that is being taken in: pending transfers for which there was no room yet.
    arrived: VecDeque<(PendingTransfer, PendingStatus)>,
    /// The end of that part.
    arrived_until: u64,
    newest: u64,
    running: JoinSet<(Open, Step)>,
    /// With whoever saves it, while it is being saved.
    cursor: Option<Cursor>,
    saving: Option<Saving>,
    saved: u64,
    /// Something was done that is worth saving, by this time.
    save_due: Option<Instant>,
}

impl Run {
    pub(super) fn new(
        options: Options,
        attempts: Arc<Attempts>,
        on_settled: Option<Arc<OnSettled>>,
        cursor: Cursor,
        progress: ProgressHandle,
    ) -> Run {
        let saved = cursor.sequence();
        Run {
            table: Table::new(options.open_max, saved),
            options,
            attempts,
            on_settled,
            progress,
            arrived: VecDeque::new(),
            arrived_until: saved,
            newest: saved,
            running: JoinSet::new(),
            cursor: Some(cursor),
            saving: None,
            saved,
            save_due: None,
        }
    }

    /// Whether the next part is to be read: all of the last one has found room.
    pub(super) fn wants_more(&self) -> bool {
        self.arrived.is_empty()
    }

    /// A part of the stream, the next after the one before.
    pub(super) fn arrive(&mut self, part: Part) {
        self.newest = self.newest.max(part.newest_sequence);
        self.arrived_until = part.last_sequence;
        for item in part.arrived {
            match item {
                Arrived::Pending(pending, status) => self.arrived.push_back((pending, status)),
                // True of what is open whether or not there is room for what came before it.
                Arrived::Ended { pending, end } => {
                    if let Some(open) = self.table.ended(pending) {
                        self.settled(&found(open.pending, end));
                    }
                }
            }
        }
    }

    /// Everything that can be done without waiting.
    pub(super) fn prepare(&mut self) {
        while let Some((pending, status)) = self.arrived.front().copied() {
            if status != PendingStatus::Pending {
                self.settled(&found(pending, status));
                self.table.passed(pending.sequence);
            } else if self.table.has_room() {
                self.table.add(self.attempts.open(pending));
            } else {
                break;
            }
            self.arrived.pop_front();
        }
        if self.arrived.is_empty() {
            self.table.passed(self.arrived_until);
        }
        while self.running.len() < self.options.concurrency
            && let Some(open) = self.table.take()
        {
            self.running.spawn(Arc::clone(&self.attempts).attempt(open));
        }
        self.begin_save();
        self.publish();
    }

    /// Waits for something to come, and does what it asks for.
    pub(super) async fn next(&mut self) -> Result<(), Error> {
        let wake = self.table.next_due();
        // While it is being saved its time means nothing.
        let save = self.save_due.filter(|_| self.saving.is_none());
        select! {
            Some(done) = self.running.join_next() => self.came(done)?,
            () = at(wake) => self.table.wake(Instant::now()),
            (cursor, saved) = saving(&mut self.saving) => self.saved(cursor, saved)?,
            () = at(save) => {}
        }
        Ok(())
    }

    /// Waits for what is on its way, and saves the cursor.
    pub(super) async fn stop(mut self, patience: Duration) -> Result<SettlementProgress, Error> {
        let until = Instant::now() + patience;
        while let Ok(Some(done)) = timeout_at(until, self.running.join_next()).await {
            self.came(done)?;
        }
        self.running.abort_all();
        if let Some(saving) = self.saving.take() {
            let (cursor, saved) = saving.await;
            self.saved(cursor, saved)?;
        }
        let mark = self.table.low_water();
        if let Some(mut cursor) = self.cursor.take()
            && mark > self.saved
        {
            let saved = cursor.save(mark).await;
            self.saved(cursor, saved)?;
        }
        self.publish();
        Ok(self.progress.get())
    }

    /// An attempt is over.
    fn came(&mut self, done: Result<(Open, Step), JoinError>) -> Result<(), Error> {
        let (open, step) = match done {
            Ok(done) => done,
            // A mistake of ours; those of the user's code never come so far.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return Ok(()),
        };
        let sequence = open.pending.sequence;
        match step {
            Step::Settled(settlement) => {
                self.settled(&settlement);
                self.table.done(sequence);
            }
            Step::Left => {
                let mut progress = self.progress.lock();
                (progress.settled, progress.left) = (progress.settled + 1, progress.left + 1);
                progress.refused += 1;
                drop(progress);
                self.table.done(sequence);
                self.worth_saving();
            }
            Step::Wait(until, why) => {
                let mut progress = self.progress.lock();
                match why {
                    Why::PutOff => {}
                    Why::Retry => progress.retries += 1,
                    Why::Refused => progress.refused += 1,
                }
                drop(progress);
                self.table.wait(open, until);
            }
            Step::Fatal(error) => return Err(error),
        }
        Ok(())
    }

    /// Tells of an end, before the cursor may pass it.
    fn settled(&mut self, settlement: &Settlement) {
        if settlement.contradicts() {
            let id = settlement.pending.transfer.id;
            warn!(?id, decision = ?settlement.decision, end = ?settlement.end, "not settled as decided");
        }
        if let Some(tell) = &self.on_settled {
            tell(settlement);
        }
        self.progress.lock().count(settlement);
        self.worth_saving();
    }

    fn worth_saving(&mut self) {
        if self.save_due.is_none() {
            self.save_due = Instant::now().checked_add(self.options.save_interval);
        }
    }

    /// Saves are records and thereby events: in a quiet ledger there are none for their own sake.
    fn begin_save(&mut self) {
        let mark = self.table.low_water();
        let passed = mark.saturating_sub(self.saved);
        if passed == 0 {
            self.save_due = None;
            return;
        }
        let due = self.save_due.is_some_and(|due| due <= Instant::now());
        if (due || passed >= PASSED_MAX)
            && let Some(mut cursor) = self.cursor.take()
        {
            self.save_due = None;
            let save = async move {
                let saved = cursor.save(mark).await;
                (cursor, saved)
            };
            self.saving = Some(save.boxed());
        }
    }

    fn saved(&mut self, cursor: Cursor, saved: Result<(), Error>) -> Result<(), Error> {
        self.saving = None;
        match saved {
            Ok(()) => self.saved = cursor.sequence(),
            Err(error) if passes(&error) => {
                debug!(%error, "the cursor of a settlement worker was not saved");
                self.worth_saving();
            }
            Err(error) => return Err(error),
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    fn publish(&self) {
        let mut progress = self.progress.lock();
        progress.open = self.table.len() as u64;
        progress.open_most = progress.open_most.max(progress.open);
        progress.waiting = self.table.waiting() as u64;
        progress.low_water = self.table.low_water();
        progress.saved = self.saved;
        progress.newest_sequence = self.newest;
    }
}

/// An end that was found before anything was decided.
fn found(pending: PendingTransfer, end: PendingStatus) -> Settlement {
    Settlement {
        pending,
        end,
        decision: None,
        as_decided: false,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn saving(saving: &mut Option<Saving>) -> (Cursor, Result<(), Error>) {
    match saving {
        Some(saving) => saving.await,
        None => std::future::pending().await,
    }
}
