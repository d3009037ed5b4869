//! One request through the model: does it answer what was seen, and if not, in which other place would it?

use farthing_client::{CreateAccountStatus, CreateTransferStatus};

use super::Replay;
use crate::check::order::{Attempt, facts, has_known_entry};
use crate::check::report::Checker;
use crate::check::trace::{Creates, End, Op};
use crate::history::{Lookup, Outcome};
use crate::model::Items;

/// What the model must answer to an item.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Answer(Outcome),
    /// Anything but `created`.
    NotCreated,
    Anything,
}

impl Replay<'_> {
    /// Runs a request at its tick; tries again after expiries that are due, and tries the other requests that may have
    /// begun there, when it does not fit.
    pub(super) fn apply(&mut self, attempt: Attempt) {
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

    /// A request that changed nothing: everything existed, when its entry had been applied.
    pub(super) fn look_at_request(&mut self, number: u32) {
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

    /// Gets its items out of the trace.
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
    fn pin(&mut self, op: &Op) {
        if op.creates != Creates::Transfers {
            return;
        }
        for item in op.items() {
            let item = self.trace.items.get(item);
            let says = u32::from(item.status) == CreateTransferStatus::IdAlreadyFailed.code();
            let id = self.trace.items.ids.id(item.id);
            if says
                && self.order.may_have_refused.contains_key(&item.id)
                && self.model.lookup(id) == Lookup::Absent
            {
                self.model.refuse(id);
            }
        }
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
}

fn name(known: Option<&'static str>, outcome: Outcome) -> String {
    match known {
        Some(known) => format!("{known} at {}", outcome.timestamp()),
        None => format!("status {} at {}", outcome.status(), outcome.timestamp()),
    }
}
