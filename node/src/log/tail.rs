//! The newest entries in memory: what replication and apply read nearly always.

use std::collections::VecDeque;

use super::types::Entry;

/// Bookkeeping counted for each entry besides its payload, bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 96;

/// Consecutive entries up to the last one of the log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<Entry>,
    bytes: u64,
}

impl Tail {
    pub(super) fn cost(entry: &Entry) -> u64 {
        entry.payload.len() as u64 + ENTRY_OVERHEAD_BYTES
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Index of the oldest entry held.
    pub(super) fn first_index(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.log_id.index)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += Self::cost(&entry);
        self.entries.push_back(entry);
    }

    pub(super) fn truncate_from(&mut self, from: u64) {
        while let Some(entry) = self.entries.pop_back_if(|entry| entry.log_id.index >= from) {
            self.bytes -= Self::cost(&entry);
        }
    }

    pub(super) fn drop_below(&mut self, first: u64) {
        while let Some(entry) = self
            .entries
            .pop_front_if(|entry| entry.log_id.index < first)
        {
            self.bytes -= Self::cost(&entry);
        }
    }

    /// Lets go of the oldest entries above the limit, of durable ones only: the others are nowhere else.
    pub(super) fn evict(&mut self, bytes_max: u64, durable_index: Option<u64>) {
        while self.bytes > bytes_max {
            let Some(entry) = self
                .entries
                .pop_front_if(|entry| Some(entry.log_id.index) <= durable_index)
            else {
                return;
            };
            self.bytes -= Self::cost(&entry);
        }
    }

    /// Entries from `index` on; nothing if it is not held.
    pub(super) fn iter_from(&self, index: u64) -> impl Iterator<Item = &Entry> {
        let skip = match self.first_index() {
            Some(first) if index >= first => (index - first) as usize,
            _ => self.entries.len(),
        };
        self.entries.range(skip.min(self.entries.len())..)
    }
}
