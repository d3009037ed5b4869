//! Calls on records: the small versioned store beside the money.

use bytes::Bytes;
use farthing_ledger::{RecordItem, RecordKey, WriteRecordStatus};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::id::parse_id;
use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::packed;
use farthing_proto::v1;
use farthing_proto::v1::records_client::RecordsClient;

use crate::batch::submit::SubmitPart;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::unary::Repeat;

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its value.
    pub value: Bytes,
    /// Counts its writes, from 1: the `expected_version` of a compare-and-set.
    pub version: u64,
    /// Identity of the write that made this version.
    pub operation_id: u128,
    /// When it was written, in ns.
    pub timestamp: u64,
}

impl Client {
    /// Writes or deletes records. One outcome for each, in order; at most 8,189 items and
    /// 4 MiB.
    ///
    /// After a lost answer the same writes are sent again by themselves, except writes that
    /// expect [`VERSION_ANY`](crate::VERSION_ANY): sent again they could undo what somebody
    /// else wrote meanwhile, so the outcome of such a call is
    /// [`Error::UnknownOutcome`] then.
    ///
    /// # Errors
    /// See [`Error`]. A refused write is an outcome, not an error.
    pub async fn write_records(
        &self,
        records: &[RecordItem<'_>],
    ) -> Result<Vec<Outcome<WriteRecordStatus>>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let part = SubmitPart::new(vec![packed::records_section(records)])?;
        self.submit_part(part).await?.first()
    }

    /// Records by key, in the order asked; at most 8,189. Linearizable. A deleted record
    /// is not found.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_records(
        &self,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<StoredRecord>>, Error> {
        self.lookup_records_at(keys, Consistency::Linearizable)
            .await
    }

    /// Records by key, as fresh as asked for.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_records_at(
        &self,
        keys: &[RecordKey],
        consistency: Consistency,
    ) -> Result<Vec<Option<StoredRecord>>, Error> {
        let rows = self.record_rows(keys, consistency).await?;
        Ok(rows
            .into_iter()
            .map(|row| match row {
                Row::Written(record) => Some(record),
                Row::Deleted { .. } | Row::Never => None,
            })
            .collect())
    }

    /// Everything a lookup says of record keys.
    pub(crate) async fn record_rows(
        &self,
        keys: &[RecordKey],
        consistency: Consistency,
    ) -> Result<Vec<Row>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let request = v1::LookupRecordsRequest {
            keys: keys
                .iter()
                .map(|key| v1::RecordKey {
                    namespace: key.namespace(),
                    key: Bytes::copy_from_slice(key.key()),
                })
                .collect(),
            consistency: consistency.into(),
        };
        let look_up = |channel, request| async move {
            RecordsClient::new(channel)
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .lookup_records(request)
                .await
        };
        let reply = match consistency {
            Consistency::Linearizable => self.ask_leader(Repeat::Always, request, look_up).await?,
            Consistency::MinLogIndex(_) | Consistency::Stale => {
                self.ask_any(request, look_up).await?
            }
        };
        if reply.records.len() != keys.len() {
            return Err(unreadable("its records do not fit the keys"));
        }
        reply.records.into_iter().map(read).collect()
    }
}

/// What a lookup says of one record key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    Never,
    Written(StoredRecord),
    Deleted { version: u64, operation_id: u128 },
}

fn read(found: v1::LookedUpRecord) -> Result<Row, Error> {
    let id = |text: &str| parse_id(text).map_err(|_| unreadable("an operation id is not an id"));
    Ok(match found.record {
        Some(record) => Row::Written(StoredRecord {
            operation_id: id(&record.operation_id)?,
            value: record.value,
            version: record.version,
            timestamp: record.timestamp,
        }),
        None if found.deleted_version == 0 => Row::Never,
        None => Row::Deleted {
            version: found.deleted_version,
            operation_id: id(&found.deleted_by)?,
        },
    })
}

fn unreadable(message: &str) -> Error {
    Error::Unreadable {
        address: "the leader".to_owned(),
        message: message.to_owned(),
    }
}
