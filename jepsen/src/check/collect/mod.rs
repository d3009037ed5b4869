//! From events to a [`Trace`]: pairs invocations with their ends, and checks on the way what one event or one call
//! shows alone: the harness's own rules, deadlines (C10), and that nothing has two versions (C4).
//!
//! Start at [`Collector::event`]; `creates`, `rows` and `pages` are what calls were answered, `notes` what the harness says.

mod creates;
mod notes;
mod pages;
mod rows;

use super::dumps;
use super::items::NO_STATUS;
use super::report::{Checker, Findings};
use super::trace::{AccountItem, Creates, End, NEVER, NONE, Op, Trace};
use crate::hash::{FastMap, FastSet};
use crate::history::{CursorOpen, Event, Function, Kind, Process, Query, ReadIds, Value};

/// A call must return this long after its deadline, ns.
const DEADLINE_GRACE_NS: u64 = 250_000_000;
const NS_PER_MS: u64 = 1_000_000;

/// A call that has not ended.
#[derive(Debug)]
struct Open {
    invoke_ns: u64,
    event: u32,
    function: Function,
    deadline_ms: Option<u64>,
    call: OpenCall,
}

#[derive(Debug)]
enum OpenCall {
    Creates(u32),
    Reads(ReadIds),
    Query(Box<Query>),
    CursorOpen(CursorOpen),
    CursorSave(usize),
    Other,
}

/// Takes events in, one after the other.
#[derive(Debug, Default)]
pub(super) struct Collector {
    trace: Trace,
    findings: Findings,
    open: FastMap<u64, Open>,
    /// Processes that saw `info`.
    gone: FastSet<u64>,
}

impl Collector {
    pub(super) fn event(&mut self, event: Event) {
        let Ok(index) = u32::try_from(event.index) else {
            return self.harness(event.index, "more than 2^32 events".into());
        };
        if event.time < self.trace.end_ns {
            self.harness(event.index, "time runs backwards".into());
        }
        self.trace.end_ns = self.trace.end_ns.max(event.time);
        self.trace.event_count += 1;
        if let (Some(node), Some(term)) = (event.facts.node, event.facts.term) {
            self.leader(node, term, index);
        }
        match event.process {
            Process::Worker(process) if event.kind == Kind::Invoke => {
                self.invoke(process, index, event);
            }
            Process::Worker(process) => self.end(process, index, event),
            Process::Nemesis => {
                self.trace.fault_count += 1;
                if let Value::Fault(fault) = event.value {
                    self.trace
                        .availability
                        .fault(event.function.name(), &fault, event.time);
                }
            }
            Process::Harness => self.note(index, event),
        }
    }

    /// The history has ended.
    pub(super) fn finish(mut self) -> (Trace, Findings) {
        let end_ns = self.trace.end_ns;
        let mut open: Vec<(u64, Open)> = self.open.drain().collect();
        open.sort_by_key(|(_, open)| open.event);
        for (_, open) in open {
            self.trace.ended[2] += 1;
            if let Some(limit) = limit(&open)
                && limit < end_ns
            {
                let message = format!(
                    "a call with a deadline of {} ms never returned",
                    open.deadline_ms.unwrap_or(0)
                );
                self.findings
                    .add(Checker::C10, vec![u64::from(open.event)], message);
            }
        }
        self.trace.availability.finish(end_ns);
        let slots = self.trace.items.ids.len();
        if slots != 0 {
            self.trace.id_mut(slots as u32 - 1);
        }
        dumps::finish(&mut self.trace, &mut self.findings);
        (self.trace, self.findings)
    }

    fn harness(&mut self, event: u64, message: String) {
        self.findings.add(Checker::Harness, vec![event], message);
    }

    /// Two events say of one thing what cannot both be.
    fn two_versions(&mut self, former: u32, event: u32, message: String) {
        let events = vec![u64::from(former), u64::from(event)];
        self.findings.add(Checker::C4, events, message);
    }

    fn leader(&mut self, node: u64, term: u64, event: u32) {
        let (known, source) = *self.trace.leaders.entry(term).or_insert((node, event));
        if known != node {
            let message = format!("nodes {known} and {node} both led in term {term}");
            self.findings.add(
                Checker::C8,
                vec![u64::from(source), u64::from(event)],
                message,
            );
        }
    }

    fn invoke(&mut self, process: u64, index: u32, event: Event) {
        if self.gone.contains(&process) {
            self.harness(
                event.index,
                format!("process {process} is used again after an info"),
            );
        }
        self.trace.invoked += 1;
        let trace = &mut self.trace;
        let mut op = Op {
            invoke_ns: event.time,
            complete_ns: NEVER,
            log_index: 0,
            invoke_event: index,
            complete_event: NONE,
            first: 0,
            count: 0,
            creates: Creates::Transfers,
            end: End::Info,
            retried: false,
        };
        let call = match event.value {
            Value::Transfers(items) => {
                op.first = trace.items.len() as u32;
                op.count = items.len() as u32;
                items.iter().for_each(|item| trace.items.push(item));
                trace.ops.push(op);
                OpenCall::Creates(trace.ops.len() as u32 - 1)
            }
            Value::Accounts(items) => {
                op.creates = Creates::Accounts;
                op.first = trace.accounts.len() as u32;
                op.count = items.len() as u32;
                for account in items {
                    trace.account_ids.entry(account.id.0).or_default();
                    trace.accounts.push(AccountItem {
                        account,
                        status: NO_STATUS,
                        timestamp: 0,
                    });
                }
                trace.ops.push(op);
                OpenCall::Creates(trace.ops.len() as u32 - 1)
            }
            Value::ReadIds(read) => OpenCall::Reads(read),
            Value::Query(query) => OpenCall::Query(query),
            Value::CursorOpen(open) => OpenCall::CursorOpen(open),
            Value::CursorSave(save) => {
                OpenCall::CursorSave(trace.cursors.save(*save, event.time, event.index))
            }
            _ => OpenCall::Other,
        };
        let open = Open {
            invoke_ns: event.time,
            event: index,
            function: event.function,
            deadline_ms: event.facts.deadline_ms,
            call,
        };
        if self.open.insert(process, open).is_some() {
            self.harness(
                event.index,
                format!("process {process} has two calls at a time"),
            );
        }
    }

    fn end(&mut self, process: u64, index: u32, event: Event) {
        let Some(open) = self.open.remove(&process) else {
            return self.harness(
                event.index,
                format!("process {process} ends what it never began"),
            );
        };
        if open.function != event.function {
            return self.harness(event.index, format!("process {process} ends another call"));
        }
        let end = match event.kind {
            Kind::Ok => End::Ok,
            Kind::Fail => End::Fail,
            Kind::Invoke | Kind::Info => End::Info,
        };
        self.trace.ended[end as usize] += 1;
        self.trace
            .availability
            .call(end, open.invoke_ns, event.time);
        if end == End::Info {
            self.gone.insert(process);
        }
        if let Some(limit) = limit(&open)
            && event.time > limit
        {
            let message = format!(
                "a call with a deadline of {} ms returned after {} ms",
                open.deadline_ms.unwrap_or(0),
                (event.time - open.invoke_ns) / NS_PER_MS
            );
            self.findings.add(
                Checker::C10,
                vec![u64::from(open.event), event.index],
                message,
            );
        }
        match open.call {
            OpenCall::Creates(op) => {
                self.end_creates(op, index, end, event.time, event.value, &event.facts);
            }
            OpenCall::Reads(read) if end == End::Ok => {
                let times = (open.invoke_ns, event.time);
                self.end_read(&read, (open.event, index), times, event.value);
            }
            OpenCall::Query(query) if end == End::Ok => {
                let times = (open.invoke_ns, event.time);
                self.end_query(*query, (open.event, index), times, event.value);
            }
            OpenCall::CursorOpen(opened) if end == End::Ok => {
                let Value::Sequence(sequence) = event.value else {
                    return self.harness(event.index, "a cursor without a sequence".into());
                };
                let times = (open.invoke_ns, event.time);
                let cursors = &mut self.trace.cursors;
                cursors.open(opened, sequence, times, event.index);
            }
            OpenCall::CursorSave(save) => self.trace.cursors.end(save, end, event.time),
            OpenCall::Reads(_) | OpenCall::Query(_) | OpenCall::CursorOpen(_) | OpenCall::Other => {
            }
        }
    }
}

/// ns by which the call must have returned.
fn limit(open: &Open) -> Option<u64> {
    let deadline_ns = open.deadline_ms?.saturating_mul(NS_PER_MS);
    Some(
        open.invoke_ns
            .saturating_add(deadline_ns)
            .saturating_add(DEADLINE_GRACE_NS),
    )
}
