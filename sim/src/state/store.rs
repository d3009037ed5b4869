//! What everybody may ask of the state, while entries are applied.

use std::sync::Arc;

use farthing_node::storage::{
    AppliedState, Error, LogId, Manifest, Pace, Room, SealTicket, SnapshotSink, SnapshotSource,
    Store,
};

use super::checkpoint::{Checkpoint, Incoming};
use super::{Memory, lock};
use crate::trace;

impl Store for Memory {
    fn applied(&self) -> AppliedState {
        lock(&self.machine).applied.clone()
    }

    fn committed(&self) -> Option<LogId> {
        let saved = lock(&self.durable.0);
        saved.machine.as_ref()?.applied.log_id
    }

    fn next_due(&self) -> Option<u64> {
        lock(&self.machine).ledger.next_expiry()
    }

    fn digest_at(&self, index: u64) -> Option<u128> {
        lock(&self.machine).digests.get(&index).copied()
    }

    fn recent_digests(&self, count: usize) -> Vec<(u64, u128)> {
        let machine = lock(&self.machine);
        let newest = machine.digests.iter().rev().take(count);
        let mut digests: Vec<(u64, u128)> = newest.map(|(at, digest)| (*at, *digest)).collect();
        digests.reverse();
        digests
    }

    fn room(&self) -> Result<Room, Error> {
        Ok(Room {
            free_bytes: 1 << 40,
            compaction_bytes: 0,
        })
    }

    fn is_waiting_for_space(&self) -> bool {
        false
    }

    fn scrub(&self, _pace: Pace<'_>) -> Result<u64, Error> {
        Ok(0)
    }

    fn current_checkpoint(&self) -> Option<Arc<dyn SnapshotSource>> {
        let checkpoint = lock(&self.durable.0).checkpoint.clone();
        checkpoint.map(|found| found as Arc<dyn SnapshotSource>)
    }

    fn build_checkpoint(&self, ticket: &SealTicket) -> Result<Arc<dyn SnapshotSource>, Error> {
        let index = ticket.applied().log_id.map_or(0, |id| id.index);
        let machine = lock(&self.sealed).remove(&index);
        let machine = machine.ok_or_else(|| Error::Snapshot("another one was installed".into()))?;
        // A run waits for the log; here that means to let it work. What was installed needs no run.
        let is_saved = self.committed_index() >= Some(index);
        while !is_saved && self.log.durable_index() < Some(index) && self.log.failure().is_none() {
            if !lock(&self.driver).work() {
                break;
            }
        }
        if !is_saved && self.log.durable_index() < Some(index) {
            return Err(Error::Cancelled("the log does not get there"));
        }
        let checkpoint = Arc::new(Checkpoint::new(self.cluster_id, &machine));
        trace!("n{} builds a snapshot at {index}", self.node);
        trace::reached("snapshot built");
        let mut saved = lock(&self.durable.0);
        let before = saved
            .machine
            .as_ref()
            .and_then(|saved| saved.applied.log_id);
        let is_newer = before.map(|id| id.index) < Some(index);
        if is_newer {
            saved.machine = Some(machine);
        }
        saved.checkpoint = Some(Arc::clone(&checkpoint));
        Ok(checkpoint)
    }

    fn receive(&self, manifest: Manifest) -> Result<Box<dyn SnapshotSink>, Error> {
        if manifest.cluster_id != self.cluster_id {
            return Err(Error::Snapshot("it is of another cluster".into()));
        }
        let incoming = Arc::clone(&self.incoming);
        Ok(Box::new(Incoming::new(manifest, incoming)))
    }
}
