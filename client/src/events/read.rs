//! Events of the wire as the SDK's types. All fail with [`Error::Unreadable`], and only when the other side is not a
//! node of this version.

use farthing_proto::convert;
use farthing_proto::convert::id::parse_id;
use farthing_proto::v1::event::Body;
use farthing_proto::v1::{self, SubscribeReply};

use super::kinds::{Event, EventBody, RecordEvent, TransferEvent};
use crate::error::Error;
use crate::queries::read::{balances, refused, scale_of, unreadable};
use crate::records::StoredRecord;

/// The events of a part.
pub(super) fn events(reply: SubscribeReply) -> Result<Vec<Event>, Error> {
    let scales = &reply.scales;
    reply
        .events
        .into_iter()
        .map(|message| event(message, scales))
        .collect()
}

fn event(message: v1::Event, scales: &[v1::LedgerScale]) -> Result<Event, Error> {
    let (sequence, timestamp) = (message.sequence, message.timestamp);
    let body = message.body.ok_or_else(|| {
        let why = format!("event {sequence} is of a kind newer than this client: update it");
        unreadable(&why)
    })?;
    let body = match body {
        Body::TransferCreated(moved) => EventBody::TransferCreated(transfer(&moved, scales)?),
        Body::TransferExpired(moved) => EventBody::TransferExpired(transfer(&moved, scales)?),
        Body::AccountCreated(created) => {
            let scale = scale_of(scales, created.ledger)?;
            let account = convert::account::stored_from_wire(&created, scale).map_err(refused)?;
            EventBody::AccountCreated(account)
        }
        Body::LedgerRegistered(registered) => EventBody::LedgerRegistered(
            convert::ledger::stored_from_wire(&registered).map_err(|words| unreadable(&words))?,
        ),
        Body::RecordWritten(written) => EventBody::RecordWritten(record(written)?),
        Body::SettingChanged(changed) => EventBody::SettingChanged {
            setting: changed.setting,
            value: changed.value,
        },
    };
    Ok(Event {
        sequence,
        timestamp,
        body,
    })
}

fn transfer(
    message: &v1::TransferEvent,
    scales: &[v1::LedgerScale],
) -> Result<TransferEvent, Error> {
    let transfer = message
        .transfer
        .as_ref()
        .ok_or_else(|| unreadable("an event has no transfer"))?;
    let scale = scale_of(scales, transfer.ledger)?;
    let after = match (&message.debit_account, &message.credit_account) {
        (None, None) => None,
        (debit, credit) => Some((
            balances(debit.as_ref(), scale)?,
            balances(credit.as_ref(), scale)?,
        )),
    };
    Ok(TransferEvent {
        transfer: convert::transfer::stored_from_wire(transfer, scale).map_err(refused)?,
        scale,
        balances: after,
    })
}

fn record(message: v1::RecordEvent) -> Result<RecordEvent, Error> {
    let record = message
        .record
        .ok_or_else(|| unreadable("an event has no record"))?;
    let operation_id =
        parse_id(&record.operation_id).map_err(|_| unreadable("an operation id is not an id"))?;
    Ok(RecordEvent {
        namespace: record.namespace,
        key: record.key,
        record: StoredRecord {
            value: record.value,
            version: record.version,
            operation_id,
            timestamp: record.timestamp,
        },
        deleted: message.deleted,
    })
}
