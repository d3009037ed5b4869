//! Which transfers of a history took effect, as elements of lists: each once in the list of the account it debits and
//! once in that of the account it credits, in the order of the cluster's timestamps.

use std::collections::HashMap;

use farthing_client::{Transfer, TransferFlags};

use crate::history::{Event, Lookup, Outcome, Process, Value};

/// A transfer that took effect: timestamp, element, amount.
pub(super) type Effect = (u64, u64, u128);

/// A transfer as an element of two lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) debit: u128,
    pub(super) credit: u128,
    pub(super) element: u64,
    /// Place in the list of each, from 1: the cluster's timestamps say it.
    pub(super) position_debit: usize,
    pub(super) position_credit: usize,
}

/// A transfer that took effect.
#[derive(Clone, Copy, Debug)]
struct Element {
    number: u64,
    timestamp: u64,
    /// The transfer as it took effect, where a read or an answer shows it.
    transfer: Transfer,
    /// A call was answered `created` for it.
    is_claimed: bool,
    /// Place in the lists of the debited and the credited account.
    positions: (usize, usize),
}

/// Transfers as elements, by id; numbered from 1 in the order in which they were seen to have happened.
pub(super) struct Elements(HashMap<u128, Element>);

impl Elements {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut elements = Self(HashMap::new());
        let mut open: HashMap<Process, &Vec<Transfer>> = HashMap::new();
        for event in events {
            match &event.value {
                Value::Transfers(items) => {
                    open.insert(event.process, items);
                }
                Value::Outcomes(outcomes) => {
                    let items = open.remove(&event.process);
                    for (item, outcome) in items.into_iter().flatten().zip(outcomes) {
                        if outcome.status() == 0 {
                            let timestamp = outcome.timestamp();
                            elements.add(Transfer { timestamp, ..*item }, true);
                        }
                    }
                }
                Value::TransfersRead(reply) => {
                    for row in &reply.rows {
                        if let Lookup::Found(row) = row {
                            elements.add(*row, false);
                        }
                    }
                }
                Value::FinalRead(read) => {
                    read.transfers
                        .iter()
                        .for_each(|row| elements.add(*row, false));
                }
                _ => {}
            }
        }
        elements.place();
        elements
    }

    fn add(&mut self, transfer: Transfer, is_claimed: bool) {
        if is_plain(&transfer) {
            let number = self.0.len() as u64 + 1;
            let timestamp = transfer.timestamp;
            let new = Element {
                number,
                timestamp,
                transfer,
                is_claimed,
                positions: (0, 0),
            };
            self.0.entry(transfer.id.0).or_insert(new).is_claimed |= is_claimed;
        }
    }

    fn append(&self, item: &Transfer) -> Option<Append> {
        let element = self.0.get(&item.id.0)?;
        Some(Append {
            debit: item.debit_account_id.0,
            credit: item.credit_account_id.0,
            element: element.number,
            position_debit: element.positions.0,
            position_credit: element.positions.1,
        })
    }

    /// Gives every element its place in its two lists.
    fn place(&mut self) {
        let mut ordered: Vec<&mut Element> = self.0.values_mut().collect();
        ordered.sort_unstable_by_key(|element| element.timestamp);
        let mut lengths: HashMap<u128, usize> = HashMap::new();
        for element in ordered {
            let mut next = |account: u128| {
                let length = lengths.entry(account).or_default();
                *length += 1;
                *length
            };
            let transfer = &element.transfer;
            element.positions = (
                next(transfer.debit_account_id.0),
                next(transfer.credit_account_id.0),
            );
        }
    }

    /// What an answered request appended.
    pub(super) fn created(&self, items: &[Transfer], outcomes: &[Outcome]) -> Vec<Append> {
        let created = items
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.status() == 0);
        created.filter_map(|(item, _)| self.append(item)).collect()
    }

    /// What a request without an answer appended: what it asked for, exists, and nobody was answered for.
    pub(super) fn unclaimed(&self, items: &[Transfer]) -> Vec<Append> {
        let mine = items.iter().filter(|item| {
            self.0.get(&item.id.0).is_some_and(|element| {
                let timestamp = element.timestamp;
                !element.is_claimed
                    && element.transfer
                        == Transfer {
                            timestamp,
                            ..**item
                        }
            })
        });
        mine.filter_map(|item| self.append(item)).collect()
    }

    /// The list of every account, in the order of effects.
    pub(super) fn lists(&self) -> HashMap<u128, Vec<Effect>> {
        let mut lists: HashMap<u128, Vec<Effect>> = HashMap::new();
        for element in self.0.values() {
            let transfer = &element.transfer;
            for account in [transfer.debit_account_id.0, transfer.credit_account_id.0] {
                let effect = (element.timestamp, element.number, transfer.amount);
                lists.entry(account).or_default().push(effect);
            }
        }
        lists.values_mut().for_each(|list| list.sort_unstable());
        lists
    }
}

/// Moves exactly its amount, at once.
fn is_plain(item: &Transfer) -> bool {
    item.flags.without(TransferFlags::LINKED) == TransferFlags::default() && item.amount != 0
}
