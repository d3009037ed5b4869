//! From events to a [`Trace`]: pairs invocations with their ends, and checks on the way what one event or one call
//! shows alone: the harness's own rules, deadlines (C10), and that nothing has two versions (C4).

use farthing_client::{CreateAccountStatus, CreateTransferStatus, TransferFlags};

use super::items::NO_STATUS;
use super::reads::ReadKind;
use super::report::{Checker, Findings};
use super::trace::{AccountItem, Creates, DigestSeen, End, NEVER, NONE, Op, Trace, row_hash};
use crate::hash::{FastMap, FastSet};
use crate::history::{Event, Facts, Function, Kind, Lookup, Outcome, Process, ReadIds, Value};

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
        super::dumps::finish(&mut self.trace, &mut self.findings);
        (self.trace, self.findings)
    }

    fn harness(&mut self, event: u64, message: String) {
        self.findings.add(Checker::Harness, vec![event], message);
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
            OpenCall::Reads(_) | OpenCall::Other => {}
        }
    }

    fn end_creates(
        &mut self,
        number: u32,
        event: u32,
        end: End,
        time: u64,
        value: Value,
        facts: &Facts,
    ) {
        let op = &mut self.trace.ops[number as usize];
        op.end = end;
        op.complete_event = event;
        op.retried = facts.retried;
        if end != End::Info {
            op.complete_ns = time;
        }
        if end != End::Ok {
            return;
        }
        op.log_index = facts.log_index.unwrap_or(0);
        let op = *op;
        self.trace.log_index_max = self.trace.log_index_max.max(op.log_index);
        let Value::Outcomes(outcomes) = value else {
            return self.harness(u64::from(event), "an answer without outcomes".into());
        };
        if outcomes.len() != op.count as usize {
            // The harness writes down what came: it is the cluster that answered too little or too much.
            let message = format!("{} answers to {} items", outcomes.len(), op.count);
            self.findings
                .add(Checker::C1, vec![u64::from(event)], message);
            return;
        }
        for (item, outcome) in op.items().zip(outcomes) {
            match op.creates {
                Creates::Transfers => {
                    self.transfer_outcome(number, item, event, outcome, op.retried)
                }
                Creates::Accounts => self.account_outcome(number, item, event, outcome),
            }
        }
    }

    fn transfer_outcome(
        &mut self,
        op: u32,
        item: u32,
        event: u32,
        outcome: Outcome,
        retried: bool,
    ) {
        const EXISTS: u32 = CreateTransferStatus::Exists as u32;
        let status = u16::try_from(outcome.status()).unwrap_or(NO_STATUS);
        self.trace.items.answer(item, status, outcome.timestamp());
        if status != 0 && outcome.status() != EXISTS {
            return;
        }
        let slot = self.trace.items.get(item).id;
        self.saw_transfer(slot, outcome.timestamp(), event);
        if status == 0 {
            let claim = self.trace.id_mut(slot).evidence.claim;
            if claim == NONE {
                self.trace.id_mut(slot).evidence.claim = op;
            } else if !retried && !self.trace.ops[claim as usize].retried {
                let id = self.trace.items.ids.id(slot);
                let former = self.trace.ops[claim as usize].complete_event;
                let message =
                    format!("transfer {id:x} was created twice, once for each of two calls");
                self.findings.add(
                    Checker::C4,
                    vec![u64::from(former), u64::from(event)],
                    message,
                );
            }
        }
    }

    fn saw_transfer(&mut self, slot: u32, timestamp: u64, event: u32) {
        if let Some((other, source)) = self.trace.id_mut(slot).evidence.saw(timestamp, event) {
            let id = self.trace.items.ids.id(slot);
            let message = format!(
                "transfer {id:x} has two versions: created at {other} by event {source}, at {timestamp} by event {event}"
            );
            self.findings.add(
                Checker::C4,
                vec![u64::from(source), u64::from(event)],
                message,
            );
        }
    }

    fn account_outcome(&mut self, op: u32, item: u32, event: u32, outcome: Outcome) {
        const EXISTS: u32 = CreateAccountStatus::Exists as u32;
        let row = &mut self.trace.accounts[item as usize];
        row.status = u16::try_from(outcome.status()).unwrap_or(NO_STATUS);
        row.timestamp = outcome.timestamp();
        let id = row.account.id.0;
        if outcome.status() == 0 || outcome.status() == EXISTS {
            self.saw_account(id, outcome.timestamp(), event);
        }
        let evidence = &mut self.trace.account_ids.entry(id).or_default().evidence;
        if outcome.status() == 0 && evidence.claim == NONE {
            evidence.claim = op;
        }
    }

    fn saw_account(&mut self, id: u128, timestamp: u64, event: u32) {
        let evidence = &mut self.trace.account_ids.entry(id).or_default().evidence;
        if let Some((other, source)) = evidence.saw(timestamp, event) {
            let message = format!(
                "account {id:x} has two versions: created at {other} by event {source}, at {timestamp} by event {event}"
            );
            self.findings.add(
                Checker::C4,
                vec![u64::from(source), u64::from(event)],
                message,
            );
        }
    }

    fn end_read(&mut self, read: &ReadIds, events: (u32, u32), times: (u64, u64), value: Value) {
        let rows = match &value {
            Value::AccountsRead(reply) => reply.rows.len(),
            Value::TransfersRead(reply) => reply.rows.len(),
            Value::PendingsRead(reply) => reply.rows.len(),
            _ => usize::MAX,
        };
        if rows != read.ids.len() {
            return self.harness(
                u64::from(events.1),
                "an answer that does not fit its read".into(),
            );
        }
        let ids = read.ids.iter().copied();
        match value {
            Value::AccountsRead(reply) => {
                self.trace.reads.begin(
                    ReadKind::Accounts,
                    reply.applied_index,
                    read.consistency,
                    events,
                    times,
                );
                for (id, row) in ids.zip(reply.rows) {
                    if let Some(row) = &row {
                        self.saw_account(id, row.timestamp, events.1);
                    }
                    self.trace.reads.account(id, row.as_ref());
                }
            }
            Value::TransfersRead(reply) => {
                self.trace.reads.begin(
                    ReadKind::Transfers,
                    reply.applied_index,
                    read.consistency,
                    events,
                    times,
                );
                for (id, row) in ids.zip(reply.rows) {
                    self.transfer_row(id, &row, events.1);
                    let slot = self.trace.items.ids.slot(id);
                    self.trace.reads.transfer(slot, &row);
                }
            }
            Value::PendingsRead(reply) => {
                self.trace.reads.begin(
                    ReadKind::Pendings,
                    reply.applied_index,
                    read.consistency,
                    events,
                    times,
                );
                for (id, row) in ids.zip(reply.rows) {
                    let slot = self.trace.items.ids.slot(id);
                    self.trace.reads.pending(slot, row.map(|row| row.0));
                }
            }
            _ => {}
        }
    }

    /// What any read says about a transfer.
    fn transfer_row(&mut self, id: u128, row: &Lookup, event: u32) {
        let slot = self.trace.items.ids.slot(id);
        match row {
            Lookup::Absent => {}
            Lookup::Refused => {
                let facts = self.trace.id_mut(slot);
                if facts.refused_event == NONE {
                    facts.refused_event = event;
                }
            }
            Lookup::Found(transfer) => {
                self.saw_transfer(slot, transfer.timestamp, event);
                let hash = row_hash(transfer);
                let facts = self.trace.id_mut(slot);
                let former = facts.row_event;
                if facts.row_hash == 0 {
                    (facts.row_hash, facts.row_event) = (hash, event);
                } else if facts.row_hash != hash {
                    let message =
                        format!("transfer {id:x} was read in two versions; it must never change");
                    self.findings.add(
                        Checker::C4,
                        vec![u64::from(former), u64::from(event)],
                        message,
                    );
                }
                let balancing =
                    TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
                if transfer.flags.intersects(balancing) {
                    self.trace.amounts.entry(slot).or_insert(transfer.amount);
                }
            }
        }
    }

    fn note(&mut self, index: u32, event: Event) {
        let node = event.facts.node;
        match (event.function, event.value) {
            (Function::Run, Value::Run(run)) => self.trace.run = *run,
            (Function::FinalRead, Value::FinalRead(read)) => {
                for row in &read.accounts {
                    self.saw_account(row.id.0, row.timestamp, index);
                }
                for row in &read.transfers {
                    if self.trace.items.ids.find(row.id.0).is_none() {
                        let message = format!(
                            "transfer {:x} exists and nobody ever asked for it",
                            row.id.0
                        );
                        self.findings.add(Checker::C3, vec![event.index], message);
                    }
                    self.transfer_row(row.id.0, &Lookup::Found(*row), index);
                }
                for id in &read.refused {
                    self.transfer_row(*id, &Lookup::Refused, index);
                }
                match node {
                    Some(node) => {
                        super::dumps::part(&mut self.trace, node, index, &read, &mut self.findings)
                    }
                    None => self.harness(event.index, "a final read without a node".into()),
                }
            }
            (Function::Digest, _) => {
                let facts = event.facts;
                if let (Some(node), Some(at), Some(digest)) = (node, facts.log_index, facts.digest)
                {
                    let seen = DigestSeen {
                        node,
                        digest,
                        event: index,
                    };
                    self.trace.digests.entry(at).or_default().push(seen);
                }
            }
            (Function::Heal, _) => {
                self.trace.healed = Some((event.time, event.index));
                self.trace.ready.clear();
                self.trace.availability.heal(event.time);
            }
            (Function::Ready, _) => {
                if let Some(node) = node {
                    self.trace.ready.entry(node).or_insert(event.time);
                }
            }
            (Function::Panic, Value::Text(text)) => {
                let node = node.unwrap_or(0);
                let message = format!("node {node} ended by itself: {text}");
                self.findings.add(Checker::C12, vec![event.index], message);
            }
            (Function::Coverage, Value::Coverage(points)) => {
                self.trace.has_coverage = true;
                for (point, count) in points {
                    *self.trace.coverage.entry(point).or_default() += count;
                }
            }
            (Function::Trouble, Value::Text(text)) => self.harness(event.index, text),
            (Function::Leader, _) => {}
            (function, _) => {
                let message = format!("a {} event that says nothing", function.name());
                self.harness(event.index, message);
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
