//! Breaking what nodes hold at the end.
// One signature for the table of mutations, whether or not one changes the length.
#![allow(clippy::ptr_arg)]

use std::collections::HashSet;

use farthing_client::{PendingStatus, Transfer, TransferId};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use super::mutate::final_reads;
use crate::history::{Event, Function, Kind, Process, Value};

/// Any transfer the first final read has and `fits` likes.
fn pick(
    events: &mut [Event],
    rng: &mut SmallRng,
    fits: impl Fn(&Transfer) -> bool,
) -> Option<Transfer> {
    let mut found = Vec::new();
    for (node, read) in final_reads(events) {
        if node == 1 {
            found.extend(read.transfers.iter().filter(|row| fits(row)).copied());
        }
    }
    found.choose(rng).copied()
}

/// Ids whose request was answered.
fn acknowledged(events: &[Event], kind: Kind) -> HashSet<u128> {
    let mut ids = HashSet::new();
    let mut open = std::collections::HashMap::new();
    for event in events {
        match &event.value {
            Value::Transfers(items) => {
                open.insert(event.process, items);
            }
            _ if event.kind == kind && event.function == Function::Transfers => {
                let items = open.remove(&event.process);
                ids.extend(items.into_iter().flatten().map(|item| item.id.0));
            }
            _ => {}
        }
    }
    ids
}

fn remove(events: &mut [Event], id: TransferId, node: Option<u64>) -> bool {
    for (number, read) in final_reads(events) {
        let before = read.transfers.len();
        if node.is_none_or(|node| node == number) {
            read.transfers.retain(|row| row.id != id);
            if read.transfers.len() != before {
                read.absent.push(id.0);
            }
        }
    }
    true
}

pub(super) fn lost_write(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let acknowledged = acknowledged(events, Kind::Ok);
    let lost = pick(events, rng, |row| acknowledged.contains(&row.id.0));
    lost.is_some_and(|lost| remove(events, lost.id, None))
}

pub(super) fn lost_write_on_one_node(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let acknowledged = acknowledged(events, Kind::Ok);
    let lost = pick(events, rng, |row| acknowledged.contains(&row.id.0));
    lost.is_some_and(|lost| remove(events, lost.id, Some(2)))
}

pub(super) fn lost_unknown_on_one_node(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let acknowledged = acknowledged(events, Kind::Ok);
    let lost = pick(events, rng, |row| !acknowledged.contains(&row.id.0));
    lost.is_some_and(|lost| remove(events, lost.id, Some(2)))
}

pub(super) fn double_apply(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let Some(twice) = pick(events, rng, |row| row.amount != 0 && row.flags.0 == 0) else {
        return false;
    };
    for (_, read) in final_reads(events) {
        for account in &mut read.accounts {
            if account.id == twice.debit_account_id {
                account.debits_posted += twice.amount;
            }
            if account.id == twice.credit_account_id {
                account.credits_posted += twice.amount;
            }
        }
    }
    true
}

pub(super) fn money_from_nothing(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    for (_, read) in final_reads(events) {
        if let Some(account) = read.accounts.first_mut() {
            account.credits_posted += rng.random_range(1..9);
            return true;
        }
    }
    false
}

fn change(events: &mut [Event], id: TransferId, node: Option<u64>) -> bool {
    for (number, read) in final_reads(events) {
        for row in read.transfers.iter_mut().filter(|row| row.id == id) {
            if node.is_none_or(|node| node == number) {
                row.amount += 1;
            }
        }
    }
    true
}

pub(super) fn changed_amount(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let acknowledged = acknowledged(events, Kind::Ok);
    let row = pick(events, rng, |row| {
        row.flags.0 == 0 && acknowledged.contains(&row.id.0)
    });
    row.is_some_and(|row| change(events, row.id, None))
}

pub(super) fn changed_on_one_node(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    pick(events, rng, |_| true).is_some_and(|row| change(events, row.id, Some(3)))
}

pub(super) fn phantom(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let Some(row) = pick(events, rng, |row| row.flags.0 == 0) else {
        return false;
    };
    for (_, read) in final_reads(events).filter(|(_, read)| read.part == 0) {
        let phantom = Transfer {
            id: TransferId(0xdead),
            timestamp: row.timestamp + (1 << 50),
            ..row
        };
        read.transfers.push(phantom);
    }
    true
}

pub(super) fn failed_and_happened(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let failed = acknowledged(events, Kind::Fail);
    let mut others = acknowledged(events, Kind::Ok);
    others.extend(acknowledged(events, Kind::Info));
    let failed: Vec<u128> = failed.difference(&others).copied().collect();
    let row = pick(events, rng, |row| row.flags.0 == 0);
    let (Some(id), Some(row)) = (failed.iter().min(), row) else {
        return false;
    };
    for (_, read) in final_reads(events) {
        let before = read.absent.len();
        read.absent.retain(|absent| absent != id);
        if read.absent.len() != before {
            let timestamp = row.timestamp + (1 << 50);
            read.transfers.push(Transfer {
                id: TransferId(*id),
                timestamp,
                ..row
            });
        }
    }
    true
}

pub(super) fn pending_ends_otherwise(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let mut broke = false;
    for (_, read) in final_reads(events).filter(|(node, _)| *node == 2) {
        if let Some(row) = read
            .pendings
            .iter_mut()
            .find(|row| row.status == PendingStatus::Posted)
        {
            row.status = PendingStatus::Voided;
            broke = true;
        }
    }
    broke
}

pub(super) fn refused_and_created(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let Some(row) = pick(events, rng, |_| true) else {
        return false;
    };
    for (_, read) in final_reads(events).filter(|(node, _)| *node == 2) {
        let before = read.transfers.len();
        read.transfers.retain(|other| other.id != row.id);
        if read.transfers.len() != before {
            read.refused.push(row.id.0);
        }
    }
    true
}

pub(super) fn count_with_a_phantom(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let counts = final_reads(events).find_map(|(_, read)| read.transfer_count.as_mut());
    counts.map(|count| *count += 1).is_some()
}

pub(super) fn incomplete(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let last = |event: &Event| matches!(&event.value, Value::FinalRead(read) if read.part + 1 == read.parts);
    let parts: Vec<usize> = (0..events.len()).filter(|at| last(&events[*at])).collect();
    parts.choose(rng).map(|at| events.remove(*at)).is_some()
}

pub(super) fn none_at_all(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    events
        .retain(|event| event.process != Process::Harness || event.function != Function::FinalRead);
    true
}
