//! Writing or deleting a record, with compare-and-set on its version.

use crate::event::EventBody;
use crate::record::{
    NAMESPACE_BYTES_MAX, NAMESPACE_ROWS_MAX, NamespaceTotals, RECORD_VALUE_BYTES_MAX, Record,
    RecordFlags, RecordItem, RecordKey, VERSION_ABSENT, VERSION_ANY,
};
use crate::result::ItemResult;
use crate::status::WriteRecordStatus as Status;

use super::command::Command;
use super::overlay::next;
use super::{Broken, Overlay, View};

impl Command for RecordItem<'_> {
    fn linked(&self) -> bool {
        self.flags.contains(RecordFlags::LINKED)
    }

    fn imported(&self) -> Option<bool> {
        None
    }

    fn execute<V: View>(
        &self,
        overlay: &mut Overlay<'_, V>,
        _mode: bool,
        now: u64,
    ) -> Result<ItemResult, Broken> {
        let key = match check(self) {
            Ok(key) => key,
            Err(status) => return Ok(status.at(now)),
        };
        let fingerprint = self.fingerprint();
        let existing = overlay.record(&key);
        if let Some(existing) = existing
            && existing.operation_id == self.operation_id
        {
            return Ok(if existing.fingerprint == fingerprint {
                Status::Exists.at(existing.timestamp)
            } else {
                Status::ExistsWithDifferentContent.at(now)
            });
        }
        if let Err(status) = check_version(self, existing) {
            return Ok(status.at(now));
        }
        let version = next(existing.map_or(0, |record| record.version))?;
        let former_bytes = existing.map(|record| key.key().len() + record.value.len());
        let totals = overlay.namespace(self.namespace);
        let Some(totals_after) = grow(totals, former_bytes, key.key().len() + self.value.len())
        else {
            return Ok(Status::NamespaceFull.at(now));
        };

        // The line of no return: from here on the record is written.
        let record = Record {
            version,
            operation_id: self.operation_id,
            timestamp: now,
            deleted: self.flags.contains(RecordFlags::DELETE),
            fingerprint,
            value: self.value.to_vec(),
        };
        overlay.set_namespace(self.namespace, totals_after);
        overlay.set_record(key, record.clone());
        overlay.add_event(now, EventBody::RecordWritten { key, record })?;
        Ok(Status::Written.at(now))
    }
}

fn check(item: &RecordItem<'_>) -> Result<RecordKey, Status> {
    if item.flags.has_reserved() {
        return Err(Status::ReservedFlag);
    }
    if item.reserved != 0 {
        return Err(Status::ReservedField);
    }
    if item.operation_id == 0 {
        return Err(Status::OperationIdMustNotBeZero);
    }
    if item.operation_id == u128::MAX {
        return Err(Status::OperationIdMustNotBeIntMax);
    }
    if item.namespace == 0 {
        return Err(Status::NamespaceMustNotBeZero);
    }
    let key = item.record_key().ok_or(Status::KeyLengthOutOfRange)?;
    if item.value.len() > RECORD_VALUE_BYTES_MAX {
        return Err(Status::ValueTooLarge);
    }
    if item.flags.contains(RecordFlags::DELETE) && !item.value.is_empty() {
        return Err(Status::DeleteWithValue);
    }
    Ok(key)
}

/// A deleted row counts as absent.
fn check_version(item: &RecordItem<'_>, existing: Option<&Record>) -> Result<(), Status> {
    let version = existing
        .filter(|record| !record.deleted)
        .map_or(VERSION_ABSENT, |record| record.version);
    if item.flags.contains(RecordFlags::DELETE) && version == VERSION_ABSENT {
        return Err(Status::NotFound);
    }
    if item.expected_version != VERSION_ANY && item.expected_version != version {
        return Err(Status::VersionMismatch);
    }
    Ok(())
}

/// The totals after a row of `former` bytes (none: a new row) becomes one of `bytes`; `None` when that is too much.
/// What does not grow is always let through.
fn grow(totals: NamespaceTotals, former: Option<usize>, bytes: usize) -> Option<NamespaceTotals> {
    let former_bytes = former.unwrap_or(0) as u64;
    let after = NamespaceTotals {
        rows: totals.rows + u64::from(former.is_none()),
        bytes: (totals.bytes + bytes as u64).saturating_sub(former_bytes),
    };
    let too_many = after.rows > totals.rows && after.rows > NAMESPACE_ROWS_MAX;
    let too_large = after.bytes > totals.bytes && after.bytes > NAMESPACE_BYTES_MAX;
    (!too_many && !too_large).then_some(after)
}
