//! How far a file was imported, kept in the ledger's own record store.
//!
//! The record says: the first `rows` rows of a file with this fingerprint were all answered. It is no part of what
//! makes an import right (ids are derived, so a row sent twice is answered `exists`), it only spares a second run the
//! sending. It is believed only after the rows at hand gave the same fingerprint, so an edited file is sent again.

use std::fmt;

use farthing_ledger::Transfer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Namespace of the records, in the ledger's record store. Numbers below 1,000 are Farthing's own.
pub const PROGRESS_NAMESPACE: u32 = 1;

/// SHA-256 over everything that was read so far, as it would be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Takes the fingerprint of rows as they pass.
#[derive(Clone, Debug)]
pub(super) struct Fingerprinter {
    hasher: Sha256,
    /// Rows taken in, bad ones included.
    pub(super) rows: u64,
    /// Of the first row alone: tells files apart, so that each has a record of its own.
    first: Option<Fingerprint>,
}

impl Fingerprinter {
    pub(super) fn new() -> Self {
        Self {
            hasher: Sha256::new_with_prefix(b"farthing import, version 1"),
            rows: 0,
            first: None,
        }
    }

    /// Takes in a payment: all of the transfer, so that other columns, codes or ledgers are another fingerprint.
    pub(super) fn payment(&mut self, transfer: &Transfer) {
        self.row(b"p", &transfer.to_bytes());
    }

    /// Takes in a row that is no payment.
    pub(super) fn bad(&mut self, bytes: &[u8]) {
        self.row(b"b", bytes);
    }

    fn row(&mut self, tag: &[u8; 1], bytes: &[u8]) {
        self.hasher.update(tag);
        self.hasher.update((bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
        self.rows += 1;
        if self.rows == 1 {
            self.first = Some(self.now());
        }
    }

    /// The fingerprint of everything taken in.
    pub(super) fn now(&self) -> Fingerprint {
        Fingerprint(self.hasher.clone().finalize().into())
    }

    /// Key of the file's progress record, known after the first row: at most 64 bytes, as the store wants.
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        self.first.map(|first| {
            let mut key = b"import/".to_vec();
            key.extend_from_slice(&first.0);
            key
        })
    }
}

/// The record's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    version: u32,
    /// Rows of the file, from its first, that were all answered.
    pub(super) rows: u64,
    fingerprint: String,
    /// How many of them the ledger refused.
    pub(super) refused: u64,
}

impl Progress {
    pub(super) fn new(rows: u64, fingerprint: Fingerprint, refused: u64) -> Self {
        Self {
            version: 1,
            rows,
            fingerprint: fingerprint.to_string(),
            refused,
        }
    }

    /// Whether the rows at hand are those the record speaks of.
    pub(super) fn fits(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprint == fingerprint.to_string()
    }

    pub(super) fn to_value(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a value; `None` for what another version wrote, which only costs the sending.
    pub(super) fn from_value(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value)
            .ok()
            .filter(|progress: &Self| progress.version == 1)
    }
}

#[cfg(test)]
mod tests {
    use farthing_ledger::TransferId;

    use super::*;

    fn transfer(id: u128) -> Transfer {
        Transfer {
            id: TransferId(id),
            ..Transfer::default()
        }
    }

    #[test]
    fn every_row_and_its_place_count() {
        let fingerprint = |rows: &[u128]| {
            let mut fingerprinter = Fingerprinter::new();
            rows.iter()
                .for_each(|id| fingerprinter.payment(&transfer(*id)));
            fingerprinter.now()
        };
        assert_eq!(fingerprint(&[1, 2]), fingerprint(&[1, 2]));
        assert_ne!(fingerprint(&[1, 2]), fingerprint(&[2, 1]));
        assert_ne!(fingerprint(&[1, 2]), fingerprint(&[1]));
    }

    #[test]
    fn files_are_told_apart_by_their_first_row() {
        let mut first = Fingerprinter::new();
        assert_eq!(first.key(), None);
        first.payment(&transfer(1));
        let key = first.key().unwrap();
        assert!(key.len() <= 64);
        first.payment(&transfer(2));
        assert_eq!(
            first.key().unwrap(),
            key,
            "later rows do not change the key"
        );
        let mut second = Fingerprinter::new();
        second.payment(&transfer(2));
        assert_ne!(second.key().unwrap(), key);
    }

    #[test]
    fn the_value_is_read_back_or_left_alone() {
        let mut fingerprinter = Fingerprinter::new();
        fingerprinter.bad(b"x");
        let progress = Progress::new(1, fingerprinter.now(), 0);
        let read = Progress::from_value(&progress.to_value()).unwrap();
        assert!(read == progress && read.fits(fingerprinter.now()));
        fingerprinter.bad(b"y");
        assert!(!read.fits(fingerprinter.now()));
        assert_eq!(Progress::from_value(b"{}"), None);
    }
}
