//! Everything that is signed: a short history, its trees, and what is made of them.

use std::convert::Infallible;
use std::sync::LazyLock;

use farthing_ledger::{
    Account, AccountId, Balances, Event, EventBody, Ledger, Record, RecordKey, Setting, Transfer,
    TransferFlags, TransferId, TransferRow,
};
use farthing_proofs::export::{Writer, write_line};
use farthing_proofs::{
    Change, Checkpoint, Frontier, Hash, Note, Proof, Signer, Subtrees, consistency, inclusion,
};

pub(super) const ORIGIN: &str = "farthing/64ad9403-7867-4750-9cdb-38b323afc4f5";

/// The events.
pub(super) static HISTORY: LazyLock<Vec<Change>> = LazyLock::new(history);

pub(super) fn signer() -> Signer {
    Signer::new("node-1", &[7; 32]).expect("it is one word")
}

/// An event of every kind, and some transfers.
fn history() -> Vec<Change> {
    let account = |id: u128| Account {
        id: AccountId(id),
        ledger: 978,
        code: 10,
        timestamp: 1_000 + id as u64,
        ..Account::default()
    };
    let transfer = |id: u128, flags| Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 25 * id,
        ledger: 978,
        code: 1,
        flags,
        timeout: 60,
        timestamp: 2_000 + id as u64,
        ..Transfer::default()
    };
    let balances = |amount| Balances {
        debits_posted: amount,
        ..Balances::default()
    };
    let record = Record {
        version: 3,
        operation_id: 9,
        timestamp: 5_000,
        deleted: false,
        fingerprint: 77,
        value: b"{\"rules\":[1]}".to_vec(),
    };
    let key = RecordKey::new(5, b"rules/fees").expect("it is short enough");
    let expired = EventBody::TransferExpired {
        transfer: transfer(100, TransferFlags::PENDING),
        debit_after: balances(1),
        credit_after: Balances::default(),
    };
    let setting = Setting {
        setting: 1,
        reserved: 0,
        value: 7,
    };
    let bodies = [
        EventBody::LedgerRegistered(Ledger::new(978, "EUR", 2)),
        EventBody::AccountCreated(account(1)),
        EventBody::AccountCreated(account(2)),
        EventBody::RecordWritten { key, record },
        EventBody::SettingChanged(setting),
        expired,
    ];
    let mut all: Vec<Change> = (1..)
        .zip(bodies)
        .map(|(sequence, body)| {
            Change::Event(Event {
                sequence,
                timestamp: 900 + sequence,
                body,
            })
        })
        .collect();
    all.extend((7..=13).map(|sequence| {
        Change::Transfer(TransferRow {
            sequence,
            transfer: transfer(u128::from(sequence) << 60, TransferFlags::default()),
            debit_after: balances(u128::from(sequence)),
            credit_after: Balances::default(),
        })
    }));
    all
}

pub(super) fn changes() -> Vec<Vec<u8>> {
    let written = HISTORY.iter().map(|change| {
        let mut bytes = vec![];
        change.write_to(&mut bytes);
        bytes
    });
    let lines = HISTORY.iter().map(|change| {
        let mut line = vec![];
        write_line(change, &mut line);
        line
    });
    let lines_and_header = export(5)
        .split(|byte| *byte == b'\n')
        .next()
        .map(<[u8]>::to_vec);
    written.chain(lines).chain(lines_and_header).collect()
}

/// The tree of the first `size` events.
pub(super) fn tree(size: usize) -> Frontier {
    let mut frontier = Frontier::new();
    for change in &HISTORY[..size] {
        frontier.push(change.leaf(), |_, _, _| {});
    }
    frontier
}

pub(super) fn checkpoint(size: usize) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: size as u64,
        root: tree(size).root(),
        time_ns: 1_795_425_930_693_453_563,
    }
}

pub(super) fn notes() -> Vec<Vec<u8>> {
    vec![note(3).to_string().into_bytes()]
}

pub(super) fn exports() -> Vec<Vec<u8>> {
    vec![export(0), export(5)]
}

fn note(size: usize) -> Note {
    signer().sign(&checkpoint(size))
}

/// The events behind the first `before`.
fn export(before: usize) -> Vec<u8> {
    let mut writer = Writer::new(vec![], ORIGIN, tree(before)).expect("memory takes it");
    for change in &HISTORY[before..] {
        writer.push(change).expect("they follow each other");
    }
    writer
        .finish(&note(HISTORY.len()))
        .expect("it is its checkpoint")
}

pub(super) fn proofs() -> Vec<Vec<u8>> {
    let (size, index, earlier) = (HISTORY.len(), 8, 5);
    let tree = Leaves;
    let Ok(path) = inclusion::prove(&tree, index, size as u64);
    let included = Proof::Inclusion {
        event: HISTORY[index as usize].clone(),
        size: size as u64,
        path: path.expect("it is in the tree"),
        checkpoint: note(size),
    };
    let Ok(path) = consistency::prove(&tree, earlier, size as u64);
    let consistent = Proof::Consistency {
        earlier: note(earlier as usize),
        path: path.expect("it is smaller"),
        checkpoint: note(size),
    };
    vec![included.to_bytes(), consistent.to_bytes()]
}

/// The whole tree, hashed anew for each question.
struct Leaves;

impl Subtrees for Leaves {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let (from, count) = ((index << level) as usize, 1 << level);
        let mut frontier = Frontier::new();
        for change in &HISTORY[from..from + count] {
            frontier.push(change.leaf(), |_, _, _| {});
        }
        Ok(frontier.root())
    }
}
