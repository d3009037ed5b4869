//! A sealed window becomes a run. Immutable rows go in first, family by family; then everything mutable and the
//! commit record enter `current` by one manifest edit, the commit point. A crash anywhere before it leaves rows that
//! do not exist (their log index is above the commit record's) and that the replay overwrites with the same bytes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use farthing_ledger::{EventBody, PendingStatus};

use super::super::database::Database;
use super::super::error::{Error, step};
use super::super::id_ranges::IdRanges;
use super::super::recent::queue_place;
use super::super::rows::ids::Place;
use super::super::rows::transfers::row_id;
use super::super::rows::{account_times, commit, current, events, family, merkle};
use super::super::shared::Shared;
use super::super::window::WindowView;
use super::Sealed;
use super::file::{Pace, RunFile, ingest};
use super::{history, user_data};

/// Files of families in log order, which never overlap, are cut at this size, so that each is synced soon.
const ORDERED_FILE_BYTES: usize = 32 << 20;

/// A place in the expiry queue, as its key, and the id that is there from now on.
type QueueChange = ([u8; 17], Option<u128>);

/// What a run is written from and to.
pub(super) struct Run<'a> {
    pub(super) shared: &'a Shared,
    pub(super) database: Arc<Database>,
    pub(super) sealed: &'a Sealed,
    /// The whole window.
    pub(super) view: WindowView,
    pub(super) pace: Pace<'a>,
}

/// Writes and commits a run.
pub(super) fn write(shared: &Shared, sealed: &Sealed) -> Result<(), Error> {
    let published = shared.published();
    let view = sealed.window.view(sealed.window.chunk_count());
    let pace = Pace::new(shared, sealed);
    let mut run = Run {
        shared,
        database: Arc::clone(&published.database),
        sealed,
        view,
        pace,
    };
    wait_for_log(&run)?;
    wait_for_compaction(&run)?;
    wait_for_space(&run)?;
    let began = Instant::now();
    step("storage.run.begin")?;
    run.transfers()?;
    step("storage.run.transfers")?;
    let id_ranges = run.ids(&published.id_ranges)?;
    step("storage.run.ids")?;
    history::write(&mut run)?;
    step("storage.run.history")?;
    user_data::write(&mut run)?;
    step("storage.run.user_data")?;
    run.events()?;
    step("storage.run.events")?;
    run.account_times()?;
    step("storage.run.account_times")?;
    run.merkle(published.generation)?;
    step("storage.run.merkle")?;
    run.current(&id_ranges)?;
    step("storage.run.committed")?;

    let committed = sealed.end.log_id;
    shared.publish(|published| {
        published
            .windows
            .retain(|(window, _)| window.number > sealed.window.number);
        published.committed = committed;
        published.id_ranges = Arc::new(id_ranges);
    });
    shared.tree.forget(sealed.end.clock.sequence);
    let counters = &shared.counters;
    counters.runs.fetch_add(1, Ordering::Relaxed);
    counters
        .run_us
        .fetch_add(began.elapsed().as_micros() as u64, Ordering::Relaxed);
    counters
        .run_bytes
        .fetch_add(run.pace.bytes(), Ordering::Relaxed);
    Ok(())
}

/// State is never ahead of the node's own log.
fn wait_for_log(run: &Run<'_>) -> Result<(), Error> {
    while !run
        .shared
        .durable
        .wait_durable(run.sealed.end.index(), Duration::from_millis(50))
    {
        run.pace.check()?;
    }
    Ok(())
}

/// Compaction shall keep up: every file of the first level is one more place to look for a row.
fn wait_for_compaction(run: &Run<'_>) -> Result<(), Error> {
    while run.database.first_level_files()? >= run.shared.config.first_level_files_max {
        run.pace.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The disk shall hold the run, and what a compaction makes of it, before anything is written.
fn wait_for_space(run: &Run<'_>) -> Result<(), Error> {
    let needed = run.shared.config.free_bytes_min + 3 * run.sealed.window.memory_bytes() as u64;
    let waiting = &run.shared.counters.waiting_for_space;
    while run.shared.free_bytes()? < needed {
        if !waiting.swap(true, Ordering::Relaxed) {
            tracing::error!(
                needed,
                "the disk is nearly full: runs wait, and applying with them"
            );
        }
        run.pace.check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    waiting.store(false, Ordering::Relaxed);
    Ok(())
}

impl Run<'_> {
    /// Where the files of a family are written.
    pub(super) fn path(&self, family: &'static str) -> impl Fn(usize) -> PathBuf + use<> {
        let dir = self.shared.layout.runs();
        let number = self.sealed.window.number;
        move |part| dir.join(format!("{number:08}-{family}-{part}.sst"))
    }

    fn transfers(&mut self) -> Result<(), Error> {
        let options = self.shared.resources.family(family::TRANSFERS);
        let mut file = RunFile::new(&options, ORDERED_FILE_BYTES, self.path(family::TRANSFERS));
        for (first_sequence, block) in self.view.chunks().flat_map(|chunk| chunk.blocks()) {
            file.put(&first_sequence.to_be_bytes(), block, &mut self.pace)?;
        }
        let files = file.finish()?;
        step("storage.run.transfers.written")?;
        ingest(&self.database, family::TRANSFERS, &files)
    }

    /// Returns the id ranges with this run's.
    fn ids(&mut self, ranges: &IdRanges) -> Result<IdRanges, Error> {
        let mut ids: Vec<(u128, Place)> = Vec::with_capacity(self.sealed.window.id_count());
        for chunk in self.view.chunks() {
            let log_index = chunk.log_index;
            ids.extend(chunk.transfers().map(|(sequence, offset, row)| {
                (
                    row_id(&row),
                    Place {
                        log_index,
                        sequence,
                        offset,
                    },
                )
            }));
            ids.extend(chunk.refused().iter().map(|&id| {
                (
                    id,
                    Place {
                        log_index,
                        sequence: 0,
                        offset: 0,
                    },
                )
            }));
        }
        // Time-ordered ids are sorted already, which the sort notices.
        ids.sort_unstable_by_key(|&(id, _)| id);
        let options = self.shared.resources.family(family::IDS);
        let mut file = RunFile::new(&options, usize::MAX, self.path(family::IDS));
        for (id, place) in &ids {
            if crate::planted::is("id-row-lost") && id.is_multiple_of(16)
                || crate::planted::is("refused-id-row-lost") && place.sequence == 0
            {
                continue;
            }
            file.put(&id.to_be_bytes(), &place.to_bytes(), &mut self.pace)?;
        }
        let files = file.finish()?;
        step("storage.run.ids.written")?;
        ingest(&self.database, family::IDS, &files)?;
        Ok(ranges.with_run(
            ids.iter().map(|&(id, _)| id),
            self.shared.config.id_ranges_max,
        ))
    }

    fn events(&mut self) -> Result<(), Error> {
        let options = self.shared.resources.family(family::EVENTS);
        let mut file = RunFile::new(&options, ORDERED_FILE_BYTES, self.path(family::EVENTS));
        for (sequence, value) in self.view.chunks().flat_map(|chunk| chunk.events()) {
            file.put(&sequence.to_be_bytes(), value, &mut self.pace)?;
        }
        let files = file.finish()?;
        step("storage.run.events.written")?;
        ingest(&self.database, family::EVENTS, &files)
    }

    fn account_times(&mut self) -> Result<(), Error> {
        let options = self.shared.resources.family(family::ACCOUNT_TIMES);
        let mut file = RunFile::new(
            &options,
            ORDERED_FILE_BYTES,
            self.path(family::ACCOUNT_TIMES),
        );
        for chunk in self.view.chunks() {
            for (sequence, value) in chunk.events() {
                let event = events::read_value(sequence, value);
                let event = event.ok_or_else(|| {
                    Error::Broken(format!("event {sequence} cannot be read back"))
                })?;
                if let EventBody::AccountCreated(account) = event.body {
                    let value = account_times::value(chunk.log_index, account.id.0, sequence);
                    file.put(&account.timestamp.to_be_bytes(), &value, &mut self.pace)?;
                }
            }
        }
        let files = file.finish()?;
        step("storage.run.account_times.written")?;
        ingest(&self.database, family::ACCOUNT_TIMES, &files)
    }

    /// What is complete of the tree, which may have to catch up first.
    fn merkle(&mut self, generation: u32) -> Result<(), Error> {
        let last = self.sealed.end.clock.sequence;
        let go_on = || self.pace.check();
        let complete = self.shared.tree.complete(generation, last, go_on)?;
        let options = self.shared.resources.family(family::MERKLE);
        let mut file = RunFile::new(&options, usize::MAX, self.path(family::MERKLE));
        for subtree in complete {
            let key = merkle::key(subtree.level, subtree.index);
            let value = merkle::value(subtree.log_index, &subtree.hash);
            file.put(&key, &value, &mut self.pace)?;
        }
        let files = file.finish()?;
        step("storage.run.merkle.written")?;
        ingest(&self.database, family::MERKLE, &files)
    }

    /// Every mutable row and the commit record, in one file and one manifest edit.
    fn current(&mut self, id_ranges: &IdRanges) -> Result<(), Error> {
        let rows = self.view.rows();
        let queue = self.queue(&rows)?;
        let commit = commit::to_bytes(&self.sealed.end)?;
        let options = self.shared.resources.family(family::CURRENT);
        let mut file = RunFile::new(&options, usize::MAX, self.path(family::CURRENT));
        let pace = &mut self.pace;
        file.put(&[current::TAG_COMMIT], &commit, pace)?;
        file.put(&[current::TAG_ID_RANGES], &id_ranges.to_bytes(), pace)?;
        let queue_at = rows.partition_point(|(key, _)| key.first() < Some(&current::TAG_DUE));
        for (key, value) in &rows[..queue_at] {
            file.put(key, value, pace)?;
        }
        for (key, id) in queue {
            match id {
                Some(id) => file.put(&key, &id.to_le_bytes(), pace)?,
                None => file.delete(&key, pace)?,
            }
        }
        for (key, value) in &rows[queue_at..] {
            file.put(key, value, pace)?;
        }
        let files = file.finish()?;
        step("storage.run.current.written")?;
        pace.check()?;
        ingest(&self.database, family::CURRENT, &files)
    }

    /// What the run changes in the expiry queue, by place: ids that enter it, and places that leave it.
    fn queue(&self, rows: &[(&[u8], &[u8])]) -> Result<Vec<QueueChange>, Error> {
        let mut queue = vec![];
        for (_, value) in rows
            .iter()
            .filter(|(key, _)| key.first() == Some(&current::TAG_PENDING))
        {
            let pending = current::read_pending(value);
            let pending =
                pending.ok_or_else(|| Error::Broken("a pending row cannot be read back".into()))?;
            let Some((expires_at, timestamp)) = queue_place(&pending) else {
                continue;
            };
            let key = current::due_key(expires_at, timestamp);
            if pending.status == PendingStatus::Pending {
                queue.push((key, Some(pending.transfer.id.0)));
            } else if pending.sequence <= self.sealed.began.clock.sequence {
                // Younger ones never were on disk.
                queue.push((key, None));
            }
        }
        queue.sort_unstable_by_key(|&(key, _)| key);
        Ok(queue)
    }
}
