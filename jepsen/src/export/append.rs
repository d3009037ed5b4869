//! The append view: accounts as lists of transfers.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use farthing_client::{Account, Transfer};

use super::elements::{Append, Effect, Elements};

use crate::history::{Consistency, Event, Function, Kind, Process, Value};

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
    /// Transfers.
    Append(Vec<Append>),
    /// Accounts and, when the read was answered, how many elements of each list it saw.
    Read(Vec<(u128, Option<Prefix>)>),
}

/// The first elements of a list.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    pub(super) elements: Vec<u64>,
}

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
                // A read that asked for less than the latest state promises nothing about real time.
                Value::ReadIds(read)
                    if event.function == Function::ReadAccounts
                        && read.consistency == Consistency::Linearizable =>
                {
                    (
                        Does::Read(read.ids.iter().map(|id| (*id, None)).collect()),
                        &[][..],
                    )
                }
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
    append_once(&mut calls);
    calls.retain(|call| !matches!(&call.does, Does::Append(appends) if appends.is_empty()));
    calls
}

/// Leaves what several unknown requests asked for with the first of them alone: it happened once, and the time of the
/// first, which has no end, covers those of the others.
fn append_once(calls: &mut [Call]) {
    let mut seen = HashSet::new();
    for call in calls.iter_mut().filter(|call| call.kind == Kind::Info) {
        if let Does::Append(appends) = &mut call.does {
            appends.retain(|append| seen.insert(append.element));
        }
    }
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
            for append in appends {
                let (debit, credit, element) = (append.debit, append.credit, append.element);
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
