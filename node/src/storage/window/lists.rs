//! Which changes of a window belong to an account's history or carry a value: made when somebody asks, for what came
//! since the last question, so that those who only write pay nothing.
//!
//! A list is found in sorted arrays of words, `hash of the list u32, sequence - first of the window u32`: a stretch of
//! each array, by sequence. The arrays follow each other in the log and are merged as they grow, so that there are few.
//! Two lists may share a hash; whoever reads a change looks whether it is one of his.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use farthing_ledger::EventBody;

use super::chunk::Chunk;
use super::{KeyHash, Window};
use crate::storage::error::Error;
use crate::storage::rows::events;
use crate::storage::rows::transfers::row_accounts;
use crate::storage::rows::user_data::{Field, Of};
use crate::storage::shared::lock;

/// A list of changes: of which account, or of which value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListKey {
    /// What moved an account's balances: transfers and expiries.
    History(u128),
    /// What carries a value that is not zero.
    UserData(Field, Of, u128),
}

impl ListKey {
    fn space(self) -> usize {
        match self {
            Self::History(_) => 0,
            Self::UserData(field, ..) => 1 + field as usize,
        }
    }

    fn hash(self, hash: KeyHash) -> u32 {
        let word = match self {
            Self::History(account) => hash.id(account),
            Self::UserData(_, Of::Transfers, value) => hash.id(value),
            Self::UserData(_, Of::Accounts, value) => !hash.id(value),
        };
        (word >> 32) as u32
    }
}

const SPACES: usize = 4;

/// See the module.
pub(super) struct Lists {
    spaces: [Mutex<Space>; SPACES],
    ends: Mutex<Ends>,
    bytes: AtomicUsize,
}

#[derive(Default)]
struct Space {
    /// Chunks that are in.
    chunk_count: usize,
    arrays: Vec<Arc<[u64]>>,
}

/// Where chunks end; they may be empty.
#[derive(Default)]
struct Ends {
    /// First sequence of the window; 0 while it has none.
    first: u64,
    /// For each chunk, the last sequence up to its end and the timestamp of the last transfer up to there, 0 where there
    /// is none yet. Neither ever falls.
    chunks: Vec<(u64, u64)>,
}

/// A list in one window, up to where the window was when it was asked for, or further.
pub(crate) struct Found {
    first: u64,
    parts: Vec<(Arc<[u64]>, Range<usize>)>,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self {
            spaces: Default::default(),
            ends: Mutex::default(),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Memory it takes. Asked after every entry, so without waiting for whoever makes a list.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The first sequence of a window; 0 when its first `chunk_count` chunks hold no change.
    fn first(&self, window: &Window, chunk_count: usize) -> Result<u64, Error> {
        self.ends(window, chunk_count, |ends| ends.first)
    }

    fn ends<T>(
        &self,
        window: &Window,
        chunk_count: usize,
        ask: impl FnOnce(&Ends) -> T,
    ) -> Result<T, Error> {
        let mut ends = lock(&self.ends);
        for number in ends.chunks.len()..chunk_count {
            let chunk = chunk(window, number)?;
            let (last, time) = ends.chunks.last().copied().unwrap_or_default();
            if ends.first == 0 {
                ends.first = chunk.first_sequence().unwrap_or_default();
            }
            let end = (
                chunk.last_sequence().unwrap_or(last),
                chunk.last_transfer_time().unwrap_or(time),
            );
            ends.chunks.push(end);
            self.bytes.fetch_add(size_of_val(&end), Ordering::Relaxed);
        }
        Ok(ask(&ends))
    }

    /// How many of the first `chunk_count` chunks end before a sequence: the next one holds it, if it is in the window.
    pub(super) fn chunks_before(
        &self,
        window: &Window,
        chunk_count: usize,
        sequence: u64,
    ) -> Result<usize, Error> {
        self.ends(window, chunk_count, |ends| {
            ends.chunks[..chunk_count].partition_point(|&(last, _)| last < sequence)
        })
    }

    /// The first chunk with a transfer at `time` or later, among the first `chunk_count`.
    pub(super) fn chunk_at(
        &self,
        window: &Window,
        chunk_count: usize,
        time: u64,
    ) -> Result<Option<usize>, Error> {
        self.ends(window, chunk_count, |ends| {
            let chunks = &ends.chunks[..chunk_count];
            let number = chunks.partition_point(|&(_, last)| last < time);
            (number < chunk_count).then_some(number)
        })
    }

    /// A list as of the first `chunk_count` chunks of its window; it may hold later changes too.
    pub(super) fn find(
        &self,
        window: &Window,
        chunk_count: usize,
        key: ListKey,
    ) -> Result<Found, Error> {
        let first = self.first(window, chunk_count)?;
        let mut space = lock(&self.spaces[key.space()]);
        if space.chunk_count < chunk_count {
            let mut words = vec![];
            for number in space.chunk_count..chunk_count {
                add(key, chunk(window, number)?, window.hash, first, &mut words)?;
            }
            words.sort_unstable();
            self.bytes
                .fetch_add(size_of_val(&*words), Ordering::Relaxed);
            space.chunk_count = chunk_count;
            space.push(words);
        }
        let hash = u64::from(key.hash(window.hash)) << 32;
        let parts = space.arrays.iter().filter_map(|array| {
            let begin = array.partition_point(|&word| word < hash);
            let length = array[begin..].partition_point(|&word| word >> 32 == hash >> 32);
            (length > 0).then(|| (Arc::clone(array), begin..begin + length))
        });
        Ok(Found {
            first,
            parts: parts.collect(),
        })
    }
}

fn chunk(window: &Window, number: usize) -> Result<&Chunk, Error> {
    window
        .chunk(number)
        .ok_or_else(|| Error::Broken("a window lacks a chunk".into()))
}

impl Space {
    /// Adds what came after all that is there. An array is merged with the one before when it has grown to half of its
    /// size: so there are few, and a word is moved a few times.
    fn push(&mut self, words: Vec<u64>) {
        if words.is_empty() {
            return;
        }
        let mut newest = words;
        while let Some(older) = self
            .arrays
            .last()
            .filter(|older| older.len() <= 2 * newest.len())
        {
            newest = merged(older, &newest);
            self.arrays.pop();
        }
        self.arrays.push(newest.into());
    }
}

fn merged(older: &[u64], newer: &[u64]) -> Vec<u64> {
    let mut all = Vec::with_capacity(older.len() + newer.len());
    let (mut left, mut right) = (older, newer);
    while let (Some((a, left_rest)), Some((b, right_rest))) =
        (left.split_first(), right.split_first())
    {
        if a < b {
            all.push(*a);
            left = left_rest;
        } else {
            all.push(*b);
            right = right_rest;
        }
    }
    all.extend_from_slice(left);
    all.extend_from_slice(right);
    all
}

/// The words of a chunk in the space of `key`.
fn add(
    key: ListKey,
    chunk: &Chunk,
    hash: KeyHash,
    first: u64,
    words: &mut Vec<u64>,
) -> Result<(), Error> {
    let mut put = |key: ListKey, sequence: u64| {
        let number = u32::try_from(sequence.wrapping_sub(first))
            .map_err(|_| Error::Broken("a window spans too many changes".into()))?;
        words.push(u64::from(key.hash(hash)) << 32 | u64::from(number));
        Ok::<_, Error>(())
    };
    match key {
        ListKey::History(_) => {
            for (sequence, _, row) in chunk.transfers() {
                let (debit, credit) = row_accounts(&row);
                put(ListKey::History(debit), sequence)?;
                put(ListKey::History(credit), sequence)?;
            }
        }
        ListKey::UserData(field, ..) => {
            for (sequence, _, row) in chunk.packed_rows() {
                let value = field.of_packed_row(row).unwrap_or_default();
                if value != 0 {
                    put(ListKey::UserData(field, Of::Transfers, value), sequence)?;
                }
            }
        }
    }
    for (sequence, value) in chunk.events() {
        let event = events::read_value(sequence, value)
            .ok_or_else(|| Error::Broken(format!("event {sequence} cannot be read back")))?;
        match (key, event.body) {
            (ListKey::History(_), EventBody::TransferExpired { transfer, .. }) => {
                put(ListKey::History(transfer.debit_account_id.0), sequence)?;
                put(ListKey::History(transfer.credit_account_id.0), sequence)?;
            }
            (ListKey::UserData(field, ..), EventBody::AccountCreated(account)) => {
                let value = field.of_account(&account);
                if value != 0 {
                    put(ListKey::UserData(field, Of::Accounts, value), sequence)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl Found {
    fn sequence(&self, word: u64) -> u64 {
        self.first + (word & u64::from(u32::MAX))
    }

    /// The first sequence from `from` on.
    pub(crate) fn at_or_after(&self, from: u64) -> Option<u64> {
        self.parts.iter().find_map(|(array, range)| {
            let words = &array[range.clone()];
            let at = words.partition_point(|&word| self.sequence(word) < from);
            words.get(at).map(|&word| self.sequence(word))
        })
    }

    /// The last sequence up to `from`.
    pub(crate) fn at_or_before(&self, from: u64) -> Option<u64> {
        self.parts.iter().rev().find_map(|(array, range)| {
            let words = &array[range.clone()];
            let at = words.partition_point(|&word| self.sequence(word) <= from);
            at.checked_sub(1).map(|at| self.sequence(words[at]))
        })
    }
}
