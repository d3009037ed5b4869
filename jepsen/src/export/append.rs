//! The append view: accounts as lists of transfers.

use std::collections::HashMap;
use std::io::{self, Write};

use farthing_client::{Account, Transfer, TransferFlags};

use crate::history::{Event, Function, Kind, Lookup, Process, Value};

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
    let lists = elements.lists(events);
    let mut open: HashMap<u64, usize> = HashMap::new();
    let mut calls: Vec<Call> = Vec::new();
    for event in events {
        let Process::Worker(process) = event.process else {
            continue;
        };
        if event.kind == Kind::Invoke {
            let does = match &event.value {
                Value::Transfers(items) => Does::Append(elements.appends(items)),
                Value::ReadIds(read) if event.function == Function::ReadAccounts => {
                    Does::Read(read.ids.iter().map(|id| (*id, None)).collect())
                }
                _ => continue,
            };
            open.insert(process, calls.len());
            calls.push(Call {
                process,
                kind: Kind::Info,
                invoke_ns: event.time,
                complete_ns: None,
                does,
            });
            continue;
        }
        let Some(call) = open.remove(&process).map(|number| &mut calls[number]) else {
            continue;
        };
        call.kind = event.kind;
        call.complete_ns = (event.kind != Kind::Info).then_some(event.time);
        if let (Does::Read(rows), Value::AccountsRead(reply)) = (&mut call.does, &event.value) {
            for ((id, seen), account) in rows.iter_mut().zip(&reply.rows) {
                *seen = Some(prefix(lists.get(id), account.as_ref()));
            }
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

/// Transfers as elements: numbered from 1 in the order in which they were first asked for.
struct Elements {
    numbers: HashMap<u128, u64>,
    /// Timestamps of those that took effect.
    timestamps: HashMap<u128, u64>,
}

impl Elements {
    fn of(events: &[Event]) -> Self {
        let mut elements = Self {
            numbers: HashMap::new(),
            timestamps: HashMap::new(),
        };
        let mut open: HashMap<Process, &Vec<Transfer>> = HashMap::new();
        for event in events {
            match &event.value {
                Value::Transfers(items) => {
                    open.insert(event.process, items);
                    for item in items.iter().filter(|item| is_plain(item)) {
                        let next = elements.numbers.len() as u64 + 1;
                        elements.numbers.entry(item.id.0).or_insert(next);
                    }
                }
                Value::Outcomes(outcomes) => {
                    for (item, outcome) in open
                        .remove(&event.process)
                        .into_iter()
                        .flatten()
                        .zip(outcomes)
                    {
                        if outcome.status() == 0 {
                            elements.timestamps.insert(item.id.0, outcome.timestamp());
                        }
                    }
                }
                Value::TransfersRead(reply) => {
                    for row in &reply.rows {
                        if let Lookup::Found(row) = row {
                            elements.timestamps.insert(row.id.0, row.timestamp);
                        }
                    }
                }
                Value::FinalRead(read) => {
                    let rows = read.transfers.iter().map(|row| (row.id.0, row.timestamp));
                    elements.timestamps.extend(rows);
                }
                _ => {}
            }
        }
        elements
    }

    /// What a request appends, as far as it took effect.
    fn appends(&self, items: &[Transfer]) -> Vec<(u128, u128, u64)> {
        let happened = items
            .iter()
            .filter(|item| self.timestamps.contains_key(&item.id.0));
        happened
            .filter_map(|item| {
                let number = self.numbers.get(&item.id.0)?;
                Some((item.debit_account_id.0, item.credit_account_id.0, *number))
            })
            .collect()
    }

    /// The list of every account, in the order of effects.
    fn lists(&self, events: &[Event]) -> HashMap<u128, Vec<Effect>> {
        let mut lists: HashMap<u128, HashMap<u64, Effect>> = HashMap::new();
        for event in events {
            let Value::Transfers(items) = &event.value else {
                continue;
            };
            for item in items.iter().filter(|item| is_plain(item)) {
                let known = self
                    .timestamps
                    .get(&item.id.0)
                    .zip(self.numbers.get(&item.id.0));
                let Some((timestamp, number)) = known else {
                    continue;
                };
                for account in [item.debit_account_id.0, item.credit_account_id.0] {
                    let effect = (*timestamp, *number, item.amount);
                    lists
                        .entry(account)
                        .or_default()
                        .entry(*number)
                        .or_insert(effect);
                }
            }
        }
        let sorted = lists.into_iter().map(|(account, effects)| {
            let mut effects: Vec<Effect> = effects.into_values().collect();
            effects.sort_unstable();
            (account, effects)
        });
        sorted.collect()
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
