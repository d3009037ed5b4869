//! A history in little memory: every call once, with its items, answers and times.

use std::collections::BTreeMap;

use farthing_client::{Account, Transfer};
use xxhash_rust::xxh3::xxh3_64;

use super::availability::Availability;
use super::cursors::Cursors;
use super::dumps::Dumps;
use super::items::Items;
use super::reads::Reads;
use super::streams::Streams;
use crate::hash::FastMap;
use crate::history::{Page, Query, RunFacts};

/// No event, no call.
pub(super) const NONE: u32 = u32::MAX;
/// A call that never ended.
pub(super) const NEVER: u64 = u64::MAX;

/// What a call creates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Creates {
    Transfers,
    Accounts,
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Ok,
    Fail,
    /// Unknown, or never ended.
    Info,
}

/// One call that creates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub(super) invoke_ns: u64,
    /// [`NEVER`] when it did not end, or ended unknown: then it may still happen.
    pub(super) complete_ns: u64,
    /// Of the entry, 0 when unknown.
    pub(super) log_index: u64,
    pub(super) invoke_event: u32,
    pub(super) complete_event: u32,
    /// Its items: in [`Trace::items`] or [`Trace::accounts`].
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) creates: Creates,
    pub(super) end: End,
    /// An attempt whose answer was lost may have done it.
    pub(super) retried: bool,
}

impl Op {
    pub(super) fn items(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }

    /// The events that show it.
    pub(super) fn events(&self) -> Vec<u64> {
        let events = [self.invoke_event, self.complete_event];
        events
            .into_iter()
            .filter(|event| *event != NONE)
            .map(u64::from)
            .collect()
    }
}

/// An account to create, and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccountItem {
    pub(super) account: Account,
    pub(super) status: u16,
    pub(super) timestamp: u64,
}

/// What is known of the creation behind an id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// ns; 0 when nothing shows that it exists.
    pub(super) timestamp: u64,
    /// Event that showed it first.
    pub(super) source: u32,
    /// Call that was answered `created`.
    pub(super) claim: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            timestamp: 0,
            source: NONE,
            claim: NONE,
        }
    }
}

impl Evidence {
    /// Something exists since `timestamp`, says an event. The event that said otherwise, if one did.
    pub(super) fn saw(&mut self, timestamp: u64, event: u32) -> Option<(u64, u32)> {
        if self.timestamp == 0 {
            (self.timestamp, self.source) = (timestamp, event);
        }
        (self.timestamp != timestamp).then_some((self.timestamp, self.source))
    }
}

/// What is known of a transfer's id.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdFacts {
    pub(super) evidence: Evidence,
    /// Hash of the row as read, 0 before; every read must find the same.
    pub(super) row_hash: u64,
    /// Event that read it first.
    pub(super) row_event: u32,
    /// Event that read it as refused.
    pub(super) refused_event: u32,
    /// Nodes (a bit each) whose final read says something about it.
    pub(super) covered: u16,
    /// Nodes whose final read has it.
    pub(super) present: u16,
}

impl Default for IdFacts {
    fn default() -> Self {
        Self {
            evidence: Evidence::default(),
            row_hash: 0,
            row_event: NONE,
            refused_event: NONE,
            covered: 0,
            present: 0,
        }
    }
}

/// What is known of an account's id.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct AccountFacts {
    pub(super) evidence: Evidence,
    /// Nodes (a bit each) whose final read says something about it.
    pub(super) covered: u16,
}

/// A digest a node gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct DigestSeen {
    pub(super) node: u64,
    pub(super) digest: u128,
    pub(super) event: u32,
}

/// An answered question.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) query: Query,
    pub(super) page: Page,
    pub(super) invoke_ns: u64,
    pub(super) complete_ns: u64,
    pub(super) invoke_event: u32,
    pub(super) complete_event: u32,
}

/// A history, ready to be checked.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) ops: Vec<Op>,
    pub(super) items: Items,
    pub(super) accounts: Vec<AccountItem>,
    /// By the slot of the transfer's id.
    pub(super) ids: Vec<IdFacts>,
    pub(super) account_ids: FastMap<u128, AccountFacts>,
    /// Amounts read of balancing transfers, by slot: what they moved shows nowhere else.
    pub(super) amounts: FastMap<u32, u128>,
    pub(super) reads: Reads,
    pub(super) asked: Vec<Asked>,
    pub(super) dumps: Dumps,
    pub(super) streams: Streams,
    /// What consumers did with their cursors.
    pub(super) cursors: Cursors,
    pub(super) digests: BTreeMap<u64, Vec<DigestSeen>>,
    /// Who led in a term, and the event that says so.
    pub(super) leaders: BTreeMap<u64, (u64, u32)>,
    pub(super) run: RunFacts,
    pub(super) coverage: BTreeMap<String, u64>,
    pub(super) has_coverage: bool,
    /// (ns, event) of the last heal, if there was one.
    pub(super) healed: Option<(u64, u64)>,
    /// When each node was first ready after the last heal.
    pub(super) ready: BTreeMap<u64, u64>,
    pub(super) availability: Availability,
    /// Highest log index of any acknowledged write.
    pub(super) log_index_max: u64,
    pub(super) event_count: u64,
    pub(super) fault_count: u64,
    /// Calls of every kind: ok, fail, info.
    pub(super) ended: [u64; 3],
    pub(super) invoked: u64,
    /// ns of the last event.
    pub(super) end_ns: u64,
}

impl Trace {
    /// The facts of a slot.
    pub(super) fn id_mut(&mut self, slot: u32) -> &mut IdFacts {
        if self.ids.len() <= slot as usize {
            self.ids.resize(slot as usize + 1, IdFacts::default());
        }
        &mut self.ids[slot as usize]
    }
}

/// One number for everything in a stored transfer.
pub(super) fn row_hash(transfer: &Transfer) -> u64 {
    xxh3_64(&transfer.to_bytes()).max(1)
}
