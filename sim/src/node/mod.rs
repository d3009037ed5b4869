//! One node as a host of the simulation: the node's own parts on one thread.
//!
//! Start reading at [`Machine::run`]; `answer` is what callers and operators ask of it.

mod answer;
mod process;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_node::consensus::{self, Member};
use farthing_node::log::Log;

use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::plan::Plan;
use crate::state::{Durable, Memory};

/// The name of a node's host.
pub fn host(id: u64) -> String {
    format!("node-{id}")
}

/// Addresses of a node.
pub fn member(id: u64) -> Member {
    Member {
        client_address: host(id),
        peer_address: host(id),
    }
}

/// What runs on a machine while its process does.
#[derive(Clone)]
pub struct Running {
    /// Raft.
    pub consensus: consensus::Handle,
    /// The log.
    pub log: Log,
    /// The state.
    pub memory: Memory,
}

struct Inner {
    running: Option<Running>,
    /// False once the power is off: nothing is sent any more.
    alive: Arc<AtomicBool>,
    starts: u64,
    /// Why the process ended by itself.
    ended: Option<String>,
    sync_ms: (u64, u64),
}

/// A machine: what it is and what survives its process.
#[derive(Clone)]
pub struct Machine {
    /// Its number.
    pub id: u64,
    /// Its clock.
    pub clock: SimClock,
    /// Its disk.
    pub disk: SimDisk,
    durable: Durable,
    /// For the few files that a node writes beside its log and its state.
    dir: Arc<PathBuf>,
    plan: Arc<Plan>,
    inner: Arc<Mutex<Inner>>,
}

impl Machine {
    /// A new machine with an empty disk.
    pub fn new(id: u64, plan: Arc<Plan>, dir: PathBuf) -> Self {
        Self {
            dir: Arc::new(dir),
            id,
            clock: SimClock::default(),
            disk: SimDisk::new(id),
            durable: Durable::default(),
            inner: Arc::new(Mutex::new(Inner {
                running: None,
                alive: Arc::default(),
                starts: 0,
                ended: None,
                sync_ms: (1, plan.sync_ms_max),
            })),
            plan,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs, if its process got so far.
    pub fn running(&self) -> Option<Running> {
        self.lock().running.clone()
    }

    /// Why the process ended by itself, asked once.
    pub fn take_ended(&self) -> Option<String> {
        self.lock().ended.take()
    }

    /// The process is to end now: it says nothing more.
    pub fn silence(&self) {
        let mut inner = self.lock();
        inner.alive.store(false, Ordering::Relaxed);
        inner.running = None;
    }

    /// How long its log waits between two rounds, ms from and to; `None` is as planned.
    pub fn set_sync_ms(&self, sync_ms: Option<(u64, u64)>) {
        self.lock().sync_ms = sync_ms.unwrap_or((1, self.plan.sync_ms_max));
    }
}
