//! What the apply thread, the run writer and all readers share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::config::Config;
use super::damage::Met;
use super::database::Database;
use super::digest_rings::DigestRings;
use super::error::Error;
use super::families::Resources;
use super::files;
use super::generation::Layout;
use super::id_ranges::IdRanges;
use super::lookup::Lookup;
use super::run::Job;
use super::snapshot::Checkpoint;
use super::tree::Tree;
use super::window::{KeyHash, Window};
use super::{AppliedState, LogId};

/// A lock whose holder cannot leave it half changed: a panic elsewhere is no reason to stop here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Storage follows the node's own log: no step of a run starts before the log is durable past its last entry, so
/// that state is never ahead of the log.
pub trait DurableLog: Send + Sync {
    /// Waits at most `timeout` until the entry at `index` is durable in the node's own log; true when it is.
    fn wait_durable(&self, index: u64, timeout: Duration) -> bool;
}

/// One cut of the state, as published after every entry and every commit.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) database: Arc<Database>,
    pub(crate) generation: u32,
    /// Windows that are not committed, oldest first, and how many chunks of each belong to the cut.
    pub(crate) windows: Vec<(Arc<Window>, usize)>,
    pub(crate) applied: AppliedState,
    /// What a restart would begin with.
    pub(crate) committed: Option<LogId>,
    pub(crate) id_ranges: Arc<IdRanges>,
}

impl Published {
    pub(crate) fn lookup(&self, hash: KeyHash) -> Lookup {
        Lookup {
            windows: self
                .windows
                .iter()
                .map(|(window, chunk_count)| {
                    let missed = usize::from(crate::planted::is("newest-not-read"));
                    window.view(chunk_count.saturating_sub(missed))
                })
                .collect(),
            hash,
            index: self.applied.index(),
            id_ranges: Arc::clone(&self.id_ranges),
        }
    }
}

/// Work for the run writer.
pub(crate) struct Queue {
    pub(crate) jobs: VecDeque<Job>,
    /// Sealed windows whose run is not committed, the one being written included.
    pub(crate) unwritten: usize,
    /// True while a job is being done.
    pub(crate) busy: bool,
    pub(crate) stopping: bool,
    /// Why the run writer gave up.
    pub(crate) failure: Option<String>,
}

/// See the module.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) layout: Layout,
    pub(crate) resources: Resources,
    pub(crate) durable: Arc<dyn DurableLog>,
    pub(crate) hash: KeyHash,
    published: ArcSwap<Published>,
    publishing: Mutex<()>,
    pub(crate) queue: Mutex<Queue>,
    /// Told of every change of the queue.
    pub(crate) queue_changed: Condvar,
    /// Counts up to cancel what the run writer is doing.
    cancellations: AtomicU64,
    pub(crate) checkpoint: Mutex<Option<Arc<Checkpoint>>>,
    /// Held while a snapshot is made of a checkpoint, which takes as long as reading new files.
    pub(crate) building: Mutex<()>,
    pub(crate) digests: Mutex<DigestRings>,
    pub(crate) counters: Counters,
    pub(crate) damage: Met,
    pub(crate) tree: Tree,
}

/// Plain numbers for gauges.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) apply_waits: AtomicU64,
    pub(crate) apply_wait_us: AtomicU64,
    pub(crate) runs: AtomicU64,
    pub(crate) run_us: AtomicU64,
    pub(crate) run_bytes: AtomicU64,
    pub(crate) waiting_for_space: AtomicBool,
    pub(crate) cached_accounts: AtomicU64,
    /// A lower bound of the next expiry, ns; `u64::MAX` when nothing is pending with a timeout.
    pub(crate) next_due: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        layout: Layout,
        resources: Resources,
        durable: Arc<dyn DurableLog>,
        published: Published,
    ) -> Self {
        let queue = Queue {
            jobs: VecDeque::new(),
            unwritten: 0,
            busy: false,
            stopping: false,
            failure: None,
        };
        Self {
            config,
            layout,
            resources,
            durable,
            hash: KeyHash::random(),
            published: ArcSwap::from_pointee(published),
            publishing: Mutex::new(()),
            queue: Mutex::new(queue),
            queue_changed: Condvar::new(),
            cancellations: AtomicU64::new(0),
            checkpoint: Mutex::new(None),
            building: Mutex::new(()),
            digests: Mutex::default(),
            counters: Counters::default(),
            damage: Met::default(),
            tree: Tree::default(),
        }
    }

    /// Bytes that this node may still write: what the file system has free, and within the quota.
    pub(crate) fn free_bytes(&self) -> Result<u64, Error> {
        let free = files::free_bytes(&self.layout.state())?;
        Ok(match self.config.disk_quota_bytes {
            Some(quota) => free.min(quota.saturating_sub(files::used_bytes(&self.config.dir))),
            None => free,
        })
    }

    /// The newest cut.
    pub(crate) fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Replaces the cut by a changed copy.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut Published)) {
        let _one_at_a_time = lock(&self.publishing);
        let mut next = Published::clone(&self.published.load());
        change(&mut next);
        self.published.store(Arc::new(next));
        self.tree.wake();
    }

    /// Stops what the run writer is doing at its next step, without waiting.
    pub(crate) fn cancel(&self) {
        self.cancellations.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn cancellations(&self) -> u64 {
        self.cancellations.load(Ordering::Acquire)
    }

    /// Storage is of no use from here on; everyone who waits shall know.
    pub(crate) fn fail(&self, error: &Error) {
        self.damage.note(error);
        lock(&self.queue)
            .failure
            .get_or_insert_with(|| error.to_string());
        self.queue_changed.notify_all();
    }

    /// Waits until `done` says so.
    ///
    /// # Errors
    /// [`Error::Failed`] when the run writer gave up, [`Error::Cancelled`] when storage shuts down.
    pub(crate) fn wait(&self, mut done: impl FnMut(&mut Queue) -> bool) -> Result<(), Error> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(failure) = &queue.failure {
                return Err(Error::Failed(failure.clone()));
            }
            if done(&mut queue) {
                return Ok(());
            }
            if queue.stopping {
                return Err(Error::Cancelled("storage is shutting down"));
            }
            queue = self
                .queue_changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the run writer to end at its next step; nobody waits for it here.
    pub(crate) fn stop(&self) {
        lock(&self.queue).stopping = true;
        self.cancel();
        self.queue_changed.notify_all();
    }

    /// An error if the run writer gave up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &lock(&self.queue).failure {
            Some(failure) => Err(Error::Failed(failure.clone())),
            None => Ok(()),
        }
    }
}
