//! Events with every field at random, histories of them, and who signs those.
#![allow(dead_code, unreachable_pub)] // each test uses a part

use farthing_ledger::{
    Account, AccountFlags, Balances, Event, EventBody, Ledger, LedgerFlags, Record, RecordKey,
    Setting, Transfer, TransferFlags, TransferId, TransferRow,
};
use farthing_proofs::export::Writer;
use farthing_proofs::{Change, Checkpoint, Frontier, Hash, Note, Signer, Subtrees};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

pub const ORIGIN: &str = "farthing/64ad9403-7867-4750-9cdb-38b323afc4f5";

/// Small numbers and zeros as often as large ones.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..1_000_u64, any::<u64>()]
}

fn large() -> impl Strategy<Value = u128> {
    prop_oneof![
        Just(0),
        Just(u128::MAX),
        number().prop_map(u128::from),
        any::<u128>()
    ]
}

fn balances() -> impl Strategy<Value = Balances> {
    [large(), large(), large(), large()].prop_map(|[a, b, c, d]| Balances {
        debits_pending: a,
        debits_posted: b,
        credits_pending: c,
        credits_posted: d,
    })
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let ids = [large(), large(), large(), large(), large(), large()];
    (ids, vec(number(), 6), any::<u16>()).prop_map(|(ids, numbers, flags)| Transfer {
        id: TransferId(ids[0]),
        debit_account_id: ids[1].into(),
        credit_account_id: ids[2].into(),
        amount: ids[3],
        pending_id: TransferId(ids[4]),
        user_data_128: ids[5],
        user_data_64: numbers[0],
        user_data_32: numbers[1] as u32,
        timeout: numbers[2] as u32,
        ledger: numbers[3] as u32,
        code: numbers[4] as u16,
        flags: TransferFlags(flags),
        timestamp: numbers[5],
    })
}

fn account() -> impl Strategy<Value = Account> {
    (large(), balances(), large(), vec(number(), 6), any::<u16>()).prop_map(
        |(id, balances, user_data_128, numbers, flags)| Account {
            id: id.into(),
            debits_pending: balances.debits_pending,
            debits_posted: balances.debits_posted,
            credits_pending: balances.credits_pending,
            credits_posted: balances.credits_posted,
            user_data_128,
            user_data_64: numbers[0],
            user_data_32: numbers[1] as u32,
            reserved: numbers[2] as u32,
            ledger: numbers[3] as u32,
            code: numbers[4] as u16,
            flags: AccountFlags(flags),
            timestamp: numbers[5],
        },
    )
}

fn ledger() -> impl Strategy<Value = Ledger> {
    let named = "[A-Z0-9._-]{1,16}".prop_map(|currency| Ledger::new(0, &currency, 0));
    let other = (any::<[u8; 16]>(), any::<u8>()).prop_map(|(currency, length)| Ledger {
        currency,
        currency_length: length,
        ..Ledger::default()
    });
    let reserved = prop_oneof![Just([0; 32]), any::<[u8; 32]>()];
    let numbers = (any::<u32>(), any::<u16>(), any::<u8>(), number());
    (prop_oneof![named, other], reserved, numbers).prop_map(
        |(row, reserved, (number, flags, scale, timestamp))| Ledger {
            ledger: number,
            flags: LedgerFlags(flags),
            scale,
            reserved,
            timestamp,
            ..row
        },
    )
}

fn record() -> impl Strategy<Value = (RecordKey, Record)> {
    let value = prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..60),
        vec(any::<u8>(), 4096)
    ];
    let key = (any::<u32>(), vec(any::<u8>(), 1..=64));
    let row = (
        number(),
        any::<u128>(),
        number(),
        any::<bool>(),
        any::<u64>(),
        value,
    );
    (key, row).prop_map(|((namespace, key), row)| {
        let (version, operation_id, timestamp, deleted, fingerprint, value) = row;
        let record = Record {
            version,
            operation_id,
            timestamp,
            deleted,
            fingerprint,
            value,
        };
        (RecordKey::new(namespace, &key).unwrap(), record)
    })
}

fn setting() -> impl Strategy<Value = Setting> {
    (any::<u32>(), number(), number()).prop_map(|(setting, reserved, value)| Setting {
        setting,
        reserved: reserved as u32,
        value,
    })
}

/// Any event with that sequence.
pub fn change(sequence: u64) -> impl Strategy<Value = Change> {
    let created =
        (transfer(), balances(), balances()).prop_map(move |(transfer, debit, credit)| {
            Change::Transfer(TransferRow {
                sequence,
                transfer,
                debit_after: debit,
                credit_after: credit,
            })
        });
    let event = move |timestamp, body| {
        Change::Event(Event {
            sequence,
            timestamp,
            body,
        })
    };
    let expired = (transfer(), balances(), balances(), number());
    prop_oneof![
        created,
        account().prop_map(move |it| event(it.timestamp, EventBody::AccountCreated(it))),
        ledger().prop_map(move |it| event(it.timestamp, EventBody::LedgerRegistered(it))),
        (record(), number()).prop_map(move |((key, record), timestamp)| {
            event(timestamp, EventBody::RecordWritten { key, record })
        }),
        expired.prop_map(move |(transfer, debit_after, credit_after, timestamp)| {
            let body = EventBody::TransferExpired {
                transfer,
                debit_after,
                credit_after,
            };
            event(timestamp, body)
        }),
        (setting(), number())
            .prop_map(move |(it, timestamp)| event(timestamp, EventBody::SettingChanged(it))),
    ]
}

/// A history of so many events, the same each time.
pub fn history(count: u64) -> Vec<Change> {
    let mut runner = TestRunner::deterministic();
    (1..=count)
        .map(|sequence| change(sequence).new_tree(&mut runner).unwrap().current())
        .collect()
}

pub fn signer(name: &str) -> Signer {
    let secret = [name.len() as u8; 32];
    Signer::new(name, &secret).unwrap()
}

/// A checkpoint of a tree, signed by `node-1`.
pub fn note(frontier: &Frontier) -> Note {
    signer("node-1").sign(&checkpoint(frontier))
}

pub fn checkpoint(frontier: &Frontier) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: frontier.size(),
        root: frontier.root(),
        time_ns: 1_795_425_930_693_453_563,
    }
}

/// The tree of the first so many events.
pub fn frontier(history: &[Change]) -> Frontier {
    let mut frontier = Frontier::new();
    for change in history {
        frontier.push(change.leaf(), |_, _, _| {});
    }
    frontier
}

/// The export of the events behind the first `before` of a history.
pub fn export(history: &[Change], before: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), ORIGIN, frontier(&history[..before])).unwrap();
    for change in &history[before..] {
        writer.push(change).unwrap();
    }
    let note = note(writer.frontier());
    writer.finish(&note).unwrap()
}

/// The lines of a file, with their line feeds.
pub fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// The export with another note as its last line.
pub fn with_note(file: &[u8], note: &str) -> Vec<u8> {
    let mut lines = lines(file);
    lines.pop();
    lines.push(format!("{}\n", serde_json::json!({ "checkpoint": note })).into_bytes());
    lines.concat()
}

/// A tree by its leaves, a level at a time.
pub struct Tree(Vec<Vec<Hash>>);

impl Tree {
    pub fn new(mut leaves: Vec<Hash>) -> Self {
        let mut levels = Vec::new();
        while !leaves.is_empty() {
            let above = leaves.as_chunks::<2>().0.iter();
            let above = above
                .map(|[left, right]| Hash::of_children(left, right))
                .collect();
            levels.push(std::mem::replace(&mut leaves, above));
        }
        Self(levels)
    }
}

impl Subtrees for Tree {
    type Error = std::convert::Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.0[level as usize][index as usize])
    }
}

/// Numbers that look random, the same each time.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
