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
//! thing at the same tick, all are kept, and the replay takes the first that fits.
//!
//! A request that was sent more than once (`retried`) may have been carried out in pieces: every first tick that its
//! answers show is an attempt of its own.

use farthing_client::{AccountFlags, CreateTransferStatus, TransferFlags};

use super::items::NO_STATUS;
use super::report::{Checker, Counts, Findings};
use super::trace::{Creates, End, Evidence, NONE, Op, Trace, row_hash};
use crate::hash::FastMap;

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
    /// Requests that may have begun at a tick at which something was made that nobody was answered `created` for. The
    /// first of them stands in `attempts`.
    pub(super) candidates: FastMap<u64, Vec<u32>>,
    /// Requests that may have used up an id unseen, by its slot: the unknown and the retried.
    pub(super) may_have_refused: FastMap<u32, u32>,
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
        let first = |(first, ops): (&u64, &Vec<u32>)| Attempt {
            first: *first,
            op: ops[0],
        };
        order.attempts.extend(order.candidates.iter().map(first));
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
    pub(super) fn counts(&self, trace: &Trace, happened: u64) -> Counts {
        let [ok, fail, info] = trace.ended;
        let unknown = trace.ops.iter().filter(|op| op.end == End::Info).count() as u64;
        Counts {
            events: trace.event_count,
            operations: trace.invoked,
            ok,
            fail,
            info,
            info_happened: happened,
            info_did_not_happen: unknown.saturating_sub(happened + self.unresolved),
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
            // What it says `exists`, and nobody was answered `created` for, it may have made itself.
            self.propose(trace, number, op);
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

    fn unknown(&mut self, trace: &Trace, number: u32, op: &Op, findings: &mut Findings) {
        let complete = trace.dumps.complete_bits();
        let bases = self.propose(trace, number, op);
        if bases > 1 && !op.retried {
            let message = "a request of unknown outcome was carried out in pieces".to_owned();
            findings.derive(Checker::C1, op.events(), message);
        }
        let open = op.items().any(|item| {
            let (evidence, covered) = facts(trace, op, item);
            evidence.timestamp == 0 && covered & complete == 0
        });
        if bases == 0 && open {
            self.unresolved += 1;
            findings.open(format!(
                "nobody knows what became of the request of event {}: no complete final read speaks of it",
                op.invoke_event
            ));
        }
    }

    /// Notes every tick at which this request may have begun, judged by what exists; returns how many.
    fn propose(&mut self, trace: &Trace, number: u32, op: &Op) -> usize {
        let mut bases: Vec<(u64, bool)> = Vec::new();
        for (place, item) in op.items().enumerate() {
            let (evidence, _) = facts(trace, op, item);
            let Some(base) = evidence
                .timestamp
                .checked_sub(place as u64)
                .filter(|base| *base != 0)
            else {
                continue;
            };
            if is_imported(trace, op, item) {
                continue;
            }
            // One item that another request made, or that is not what this one asked for, rules the tick out.
            let fits = evidence.claim == NONE && is_same(trace, op, item, evidence.timestamp);
            match bases.iter_mut().find(|(known, _)| *known == base) {
                Some((_, all_fit)) => *all_fit &= fits,
                None => bases.push((base, fits)),
            }
        }
        bases.retain(|(_, fits)| *fits);
        for (base, _) in &bases {
            self.candidates.entry(*base).or_default().push(number);
        }
        bases.len()
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

/// What is known of an item's id, and which final reads speak of it.
pub(super) fn facts(trace: &Trace, op: &Op, item: u32) -> (Evidence, u16) {
    match op.creates {
        Creates::Transfers => {
            let facts = &trace.ids[trace.items.get(item).id as usize];
            (facts.evidence, facts.covered)
        }
        Creates::Accounts => {
            let id = trace.accounts[item as usize].account.id.0;
            let facts = trace.account_ids.get(&id).copied().unwrap_or_default();
            (facts.evidence, facts.covered)
        }
    }
}

/// What was read under the item's id can be what the item asked for.
fn is_same(trace: &Trace, op: &Op, item: u32, timestamp: u64) -> bool {
    if op.creates == Creates::Accounts {
        return true;
    }
    let facts = &trace.ids[trace.items.get(item).id as usize];
    let mut meant = trace.items.transfer(item);
    meant.timestamp = timestamp;
    // What is stored differs from what was asked for when the ledger fills something in.
    let filled_in = TransferFlags::POST_PENDING_TRANSFER
        .with(TransferFlags::VOID_PENDING_TRANSFER)
        .with(TransferFlags::BALANCING_DEBIT)
        .with(TransferFlags::BALANCING_CREDIT);
    facts.row_hash == 0 || meant.flags.intersects(filled_in) || row_hash(&meant) == facts.row_hash
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
