//! What is called the same: passes 1 and 2.

use super::components::Components;
use super::groups::{Rule, Verdict};
use super::options::Field;
use super::work::Work;
use crate::reference;
use crate::statement::Statement;

/// A reference shared by more entries than this on a side names a customer or a contract rather than one payment.
const SHARED_MAX: usize = 16;

/// Every number that a reference of the statement may stand for, with its entry; sorted. 32 bytes each.
pub(super) struct Keys(Vec<(u128, u32)>);

impl Keys {
    pub(super) fn of(statement: &Statement, derive: &dyn Fn(&str) -> Option<u128>) -> Self {
        let mut keys = Vec::with_capacity(statement.len());
        for entry in statement.entries() {
            let index = entry.index() as u32;
            for reference in entry.references() {
                let derived = derive(reference.text).filter(|number| *number != 0);
                let numbers = reference::numbers(reference.text).chain(derived);
                keys.extend(numbers.map(|number| (number, index)));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    /// Calls `take` for each number that open entries of both sides have, with these.
    fn join(&self, work: &Work<'_>, field: Field, mut take: impl FnMut(&[u32], &[u32])) {
        let mut named: Vec<(u128, u32)> = work
            .open_ledger()
            .map(|rank| (work.value(rank, field), rank))
            .filter(|(value, _)| *value != 0)
            .collect();
        named.sort_unstable();
        let (mut statement, mut ledger) = (Vec::new(), Vec::new());
        let mut keys = &self.0[..];
        for same in named.chunk_by(|left, right| left.0 == right.0) {
            let Some((number, _)) = same.first() else {
                continue;
            };
            // Mostly the next few, so no binary search over all of them.
            let skip = keys.iter().take_while(|key| key.0 < *number).count();
            keys = &keys[skip..];
            let count = keys.iter().take_while(|key| key.0 == *number).count();
            let (here, rest) = keys.split_at(count);
            keys = rest;
            statement.clear();
            let open = here.iter().map(|key| key.1);
            statement.extend(open.filter(|index| work.is_statement_open(*index)));
            if statement.is_empty() {
                continue;
            }
            ledger.clear();
            ledger.extend(same.iter().map(|key| key.1));
            take(&statement, &ledger);
        }
    }

    fn components(&self, work: &Work<'_>, field: Field) -> Components {
        let mut components = Components::new(work.statement.len(), work.ledger_len());
        self.join(work, field, |statement, ledger| {
            // A star on each side ties them all: everybody to the other side's first.
            for index in statement {
                components.join(*index, ledger[0]);
            }
            for rank in &ledger[1..] {
                components.join(statement[0], *rank);
            }
        });
        components
    }
}

/// Settles one entry and one transfer that are called the same and are equal; by user data also where a few others share
/// the name, if the two are the only ones of their amount.
pub(super) fn pairs(work: &mut Work<'_>, keys: &Keys, field: Field) {
    let mut found = Vec::new();
    keys.components(work, field).for_each(|component| {
        if let ([index], [rank]) = (&component.statement[..], &component.ledger[..])
            && work.statement_movement(*index) == Some(work.ledger_movement(*rank))
        {
            found.push((*index, *rank));
        }
    });
    settle_pairs(work, field, &found);
    if field == Field::Id {
        // An id names one transfer, so several entries that name it are parts of it, or copies.
        return;
    }
    found.clear();
    keys.join(work, field, |statement, ledger| {
        let few = |length| length <= SHARED_MAX;
        if few(statement.len()) && few(ledger.len()) && statement.len() + ledger.len() > 2 {
            only_of_their_amount(work, statement, ledger, &mut found);
        }
    });
    // An entry with several references may have been found by more than one: then none of them tells.
    found.sort_unstable();
    found.dedup();
    let mut indexes: Vec<u32> = found.iter().map(|pair| pair.0).collect();
    let mut ranks: Vec<u32> = found.iter().map(|pair| pair.1).collect();
    indexes.sort_unstable();
    ranks.sort_unstable();
    found.retain(|(index, rank)| is_once(&indexes, *index) && is_once(&ranks, *rank));
    settle_pairs(work, field, &found);
}

fn is_once(sorted: &[u32], value: u32) -> bool {
    let begin = sorted.partition_point(|other| *other < value);
    sorted.get(begin + 1) != Some(&value)
}

/// Adds the pairs whose amount and direction nobody else on their side has.
fn only_of_their_amount(
    work: &Work<'_>,
    statement: &[u32],
    ledger: &[u32],
    found: &mut Vec<(u32, u32)>,
) {
    let mut entries: Vec<_> = statement
        .iter()
        // A booking of many transactions is the sum of several transfers.
        .filter(|index| work.statement.entry(**index as usize).details().len() < 2)
        .filter_map(|index| Some((work.statement_movement(*index)?, *index)))
        .collect();
    let mut transfers: Vec<_> = ledger
        .iter()
        .map(|rank| (work.ledger_movement(*rank), *rank))
        .collect();
    entries.sort_unstable();
    transfers.sort_unstable();
    for same in entries.chunk_by(|left, right| left.0 == right.0) {
        let [(movement, index)] = same else { continue };
        let begin = transfers.partition_point(|(other, _)| other < movement);
        let end = transfers.partition_point(|(other, _)| other <= movement);
        if let [(_, rank)] = transfers[begin..end] {
            found.push((*index, rank));
        }
    }
}

/// Settles one entry that is several transfers, or several that are one, by the references that tie them together. By
/// ids, which name single transfers, also several that are several.
pub(super) fn groups(work: &mut Work<'_>, keys: &Keys, field: Field) {
    let mut found = Vec::new();
    keys.components(work, field).for_each(|component| {
        let (statement, ledger) = (&component.statement, &component.ledger);
        let one = statement.len() == 1 || ledger.len() == 1;
        let several = statement.len() + ledger.len() > 2;
        if several && (one || field == Field::Id) && work.sums_equal(statement, ledger) {
            found.push((statement.clone(), ledger.clone()));
        }
    });
    for (statement, ledger) in found {
        work.settle(Verdict::Matched(Rule::group(field)), &statement, &ledger);
    }
}

/// Settles as different what is called the same and was not found equal: by ids everything that is tied together. By user
/// data only one entry and one transfer, close in time: a bank that numbers its entries and a shop that numbers its orders
/// have numbers in common. What was found by another name meanwhile may leave equal sides behind.
pub(super) fn differences(work: &mut Work<'_>, keys: &Keys, field: Field) {
    let mut found = Vec::new();
    keys.components(work, field).for_each(|component| {
        let (statement, ledger) = (&component.statement, &component.ledger);
        let pair = match (&statement[..], &ledger[..]) {
            ([index], [rank]) => Some((*index, *rank)),
            _ => None,
        };
        let verdict = match (work.sums_equal(statement, ledger), pair) {
            (true, Some(_)) => Verdict::Matched(Rule::pair(field)),
            (true, None) => Verdict::Matched(Rule::group(field)),
            (false, _) => Verdict::Different(field),
        };
        let near = pair.is_some_and(|(index, rank)| work.is_near(index, rank));
        let equal_pair = pair.is_some() && verdict != Verdict::Different(field);
        if field == Field::Id || near || equal_pair {
            found.push((verdict, statement.clone(), ledger.clone()));
        }
    });
    for (verdict, statement, ledger) in found {
        work.settle(verdict, &statement, &ledger);
    }
}

fn settle_pairs(work: &mut Work<'_>, field: Field, pairs: &[(u32, u32)]) {
    for (index, rank) in pairs {
        let verdict = Verdict::Matched(Rule::pair(field));
        work.settle(verdict, &[*index], &[*rank]);
    }
}
