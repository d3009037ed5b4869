//! One read against the model's state at its index.

use farthing_client::Account;

use super::Replay;
use crate::check::reads::{Read, Row, Seen};
use crate::check::real_time::Interval;
use crate::check::report::Checker;
use crate::check::trace::row_hash;
use crate::history::{Consistency, Lookup};

/// When a read was made, and how fresh it was to be.
pub(super) struct Freshness {
    pub(super) applied_index: u64,
    pub(super) consistency: Consistency,
    pub(super) interval: Interval,
}

impl Replay<'_> {
    pub(super) fn look_at_read(&mut self, read: &Read, until: u64) {
        let freshness = Freshness {
            applied_index: read.applied_index,
            consistency: read.consistency,
            interval: Interval {
                invoke_ns: read.invoke_ns,
                complete_ns: read.complete_ns,
                invoke_event: read.invoke_event,
                complete_event: read.complete_event,
            },
        };
        let (checker, what) = match read.is_final {
            true => (Checker::C9, "final read"),
            false => (Checker::C1, "read"),
        };
        self.freshness(&freshness);
        if let Some(wrong) = self.search(until, |replay| replay.first_wrong(read)) {
            let mut events = vec![u64::from(read.invoke_event), u64::from(read.complete_event)];
            events.dedup();
            let message = format!("{what} at log index {}: {wrong}", read.applied_index);
            self.findings.derive(checker, events, message);
        }
    }

    /// Real time, or the index that was asked for.
    pub(super) fn freshness(&mut self, it: &Freshness) {
        match it.consistency {
            Consistency::Linearizable => self.real_time.place(it.interval, self.findings),
            Consistency::MinLogIndex(least) if it.applied_index < least => {
                let message = format!(
                    "a read at log index {} was asked for {least} or later",
                    it.applied_index
                );
                let events = [it.interval.invoke_event, it.interval.complete_event];
                let events = events.map(u64::from).to_vec();
                self.findings.add(Checker::C1, events, message);
            }
            Consistency::MinLogIndex(_) | Consistency::Stale => {}
        }
    }

    /// Looks at the state, and moves what is not placed yet as little as what was seen demands. What is still wrong
    /// when nothing is left to move, in words.
    pub(super) fn search(
        &mut self,
        until: u64,
        mut first_wrong: impl FnMut(&mut Self) -> Option<String>,
    ) -> Option<String> {
        loop {
            self.model.keep();
            let wrong = first_wrong(self)?;
            if self.searches() {
                let until = self
                    .floating
                    .front()
                    .map_or(until, |attempt| attempt.first - 1);
                while self.model.expire_next(until) {
                    if first_wrong(self).is_none() {
                        self.model.keep();
                        return None;
                    }
                }
                self.model.undo_to(0);
            }
            match self.floating.pop_front().filter(|_| self.searches()) {
                Some(attempt) => self.apply(attempt),
                None => return Some(wrong),
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
}
