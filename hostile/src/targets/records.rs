//! Records at rest and in requests: every bit that is read is written again.

use farthing_ledger::{
    Account, Balances, Event, ItemResult, Ledger, NamespaceTotals, Pending, Record, RecordItem,
    Setting, Transfer, TransferRow,
};

use super::Part;
use crate::budget::within;
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "records",
    run,
    seeds,
    words: &["USD", "\u{0}\u{0}\u{0}\u{0}"],
};

/// A byte for the kind, then the record.
fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let budget = 2 * bytes.len() + 1_024;
    match kind % 12 {
        0 => fixed(bytes, |bytes: &[u8; 128]| {
            Account::from_bytes(bytes).to_bytes()
        }),
        1 => fixed(bytes, |bytes: &[u8; 128]| {
            Transfer::from_bytes(bytes).to_bytes()
        }),
        2 => fixed(bytes, |bytes: &[u8; 64]| {
            Ledger::from_bytes(bytes).to_bytes()
        }),
        3 => fixed(bytes, |bytes: &[u8; 64]| {
            Balances::from_bytes(bytes).to_bytes()
        }),
        4 => fixed(bytes, |bytes: &[u8; 16]| {
            Setting::from_bytes(bytes).to_bytes()
        }),
        5 => {
            // Its reserved bytes are a newer node's to use, and are ignored.
            if let Some(bytes) = bytes.first_chunk::<16>() {
                let result = ItemResult::from_bytes(bytes);
                assert_eq!(ItemResult::from_bytes(&result.to_bytes()), result);
            }
        }
        6 => fixed(bytes, |bytes: &[u8; 16]| {
            NamespaceTotals::from_bytes(bytes).to_bytes()
        }),
        7 => fixed(bytes, |bytes: &[u8; 256]| {
            TransferRow::from_bytes(7, bytes).to_bytes()
        }),
        8 => {
            if let Some(bytes) = bytes.first_chunk::<144>()
                && let Some(pending) = Pending::from_bytes(bytes)
            {
                assert_eq!(&pending.to_bytes(), bytes);
            }
        }
        9 => {
            let item = within(0, || RecordItem::split_from(bytes));
            assert_eq!(
                item.map(|(_, rest)| bytes.len() - rest.len()),
                RecordItem::length(bytes)
            );
            if let Some((item, rest)) = item {
                let mut again = Vec::new();
                item.write_to(&mut again);
                assert_eq!(again, bytes[..bytes.len() - rest.len()]);
            }
        }
        10 => {
            if let Some(record) = within(budget, || Record::from_bytes(bytes)) {
                assert_eq!(record.to_bytes(), bytes);
            }
        }
        _ => event(bytes, budget),
    }
}

fn fixed<const N: usize>(bytes: &[u8], again: impl Fn(&[u8; N]) -> [u8; N]) {
    if let Some(bytes) = bytes.first_chunk::<N>() {
        assert_eq!(&within(0, || again(bytes)), bytes);
    }
}

fn event(bytes: &[u8], budget: usize) {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    if let Ok(event) = within(budget, || Event::from_body(9, *kind, body)) {
        assert_eq!(event.kind(), *kind);
        let mut again = Vec::new();
        event.write_body(&mut again);
        assert_eq!(again, body);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let mut add = |kind: u8, bytes: &[u8]| seeds.push([&[kind], bytes].concat());
    add(0, &corpus::account(1).to_bytes());
    add(1, &corpus::transfer(9).to_bytes());
    add(2, &Ledger::new(840, "USD", 2).to_bytes());
    add(8, &corpus::pending().to_bytes());
    let mut item = Vec::new();
    corpus::record_item().write_to(&mut item);
    add(9, &item);
    add(10, &corpus::record().to_bytes());
    add(11, &[&[1], &corpus::account(1).to_bytes()[..]].concat());
    seeds
}
