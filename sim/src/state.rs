//! A node's state in memory, with the promises of the one on disk: after a crash it is that of the last commit, which
//! is never ahead of the node's own log.
//!
//! A snapshot is every entry so far; who installs one applies them all.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use farthing_ledger::{Account, AccountId, EntryReader, MemoryState, RequestResults, View as _};
use farthing_node::log::{Driver, Log};
use farthing_node::state::{Backend, Error as StateError};
use farthing_node::storage::{
    AppliedState, Digest, Error, LogId, Manifest, ManifestFile, Pace, Room, SealTicket,
    SnapshotSink, SnapshotSource, Store,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::oracle;
use crate::trace;

/// Digests kept for comparison with peers.
const DIGESTS_MAX: usize = 256;
/// Bytes in one file of a snapshot.
const PART_BYTES: usize = 8 << 10;

/// One entry as the state took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An envelope.
    Command(Bytes),
    /// A membership, or nothing.
    Other(Option<Bytes>),
}

/// The state after some entry.
#[derive(Clone)]
struct Machine {
    ledger: MemoryState,
    applied: AppliedState,
    history: Vec<(LogId, Input)>,
    digests: BTreeMap<u64, u128>,
}

impl Machine {
    fn new() -> Self {
        Self {
            ledger: MemoryState::new(),
            applied: AppliedState::default(),
            history: Vec::new(),
            digests: BTreeMap::new(),
        }
    }

    fn apply(&mut self, log_id: LogId, bytes: &Bytes) -> Result<Vec<RequestResults>, String> {
        self.check_order(log_id)?;
        let entry = EntryReader::new(bytes).map_err(|error| error.to_string())?;
        let applied = farthing_ledger::apply(&self.ledger, &entry);
        let applied = applied.map_err(|broken| broken.to_string())?;
        self.ledger.absorb(&applied.changes);
        let mut rows = self.applied.digest.sum().to_le_bytes().to_vec();
        for change in &applied.changes.accounts {
            rows.extend_from_slice(&change.after.to_bytes());
        }
        for row in &applied.changes.transfers {
            rows.extend_from_slice(&row.to_bytes());
        }
        for change in &applied.changes.pendings {
            rows.extend_from_slice(&change.after.to_bytes());
        }
        for id in &applied.changes.refused {
            rows.extend_from_slice(&id.0.to_le_bytes());
        }
        self.applied.digest = Digest::from_sum(xxh3_128(&rows));
        self.applied.clock = applied.changes.clock_after;
        self.advance(log_id, Input::Command(bytes.clone()));
        Ok(applied.results)
    }

    fn push_empty(&mut self, log_id: LogId, membership: Option<Bytes>) -> Result<(), String> {
        self.check_order(log_id)?;
        if let Some(bytes) = &membership {
            self.applied.membership = Some((log_id, bytes.clone()));
        }
        self.advance(log_id, Input::Other(membership));
        Ok(())
    }

    fn check_order(&self, log_id: LogId) -> Result<(), String> {
        match self.applied.log_id {
            Some(last) if last.index + 1 != log_id.index => {
                Err(format!("entry {} after {}", log_id.index, last.index))
            }
            _ => Ok(()),
        }
    }

    fn advance(&mut self, log_id: LogId, input: Input) {
        self.applied.log_id = Some(log_id);
        self.history.push((log_id, input));
        let digest = self.applied.comparable_digest();
        self.digests.insert(log_id.index, digest);
        if self.digests.len() > DIGESTS_MAX {
            self.digests.pop_first();
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (log_id, input) in &self.history {
            let (kind, payload) = match input {
                Input::Command(payload) => (0_u8, payload.clone()),
                Input::Other(Some(payload)) => (1, payload.clone()),
                Input::Other(None) => (2, Bytes::new()),
            };
            bytes.push(kind);
            for number in [log_id.term, log_id.index, payload.len() as u64] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&payload);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut machine = Self::new();
        while let Some((kind, rest)) = bytes.split_first() {
            let (term, rest) = rest.split_first_chunk::<8>()?;
            let (index, rest) = rest.split_first_chunk::<8>()?;
            let (length, rest) = rest.split_first_chunk::<8>()?;
            let (payload, rest) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
            let log_id = LogId {
                term: u64::from_le_bytes(*term),
                node: 0,
                index: u64::from_le_bytes(*index),
            };
            let payload = Bytes::copy_from_slice(payload);
            match kind {
                0 => {
                    machine.apply(log_id, &payload).ok()?;
                }
                1 => machine.push_empty(log_id, Some(payload)).ok()?,
                _ => machine.push_empty(log_id, None).ok()?,
            }
            bytes = rest;
        }
        Some(machine)
    }
}

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
        for (log_id, _) in machine.history.iter().rev().take(1) {
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
        Ok(Box::new(Incoming {
            manifest,
            file: 0,
            bytes: Vec::new(),
            begin: 0,
            incoming: Arc::clone(&self.incoming),
        }))
    }
}

/// A snapshot: its files are parts of the history.
#[derive(Debug)]
struct Checkpoint {
    manifest: Manifest,
    parts: Vec<Bytes>,
}

impl Checkpoint {
    fn new(cluster_id: u128, machine: &Machine) -> Self {
        let bytes = Bytes::from(machine.encode());
        let parts: Vec<Bytes> = bytes
            .chunks(PART_BYTES)
            .map(Bytes::copy_from_slice)
            .collect();
        let file = |(number, part): (usize, &Bytes)| ManifestFile {
            name: format!("{number:06}.part"),
            length: part.len() as u64,
            crc32c: crc32c::crc32c(part),
        };
        let manifest = Manifest {
            cluster_id,
            log_id: machine.applied.log_id.unwrap_or_default(),
            membership: machine.applied.membership.clone(),
            digest: machine.applied.digest,
            generation: 1,
            files: parts.iter().enumerate().map(file).collect(),
        };
        Self { manifest, parts }
    }
}

impl SnapshotSource for Checkpoint {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, position: usize) -> Result<Box<dyn Read + Send>, Error> {
        let part = self.parts.get(position).cloned();
        let part = part.ok_or_else(|| Error::Snapshot("no such file".into()))?;
        Ok(Box::new(std::io::Cursor::new(part)))
    }
}

struct Incoming {
    manifest: Manifest,
    file: usize,
    bytes: Vec<u8>,
    /// Where the current file begins.
    begin: usize,
    incoming: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
}

impl SnapshotSink for Incoming {
    fn write(&mut self, position: usize, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let wrong = || Error::Snapshot("these bytes do not come next".into());
        let file = self.manifest.files.get(position).ok_or_else(wrong)?;
        if position != self.file || offset != (self.bytes.len() - self.begin) as u64 {
            return Err(wrong());
        }
        self.bytes.extend_from_slice(bytes);
        let received = &self.bytes[self.begin..];
        if received.len() as u64 == file.length {
            if crc32c::crc32c(received) != file.crc32c {
                return Err(Error::Snapshot("damaged on the way".into()));
            }
            self.file += 1;
            self.begin = self.bytes.len();
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(PathBuf, Manifest), Error> {
        if self.file != self.manifest.files.len() {
            return Err(Error::Snapshot("it is not complete".into()));
        }
        let id = self.manifest.log_id;
        let dir = PathBuf::from(format!("{}-{}", id.term, id.index));
        lock(&self.incoming).insert(dir.clone(), self.bytes);
        Ok((dir, self.manifest))
    }
}
