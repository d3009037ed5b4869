//! The imitation of a cluster: a queue of what happens when.
//!
//! Start at [`Synthetic`]; `client` is what is asked, `cluster` what becomes of it.

mod client;
mod cluster;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::ops::Range;

use farthing_client::{Account, Transfer};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use self::client::Call;
use super::Config;
use super::end::End;
use super::shape::Shape;
use crate::history::{Event, Facts, Fault, Function, Kind, Phase, Process, RunFacts, Value};
use crate::model::Model;

/// The cluster's clock when the run begins, ns.
const CLOCK_START: u64 = 1_790_000_000_000_000_000;
/// How long a request or an answer is under way, ns.
const TRAVEL_NS: Range<u64> = 50_000..900_000;

/// The event that ends a call, without index, time and process.
type Ending = (Kind, Function, Value, Facts);

/// What happens next to a client.
#[derive(Debug)]
enum Step {
    Invoke,
    Effect(Call),
    Answer(Box<Ending>),
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

    /// The client's call ends then.
    fn end_after(&mut self, ns: u64, client: usize, ending: Ending) {
        self.after(ns, client, Step::Answer(Box::new(ending)));
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

/// Why a call ended as it did.
fn because(error: &str) -> Facts {
    Facts {
        error: Some(error.into()),
        ..Facts::default()
    }
}
