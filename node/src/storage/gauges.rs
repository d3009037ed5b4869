//! Numbers for telemetry and admission.

use std::sync::atomic::Ordering;

use super::error::Error;
use super::rows::family;
use super::shared::{Shared, lock};

/// One family on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FamilyGauge {
    /// Its name.
    pub name: &'static str,
    /// Bytes of its live files.
    pub disk_bytes: u64,
}

/// A snapshot of storage's numbers. Counts are since the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gauges {
    /// Memory of all windows.
    pub window_bytes: usize,
    /// Transfers in all windows.
    pub window_transfers: usize,
    /// Sealed windows whose run is not committed.
    pub sealed_windows: usize,
    /// How often the apply thread had to wait for a run.
    pub apply_waits: u64,
    /// For how long in all.
    pub apply_wait_us: u64,
    /// Runs committed.
    pub runs: u64,
    /// Time spent on them.
    pub run_us: u64,
    /// Bytes handed to run files, before compression.
    pub run_bytes: u64,
    /// Files in the first level of the family with most: above a dozen, reads get slower.
    pub first_level_files: u64,
    /// True while runs wait for the disk to have room.
    pub waiting_for_space: bool,
    /// Bytes the file system has free.
    pub free_bytes: u64,
    /// Accounts in memory.
    pub cached_accounts: u64,
    /// Bytes in the block cache.
    pub block_cache_bytes: usize,
    /// Ranges of ids remembered.
    pub id_ranges: usize,
    /// Each family on disk.
    pub families: Vec<FamilyGauge>,
}

impl Gauges {
    /// The most that a compaction may write before it removes what it has read: the largest of the families that are
    /// merged as a whole.
    pub fn compaction_bytes(&self) -> u64 {
        let in_order = [family::TRANSFERS, family::EVENTS, family::ACCOUNT_TIMES];
        let merged = self
            .families
            .iter()
            .filter(|family| !in_order.contains(&family.name));
        merged.map(|family| family.disk_bytes).max().unwrap_or(0)
    }
}

pub(crate) fn read(shared: &Shared) -> Result<Gauges, Error> {
    let published = shared.published();
    let counters = &shared.counters;
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let mut families = vec![];
    for name in family::ALL {
        families.push(FamilyGauge {
            name,
            disk_bytes: published.database.disk_bytes(name)?,
        });
    }
    Ok(Gauges {
        window_bytes: published
            .windows
            .iter()
            .map(|(window, _)| window.memory_bytes())
            .sum(),
        window_transfers: published
            .windows
            .iter()
            .map(|(window, _)| window.transfer_count())
            .sum(),
        sealed_windows: lock(&shared.queue).unwritten,
        apply_waits: load(&counters.apply_waits),
        apply_wait_us: load(&counters.apply_wait_us),
        runs: load(&counters.runs),
        run_us: load(&counters.run_us),
        run_bytes: load(&counters.run_bytes),
        first_level_files: published.database.first_level_files()?,
        waiting_for_space: counters.waiting_for_space.load(Ordering::Relaxed),
        free_bytes: shared.free_bytes()?,
        cached_accounts: load(&counters.cached_accounts),
        block_cache_bytes: shared.resources.cache_bytes(),
        id_ranges: published.id_ranges.len(),
        families,
    })
}
