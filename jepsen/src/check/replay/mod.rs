//! C1: every acknowledged request through the model, in the order of effects, with equal answers; every read equal to
//! the model's state at its index. C2 walks along.
//!
//! Two things are not written in any answer: on which side of a read's index a request of unknown outcome stands, and
//! when exactly a due transfer expired. Both only ever move forward, so the replay moves each as little as what was
//! seen demands: a read or an answer that does not fit is tried again after the next expiry that is due, then behind
//! the next unknown request. What fits then is one possible order, and if nothing fits there is none.
//!
//! Start at [`replay`]; `request`, `read` and `page` are what is done at each place of the log.

mod page;
mod read;
mod request;

use std::collections::{HashSet, VecDeque};

use farthing_client::{Account, Transfer};

use super::order::{Attempt, Order, has_known_entry};
use super::real_time::{Interval, RealTime};
use super::report::{Checker, Findings};
use super::trace::{End, NEVER, Op, Trace};
use crate::model::Model;

/// After so many violations the state is anyone's guess; the search for other orders stops.
const SEARCH_UNTIL: u64 = 200;

/// What is looked at when the log has reached an index.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// A request with no tick of its own.
    Request(u32),
    Read(u32),
    Asked(u32),
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
        model: match trace.asked.is_empty() {
            true => Model::new(),
            false => Model::with_lists(),
        },
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
    for (number, asked) in trace.asked.iter().enumerate() {
        let number = number as u32;
        let index = asked.page.applied_index;
        looks.push((index, true, asked.invoke_ns, Look::Asked(number)));
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

    fn look(&mut self, look: Look, until: u64) {
        match look {
            Look::Request(number) => self.look_at_request(number),
            Look::Read(number) => {
                let read = self.trace.reads.list[number as usize];
                self.look_at_read(&read, until);
            }
            Look::Asked(number) => {
                self.look_at_page(&self.trace.asked[number as usize], until);
            }
        }
    }

    fn happened(&mut self, number: u32, op: &Op) {
        if op.end == End::Info {
            self.happened.insert(number);
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
