//! In which order the effects happened, and what became of the unknown.
//!
//! The cluster's clock moves by one tick for every item, refused ones included, and an answer carries the tick. So the
//! timestamps of acknowledged requests are the order of the log, and where an item stands in its request says at which
//! tick the request began. Two kinds of answers carry no tick of their own: `exists` (the original's timestamp) and
//! imported items (their own past). A request with nothing else is placed by its log index, behind its entry.
//!
//! **Unknown outcomes.** An unknown request happened when something it would have created exists: a final read, any
//! other read, or an `exists` shows it with its timestamp, and nobody else was answered `created` for it. Its first
//! tick follows, so it is replayed there as a whole, and what it did to its other items is checked like everything
//! else. It did not happen (or changed nothing but a used-up id) when complete final reads show none of its ids. It
//! stays unknown when no complete final read speaks of its ids. If several unknown requests could have made the same
//! thing, the first whose item is the same as what was read is taken: they would have had the same effect.
//!
//! A request that was sent more than once (`retried`) may have been carried out in pieces: every first tick that its
//! answers show is an attempt of its own.

use std::collections::HashMap;

use farthing_client::{AccountFlags, CreateTransferStatus, TransferFlags};

use super::items::NO_STATUS;
use super::report::{Checker, Counts, Findings};
use super::trace::{Creates, End, NONE, Op, Trace, row_hash};

/// One request carried out at one place of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Attempt {
    /// Tick of its first item, ns.
    pub(super) first: u64,
    /// Number of the call.
    pub(super) op: u32,
}

/// The order of effects.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By tick.
    pub(super) attempts: Vec<Attempt>,
    /// Requests with no tick of their own, by (log index, invocation).
    pub(super) placed_by_entry: Vec<u32>,
    /// Unknown requests that created a transfer, by the slot of its id.
    pub(super) made_transfer: HashMap<u32, u32>,
    /// Unknown requests that created an account, by its id.
    pub(super) made_account: HashMap<u128, u32>,
    /// Requests that may have used up an id unseen, by its slot: the unknown and the retried.
    pub(super) may_have_refused: HashMap<u32, u32>,
    happened: u64,
    did_not_happen: u64,
    unresolved: u64,
}

impl Order {
    pub(super) fn of(trace: &Trace, findings: &mut Findings) -> Self {
        let mut order = Self::default();
        for (number, op) in trace.ops.iter().enumerate() {
            let number = number as u32;
            match op.end {
                End::Ok => order.acknowledged(trace, number, op, findings),
                End::Info => order.unknown(trace, number, op, findings),
                End::Fail => {}
            }
            if op.creates == Creates::Transfers && (op.end == End::Info || op.retried) {
                for item in op.items() {
                    order
                        .may_have_refused
                        .entry(trace.items.get(item).id)
                        .or_insert(number);
                }
            }
        }
        order.attempts.sort_unstable();
        let key = |op: &u32| {
            let op = &trace.ops[*op as usize];
            (op.log_index, op.invoke_ns)
        };
        order.placed_by_entry.sort_by_key(key);
        order.check_ticks(trace, findings);
        order
    }

    /// How much there was.
    pub(super) fn counts(&self, trace: &Trace) -> Counts {
        let [ok, fail, info] = trace.ended;
        Counts {
            events: trace.event_count,
            operations: trace.invoked,
            ok,
            fail,
            info,
            info_happened: self.happened,
            info_did_not_happen: self.did_not_happen,
            info_unresolved: self.unresolved,
            items: (trace.items.len() + trace.accounts.len()) as u64,
            rows_read: trace.reads.row_count,
            nodes_read: trace.dumps.complete_count() as u64,
            faults: trace.fault_count,
        }
    }

    fn acknowledged(&mut self, trace: &Trace, number: u32, op: &Op, findings: &mut Findings) {
        let (mut first, mut several) = (None, Vec::new());
        for (place, item) in op.items().enumerate() {
            let Some(tick) = tick(trace, op, item) else {
                continue;
            };
            let base = tick.saturating_sub(place as u64);
            match first {
                None => first = Some(base),
                Some(known) if known == base || several.contains(&base) => {}
                Some(_) => several.push(base),
            }
        }
        if op.retried {
            self.retried(trace, number, op, &mut first, &mut several);
        } else if !several.is_empty() {
            let message = format!(
                "the items of one request have the ticks of {} different requests",
                several.len() + 1
            );
            findings.add(Checker::C1, op.events(), message);
            several.clear();
        }
        match first {
            Some(first) => {
                self.attempts.push(Attempt { first, op: number });
                let others = several
                    .into_iter()
                    .map(|first| Attempt { first, op: number });
                self.attempts.extend(others);
            }
            None if op.log_index != 0 && op.count != 0 => self.placed_by_entry.push(number),
            None => {}
        }
    }

    /// What a retried request says `exists`, and nobody else made, it made itself.
    fn retried(
        &mut self,
        trace: &Trace,
        number: u32,
        op: &Op,
        first: &mut Option<u64>,
        several: &mut Vec<u64>,
    ) {
        if op.creates != Creates::Transfers {
            return;
        }
        for (place, number_of_item) in op.items().enumerate() {
            let item = trace.items.get(number_of_item);
            let evidence = trace.ids[item.id as usize].evidence;
            let exists = u32::from(item.status) == CreateTransferStatus::Exists.code();
            if !exists || evidence.claim != NONE || self.made_transfer.contains_key(&item.id) {
                continue;
            }
            self.made_transfer.insert(item.id, number);
            let base = item.timestamp.saturating_sub(place as u64);
            match *first {
                None => *first = Some(base),
                Some(known) if known == base || several.contains(&base) => {}
                Some(_) => several.push(base),
            }
        }
    }

    fn unknown(&mut self, trace: &Trace, number: u32, op: &Op, findings: &mut Findings) {
        let mut bases: Vec<u64> = Vec::new();
        let complete = trace.dumps.complete_bits();
        let (mut open, mut seen_elsewhere) = (false, 0);
        for (place, item) in op.items().enumerate() {
            let (evidence, covered) = match op.creates {
                Creates::Transfers => {
                    let facts = &trace.ids[trace.items.get(item).id as usize];
                    (facts.evidence, facts.covered)
                }
                Creates::Accounts => {
                    let id = trace.accounts[item as usize].account.id.0;
                    let facts = trace.account_ids.get(&id).copied().unwrap_or_default();
                    (facts.evidence, facts.covered)
                }
            };
            if evidence.timestamp == 0 {
                open |= covered & complete == 0;
                continue;
            }
            if evidence.claim != NONE || !self.take(trace, number, op, item, evidence.timestamp) {
                seen_elsewhere += 1;
                continue;
            }
            if !is_imported(trace, op, item) {
                let base = evidence.timestamp.saturating_sub(place as u64);
                if !bases.contains(&base) {
                    bases.push(base);
                }
            }
        }
        if bases.is_empty() {
            if open && seen_elsewhere < op.count {
                self.unresolved += 1;
                findings.open(format!(
                    "nobody knows what became of the request of event {}: no complete final read speaks of it",
                    op.invoke_event
                ));
            } else {
                self.did_not_happen += 1;
            }
            return;
        }
        if bases.len() > 1 && !op.retried {
            let message = "a request of unknown outcome was carried out in pieces".to_owned();
            findings.add(Checker::C1, op.events(), message);
        }
        self.happened += 1;
        self.attempts
            .extend(bases.into_iter().map(|first| Attempt { first, op: number }));
    }

    /// Ascribes what exists to this request, if nobody was before it and it is what the request asked for.
    fn take(&mut self, trace: &Trace, number: u32, op: &Op, item: u32, timestamp: u64) -> bool {
        if op.creates == Creates::Accounts {
            let id = trace.accounts[item as usize].account.id.0;
            return *self.made_account.entry(id).or_insert(number) == number;
        }
        let slot = trace.items.get(item).id;
        if self.made_transfer.contains_key(&slot) {
            return false;
        }
        let facts = &trace.ids[slot as usize];
        let mut meant = trace.items.transfer(item);
        meant.timestamp = timestamp;
        // What is stored differs from what was asked for when the ledger fills something in.
        let filled_in = TransferFlags::POST_PENDING_TRANSFER
            .with(TransferFlags::VOID_PENDING_TRANSFER)
            .with(TransferFlags::BALANCING_DEBIT)
            .with(TransferFlags::BALANCING_CREDIT);
        let same = facts.row_hash == 0
            || meant.flags.intersects(filled_in)
            || row_hash(&meant) == facts.row_hash;
        if same {
            self.made_transfer.insert(slot, number);
        }
        same
    }

    /// No tick belongs to two requests, and the log indexes follow the ticks.
    fn check_ticks(&self, trace: &Trace, findings: &mut Findings) {
        let mut former: Option<(u64, &Op)> = None;
        let mut newest: Option<&Op> = None;
        for attempt in &self.attempts {
            let op = &trace.ops[attempt.op as usize];
            if let Some((end, other)) = former
                && attempt.first < end
            {
                let message = format!("two requests share the tick {}", attempt.first);
                let events = [other.events(), op.events()].concat();
                findings.add(Checker::C1, events, message);
            }
            former = Some((attempt.first + u64::from(op.count), op));
            if has_known_entry(op) {
                if let Some(other) = newest.filter(|other| other.log_index > op.log_index) {
                    let message = format!(
                        "log index {} comes after {} in the order of the timestamps",
                        op.log_index, other.log_index
                    );
                    let events = [other.events(), op.events()].concat();
                    findings.add(Checker::C1, events, message);
                }
                newest = Some(op);
            }
        }
    }
}

/// The log index of the call is that of its one attempt.
pub(super) fn has_known_entry(op: &Op) -> bool {
    op.end == End::Ok && !op.retried && op.log_index != 0
}

fn is_imported(trace: &Trace, op: &Op, item: u32) -> bool {
    match op.creates {
        Creates::Transfers => trace
            .items
            .transfer(item)
            .flags
            .contains(TransferFlags::IMPORTED),
        Creates::Accounts => trace.accounts[item as usize]
            .account
            .flags
            .contains(AccountFlags::IMPORTED),
    }
}

/// The item's own tick, if its answer carries it.
fn tick(trace: &Trace, op: &Op, item: u32) -> Option<u64> {
    const EXISTS: u16 = CreateTransferStatus::Exists as u16;
    const ACCOUNT_EXISTS: u16 = farthing_client::CreateAccountStatus::Exists as u16;
    let (status, timestamp) = match op.creates {
        Creates::Transfers => {
            let item = trace.items.get(item);
            (item.status, item.timestamp)
        }
        Creates::Accounts => {
            let item = &trace.accounts[item as usize];
            (item.status, item.timestamp)
        }
    };
    let has_none = match op.creates {
        Creates::Transfers => status == EXISTS,
        Creates::Accounts => status == ACCOUNT_EXISTS,
    };
    if has_none || status == NO_STATUS || (status == 0 && is_imported(trace, op, item)) {
        return None;
    }
    Some(timestamp)
}
