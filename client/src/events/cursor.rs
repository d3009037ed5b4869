//! How far a consumer is, kept in the ledger itself: a record under the consumer's name.
//!
//! It is saved by compare-and-set, so that two consumers with one name cannot both go on: whoever saves second has lost,
//! and learns it.

use farthing_ledger::{RecordFlags, RecordItem, RecordKey, WriteRecordStatus};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::FieldError;

use crate::client::Client;
use crate::error::Error;
use crate::ids;
use crate::queries::read::unreadable;
use crate::records::Row;

/// The namespace of records in which cursors are.
pub const CURSOR_NAMESPACE: u32 = 4;
/// Bytes of a cursor's name, at most.
pub const CURSOR_NAME_BYTES_MAX: usize = 57;

const PREFIX: &str = "cursor/";
const VALUE_VERSION: u8 = 1;
const VALUE_BYTES: usize = 16;
/// Writes with unknown outcomes that are remembered: with each save there is one more at most, and any save that is
/// answered settles all of them.
const UNSETTLED_MAX: usize = 64;

/// The last sequence that a consumer has handled, kept in the ledger under its name.
#[derive(Debug)]
pub struct Cursor {
    client: Client,
    name: String,
    key: RecordKey,
    /// The last sequence that was handled.
    sequence: u64,
    at: Version,
    /// Writes of our own that may or may not have been carried out.
    unsettled: Vec<u128>,
}

/// What the record is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    /// What a write must expect.
    expected: u64,
    /// The version that it makes.
    next: u64,
}

impl Version {
    fn written(version: u64) -> Version {
        Version {
            expected: version,
            next: version.saturating_add(1),
        }
    }

    /// Never written, or deleted at this version.
    fn absent(version: u64) -> Version {
        Version {
            expected: farthing_ledger::VERSION_ABSENT,
            next: version.saturating_add(1),
        }
    }
}

impl Cursor {
    /// The cursor of this name, at 0 when there is none yet. Nothing is written: whoever has opened the same name keeps
    /// it until one of the two saves.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] unless the name has 1 to 57 bytes, [`Error::Unreadable`] when the record is that of a
    /// newer version, and those of every call.
    pub async fn open(client: &Client, name: &str) -> Result<Cursor, Error> {
        let key = format!("{PREFIX}{name}");
        let key = RecordKey::new(CURSOR_NAMESPACE, key.as_bytes())
            .filter(|_| !name.is_empty() && name.len() <= CURSOR_NAME_BYTES_MAX)
            .ok_or_else(|| invalid("a name has 1 to 57 bytes"))?;
        let (sequence, at) = match row(client, key).await? {
            Row::Never => (0, Version::absent(0)),
            Row::Deleted { version, .. } => (0, Version::absent(version)),
            Row::Written(record) => (parse(&record.value)?, Version::written(record.version)),
        };
        Ok(Cursor {
            client: client.clone(),
            name: name.to_owned(),
            key,
            sequence,
            at,
            unsettled: Vec::new(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is in the ledger: saved before, by whomever.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.at.expected != farthing_ledger::VERSION_ABSENT
    }

    /// The last sequence that was saved; 0 = none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where a subscription goes on.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.sequence.saturating_add(1)
    }

    /// Sequences between the one that was saved and the newest one there is, as one node has it.
    ///
    /// # Errors
    /// As [`Client::newest_sequence`].
    pub async fn lag(&self) -> Result<u64, Error> {
        let newest = self.client.newest_sequence().await?;
        Ok(newest.saturating_sub(self.sequence))
    }

    /// Saves that everything up to `sequence` was handled; a smaller one than before is allowed, to handle events again.
    /// After an error other than [`Error::Fenced`] it may be called again.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another consumer has moved this cursor since it was opened or saved: stop handling events,
    /// or open it again. Those of every call.
    pub async fn save(&mut self, sequence: u64) -> Result<(), Error> {
        if sequence == self.sequence && self.unsettled.is_empty() {
            return Ok(());
        }
        self.claim(sequence).await
    }

    /// Saves it even when nothing is new, so that whoever had this cursor before learns at the next save that it is over.
    /// After an error other than [`Error::Fenced`] it may be called again.
    ///
    /// # Errors
    /// As [`Cursor::save`].
    pub async fn claim(&mut self, sequence: u64) -> Result<(), Error> {
        // A version that does not fit may be that of a write of ours whose answer was lost: then there is a second try,
        // and what it meets is somebody else's.
        for _ in 0..2 {
            match self.write(sequence).await? {
                WriteRecordStatus::Written | WriteRecordStatus::Exists => {
                    self.at = Version::written(self.at.next);
                    self.sequence = sequence;
                    self.unsettled.clear();
                    return Ok(());
                }
                WriteRecordStatus::VersionMismatch => {
                    if !self.adopt().await? {
                        break;
                    }
                }
                status => return Err(invalid(&format!("the record was refused: {status}"))),
            }
        }
        Err(Error::Fenced {
            cursor: self.name.clone(),
        })
    }

    async fn write(&mut self, sequence: u64) -> Result<WriteRecordStatus, Error> {
        let operation_id = ids::new();
        // Before it is sent: this call may be given up at any time.
        self.unsettled.truncate(UNSETTLED_MAX - 1);
        self.unsettled.insert(0, operation_id);
        let value = format(sequence);
        let item = RecordItem {
            operation_id,
            expected_version: self.at.expected,
            namespace: CURSOR_NAMESPACE,
            flags: RecordFlags::default(),
            reserved: 0,
            key: self.key.key(),
            value: &value,
        };
        let outcomes = self.client.write_records(&[item]).await?;
        let outcome = outcomes.first().map(|outcome| outcome.status);
        outcome.ok_or_else(|| unreadable("it does not say what became of a record"))
    }

    /// Whether the record is as a write of our own has left it; then that one counts.
    async fn adopt(&mut self) -> Result<bool, Error> {
        let Row::Written(record) = row(&self.client, self.key).await? else {
            return Ok(false);
        };
        if !self.unsettled.contains(&record.operation_id) {
            return Ok(false);
        }
        self.sequence = parse(&record.value)?;
        self.at = Version::written(record.version);
        Ok(true)
    }
}

async fn row(client: &Client, key: RecordKey) -> Result<Row, Error> {
    let rows = client
        .record_rows(&[key], Consistency::Linearizable)
        .await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| unreadable("it says nothing of a record"))
}

/// `version u8 (1), reserved [u8; 7] (0), sequence u64 LE`.
fn format(sequence: u64) -> [u8; VALUE_BYTES] {
    let mut value = [0; VALUE_BYTES];
    value[0] = VALUE_VERSION;
    value[8..].copy_from_slice(&sequence.to_le_bytes());
    value
}

fn parse(value: &[u8]) -> Result<u64, Error> {
    match value.split_first_chunk::<8>() {
        Some(([VALUE_VERSION, 0, 0, 0, 0, 0, 0, 0], rest)) => rest.try_into().ok(),
        _ => None,
    }
    .map(u64::from_le_bytes)
    .ok_or_else(|| unreadable("a cursor is not of this version, or no cursor"))
}

fn invalid(description: &str) -> Error {
    Error::InvalidRequest {
        violations: vec![FieldError::new("cursor", description)],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_saved_is_read_and_nothing_else() {
        for sequence in [0, 1, u64::MAX] {
            assert_eq!(parse(&format(sequence)).unwrap(), sequence);
        }
        assert_eq!(
            format(258),
            [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]
        );
        let newer = [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let flagged = [1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        for wrong in [&newer[..], &flagged, &newer[..15], b""] {
            assert!(parse(wrong).is_err());
        }
    }
}
