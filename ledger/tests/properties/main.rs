//! Properties that hold for every entry. The names of the modules say of what; this file has what they share: entries
//! out of encoded requests, and a state with pending transfers that fall due.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broken;
mod expiry;
mod hostile_bytes;
mod merging;
mod reader_and_writers;

#[path = "../naive/mod.rs"]
mod naive;
#[path = "../support/mod.rs"]
mod support;

use farthing_ledger::{
    Account, AccountId, Applier, EntryBuilder, MemoryState, RequestBuilder, Transfer,
    TransferFlags, TransferId,
};
use support::step;

const SECOND: u64 = 1_000_000_000;

fn entry(time: u64, requests: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = EntryBuilder::new(time);
    requests
        .iter()
        .for_each(|request| builder.push(request).unwrap());
    builder.finish()
}

/// An entry with one request.
fn single(time: u64, request: RequestBuilder) -> Vec<u8> {
    entry(time, &[request.finish().unwrap()])
}

/// An entry with one pulse and nothing else.
fn pulse(time: u64) -> Vec<u8> {
    single(time, RequestBuilder::new(b"").pulse())
}

/// Two accounts and `count` pending transfers between them that time out after a second.
fn reserved(count: u128) -> (MemoryState, Applier) {
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let account = Account {
        id: AccountId(1),
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    let accounts = [
        account,
        Account {
            id: AccountId(2),
            ..account
        },
    ];
    let transfers: Vec<_> = (1..=count)
        .map(|id| transfer(id, TransferFlags::PENDING))
        .collect();
    let request = RequestBuilder::new(b"")
        .accounts(&accounts)
        .transfers(&transfers);
    step(&mut state, &mut applier, &single(1, request));
    (state, applier)
}

fn transfer(id: u128, flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 1,
        timeout: u32::from(flags.contains(TransferFlags::PENDING)),
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

/// The void of the pending transfer `pending_id`, under an id of its own.
fn void(id: u128, pending_id: u128) -> Transfer {
    Transfer {
        pending_id: TransferId(pending_id),
        timeout: 0,
        ..transfer(id, TransferFlags::VOID_PENDING_TRANSFER)
    }
}
