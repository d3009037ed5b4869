//! What the one who applies entries asks of the state.

use std::path::PathBuf;

use bytes::Bytes;
use farthing_ledger::{EntryReader, RequestResults};
use farthing_node::state::{Backend, Error as StateError};
use farthing_node::storage::{Error, LogId, Manifest, SealTicket};

use super::machine::Machine;
use super::{Input, Memory, lock};
use crate::oracle;
use crate::trace;

impl Backend for Memory {
    fn applied_index(&self) -> Option<u64> {
        lock(&self.machine).applied.log_id.map(|id| id.index)
    }

    fn apply(
        &mut self,
        log_id: LogId,
        bytes: &Bytes,
        _entry: &EntryReader<'_>,
    ) -> Result<Vec<RequestResults>, StateError> {
        let mut machine = lock(&self.machine);
        let results = machine.apply(log_id, bytes).map_err(|why| {
            oracle::violation(format!("n{} cannot apply {log_id:?}: {why}", self.node));
            StateError::Broken {
                index: log_id.index,
                why,
            }
        })?;
        let digest = machine.applied.comparable_digest();
        trace!(
            "n{} applies {} in term {} {digest:x}",
            self.node, log_id.index, log_id.term
        );
        let input = Input::Command(bytes.clone());
        oracle::applied(self.node, log_id, &input, &results, digest);
        Ok(results)
    }

    fn push_empty(&mut self, log_id: LogId, membership: Option<Bytes>) -> Result<(), Error> {
        let mut machine = lock(&self.machine);
        let pushed = machine.push_empty(log_id, membership.clone());
        pushed.map_err(|why| {
            oracle::violation(format!("n{} cannot take {log_id:?}: {why}", self.node));
            Error::Broken(why)
        })?;
        let digest = machine.applied.comparable_digest();
        trace!(
            "n{} takes {} in term {}",
            self.node, log_id.index, log_id.term
        );
        oracle::applied(self.node, log_id, &Input::Other(membership), &[], digest);
        Ok(())
    }

    fn seal(&mut self) -> Result<SealTicket, Error> {
        let machine = lock(&self.machine).clone();
        let Some(last) = machine.applied.log_id else {
            return Err(Error::Broken("a snapshot of nothing".into()));
        };
        let ticket = SealTicket::new(machine.applied.clone());
        lock(&self.sealed).insert(last.index, machine);
        Ok(ticket)
    }

    fn install(&mut self, dir: PathBuf, manifest: &Manifest) -> Result<(), Error> {
        let bytes = lock(&self.incoming).remove(&dir);
        let bytes = bytes.ok_or_else(|| Error::Snapshot("it never arrived".into()))?;
        let machine = Machine::decode(&bytes)
            .filter(|machine| {
                machine.applied.log_id.map(|id| (id.term, id.index))
                    == Some((manifest.log_id.term, manifest.log_id.index))
                    && machine.applied.digest == manifest.digest
            })
            .ok_or_else(|| Error::Snapshot("it is not what its manifest says".into()))?;
        trace::reached("snapshot installed");
        trace!("n{} installs {:?}", self.node, manifest.log_id);
        if let Some((log_id, _)) = machine.history.last() {
            let digest = machine.applied.comparable_digest();
            oracle::installed(self.node, *log_id, digest);
        }
        lock(&self.durable.0).machine = Some(machine.clone());
        lock(&self.sealed).clear();
        *lock(&self.machine) = machine;
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
