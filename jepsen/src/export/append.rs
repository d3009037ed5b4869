//! The append view: accounts as lists of transfers.

use std::collections::HashMap;
use std::io::{self, Write};

use farthing_client::{Account, Transfer, TransferFlags};

use crate::history::{Event, Function, Kind, Lookup, Outcome, Process, Value};

/// An element that nobody appended: stands at the end of a list that no order of transfers explains.
pub(super) const IMPOSSIBLE: u64 = 0;

/// One call in the view.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) process: u64,
    pub(super) kind: Kind,
    pub(super) invoke_ns: u64,
    /// `None`: it never ended, or ended unknown.
    pub(super) complete_ns: Option<u64>,
    pub(super) does: Does,
}

/// What a call does to lists.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Transfers: debit account, credit account, element.
    Append(Vec<(u128, u128, u64)>),
    /// Accounts and, when the read was answered, how many elements of each list it saw.
    Read(Vec<(u128, Option<Prefix>)>),
}

/// The first elements of a list.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    pub(super) elements: Vec<u64>,
}

/// A transfer that took effect: timestamp, element, amount.
type Effect = (u64, u64, u128);

/// The calls of a history in the view, by the time of their invocation.
pub(super) fn calls(events: &[Event]) -> Vec<Call> {
    let elements = Elements::of(events);
    let lists = elements.lists();
    let mut open: HashMap<u64, (usize, &[Transfer])> = HashMap::new();
    let mut calls: Vec<Call> = Vec::new();
    for event in events {
        let Process::Worker(process) = event.process else {
            continue;
        };
        if event.kind == Kind::Invoke {
            // What a request appends is known when it ends; one that never ends may have done it all the same.
            let (does, items) = match &event.value {
                Value::Transfers(items) => (Does::Append(elements.unclaimed(items)), &items[..]),
                Value::ReadIds(read) if event.function == Function::ReadAccounts => (
                    Does::Read(read.ids.iter().map(|id| (*id, None)).collect()),
                    &[][..],
                ),
                _ => continue,
            };
            open.insert(process, (calls.len(), items));
            calls.push(Call {
                process,
                kind: Kind::Info,
                invoke_ns: event.time,
                complete_ns: None,
                does,
            });
            continue;
        }
        let Some((number, items)) = open.remove(&process) else {
            continue;
        };
        let call = &mut calls[number];
        call.kind = event.kind;
        call.complete_ns = (event.kind != Kind::Info).then_some(event.time);
        match (&mut call.does, &event.value) {
            (Does::Append(appends), Value::Outcomes(outcomes)) => {
                *appends = elements.created(items, outcomes);
            }
            (Does::Read(rows), Value::AccountsRead(reply)) => {
                for ((id, seen), account) in rows.iter_mut().zip(&reply.rows) {
                    *seen = Some(prefix(lists.get(id), account.as_ref()));
                }
            }
            _ => {}
        }
    }
    calls.retain(|call| !matches!(&call.does, Does::Append(appends) if appends.is_empty()));
    calls
}

/// The elements whose amounts make up what the account shows.
fn prefix(list: Option<&Vec<Effect>>, account: Option<&Account>) -> Prefix {
    let total = account.map_or(0, |a| a.debits_posted.wrapping_add(a.credits_posted));
    let (mut sum, mut elements) = (0_u128, Vec::new());
    for (_, element, amount) in list.into_iter().flatten() {
        if sum == total {
            break;
        }
        sum = sum.wrapping_add(*amount);
        elements.push(*element);
    }
    if sum != total {
        elements.push(IMPOSSIBLE);
    }
    Prefix { elements }
}

/// A transfer that took effect, as an element of two lists.
#[derive(Clone, Copy, Debug)]
struct Element {
    number: u64,
    timestamp: u64,
    /// The transfer as it took effect, where a read or an answer shows it.
    transfer: Transfer,
    /// A call was answered `created` for it.
    is_claimed: bool,
}

/// Transfers as elements, by id; numbered from 1 in the order in which they were seen to have happened.
struct Elements(HashMap<u128, Element>);

impl Elements {
    fn of(events: &[Event]) -> Self {
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
            };
            self.0.entry(transfer.id.0).or_insert(new).is_claimed |= is_claimed;
        }
    }

    fn append(&self, item: &Transfer) -> Option<(u128, u128, u64)> {
        let element = self.0.get(&item.id.0)?;
        Some((
            item.debit_account_id.0,
            item.credit_account_id.0,
            element.number,
        ))
    }

    /// What an answered request appended.
    fn created(&self, items: &[Transfer], outcomes: &[Outcome]) -> Vec<(u128, u128, u64)> {
        let created = items
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.status() == 0);
        created.filter_map(|(item, _)| self.append(item)).collect()
    }

    /// What a request without an answer appended: what it asked for, exists, and nobody was answered for.
    fn unclaimed(&self, items: &[Transfer]) -> Vec<(u128, u128, u64)> {
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
    fn lists(&self) -> HashMap<u128, Vec<Effect>> {
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

/// Writes the calls as EDN transactions for Elle. Two maps for each call, in the order of time.
pub(super) fn edn(calls: &[Call], out: &mut impl Write) -> io::Result<()> {
    let mut ends: Vec<(u64, bool, usize)> = Vec::new();
    let last = calls
        .iter()
        .filter_map(|call| call.complete_ns)
        .max()
        .unwrap_or(0);
    for (number, call) in calls.iter().enumerate() {
        ends.push((call.invoke_ns, false, number));
        ends.push((
            call.complete_ns.unwrap_or(last.max(call.invoke_ns) + 1),
            true,
            number,
        ));
    }
    ends.sort_unstable();
    for (index, (time, is_end, number)) in ends.into_iter().enumerate() {
        let call = &calls[number];
        let kind = match (is_end, call.kind) {
            (false, _) => "invoke",
            (true, Kind::Ok) => "ok",
            (true, Kind::Fail) => "fail",
            (true, _) => "info",
        };
        let process = call.process;
        write!(
            out,
            "{{:index {index}, :type :{kind}, :process {process}, :f :txn, :value ["
        )?;
        operations(&call.does, is_end && call.kind == Kind::Ok, out)?;
        writeln!(out, "], :time {time}}}")?;
    }
    Ok(())
}

fn operations(does: &Does, answered: bool, out: &mut impl Write) -> io::Result<()> {
    let mut between = "";
    match does {
        Does::Append(appends) => {
            for (debit, credit, element) in appends {
                write!(
                    out,
                    "{between}[:append {debit} {element}] [:append {credit} {element}]"
                )?;
                between = " ";
            }
        }
        Does::Read(rows) => {
            for (account, prefix) in rows {
                write!(out, "{between}[:r {account} ")?;
                match prefix.as_ref().filter(|_| answered) {
                    Some(prefix) => {
                        let elements: Vec<String> =
                            prefix.elements.iter().map(u64::to_string).collect();
                        write!(out, "[{}]]", elements.join(" "))?;
                    }
                    None => write!(out, "nil]")?,
                }
                between = " ";
            }
        }
    }
    Ok(())
}
