//! What subscribers followed (C3, C8): in itself right, the same for everybody, and all that was carried out.

use std::collections::HashSet;

use super::report::{Checker, Findings};
use super::trace::Trace;
use crate::history::Followed;
use crate::model::Model;

/// What the followers of a run wrote down.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Each with the event that said so first.
    followed: Vec<(Followed, u64)>,
    /// Transfers in the stream of the one that roams.
    transfers: HashSet<u128>,
    /// Of them, those that came twice.
    repeated: Vec<u128>,
}

impl Streams {
    /// Takes one line in.
    pub(super) fn take(&mut self, part: &Followed, event: u64) {
        for transfer in &part.transfers {
            if !self.transfers.insert(transfer.id.0) {
                self.repeated.push(transfer.id.0);
            }
        }
        let is_known = |(known, _): &(Followed, u64)| known.follower == part.follower;
        if !self.followed.iter().any(is_known) {
            let head = Followed {
                transfers: vec![],
                ..part.clone()
            };
            self.followed.push((head, event));
        }
    }
}

pub(super) fn check(trace: &Trace, model: &Model, findings: &mut Findings) {
    let streams = &trace.streams;
    for (followed, event) in &streams.followed {
        let who = &followed.follower;
        for wrong in &followed.wrong {
            let message = format!("the subscriber {who}: {wrong}");
            findings.add(Checker::C3, vec![*event], message);
        }
        if !followed.complete {
            findings.open(format!(
                "the subscriber {who} came to event {} and not to the end",
                followed.last
            ));
        }
    }
    for pair in streams.followed.windows(2) {
        let [(one, event), (other, other_event)] = pair else {
            continue;
        };
        if one.last == other.last && one.hash != other.hash {
            let message = format!(
                "the subscribers {} and {} saw different events up to {}",
                one.follower, other.follower, one.last
            );
            findings.add(Checker::C8, vec![*event, *other_event], message);
        }
    }
    for id in &streams.repeated {
        let message = format!("transfer {id:x} is in the event stream twice");
        findings.add(Checker::C3, vec![], message);
    }
    let whole = streams
        .followed
        .iter()
        .find(|(followed, _)| followed.roams && followed.complete);
    let Some((_, event)) = whole else { return };
    for transfer in model.transfers() {
        if !streams.transfers.contains(&transfer.id.0) {
            let message = format!(
                "transfer {:x} took place and is not in the event stream",
                transfer.id.0
            );
            findings.add(Checker::C3, vec![*event], message);
        }
    }
}
