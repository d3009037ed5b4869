//! Keys and values of the state, as a disk or a peer's checkpoint gives them back.

use farthing_ledger::{Account, Event, EventBody, Ledger, TransferRow};
use farthing_node::fuzzing::{Form, Row, reread};

use super::Part;
use crate::budget::within;
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "rows",
    run,
    seeds,
    words: &["\u{1}\u{1}", "\u{12}", "\u{14}", "\u{0}\u{0}\u{0}\u{0}"],
};

/// Rows that have one form only: what is accepted is written again byte for byte.
const EXACT: [Row; 17] = [
    Row::Packed,
    Row::Place,
    Row::HistoryKey,
    Row::Event,
    Row::Account,
    Row::Pending,
    Row::DueKey,
    Row::Ledger,
    Row::RecordKey,
    Row::Record,
    Row::Namespace,
    Row::Setting,
    Row::IdRanges,
    Row::History,
    Row::UserData128Key,
    Row::UserData64Key,
    Row::UserData32Key,
];
/// Rows with bytes that are not looked at.
const LOOSE: [Row; 1] = [Row::Block];

/// A byte for the kind, then the key or the value.
fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let kind = usize::from(*kind) % (EXACT.len() + LOOSE.len());
    let read = |row, bytes: &[u8]| {
        // A block has at most 64 rows, each four bytes when there is nothing in it, and 272 in memory.
        let budget = 64 * bytes.len() + (32 << 10);
        within(budget, || reread(Form::Row(row), bytes))
    };
    if let Some(row) = EXACT.get(kind) {
        if let Ok(again) = read(*row, bytes) {
            assert_eq!(again, bytes, "{row:?}");
        }
    } else {
        let row = LOOSE[kind - EXACT.len()];
        if let Ok(again) = read(row, bytes) {
            assert_eq!(read(row, &again).as_ref(), Ok(&again), "{row:?}");
        }
    }
}

/// A record of words without those that are zero.
fn packed(record: &[u8]) -> Vec<u8> {
    let (mut mask, mut words) = (0_u32, Vec::new());
    for (index, word) in record.chunks(8).enumerate() {
        if word.iter().any(|byte| *byte != 0) {
            mask |= 1 << index;
            words.extend_from_slice(word);
        }
    }
    [&mask.to_le_bytes(), &words[..]].concat()
}

fn block(rows: &[TransferRow]) -> Vec<u8> {
    let header = [[1, 0, rows.len() as u8, 0, 0, 0, 0, 0], 9_u64.to_le_bytes()];
    let mut block = header.concat();
    for row in rows {
        block.extend(packed(&row.to_bytes()));
    }
    block
}

fn seeds() -> Vec<Vec<u8>> {
    let row = |id| TransferRow {
        sequence: 5,
        transfer: corpus::transfer(id),
        debit_after: Default::default(),
        credit_after: Default::default(),
    };
    let mut event = b"\x09\0\0\0\0\0\0\0\x01".to_vec();
    let created = Event {
        sequence: 5,
        timestamp: 7,
        body: EventBody::AccountCreated(Account {
            timestamp: 7,
            ..corpus::account(1)
        }),
    };
    event.push(created.kind());
    created.write_body(&mut event);
    let numbers = |numbers: &[u128]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    };
    let list = |value: &[u8]| [&[1], value, &7_u64.to_be_bytes()[..]].concat();
    let values: [Vec<u8>; 18] = [
        packed(&row(9).to_bytes()),
        [&[3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 6][..]].concat(),
        [&3_u128.to_be_bytes()[..], &7_u64.to_be_bytes()].concat(),
        event,
        packed(&corpus::account(1).to_bytes()),
        packed(&corpus::pending().to_bytes()),
        [&[18][..], &5_u64.to_be_bytes(), &6_u64.to_be_bytes()].concat(),
        Ledger::new(840, "USD", 2).to_bytes().to_vec(),
        [&[20][..], &1_000_u32.to_be_bytes(), b"key"].concat(),
        corpus::record().to_bytes(),
        numbers(&[3 << 64 | 2]),
        5_u64.to_le_bytes().to_vec(),
        numbers(&[1, 5, 9, u128::MAX]),
        b"\x09\0\0\0\0\0\0\0\x00\0\0\0\x00\x04\x03\0\0\0\x03\x00".to_vec(),
        list(&3_u128.to_be_bytes()),
        list(&4_u64.to_be_bytes()),
        list(&5_u32.to_be_bytes()),
        block(&[row(9), row(10)]),
    ];
    let empty_rows = [&[17, 1, 0, 64][..], &[0; 13], &[0; 4 * 64]].concat();
    let mut seeds = corpus::numbered(values);
    seeds.push(empty_rows);
    seeds
}
