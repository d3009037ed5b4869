//! The commit record: which entry the state on disk is the result of.
//!
//! Cold metadata, kind commit. It is written in the same ingest as every mutable row of its run; that one manifest
//! edit is the commit point. The structures mirror the ledger's and storage's own, so that renaming a field there
//! cannot change bytes here; a golden test pins them.

use bincode::{Decode, Encode};
use bytes::Bytes;
use farthing_ledger::Clock;

use crate::cold::{self, Kind};
use crate::storage::digest::Digest;
use crate::storage::error::Error;
use crate::storage::{AppliedState, LogId};

#[derive(Encode, Decode)]
struct StoredLogId {
    term: u64,
    node: u64,
    index: u64,
}

#[derive(Encode, Decode)]
struct StoredClock {
    timestamp: u64,
    account_timestamp: u64,
    transfer_timestamp: u64,
    sequence: u64,
    account_count: u64,
    transfer_count: u64,
    refused_count: u64,
    pending_count: u64,
}

#[derive(Encode, Decode)]
struct StoredCommit {
    log_id: StoredLogId,
    membership: Option<(StoredLogId, Vec<u8>)>,
    clock: StoredClock,
    digest: [u8; 16],
}

impl From<LogId> for StoredLogId {
    fn from(id: LogId) -> Self {
        Self {
            term: id.term,
            node: id.node,
            index: id.index,
        }
    }
}

impl From<StoredLogId> for LogId {
    fn from(id: StoredLogId) -> Self {
        Self {
            term: id.term,
            node: id.node,
            index: id.index,
        }
    }
}

/// The value of the commit record.
pub(crate) fn to_bytes(applied: &AppliedState) -> Result<Vec<u8>, Error> {
    let clock = &applied.clock;
    let log_id = applied
        .log_id
        .ok_or_else(|| Error::Broken("a commit of nothing".into()))?;
    let stored = StoredCommit {
        log_id: log_id.into(),
        membership: applied
            .membership
            .as_ref()
            .map(|(id, bytes)| ((*id).into(), bytes.to_vec())),
        clock: StoredClock {
            timestamp: clock.timestamp,
            account_timestamp: clock.account_timestamp,
            transfer_timestamp: clock.transfer_timestamp,
            sequence: clock.sequence,
            account_count: clock.account_count,
            transfer_count: clock.transfer_count,
            refused_count: clock.refused_count,
            pending_count: clock.pending_count,
        },
        digest: applied.digest.sum().to_le_bytes(),
    };
    cold::encode(Kind::Commit, &stored)
        .map_err(|error| Error::Broken(format!("commit record: {error}")))
}

/// Reads [`to_bytes`].
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<AppliedState, Error> {
    let stored: StoredCommit =
        cold::decode(Kind::Commit, bytes).map_err(Error::cold("commit record"))?;
    let clock = stored.clock;
    Ok(AppliedState {
        log_id: Some(stored.log_id.into()),
        membership: stored
            .membership
            .map(|(id, bytes)| (id.into(), Bytes::from(bytes))),
        clock: Clock {
            timestamp: clock.timestamp,
            account_timestamp: clock.account_timestamp,
            transfer_timestamp: clock.transfer_timestamp,
            sequence: clock.sequence,
            account_count: clock.account_count,
            transfer_count: clock.transfer_count,
            refused_count: clock.refused_count,
            pending_count: clock.pending_count,
        },
        digest: Digest::from_sum(u128::from_le_bytes(stored.digest)),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_record_has_these_bytes() {
        let clock = Clock {
            timestamp: 1,
            sequence: 300,
            account_count: 4,
            ..Clock::default()
        };
        let applied = AppliedState {
            log_id: Some(LogId {
                term: 2,
                node: 3,
                index: 70_000,
            }),
            membership: Some((
                LogId {
                    term: 1,
                    node: 1,
                    index: 1,
                },
                Bytes::from_static(b"voters"),
            )),
            clock,
            digest: Digest::from_sum(5),
        };
        let bytes = to_bytes(&applied).unwrap();
        let payload = [
            &b"\x02\x03\xfc\x70\x11\x01\x00"[..],
            b"\x01\x01\x01\x01\x06voters",
            b"\x01\x00\x00\xfb\x2c\x01\x04\x00\x00\x00",
            &5_u128.to_le_bytes(),
        ];
        assert_eq!(&bytes[cold::HEADER_BYTES..], payload.concat());
        assert_eq!(from_bytes(&bytes).unwrap(), applied);
    }
}
