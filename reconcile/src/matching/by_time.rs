//! Equal amounts close in time: pass 3.
//!
//! For each amount and direction, entries and transfers that can reach each other within the window, directly or by
//! others, are one crowd. In a crowd with as many entries as transfers every one has a partner, and which partner it is
//! makes no difference to the books: all are of the same amount, and nothing else is known. They are paired in the order
//! of time, if that leaves every pair within the window. In any other crowd somebody has no partner, and who it is cannot
//! be known: all of it is ambiguous.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::groups::{Doubt, Rule, Verdict};
use super::work::{Movement, Work};
use crate::time::Span;

/// An entry of the statement in a crowd: the times that its transfer may have.
#[derive(Clone, Copy, Debug)]
struct Reach {
    first_ns: u64,
    last_ns: u64,
    index: u32,
}

/// Entries and transfers of one crowd.
struct Crowd<'a> {
    statement: &'a [Reach],
    ledger: &'a [(u64, u32)],
}

pub(super) fn pairs(work: &mut Work<'_>) {
    let windows = work.options.tight_windows_ns.clone();
    for window_ns in windows {
        within(work, window_ns, false);
    }
    within(work, work.options.window_ns, true);
}

/// `last` is true for the window in which crowds that cannot be paired become ambiguous.
fn within(work: &mut Work<'_>, window_ns: u64, last: bool) {
    let mut entries: Vec<(Movement, Span, u32)> = work
        .open_statement()
        .filter_map(|index| {
            let span = work.statement_span(index);
            let movement = work.statement_movement(index)?;
            span.is_known().then_some((movement, span, index))
        })
        .collect();
    entries.sort_unstable();
    let mut transfers: Vec<(Movement, u64, u32)> = work
        .open_ledger()
        .map(|rank| {
            let movement = work.ledger_movement(rank);
            (movement, work.ledger(rank).timestamp, rank)
        })
        .collect();
    transfers.sort_unstable();
    let mut rest = &transfers[..];
    let (mut reaches, mut times) = (Vec::new(), Vec::new());
    for same in entries.chunk_by(|left, right| left.0 == right.0) {
        let movement = same[0].0;
        let skip = rest.partition_point(|transfer| transfer.0 < movement);
        let count = rest[skip..].partition_point(|transfer| transfer.0 == movement);
        let here = &rest[skip..skip + count];
        rest = &rest[skip + count..];
        if here.is_empty() {
            continue;
        }
        reaches.clear();
        reaches.extend(same.iter().map(|(_, span, index)| Reach {
            first_ns: span.first_ns.saturating_sub(window_ns),
            last_ns: span.last_ns.saturating_add(window_ns),
            index: *index,
        }));
        times.clear();
        times.extend(here.iter().map(|(_, time, rank)| (*time, *rank)));
        crowds(&reaches, &times, |crowd| settle(work, crowd, last));
    }
}

/// Divides entries (by the begin of their reach) and transfers (by time) of one amount into crowds. Those who reach
/// nobody are in none.
fn crowds(reaches: &[Reach], times: &[(u64, u32)], mut take: impl FnMut(&Crowd<'_>)) {
    let mut statement = Vec::new();
    // Places in `times` that the crowd at hand covers.
    let (mut begin, mut end) = (0, 0);
    for reach in reaches {
        let from = times.partition_point(|(time, _)| *time < reach.first_ns);
        let to = times.partition_point(|(time, _)| *time <= reach.last_ns);
        if from >= to {
            continue;
        }
        if from >= end && !statement.is_empty() {
            take(&Crowd {
                statement: &statement,
                ledger: &times[begin..end],
            });
            statement.clear();
        }
        if statement.is_empty() {
            begin = from;
        }
        statement.push(*reach);
        end = end.max(to);
    }
    if !statement.is_empty() {
        take(&Crowd {
            statement: &statement,
            ledger: &times[begin..end],
        });
    }
}

fn settle(work: &mut Work<'_>, crowd: &Crowd<'_>, last: bool) {
    let equal = crowd.statement.len() == crowd.ledger.len();
    let doubt = match in_order(crowd) {
        Some(pairs) => {
            let rule = if pairs.len() == 1 {
                Rule::AmountAndTime
            } else {
                Rule::AmountAndTimeInOrder
            };
            for (index, rank) in pairs {
                work.settle(Verdict::Matched(rule), &[index], &[rank]);
            }
            return;
        }
        None if equal => Doubt::NoPairing,
        None => Doubt::UnequalCounts,
    };
    if last {
        let mut statement: Vec<u32> = crowd.statement.iter().map(|reach| reach.index).collect();
        let mut ledger: Vec<u32> = crowd.ledger.iter().map(|(_, rank)| *rank).collect();
        statement.sort_unstable();
        ledger.sort_unstable();
        work.settle(Verdict::Ambiguous(doubt), &statement, &ledger);
    }
}

/// Gives each transfer, in the order of time, the entry whose reach ends first among those that reach it. If everybody can
/// be paired at all, this does it; with reaches of one length it is the order of time on both sides.
fn in_order(crowd: &Crowd<'_>) -> Option<Vec<(u32, u32)>> {
    if crowd.statement.len() != crowd.ledger.len() {
        return None;
    }
    let mut waiting = crowd.statement.iter().peekable();
    let mut reaching: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
    let mut pairs = Vec::with_capacity(crowd.ledger.len());
    for (time, rank) in crowd.ledger {
        while let Some(reach) = waiting.next_if(|reach| reach.first_ns <= *time) {
            reaching.push(Reverse((reach.last_ns, reach.first_ns, reach.index)));
        }
        let Reverse((last_ns, _, index)) = reaching.pop()?;
        if last_ns < *time {
            return None;
        }
        pairs.push((index, *rank));
    }
    Some(pairs)
}
