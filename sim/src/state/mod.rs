//! A node's state in memory, with the promises of the one on disk: after a crash it is that of the last commit, which
//! is never ahead of the node's own log.
//!
//! A snapshot is every entry so far; who installs one applies them all.
//!
//! Start reading at [`Memory`]; `backend` and `store` are what the node's parts ask of it.

mod backend;
mod checkpoint;
mod machine;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_ledger::{Account, AccountId, View as _};
use farthing_node::log::{Driver, Log};

use self::checkpoint::Checkpoint;
pub use self::machine::Input;
use self::machine::Machine;
use crate::oracle;
use crate::trace;

/// What of a state survives its node.
#[derive(Clone, Default)]
pub struct Durable(Arc<Mutex<Saved>>);

#[derive(Default)]
struct Saved {
    machine: Option<Machine>,
    checkpoint: Option<Arc<Checkpoint>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running state. Clones share it.
#[derive(Clone)]
pub struct Memory {
    node: u64,
    cluster_id: u128,
    machine: Arc<Mutex<Machine>>,
    sealed: Arc<Mutex<BTreeMap<u64, Machine>>>,
    incoming: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    durable: Durable,
    log: Log,
    driver: Arc<Mutex<Driver>>,
}

impl Memory {
    /// The state of the last commit.
    pub fn open(
        node: u64,
        cluster_id: u128,
        durable: Durable,
        log: Log,
        driver: Arc<Mutex<Driver>>,
    ) -> Self {
        let machine = lock(&durable.0).machine.clone();
        Self {
            node,
            cluster_id,
            machine: Arc::new(Mutex::new(machine.unwrap_or_else(Machine::new))),
            sealed: Arc::default(),
            incoming: Arc::default(),
            durable,
            log,
            driver,
        }
    }

    /// Commits what is applied, if the node's own log has it durably: what a run does.
    pub fn commit(&self) {
        let machine = lock(&self.machine);
        let Some(last) = machine.applied.log_id else {
            return;
        };
        let before = self.committed_index();
        if before >= Some(last.index) || self.log.durable_index() < Some(last.index) {
            return;
        }
        let mut saved = machine.clone();
        if oracle::planted("apply-twice")
            && let Some(id) = &mut saved.applied.log_id
        {
            id.index = id.index.saturating_sub(1);
        }
        trace!("n{} commits its state at {}", self.node, last.index);
        lock(&self.durable.0).machine = Some(saved);
    }

    fn committed_index(&self) -> Option<u64> {
        let saved = lock(&self.durable.0);
        let log_id = saved.machine.as_ref()?.applied.log_id?;
        Some(log_id.index)
    }

    /// One account, as of which entry, and the digest there.
    pub fn read(&self, id: AccountId) -> (u64, u128, Option<Account>) {
        let machine = lock(&self.machine);
        let index = machine.applied.log_id.map_or(0, |id| id.index);
        (
            index,
            machine.applied.comparable_digest(),
            machine.ledger.account(id),
        )
    }

    /// Last entry and the digest there.
    pub fn position(&self) -> (u64, u128) {
        let machine = lock(&self.machine);
        let index = machine.applied.log_id.map_or(0, |id| id.index);
        (index, machine.applied.comparable_digest())
    }
}
