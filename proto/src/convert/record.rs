//! `RecordItem`, `Record` and `RecordKey`.

use farthing_ledger::{Record, RecordFlags, RecordItem, RecordKey, VERSION_ANY};

use super::id::{format_id, parse_id};
use super::{Violations, flags};
use crate::error::FieldError;
use crate::v1;

/// The record writes of a request; keys and values borrow from it.
///
/// # Errors
/// Refused fields, with paths such as `records[3].operation_id`.
pub fn from_wire(messages: &[v1::RecordItem]) -> Result<Vec<RecordItem<'_>>, Vec<FieldError>> {
    let mut violations = Violations::default();
    let mut items = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        violations.enter("records", number);
        items.push(RecordItem {
            operation_id: violations.take("operation_id", parse_id(&message.operation_id)),
            expected_version: message.expected_version.unwrap_or(VERSION_ANY),
            namespace: message.namespace,
            flags: RecordFlags(violations.take("flags", flags(&message.flags, bit))),
            reserved: 0,
            key: &message.key,
            value: &message.value,
        });
    }
    violations.finish(items)
}

/// The keys of a lookup.
///
/// # Errors
/// Refused fields, with paths such as `keys[3].key`.
pub fn keys_from_wire(messages: &[v1::RecordKey]) -> Result<Vec<RecordKey>, Vec<FieldError>> {
    let mut violations = Violations::default();
    let mut keys = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        violations.enter("keys", number);
        match RecordKey::new(message.namespace, &message.key) {
            Some(key) => keys.push(key),
            None => violations.add("key", "a key has 1 to 64 bytes"),
        }
    }
    violations.finish(keys)
}

/// What a lookup says of one key.
#[must_use]
pub fn to_wire(key: &RecordKey, record: Option<&Record>) -> v1::LookedUpRecord {
    match record {
        None => v1::LookedUpRecord::default(),
        Some(record) if record.deleted => v1::LookedUpRecord {
            record: None,
            deleted_version: record.version,
            deleted_by: format_id(record.operation_id),
        },
        Some(record) => v1::LookedUpRecord {
            record: Some(stored_to_wire(key, record)),
            ..v1::LookedUpRecord::default()
        },
    }
}

/// A record as it is stored, deleted or not.
#[must_use]
pub fn stored_to_wire(key: &RecordKey, record: &Record) -> v1::Record {
    v1::Record {
        namespace: key.namespace(),
        key: key.key().to_vec().into(),
        value: record.value.clone().into(),
        version: record.version,
        operation_id: format_id(record.operation_id),
        timestamp: record.timestamp,
    }
}

fn bit(flag: v1::RecordFlag) -> Option<u16> {
    let flag = match flag {
        v1::RecordFlag::Unspecified => return None,
        v1::RecordFlag::Linked => RecordFlags::LINKED,
        v1::RecordFlag::Delete => RecordFlags::DELETE,
    };
    Some(flag.0)
}
