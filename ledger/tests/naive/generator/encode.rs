//! Items as the bytes of a request.

use farthing_ledger::{RecordFlags, RecordItem, RequestBuilder};

use crate::naive::Item;

/// The encoded request of sections of items.
pub fn encode(sections: &[Vec<Item>]) -> Vec<u8> {
    let mut request = RequestBuilder::new(b"model");
    for section in sections {
        let mut items: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for item in section {
            match item {
                Item::Account(account) => items.0.push(*account),
                Item::Transfer(transfer) => items.1.push(*transfer),
                Item::Ledger(ledger) => items.2.push(*ledger),
                Item::Record(note) => items.3.push(RecordItem {
                    operation_id: note.operation_id,
                    expected_version: note.expected_version,
                    namespace: note.namespace,
                    flags: RecordFlags(note.flags),
                    reserved: note.reserved,
                    key: &note.key,
                    value: &note.value,
                }),
                Item::Setting(setting) => items.4.push(*setting),
                Item::Pulse => {}
            }
        }
        request = match section.first() {
            Some(Item::Transfer(_)) | None => request.transfers(&items.1),
            Some(Item::Account(_)) => request.accounts(&items.0),
            Some(Item::Ledger(_)) => request.ledgers(&items.2),
            Some(Item::Record(_)) => request.records(&items.3),
            Some(Item::Setting(_)) => request.settings(&items.4),
            Some(Item::Pulse) => request.pulse(),
        };
    }
    request.finish().unwrap()
}
