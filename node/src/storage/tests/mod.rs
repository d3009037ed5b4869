//! Tests of storage as a whole: a workload with everything in it, a reference state in memory, and kills everywhere.
#![allow(clippy::unwrap_used)]

mod altered;
mod checkpoint;
mod compare;
mod install;
#[cfg(feature = "failpoints")]
mod kill;
mod model;
mod queries;
mod readers;
mod tree;
mod workload;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farthing_ledger::{EntryReader, MemoryState, apply};

use super::{Config, DurableLog, Error, Handle, LogId, Storage, Writer};
use workload::Entry;

/// A log that is durable up to an index tests set.
pub(super) struct TestLog {
    durable: AtomicU64,
}

impl TestLog {
    /// Durable whatever comes.
    pub(super) fn ahead() -> Arc<Self> {
        Self::up_to(u64::MAX)
    }

    pub(super) fn up_to(index: u64) -> Arc<Self> {
        Arc::new(Self {
            durable: AtomicU64::new(index),
        })
    }

    pub(super) fn set(&self, index: u64) {
        self.durable.store(index, Ordering::Release);
    }
}

impl DurableLog for TestLog {
    fn wait_durable(&self, index: u64, timeout: Duration) -> bool {
        if self.durable.load(Ordering::Acquire) < index {
            std::thread::sleep(timeout.min(Duration::from_millis(2)));
        }
        self.durable.load(Ordering::Acquire) >= index
    }
}

/// Small runs and a small cache, so that everything happens often.
pub(super) fn config(dir: &Path, run_transfers_max: usize) -> Config {
    Config {
        run_transfers_max,
        accounts_in_memory_max: 24,
        block_cache_bytes: 4 << 20,
        background_jobs: 1,
        cluster_id: 77,
        ..Config::new(dir)
    }
}

pub(super) fn open(config: Config) -> (Writer, Handle) {
    Storage::open(config, TestLog::ahead()).unwrap()
}

pub(super) fn log_id(index: u64) -> LogId {
    LogId {
        term: 1 + index / 50,
        node: 1,
        index,
    }
}

/// Applies one entry to storage, as the state machine does.
pub(super) fn apply_entry(writer: &mut Writer, index: u64, entry: &Entry) -> Result<(), Error> {
    match entry {
        Entry::Blank => writer.push_empty(log_id(index), None),
        Entry::Membership(bytes) => writer.push_empty(log_id(index), Some(bytes.clone())),
        Entry::Normal(bytes) => {
            let entry = EntryReader::new(bytes).unwrap();
            let view = writer.prefetch(&entry)?;
            let applied = apply(&view, &entry).unwrap();
            view.check()?;
            writer.push(log_id(index), &applied.changes, None)
        }
    }
}

/// Applies one entry to the reference.
pub(super) fn apply_reference(state: &mut MemoryState, entry: &Entry) {
    if let Entry::Normal(bytes) = entry {
        let applied = apply(state, &EntryReader::new(bytes).unwrap()).unwrap();
        state.absorb(&applied.changes);
    }
}

/// Applies what is missing of the log, and returns the reference at its end.
pub(super) fn replay(writer: &mut Writer, log: &[Entry]) -> Result<(), Error> {
    let next = writer.applied().log_id.map_or(0, |id| id.index + 1);
    for index in next..log.len() as u64 {
        apply_entry(writer, index, &log[index as usize])?;
    }
    Ok(())
}

/// The reference after the first `count` entries.
pub(super) fn reference(log: &[Entry], count: usize) -> MemoryState {
    let mut state = MemoryState::new();
    log[..count]
        .iter()
        .for_each(|entry| apply_reference(&mut state, entry));
    state
}

/// Waits until everything sealed so far is committed.
pub(super) fn wait_for_runs(handle: &Handle) {
    let began = std::time::Instant::now();
    while handle.gauges().unwrap().sealed_windows != 0 {
        assert!(
            handle.failure().is_none() && began.elapsed() < Duration::from_secs(60),
            "runs do not end"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
