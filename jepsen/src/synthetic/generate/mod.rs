//! The imitation of a cluster: a queue of what happens when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::ops::Range;

use farthing_client::{Account, Transfer};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::Config;
use super::end::End;
use super::shape::Shape;
use crate::history::{
    Answer, Consistency, Event, Facts, Fault, Function, Kind, Outcome, Phase, Process, ReadIds,
    ReadReply, RunFacts, Value,
};
use crate::model::{Items, Model};

/// The cluster's clock when the run begins, ns.
const CLOCK_START: u64 = 1_790_000_000_000_000_000;
/// Requests remembered to be sent again.
const AGAIN_MAX: usize = 256;

/// How long a request or an answer is under way, ns.
const TRAVEL_NS: Range<u64> = 50_000..900_000;

/// What a client asks.
#[derive(Clone, Debug)]
enum Call {
    Accounts(Vec<Account>),
    Transfers(Vec<Transfer>),
    ReadAccounts(Vec<u128>, Consistency),
    ReadTransfers(Vec<u128>),
    ReadPendings(Vec<u128>),
}

/// What happens next to a client.
#[derive(Debug)]
enum Step {
    Invoke,
    Effect(Call),
    /// The event that ends the call, without index, time and process.
    Answer(Box<(Kind, Function, Value, Facts)>),
}

/// A correct history, event by event.
#[derive(Debug)]
pub struct Synthetic {
    config: Config,
    rng: SmallRng,
    shape: Shape,
    model: Model,
    /// (time, sequence) and the client; the steps stand aside because they have no order.
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    steps: BTreeMap<u64, Step>,
    sequence: u64,
    /// Process number of each client; a new one after every unknown outcome.
    processes: Vec<u64>,
    next_process: u64,
    accounts: VecDeque<Vec<Account>>,
    invoked: u64,
    log_index: u64,
    /// Requests that still go into the present entry.
    entry_room: u32,
    /// ns; when the present entry began. Nobody has its answers while it still takes requests.
    entry_began: u64,
    clock: u64,
    /// Every id ever asked for.
    ids: Vec<u128>,
    /// Requests that may be sent again.
    again: Vec<Vec<Transfer>>,
    ready: VecDeque<Event>,
    next_index: u64,
    time: u64,
    end: Option<End>,
}

impl Synthetic {
    /// The history of a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let shape = Shape::new(&config);
        let mut synthetic = Self {
            rng: SmallRng::seed_from_u64(config.seed),
            accounts: shape.all_accounts().into(),
            shape,
            model: Model::new(),
            queue: BinaryHeap::new(),
            steps: BTreeMap::new(),
            sequence: 0,
            processes: (0..config.processes).collect(),
            next_process: config.processes,
            invoked: 0,
            log_index: 1,
            entry_room: 0,
            entry_began: 0,
            clock: CLOCK_START,
            ids: Vec::new(),
            again: Vec::new(),
            ready: VecDeque::new(),
            next_index: 0,
            time: 0,
            end: None,
            config,
        };
        synthetic.begin();
        synthetic
    }

    fn begin(&mut self) {
        let nodes = (1..=self.config.nodes_read + self.config.nodes_digest).collect();
        let run = RunFacts {
            seed: self.config.seed,
            command: format!(
                "jepsen synthetic --operations {} --seed {}",
                self.config.operations, self.config.seed
            ),
            nodes,
            ready_within_ms: 10_000,
            required: BTreeMap::from([("operation".into(), 1)]),
        };
        self.say(
            Kind::Info,
            Process::Harness,
            Function::Run,
            Value::Run(Box::new(run)),
            Facts::default(),
        );
        let leads = Facts {
            node: Some(1),
            term: Some(1),
            ..Facts::default()
        };
        self.say(
            Kind::Info,
            Process::Harness,
            Function::Leader,
            Value::None,
            leads,
        );
        let fault = Fault {
            phase: Phase::Begin,
            nodes: vec![2],
            detail: "imitated".into(),
        };
        self.say(
            Kind::Info,
            Process::Nemesis,
            Function::Fault("pause".into()),
            Value::Fault(fault),
            Facts::default(),
        );
        for client in 0..self.processes.len() {
            self.after(client as u64 * 1000, client, Step::Invoke);
        }
    }

    fn say(
        &mut self,
        kind: Kind,
        process: Process,
        function: Function,
        value: Value,
        facts: Facts,
    ) {
        let event = Event {
            index: self.next_index,
            kind,
            process,
            function,
            value,
            time: self.time,
            facts,
        };
        self.next_index += 1;
        self.ready.push_back(event);
    }

    fn after(&mut self, ns: u64, client: usize, step: Step) {
        self.sequence += 1;
        self.queue
            .push(Reverse((self.time + ns, self.sequence, client)));
        self.steps.insert(self.sequence, step);
    }

    fn step(&mut self) -> bool {
        let Some(Reverse((time, sequence, client))) = self.queue.pop() else {
            return false;
        };
        self.time = time;
        match self.steps.remove(&sequence) {
            Some(Step::Invoke) => self.invoke(client),
            Some(Step::Effect(call)) => self.effect(client, call),
            Some(Step::Answer(answer)) => {
                let (kind, function, value, facts) = *answer;
                let process = Process::Worker(self.processes[client]);
                self.say(kind, process, function, value, facts);
                if kind == Kind::Info {
                    self.processes[client] = self.next_process;
                    self.next_process += 1;
                }
                let think = self.rng.random_range(0..4_000_000);
                self.after(think, client, Step::Invoke);
            }
            None => {}
        }
        true
    }

    fn invoke(&mut self, client: usize) {
        if self.invoked == self.config.operations {
            return;
        }
        self.invoked += 1;
        let call = self.call();
        let (function, value) = match &call {
            Call::Accounts(items) => (Function::Accounts, Value::Accounts(items.clone())),
            Call::Transfers(items) => {
                self.ids.extend(items.iter().map(|item| item.id.0));
                (Function::Transfers, Value::Transfers(items.clone()))
            }
            Call::ReadAccounts(ids, consistency) => {
                let read = ReadIds {
                    ids: ids.clone(),
                    consistency: *consistency,
                };
                (Function::ReadAccounts, Value::ReadIds(read))
            }
            Call::ReadTransfers(ids) => (
                Function::ReadTransfers,
                Value::ReadIds(ReadIds {
                    ids: ids.clone(),
                    ..ReadIds::default()
                }),
            ),
            Call::ReadPendings(ids) => (
                Function::ReadPendings,
                Value::ReadIds(ReadIds {
                    ids: ids.clone(),
                    ..ReadIds::default()
                }),
            ),
        };
        let process = Process::Worker(self.processes[client]);
        let facts = Facts {
            deadline_ms: Some(2000),
            ..Facts::default()
        };
        self.say(Kind::Invoke, process, function.clone(), value, facts);
        let travel = self.rng.random_range(TRAVEL_NS);
        let accounts = matches!(call, Call::Accounts(_));
        let fate = self.rng.random_range(0..1000);
        if !accounts && fate == 999 {
            let facts = Facts {
                error: Some("refused at the door".into()),
                ..Facts::default()
            };
            return self.after(
                travel,
                client,
                Step::Answer(Box::new((Kind::Fail, function, Value::None, facts))),
            );
        }
        if !accounts && fate >= 999 - self.config.unknown_per_mille && fate % 2 == 0 {
            let facts = Facts {
                error: Some("the request was lost".into()),
                ..Facts::default()
            };
            return self.after(
                travel,
                client,
                Step::Answer(Box::new((Kind::Info, function, Value::None, facts))),
            );
        }
        self.after(travel, client, Step::Effect(call));
    }

    fn call(&mut self) -> Call {
        if let Some(accounts) = self.accounts.pop_front() {
            return Call::Accounts(accounts);
        }
        let rng = &mut self.rng;
        if rng.random_range(0..1000) < self.config.reads_per_mille {
            let some = |rng: &mut SmallRng, ids: &[u128]| -> Vec<u128> {
                let from = ids.len().saturating_sub(40);
                let recent = &ids[from..];
                let count = rng.random_range(1..4).min(recent.len());
                (0..count)
                    .map(|_| recent[rng.random_range(0..recent.len())])
                    .collect()
            };
            let kind = if self.config.plain {
                9
            } else {
                rng.random_range(0..10)
            };
            return match kind {
                0 | 1 => Call::ReadTransfers(some(rng, &self.ids)),
                2 => Call::ReadPendings(some(rng, &self.ids)),
                kind => {
                    let count = rng.random_range(1..5);
                    let ids = (0..count).map(|_| self.shape.account(rng).0).collect();
                    let consistency = match kind {
                        3 => Consistency::Stale,
                        4 => Consistency::MinLogIndex(self.log_index.saturating_sub(1)),
                        _ => Consistency::Linearizable,
                    };
                    Call::ReadAccounts(ids, consistency)
                }
            };
        }
        if rng.random_range(0..50) == 0 && !self.again.is_empty() {
            let items = &self.again[rng.random_range(0..self.again.len())];
            return Call::Transfers(Shape::again(items, rng));
        }
        let items = self.shape.request(rng, &self.config);
        if rng.random_range(0..10) == 0 {
            if self.again.len() == AGAIN_MAX {
                self.again.swap_remove(rng.random_range(0..AGAIN_MAX));
            }
            self.again.push(items.clone());
        }
        Call::Transfers(items)
    }

    /// The call reaches the log, or the state.
    fn effect(&mut self, client: usize, call: Call) {
        self.clock = self.clock.max(CLOCK_START + self.time);
        if self.rng.random_range(0..64) == 0 && self.model.expire_next(self.clock) {
            // A pulse is an entry of its own and takes a tick for each transfer.
            self.new_entry();
            self.clock += 1;
            while self.rng.random_range(0..8) != 0 && self.model.expire_next(self.clock) {
                self.clock += 1;
            }
            self.new_entry();
        }
        let (function, value, log_index) = match call {
            Call::Accounts(items) => (
                Function::Accounts,
                self.create(Items::Accounts(&items)),
                true,
            ),
            Call::Transfers(items) => (
                Function::Transfers,
                self.create(Items::Transfers(&items)),
                true,
            ),
            Call::ReadAccounts(ids, _) => {
                let rows = ids
                    .iter()
                    .map(|id| self.model.account(*id).copied())
                    .collect();
                (
                    Function::ReadAccounts,
                    Value::AccountsRead(self.reply(rows)),
                    false,
                )
            }
            Call::ReadTransfers(ids) => {
                let rows = ids.iter().map(|id| self.model.lookup(*id)).collect();
                (
                    Function::ReadTransfers,
                    Value::TransfersRead(self.reply(rows)),
                    false,
                )
            }
            Call::ReadPendings(ids) => {
                let rows = ids
                    .iter()
                    .map(|id| self.model.pending(*id).map(Answer))
                    .collect();
                (
                    Function::ReadPendings,
                    Value::PendingsRead(self.reply(rows)),
                    false,
                )
            }
        };
        let travel = self.rng.random_range(TRAVEL_NS);
        let lost = self.rng.random_range(0..2000) < self.config.unknown_per_mille;
        if lost && function != Function::Accounts {
            let facts = Facts {
                error: Some("the answer was lost".into()),
                ..Facts::default()
            };
            return self.after(
                travel,
                client,
                Step::Answer(Box::new((Kind::Info, function, Value::None, facts))),
            );
        }
        let facts = Facts {
            node: Some(1),
            log_index: log_index.then_some(self.log_index),
            ..Facts::default()
        };
        self.after(
            travel,
            client,
            Step::Answer(Box::new((Kind::Ok, function, value, facts))),
        );
    }

    fn create(&mut self, items: Items<'_>) -> Value {
        if self.entry_room == 0 || self.time >= self.entry_began + TRAVEL_NS.start {
            self.new_entry();
            self.entry_began = self.time;
            self.entry_room = self.rng.random_range(1..6);
        }
        self.entry_room -= 1;
        let outcomes: Vec<Outcome> = self.model.request(items, self.clock + 1).to_vec();
        self.clock += outcomes.len() as u64;
        self.model.keep();
        Value::Outcomes(outcomes)
    }

    fn new_entry(&mut self) {
        self.log_index += 1;
        self.entry_room = 0;
    }

    /// A read sees whole entries: what comes later is a new one.
    fn reply<T>(&mut self, rows: Vec<T>) -> ReadReply<T> {
        self.entry_room = 0;
        ReadReply {
            applied_index: self.log_index,
            rows,
        }
    }
}

impl Iterator for Synthetic {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.end.is_none() && self.step() {
                continue;
            }
            let mut end = match self.end.take() {
                Some(end) => end,
                None => {
                    self.time += 1_000_000;
                    End::new(&self.config, self.log_index, std::mem::take(&mut self.ids))
                }
            };
            let said = end.next(&self.model);
            self.end = Some(end);
            let (kind, process, function, value, facts) = said?;
            self.say(kind, process, function, value, facts);
        }
    }
}
