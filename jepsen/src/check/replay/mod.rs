//! C1: every acknowledged request through the model, in the order of effects, with equal answers; every read equal to
//! the model's state at its index. C2 walks along.
//!
//! Two things are not written in any answer: on which side of a read's index a request of unknown outcome stands, and
//! when exactly a due transfer expired. Both only ever move forward, so the replay moves each as little as what was
//! seen demands: a read or an answer that does not fit is tried again after the next expiry that is due, then behind
//! the next unknown request. What fits then is one possible order, and if nothing fits there is none.

use std::collections::{HashSet, VecDeque};

use farthing_client::{Account, CreateAccountStatus, CreateTransferStatus, Transfer};

use super::order::{Attempt, Order, facts, has_known_entry};
use super::reads::{Read, Row, Seen};
use super::real_time::{Interval, RealTime};
use super::report::{Checker, Findings};
use super::trace::{Creates, End, NEVER, Op, Trace, row_hash};
use crate::history::{Consistency, Lookup, Outcome};
use crate::model::{Items, Model};

/// After so many violations the state is anyone's guess; the search for other orders stops.
const SEARCH_UNTIL: u64 = 200;

/// What is looked at when the log has reached an index.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// A request with no tick of its own.
    Request(u32),
    Read(u32),
}

/// What the model must answer to an item.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Answer(Outcome),
    /// Anything but `created`.
    NotCreated,
    Anything,
}

struct Replay<'a> {
    trace: &'a Trace,
    order: &'a Order,
    findings: &'a mut Findings,
    model: Model,
    real_time: RealTime,
    /// Requests whose place relative to the log's indexes is not known, in front of the next one whose place is.
    floating: VecDeque<Attempt>,
    /// Unknown requests that happened.
    happened: HashSet<u32>,
    /// Nodes (a bit each) that were read completely.
    complete: u16,
    transfers: Vec<Transfer>,
    accounts: Vec<Account>,
}

/// Replays the history; the model as it is at its end, and how many unknown requests happened.
pub(super) fn replay(trace: &Trace, order: &Order, findings: &mut Findings) -> (Model, u64) {
    let mut replay = Replay {
        trace,
        order,
        findings,
        model: Model::new(),
        real_time: RealTime::default(),
        floating: VecDeque::new(),
        happened: HashSet::new(),
        complete: trace.dumps.complete_bits(),
        transfers: Vec::new(),
        accounts: Vec::new(),
    };
    let looks = looks(trace, order);
    let mut next = 0;
    for attempt in &order.attempts {
        let op = &trace.ops[attempt.op as usize];
        if !has_known_entry(op) {
            replay.floating.push_back(*attempt);
            continue;
        }
        while let Some((_, look)) = looks.get(next).filter(|(index, _)| *index < op.log_index) {
            replay.look(*look, attempt.first - 1);
            next += 1;
        }
        replay.float_all();
        replay.apply(*attempt);
    }
    for (_, look) in &looks[next..] {
        replay.look(*look, u64::MAX);
    }
    replay.float_all();
    (replay.model, replay.happened.len() as u64)
}

/// Everything to look at, by log index: requests before reads, reads in the order in which they were sent.
fn looks(trace: &Trace, order: &Order) -> Vec<(u64, Look)> {
    let mut looks: Vec<(u64, bool, u64, Look)> = Vec::new();
    for number in &order.placed_by_entry {
        let op = &trace.ops[*number as usize];
        looks.push((op.log_index, false, op.invoke_ns, Look::Request(*number)));
    }
    for (number, read) in trace.reads.list.iter().enumerate() {
        looks.push((
            read.applied_index,
            true,
            read.invoke_ns,
            Look::Read(number as u32),
        ));
    }
    looks.sort_by_key(|(index, is_read, sent, _)| (*index, *is_read, *sent));
    looks
        .into_iter()
        .map(|(index, _, _, look)| (index, look))
        .collect()
}

impl Replay<'_> {
    fn float_all(&mut self) {
        while let Some(attempt) = self.floating.pop_front() {
            self.apply(attempt);
        }
    }

    /// Whether it is worth looking for another order.
    fn searches(&self) -> bool {
        self.findings.count(Checker::C1) < SEARCH_UNTIL
    }

    fn load(&mut self, op: &Op) {
        self.transfers.clear();
        self.accounts.clear();
        match op.creates {
            Creates::Transfers => {
                let items = op.items().map(|item| self.trace.items.transfer(item));
                self.transfers.extend(items);
            }
            Creates::Accounts => {
                let items = op
                    .items()
                    .map(|item| self.trace.accounts[item as usize].account);
                self.accounts.extend(items);
            }
        }
    }

    fn run(&mut self, op: &Op, first: u64) {
        let items = match op.creates {
            Creates::Transfers => Items::Transfers(&self.transfers),
            Creates::Accounts => Items::Accounts(&self.accounts),
        };
        self.model.request(items, first);
    }

    /// What the item at a place of a request was answered, or what was seen of it later.
    fn expected(&self, op: &Op, first: u64, place: usize) -> Expected {
        let item = op.first + place as u32;
        let tick = first + place as u64;
        let (answer, exists) = match op.creates {
            Creates::Transfers => {
                let item = self.trace.items.get(item);
                let answer = Outcome(u32::from(item.status), item.timestamp);
                (answer, CreateTransferStatus::Exists.code())
            }
            Creates::Accounts => {
                let item = &self.trace.accounts[item as usize];
                let answer = Outcome(u32::from(item.status), item.timestamp);
                (answer, CreateAccountStatus::Exists.code())
            }
        };
        // Of a retried request an answer belongs to the attempt whose tick it carries.
        if op.end == End::Ok
            && (!op.retried || answer.timestamp() == tick && answer.status() != exists)
        {
            return Expected::Answer(answer);
        }
        let (evidence, covered) = facts(self.trace, op, item);
        if evidence.timestamp == tick {
            return Expected::Answer(Outcome(0, tick));
        }
        // Something else stands under the id, or a complete final read says that nothing does.
        if evidence.timestamp != 0 || covered & self.complete != 0 {
            return Expected::NotCreated;
        }
        Expected::Anything
    }

    /// The first item that the model answers otherwise, or whose amount it knows otherwise.
    fn mismatch(&self, op: &Op, first: u64) -> Option<usize> {
        (0..op.count as usize).find(|place| {
            let got = self.model.outcomes()[*place];
            match self.expected(op, first, *place) {
                Expected::Answer(answer) if answer != got => return true,
                Expected::NotCreated if got.status() == 0 => return true,
                _ => {}
            }
            if op.creates != Creates::Transfers
                || got.status() != 0
                || self.trace.amounts.is_empty()
            {
                return false;
            }
            let slot = self.trace.items.get(op.first + *place as u32).id;
            self.trace.amounts.get(&slot).is_some_and(|amount| {
                let found = self.model.lookup(self.transfers[*place].id.0);
                !matches!(found, Lookup::Found(transfer) if transfer.amount == *amount)
            })
        })
    }

    /// Uses up ids that an attempt nobody saw must have used up, because the answer says so.
    fn pin(&mut self, op: &Op) -> bool {
        let mut pinned = false;
        if op.creates == Creates::Transfers {
            for item in op.items() {
                let item = self.trace.items.get(item);
                let says = u32::from(item.status) == CreateTransferStatus::IdAlreadyFailed.code();
                let id = self.trace.items.ids.id(item.id);
                if says
                    && self.order.may_have_refused.contains_key(&item.id)
                    && self.model.lookup(id) == Lookup::Absent
                {
                    self.model.refuse(id);
                    pinned = true;
                }
            }
        }
        pinned
    }

    /// Runs a request at its tick; tries again after expiries that are due, and tries the other requests that may have
    /// begun there, when it does not fit.
    fn apply(&mut self, attempt: Attempt) {
        let order = self.order;
        self.model.keep();
        let own = [attempt.op];
        let known = has_known_entry(&self.trace.ops[attempt.op as usize]);
        let candidates = if known {
            None
        } else {
            order.candidates.get(&attempt.first)
        };
        let candidates = candidates
            .filter(|ops| ops.contains(&attempt.op))
            .map_or(&own[..], Vec::as_slice);
        for number in candidates {
            let op = self.trace.ops[*number as usize];
            self.load(&op);
            if self.fits(&op, attempt.first) {
                self.place(&op);
                return self.happened(*number, &op);
            }
            self.model.undo_to(0);
        }
        let op = self.trace.ops[attempt.op as usize];
        self.place(&op);
        self.load(&op);
        self.run(&op, attempt.first);
        self.blame(&op, attempt.first);
        self.happened(attempt.op, &op);
    }

    fn happened(&mut self, number: u32, op: &Op) {
        if op.end == End::Info {
            self.happened.insert(number);
        }
    }

    /// Runs a request; is there a number of due expiries with which it fits? If not, the caller takes everything back.
    fn fits(&mut self, op: &Op, first: u64) -> bool {
        self.run(op, first);
        if self.mismatch(op, first).is_none() {
            return true;
        }
        self.model.undo_to(0);
        if !self.searches() {
            return false;
        }
        self.pin(op);
        let pinned = self.model.mark();
        for expired in 0.. {
            for _ in 0..expired {
                if !self.model.expire_next(first - 1) {
                    return false;
                }
            }
            self.run(op, first);
            if self.mismatch(op, first).is_none() {
                return true;
            }
            self.model.undo_to(pinned);
        }
        false
    }

    fn blame(&mut self, op: &Op, first: u64) {
        let Some(place) = self.mismatch(op, first) else {
            return;
        };
        let model = self.model.outcomes()[place];
        let name = |outcome: Outcome| match op.creates {
            Creates::Transfers => name(
                CreateTransferStatus::from_code(outcome.status()).map(CreateTransferStatus::name),
                outcome,
            ),
            Creates::Accounts => name(
                CreateAccountStatus::from_code(outcome.status()).map(CreateAccountStatus::name),
                outcome,
            ),
        };
        let what = match op.creates {
            Creates::Transfers => format!("transfer {:x}", self.transfers[place].id.0),
            Creates::Accounts => format!("account {:x}", self.accounts[place].id.0),
        };
        let seen = match self.expected(op, first, place) {
            Expected::Answer(seen) if seen != model => name(seen),
            Expected::NotCreated if model.status() == 0 => "that it was not created".to_owned(),
            _ => "created with another amount".to_owned(),
        };
        let message = format!(
            "item {place}, {what}: seen {seen}, expected {}",
            name(model)
        );
        self.findings.derive(Checker::C1, op.events(), message);
    }

    fn look(&mut self, look: Look, until: u64) {
        match look {
            Look::Request(number) => self.look_at_request(number),
            Look::Read(number) => {
                let read = self.trace.reads.list[number as usize];
                self.look_at_read(&read, until);
            }
        }
    }

    /// A request that changed nothing: everything existed, when its entry had been applied.
    fn look_at_request(&mut self, number: u32) {
        let op = self.trace.ops[number as usize];
        self.place(&op);
        self.load(&op);
        loop {
            self.model.keep();
            self.run(&op, 0);
            let fits = self.mismatch(&op, 0).is_none();
            if !fits && self.floating.is_empty() {
                self.blame(&op, 0);
            }
            self.model.undo_to(0);
            match self.floating.pop_front() {
                Some(attempt) if !fits => {
                    self.apply(attempt);
                    self.load(&op);
                }
                Some(attempt) => return self.floating.push_front(attempt),
                None => return,
            }
        }
    }

    fn look_at_read(&mut self, read: &Read, until: u64) {
        if read.consistency == Consistency::Linearizable {
            self.real_time.place(
                Interval {
                    invoke_ns: read.invoke_ns,
                    complete_ns: read.complete_ns,
                    invoke_event: read.invoke_event,
                    complete_event: read.complete_event,
                },
                self.findings,
            );
        }
        if let Consistency::MinLogIndex(least) = read.consistency
            && read.applied_index < least
        {
            let message = format!(
                "a read at log index {} was asked for {least} or later",
                read.applied_index
            );
            let events = [read.invoke_event, read.complete_event];
            self.findings
                .add(Checker::C1, events.map(u64::from).to_vec(), message);
        }
        loop {
            self.model.keep();
            let Some(wrong) = self.first_wrong(read) else {
                return;
            };
            if self.searches() {
                let until = self
                    .floating
                    .front()
                    .map_or(until, |attempt| attempt.first - 1);
                while self.model.expire_next(until) {
                    if self.first_wrong(read).is_none() {
                        return self.model.keep();
                    }
                }
                self.model.undo_to(0);
            }
            match self.floating.pop_front().filter(|_| self.searches()) {
                Some(attempt) => self.apply(attempt),
                None => {
                    let mut events =
                        vec![u64::from(read.invoke_event), u64::from(read.complete_event)];
                    events.dedup();
                    let what = if read.is_final { "final read" } else { "read" };
                    let message = format!("{what} at log index {}: {wrong}", read.applied_index);
                    let checker = if read.is_final {
                        Checker::C9
                    } else {
                        Checker::C1
                    };
                    self.findings.derive(checker, events, message);
                    return;
                }
            }
        }
    }

    /// The first row of a read that is not the model's, in words.
    fn first_wrong(&mut self, read: &Read) -> Option<String> {
        let trace = self.trace;
        trace.reads.rows(read).find_map(|row| self.wrong_row(&row))
    }

    fn wrong_row(&mut self, row: &Row) -> Option<String> {
        match row {
            Row::Account(id, seen) => {
                let expected = self.model.account(*id);
                if expected == seen.as_ref() {
                    return None;
                }
                let show = |account: Option<&Account>| {
                    account.map_or("nothing".to_owned(), |a| {
                        format!(
                            "debits {} + {} pending, credits {} + {} pending, flags {}, created at {}",
                            a.debits_posted, a.debits_pending, a.credits_posted, a.credits_pending, a.flags.0, a.timestamp
                        )
                    })
                };
                Some(format!(
                    "account {id:x}: seen {}, expected {}",
                    show(seen.as_ref()),
                    show(expected)
                ))
            }
            Row::Transfer(slot, seen) => {
                let id = self.trace.items.ids.id(*slot);
                let found = self.model.lookup(id);
                let fits = match (seen, &found) {
                    (Seen::Absent, Lookup::Absent) | (Seen::Refused, Lookup::Refused) => true,
                    (Seen::Found(hash), Lookup::Found(transfer)) => row_hash(transfer) == *hash,
                    _ => false,
                };
                if fits {
                    return None;
                }
                // An attempt nobody saw may have used up the id.
                let unseen = self.order.may_have_refused.contains_key(slot);
                if *seen == Seen::Refused && found == Lookup::Absent && unseen {
                    self.model.refuse(id);
                    return None;
                }
                let seen = match seen {
                    Seen::Absent => "nothing",
                    Seen::Refused => "refused",
                    Seen::Found(_) => "another row",
                };
                Some(format!("transfer {id:x}: seen {seen}, expected {found:?}"))
            }
            Row::Pending(slot, seen) => {
                let id = self.trace.items.ids.id(*slot);
                let expected = self.model.pending(id);
                (expected != *seen).then(|| {
                    let show = |status: Option<_>| {
                        status.map_or("nothing".to_owned(), |s| format!("{s:?}"))
                    };
                    format!(
                        "pending transfer {id:x}: seen {}, expected {}",
                        show(*seen),
                        show(expected)
                    )
                })
            }
        }
    }

    fn place(&mut self, op: &Op) {
        self.real_time.place(
            Interval {
                invoke_ns: op.invoke_ns,
                complete_ns: if op.end == End::Ok {
                    op.complete_ns
                } else {
                    NEVER
                },
                invoke_event: op.invoke_event,
                complete_event: op.complete_event,
            },
            self.findings,
        );
    }
}

fn name(known: Option<&'static str>, outcome: Outcome) -> String {
    match known {
        Some(known) => format!("{known} at {}", outcome.timestamp()),
        None => format!("status {} at {}", outcome.status(), outcome.timestamp()),
    }
}
