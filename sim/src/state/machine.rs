//! The state after some entry, and how entries change it.

use std::collections::BTreeMap;

use bytes::Bytes;
use farthing_ledger::{EntryReader, MemoryState, RequestResults};
use farthing_node::storage::{AppliedState, Digest, LogId};
use xxhash_rust::xxh3::xxh3_128;

/// Digests kept for comparison with peers.
const DIGESTS_MAX: usize = 256;

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
pub(super) struct Machine {
    pub(super) ledger: MemoryState,
    pub(super) applied: AppliedState,
    pub(super) history: Vec<(LogId, Input)>,
    pub(super) digests: BTreeMap<u64, u128>,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self {
            ledger: MemoryState::new(),
            applied: AppliedState::default(),
            history: Vec::new(),
            digests: BTreeMap::new(),
        }
    }

    pub(super) fn apply(
        &mut self,
        log_id: LogId,
        bytes: &Bytes,
    ) -> Result<Vec<RequestResults>, String> {
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

    pub(super) fn push_empty(
        &mut self,
        log_id: LogId,
        membership: Option<Bytes>,
    ) -> Result<(), String> {
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

    /// All entries so far, one behind the other.
    pub(super) fn encode(&self) -> Vec<u8> {
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

    /// The state after the entries; `None` when they are not what was encoded.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
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
