//! The tree over all changes, in the sense of RFC 9162: leaf `n` is the change with sequence `n + 1`.
//!
//! A thread of its own hashes what is applied, behind the apply thread and off it. What is complete of the levels that
//! are kept waits here until the run of its window takes it to disk; the run writer waits for the thread, so that no
//! window leaves memory before it is in the tree. After a start the right edge is computed from the rows and the last
//! changes.
//!
//! Where to start reading: `grow` for the thread, `keep` for where the hashes of a proof come from.

mod grow;
mod keep;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use farthing_proofs::{Frontier, Hash};

use super::error::Error;
use super::shared::{Shared, lock};

pub(crate) use grow::start;
pub use keep::Keeper;

/// A subtree that is complete, of a level that is kept.
#[derive(Clone, Copy)]
pub(crate) struct Complete {
    pub(crate) level: u32,
    pub(crate) index: u64,
    pub(crate) hash: Hash,
    /// The entry that completed it.
    pub(crate) log_index: u64,
}

impl Complete {
    /// The last sequence in it.
    fn last(&self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// How far the tree has grown.
#[derive(Default)]
struct Grown {
    /// Of which generation of the state; `None` before the first look at it.
    generation: Option<u32>,
    frontier: Frontier,
    /// Complete and not yet on disk, in the order in which they became so.
    waiting: Vec<Complete>,
}

/// What the thread, the run writer and proofs share.
#[derive(Default)]
pub(crate) struct Tree {
    grown: Mutex<Grown>,
    /// Told of every growth.
    grew: Condvar,
    /// The thread has nothing to do and wants to be woken.
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Tree {
    /// Something was published.
    #[inline]
    pub(crate) fn wake(&self) {
        if self.asleep.load(Ordering::Acquire)
            && self.asleep.swap(false, Ordering::AcqRel)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// The right edge of the tree as it is now, with the generation of the state it belongs to.
    pub(crate) fn edge(&self) -> (Option<u32>, Frontier) {
        let grown = lock(&self.grown);
        (grown.generation, grown.frontier.clone())
    }

    /// The root of a subtree that is not on disk yet.
    fn waiting(&self, level: u32, index: u64) -> Option<Hash> {
        let grown = lock(&self.grown);
        let found = grown
            .waiting
            .iter()
            .find(|complete| complete.level == level && complete.index == index);
        found.map(|complete| complete.hash)
    }

    /// What is complete up to a sequence and not yet on disk, by key; waits for the thread as long as `go_on` allows.
    pub(crate) fn complete(
        &self,
        generation: u32,
        sequence: u64,
        mut go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<Vec<Complete>, Error> {
        let mut grown = lock(&self.grown);
        while grown.generation != Some(generation) || grown.frontier.size() < sequence {
            go_on()?;
            self.wake();
            let look_again = Duration::from_millis(50);
            grown = self
                .grew
                .wait_timeout(grown, look_again)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let waiting = grown.waiting.iter();
        let mut complete: Vec<Complete> = waiting
            .take_while(|complete| complete.last() <= sequence)
            .copied()
            .collect();
        complete.sort_unstable_by_key(|complete| (complete.level, complete.index));
        Ok(complete)
    }

    /// What is complete up to a sequence is on disk.
    pub(crate) fn forget(&self, sequence: u64) {
        let mut grown = lock(&self.grown);
        grown.waiting.retain(|complete| complete.last() > sequence);
    }

    fn publish(&self, generation: u32, frontier: &Frontier, complete: &mut Vec<Complete>) {
        let mut grown = lock(&self.grown);
        if grown.generation != Some(generation) {
            grown.generation = Some(generation);
            grown.waiting.clear();
        }
        grown.frontier.clone_from(frontier);
        grown.waiting.append(complete);
        drop(grown);
        self.grew.notify_all();
    }
}

impl Shared {
    /// Ends the tree's thread at its next look.
    pub(crate) fn is_stopping(&self) -> bool {
        let queue = lock(&self.queue);
        queue.stopping || queue.failure.is_some()
    }
}
