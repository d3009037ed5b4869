//! One read against the model's state at its index.

use farthing_client::Account;

use super::Replay;
use crate::check::reads::{Read, Row, Seen};
use crate::check::real_time::Interval;
use crate::check::report::Checker;
use crate::check::trace::row_hash;
use crate::history::{Consistency, Lookup};

impl Replay<'_> {
    pub(super) fn look_at_read(&mut self, read: &Read, until: u64) {
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
}
