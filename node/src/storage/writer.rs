//! The way of an entry into the state. Owned by the one apply thread.
//!
//! `prefetch` gathers what `apply` will ask for; `push` takes what it changed into the window and publishes the new
//! cut. A full window is sealed and handed to the run writer. At most two sealed windows may wait to be written; then
//! `push` waits too, and with it the apply thread: memory stays bounded, and admission sees the gauge.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use farthing_ledger::{Changes, EntryReader};

use super::accounts::{AccountCache, Memo};
use super::error::Error;
use super::prefetch::{self, Prefetched, Sources};
use super::recent::{Place, Recent, queue_place};
use super::run::{Job, Sealed};
use super::shared::{Shared, lock};
use super::snapshot::{self, Manifest, SealTicket};
use super::window::chunk::Chunk;
use super::window::{KeyHash, Window, index};
use super::{AppliedState, LogId};

/// Sealed windows that may wait for the run writer.
const SEALED_WINDOWS_MAX: usize = 2;
/// Every so many entries the digest is kept, so that nodes find an index they can compare.
pub const DIGEST_INTERVAL: u64 = 1_024;
/// Entries in a window: below what its index can tell apart.
const WINDOW_ENTRIES_MAX: usize = index::CHUNKS_MAX - 1;

/// See the module.
pub struct Writer {
    shared: Arc<Shared>,
    accounts: AccountCache,
    applied: AppliedState,
    active: Arc<Window>,
    /// The state before the active window's first entry.
    began: AppliedState,
    began_at: Instant,
    recents: Vec<Recent>,
    queue_floor: Place,
    transfers_max: usize,
    bytes_max: usize,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let published = shared.published();
        let active = Arc::new(Window::new(1, shared.hash, None));
        let mut writer = Self {
            accounts: AccountCache::new(shared.config.accounts_in_memory_max, shared.hash.seed()),
            applied: published.applied.clone(),
            began: published.applied.clone(),
            began_at: Instant::now(),
            recents: vec![Recent::new(active.number)],
            queue_floor: (0, 0),
            transfers_max: 0,
            bytes_max: 0,
            active,
            shared,
        };
        writer.choose_limits();
        writer.publish_active();
        writer
    }

    /// What is applied. After [`super::Storage::open`] that is the commit record: apply the log from the next entry.
    pub fn applied(&self) -> &AppliedState {
        &self.applied
    }

    /// Gathers everything that applying `entry` will ask for. The state is the one after the last push.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn prefetch(&mut self, entry: &EntryReader<'_>) -> Result<Prefetched<'_>, Error> {
        let published = self.shared.published();
        self.forget_committed(
            published
                .windows
                .first()
                .map_or(self.active.number, |(window, _)| window.number),
        );
        let lookup = published.lookup(self.shared.hash);
        let sources = Sources {
            lookup: &lookup,
            database: &published.database,
            recents: &self.recents,
            clock: self.applied.clock,
            queue_floor: &mut self.queue_floor,
        };
        prefetch::prefetch(sources, &mut self.accounts, entry)
    }

    /// Takes what an entry changed. Readers see it when this returns; it is durable with the commit of its run.
    /// Waits while two sealed windows are unwritten.
    ///
    /// # Errors
    /// When the run writer gave up, or the changes do not follow the last entry. The node must stop.
    pub fn push(
        &mut self,
        log_id: LogId,
        changes: &Changes,
        membership: Option<Bytes>,
    ) -> Result<(), Error> {
        self.check_order(log_id)?;
        let mut digest = self.applied.digest;
        let ids = changes.accounts.iter().map(|change| change.after.id);
        let mut memos: Vec<Memo> = ids.map(|id| self.accounts.memo(id)).collect();
        let chunk = Chunk::encode(log_id.index, changes, &mut digest, &mut memos)?;
        for place in changes
            .pendings
            .iter()
            .filter_map(|change| queue_place(&change.after))
        {
            self.queue_floor = self.queue_floor.min(place);
        }
        if let Some(recent) = self.recents.last_mut() {
            recent.absorb(changes, self.active.chunk_count());
        }
        let ids = changes.transfers.iter().map(|row| row.transfer.id.0);
        let ids = ids.chain(changes.refused.iter().map(|id| id.0));
        self.active.push(chunk, ids, &mut memos)?;
        for (change, memo) in changes.accounts.iter().zip(memos) {
            self.accounts.put(change.after, memo);
        }
        if diverges() {
            digest.add(1);
        }
        self.applied.digest = digest;
        self.applied.clock = changes.clock_after;
        self.advance(log_id, membership)
    }

    /// Takes an entry without changes: a blank one, or a membership.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub fn push_empty(&mut self, log_id: LogId, membership: Option<Bytes>) -> Result<(), Error> {
        self.check_order(log_id)?;
        self.advance(log_id, membership)
    }

    fn check_order(&self, log_id: LogId) -> Result<(), Error> {
        let expected = self.applied.log_id.map(|id| id.index + 1);
        if expected.is_some_and(|expected| expected != log_id.index) {
            return Err(Error::Broken(format!(
                "entry {} was pushed where {expected:?} belongs",
                log_id.index
            )));
        }
        Ok(())
    }

    fn advance(&mut self, log_id: LogId, membership: Option<Bytes>) -> Result<(), Error> {
        self.applied.log_id = Some(log_id);
        if let Some(membership) = membership {
            self.applied.membership = Some((log_id, membership));
        }
        lock(&self.shared.digests).push(log_id, self.applied.comparable_digest());
        self.publish_active();
        let recent_bytes = self.recents.last().map_or(0, Recent::memory_bytes);
        let full = self.active.transfer_count() >= self.transfers_max
            || self.active.memory_bytes() + recent_bytes >= self.bytes_max
            || self.active.chunk_count() >= WINDOW_ENTRIES_MAX;
        if full && !self.may_grow() {
            self.seal_window()
        } else {
            self.tick()
        }
    }

    /// While runs wait for room on the disk, waiting with them would keep readers from what is committed already. The
    /// door lets nothing in then, so that what can still come is little; it is bounded here all the same.
    fn may_grow(&self) -> bool {
        self.shared
            .counters
            .waiting_for_space
            .load(Ordering::Relaxed)
            && lock(&self.shared.queue).unwritten >= SEALED_WINDOWS_MAX
            && self.active.chunk_count() < WINDOW_ENTRIES_MAX
            && self.active.memory_bytes() < 2 * self.shared.config.run_bytes_max
    }

    /// Seals a window that has become old. Call it now and then when no entries come, about once a second.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub fn tick(&mut self) -> Result<(), Error> {
        if self.began_at.elapsed() < self.shared.config.run_interval {
            return self.shared.check();
        }
        if self.applied.log_id == self.began.log_id {
            self.began_at = Instant::now();
            return self.shared.check();
        }
        if lock(&self.shared.queue).unwritten >= SEALED_WINDOWS_MAX {
            // Runs wait, for room on the disk perhaps. Age alone is no reason to wait with them: entries that the
            // window still has room for, and the reads behind them, go on.
            return self.shared.check();
        }
        self.seal_window()
    }

    /// Seals the window for a snapshot at exactly what is applied now. [`super::Handle::build_checkpoint`] waits for
    /// its run; a ticket that is dropped costs nothing but the run.
    ///
    /// # Errors
    /// As [`Writer::push`], and when nothing was applied yet.
    pub fn seal(&mut self) -> Result<SealTicket, Error> {
        if self.applied.log_id.is_none() {
            return Err(Error::Broken("a snapshot of nothing".into()));
        }
        if self.applied.log_id != self.began.log_id {
            self.seal_window()?;
        }
        let ticket = SealTicket::new(self.applied.clone());
        let mut queue = lock(&self.shared.queue);
        queue.jobs.push_back(Job::Checkpoint(ticket.clone()));
        self.shared.queue_changed.notify_all();
        Ok(ticket)
    }

    /// Hands the active window to the run writer and begins a new one; waits for room before.
    fn seal_window(&mut self) -> Result<(), Error> {
        let began_waiting = Instant::now();
        let filled_in = self.began_at.elapsed();
        let mut waited = false;
        let counters = &self.shared.counters;
        self.shared.wait(|queue| {
            let room = queue.unwritten < SEALED_WINDOWS_MAX;
            if !room && !waited {
                waited = true;
                counters.apply_waits.fetch_add(1, Ordering::Relaxed);
            }
            if room {
                queue.unwritten += 1;
                let window = Arc::clone(&self.active);
                let sealed = Sealed {
                    window,
                    began: self.began.clone(),
                    end: self.applied.clone(),
                    filled_in,
                };
                queue.jobs.push_back(Job::Run(Box::new(sealed)));
            }
            room
        })?;
        self.shared.queue_changed.notify_all();
        if waited {
            let waited_us = began_waiting.elapsed().as_micros() as u64;
            counters
                .apply_wait_us
                .fetch_add(waited_us, Ordering::Relaxed);
        }
        self.begin_window();
        Ok(())
    }

    fn begin_window(&mut self) {
        let next = Window::new(self.active.number + 1, self.shared.hash, Some(&self.active));
        self.active = Arc::new(next);
        self.began = self.applied.clone();
        self.began_at = Instant::now();
        self.recents.push(Recent::new(self.active.number));
        self.choose_limits();
        self.publish_active();
    }

    /// Makes the cut after the last entry the one that readers get.
    fn publish_active(&self) {
        let count = self.active.chunk_count();
        self.shared.publish(|published| {
            published.applied = self.applied.clone();
            match published.windows.last_mut() {
                Some((window, chunk_count)) if window.number == self.active.number => {
                    *chunk_count = count
                }
                _ => published.windows.push((Arc::clone(&self.active), count)),
            }
        });
        let counters = &self.shared.counters;
        counters
            .next_due
            .store(self.queue_floor.0, Ordering::Relaxed);
        counters
            .cached_accounts
            .store(self.accounts.len() as u64, Ordering::Relaxed);
    }

    /// Windows are sealed at 75 to 100 percent of the limits, another part on every node and every time, so that the
    /// nodes of a cluster do not write their runs at the same moment.
    fn choose_limits(&mut self) {
        let config = &self.shared.config;
        let seed = KeyHash::fixed(config.node_id).id(u128::from(self.active.number));
        let part = |limit: usize| limit - (limit / 4) * (seed % 256) as usize / 256;
        self.transfers_max = part(config.run_transfers_max).max(1);
        self.bytes_max = part(config.run_bytes_max).max(1 << 16);
    }

    fn forget_committed(&mut self, oldest: u64) {
        self.recents.retain(|recent| recent.number >= oldest);
    }

    /// Replaces the whole state by a received snapshot: cancels the run writer, drops the windows, and switches to a
    /// new generation. When this fails before the switch, the old state is untouched, but windows that were not
    /// committed are still there.
    ///
    /// # Errors
    /// When the snapshot is not what its manifest says, or the disk refuses.
    pub fn install(&mut self, incoming: PathBuf, manifest: &Manifest) -> Result<(), Error> {
        let applied = snapshot::install(&self.shared, &incoming, manifest)?;
        self.applied = applied;
        self.began = self.applied.clone();
        self.began_at = Instant::now();
        self.active = Arc::new(Window::new(self.active.number + 1, self.shared.hash, None));
        self.recents = vec![Recent::new(self.active.number)];
        self.queue_floor = (0, 0);
        self.accounts = AccountCache::new(
            self.shared.config.accounts_in_memory_max,
            self.shared.hash.seed(),
        );
        lock(&self.shared.digests).clear();
        self.choose_limits();
        self.publish_active();
        Ok(())
    }
}

/// A named point where a test makes this node's state another than its peers'.
fn diverges() -> bool {
    fail::fail_point!("storage.push.diverge", |_| true);
    false
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nothing can follow any more. What is not committed is in the log.
        self.shared.stop();
    }
}
