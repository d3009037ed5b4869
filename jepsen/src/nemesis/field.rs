//! What a fault may touch, and the rules it keeps: one fault a node at a time, everything written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng;
use rand::rngs::StdRng;

use super::names::Target;
use crate::history::{Facts, Fault, Function, Kind, Phase, Process, Recorder, Value};
use crate::hosts::{Cluster, Output};

/// What a fault may touch.
#[derive(Debug)]
pub struct Field {
    /// The nodes and the network.
    pub cluster: Cluster,
    /// Where faults are written down.
    pub recorder: Recorder,
    /// Node that leads, as the watcher last saw; 0 = none.
    pub leader: AtomicU64,
    /// The last fault has begun; no more are to begin.
    pub over: AtomicBool,
    /// Files that are damaged before a node is started again.
    pub damages: u32,
    /// Held from the look at what others hold until a node's data is gone: two that look at the same time would both be
    /// told that the other's node holds it.
    pub(super) turn: tokio::sync::Mutex<()>,
    busy: Mutex<BTreeSet<u64>>,
    damaged: Mutex<BTreeSet<u64>>,
    /// Damaged nodes that have had their plain restart.
    restarted: Mutex<BTreeSet<u64>>,
    replacing: Mutex<BTreeSet<u64>>,
    /// Damaged nodes that may not have noticed all of it.
    doubtful: Mutex<BTreeSet<u64>>,
    counts: Mutex<BTreeMap<String, u64>>,
}

/// Nodes that no other fault may take meanwhile; given back when dropped.
#[derive(Debug)]
pub(super) struct Taken {
    field: Arc<Field>,
    pub(super) nodes: Vec<u64>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut busy = lock(&self.field.busy);
        self.nodes.iter().for_each(|node| {
            busy.remove(node);
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Field {
    /// A field on which nothing is broken.
    #[must_use]
    pub fn new(cluster: Cluster, recorder: Recorder) -> Self {
        Self {
            cluster,
            recorder,
            leader: AtomicU64::new(0),
            over: AtomicBool::new(false),
            damages: 1,
            turn: tokio::sync::Mutex::default(),
            busy: Mutex::default(),
            damaged: Mutex::default(),
            restarted: Mutex::default(),
            replacing: Mutex::default(),
            doubtful: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// Who leads, or anybody.
    pub(super) fn leader_or_any(&self, random: &mut StdRng) -> u64 {
        match self.leader.load(Ordering::Relaxed) {
            0 => random.random_range(1..=self.cluster.nodes.len() as u64),
            leader => leader,
        }
    }

    /// The nodes of a target.
    pub(super) fn nodes(&self, target: Target, random: &mut StdRng) -> Vec<u64> {
        let all = self.cluster.ids();
        let first = match target {
            Target::Leader => self.leader_or_any(random),
            _ => all[random.random_range(0..all.len())],
        };
        let minority = (all.len() - 1) / 2;
        let count = match target {
            Target::One | Target::Leader => 1,
            Target::Minority => minority.max(1),
            Target::Majority => (minority + 1).min(all.len()),
            Target::All => all.len(),
        };
        let at = first as usize - 1;
        (0..count)
            .map(|step| all[(at + step) % all.len()])
            .collect()
    }

    /// Takes nodes for a fault; `None` when another fault has one of them.
    pub(super) fn take(self: &Arc<Self>, nodes: Vec<u64>) -> Option<Taken> {
        let mut busy = lock(&self.busy);
        if nodes.iter().any(|node| busy.contains(node)) {
            return None;
        }
        busy.extend(&nodes);
        drop(busy);
        Some(Taken {
            field: Arc::clone(self),
            nodes,
        })
    }

    /// Writes a fault down.
    pub fn note(&self, name: &str, phase: Phase, nodes: &[u64], detail: impl Into<String>) {
        let detail = detail.into();
        if phase != Phase::End {
            *lock(&self.counts)
                .entry(format!("fault.{name}"))
                .or_default() += 1;
        }
        let fault = Fault {
            phase,
            nodes: nodes.to_vec(),
            detail,
        };
        self.recorder.note(
            Kind::Info,
            Process::Nemesis,
            Function::Fault(name.into()),
            Value::Fault(fault),
            Facts::default(),
        );
    }

    /// The harness could not do its work.
    pub fn trouble(&self, what: impl Into<String>) {
        self.recorder.note(
            Kind::Info,
            Process::Harness,
            Function::Trouble,
            Value::Text(what.into()),
            Facts::default(),
        );
    }

    /// Counts a point that was reached.
    pub fn reached(&self, point: &str) {
        *lock(&self.counts).entry(point.to_owned()).or_default() += 1;
    }

    /// Counts a point that was reached so often.
    pub fn reached_times(&self, point: &str, times: u64) {
        *lock(&self.counts).entry(point.to_owned()).or_default() += times;
    }

    /// Points reached so far.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        lock(&self.counts).clone()
    }

    /// A node's files are not what it wrote: that it stops is what it should do.
    pub(super) fn mark_damaged(&self, node: u64) {
        lock(&self.restarted).remove(&node);
        lock(&self.damaged).insert(node);
        lock(&self.doubtful).insert(node);
    }

    /// Whether a node may hold damage that nobody has noticed.
    pub(super) fn is_in_doubt(&self, node: u64) -> bool {
        lock(&self.doubtful).contains(&node)
    }

    /// All that a node keeps was read, and was right.
    pub(super) fn has_shown_itself_whole(&self, node: u64) {
        lock(&self.doubtful).remove(&node);
    }

    /// Whether a node's files are not what it wrote.
    #[must_use]
    pub fn is_damaged(&self, node: u64) -> bool {
        lock(&self.damaged).contains(&node)
    }

    /// True once for every time a node's files are changed: it may be started again as it is, which is no hand.
    pub fn may_restart(&self, node: u64) -> bool {
        lock(&self.restarted).insert(node)
    }

    /// Whether the hand is at work at this node.
    #[must_use]
    pub fn is_replacing(&self, node: u64) -> bool {
        lock(&self.replacing).contains(&node)
    }

    /// False when somebody else replaces this node.
    pub(super) fn begins_replacing(&self, node: u64) -> bool {
        lock(&self.replacing).insert(node)
    }

    /// The node's place is taken by one that has what it needs.
    pub(super) fn replaced(&self, node: u64) {
        lock(&self.damaged).remove(&node);
        lock(&self.replacing).remove(&node);
        lock(&self.doubtful).remove(&node);
    }

    /// Starts a node; that it cannot be started is the harness's trouble.
    pub fn start(&self, node: u64) {
        self.start_with(node, Output::Log);
    }

    pub(super) fn start_with(&self, node: u64, output: Output) {
        if let Err(error) = self.cluster.start(node, output) {
            self.trouble(format!("node {node} cannot be started: {error}"));
        }
    }
}
