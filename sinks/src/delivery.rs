//! One event on its way into a sink.

use bytes::Bytes;
use farthing_client::events::{CURSOR_NAMESPACE, EventKind};
use farthing_client::format_id;
use farthing_ledger::EventBody;
use farthing_proofs::Change;
use farthing_proofs::export::write_line;

/// One event as sinks deliver it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the dense sequence, from 1.
    pub sequence: u64,
    /// When it happened: ns since 1970, by the cluster's clock.
    pub timestamp: u64,
    /// What happened.
    pub kind: EventKind,
    /// What it happened to, such as `transfer/UUID`; ASCII without spaces.
    pub subject: String,
    /// The event as one line of JSON, byte for byte that of an exported history.
    pub data: Bytes,
    /// A cursor's record was written: no reason to save a cursor, or a quiet ledger would never be quiet.
    pub is_cursor: bool,
}

impl Delivery {
    /// Reads the bytes of a packed event; `None` when they are not an event of this version.
    #[must_use]
    pub fn from_packed(bytes: &[u8]) -> Option<Delivery> {
        let change = Change::from_bytes(bytes)?;
        let mut data = Vec::with_capacity(1_024);
        write_line(&change, &mut data);
        let (kind, subject) = match &change {
            Change::Transfer(row) => (EventKind::TransferCreated, transfer(row.transfer.id.0)),
            Change::Event(event) => match &event.body {
                EventBody::AccountCreated(account) => (
                    EventKind::AccountCreated,
                    format!("account/{}", format_id(account.id.0)),
                ),
                EventBody::LedgerRegistered(ledger) => (
                    EventKind::LedgerRegistered,
                    format!("ledger/{}", ledger.ledger),
                ),
                EventBody::RecordWritten { key, .. } => {
                    let hex: String = key.key().iter().map(|byte| format!("{byte:02x}")).collect();
                    let subject = format!("record/{}/{hex}", key.namespace());
                    (EventKind::RecordWritten, subject)
                }
                EventBody::TransferExpired { transfer: of, .. } => {
                    (EventKind::TransferExpired, transfer(of.id.0))
                }
                EventBody::SettingChanged(setting) => (
                    EventKind::SettingChanged,
                    format!("setting/{}", setting.setting),
                ),
            },
        };
        let is_cursor = matches!(&change, Change::Event(event) if matches!(
            &event.body,
            EventBody::RecordWritten { key, .. } if key.namespace() == CURSOR_NAMESPACE
        ));
        Some(Delivery {
            sequence: change.sequence(),
            timestamp: change.timestamp(),
            kind,
            subject,
            data: data.into(),
            is_cursor,
        })
    }

    /// Bytes that it holds in memory, roughly, and takes in a sink.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.data.len() + self.subject.len() + 256
    }
}

fn transfer(id: u128) -> String {
    format!("transfer/{}", format_id(id))
}
