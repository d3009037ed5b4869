//! The bytes of events: pinned, and of one form.
#![allow(clippy::unwrap_used)]

use farthing_ledger::{
    Account, AccountId, Balances, Event, EventBody, KIND_TRANSFER, Transfer, TransferId,
    TransferRow, packed,
};
use farthing_proofs::{Change, Hash, change};

fn transfer() -> TransferRow {
    TransferRow {
        sequence: 9,
        transfer: Transfer {
            id: TransferId(0xA1),
            debit_account_id: AccountId(1),
            credit_account_id: AccountId(2),
            amount: 250,
            ledger: 840,
            code: 7,
            timestamp: 1_700_000_000_000_000_001,
            ..Transfer::default()
        },
        debit_after: Balances {
            debits_posted: 250,
            ..Balances::default()
        },
        credit_after: Balances {
            credits_posted: 250,
            ..Balances::default()
        },
    }
}

fn account() -> Event {
    Event {
        sequence: 3,
        timestamp: 17,
        body: EventBody::AccountCreated(Account {
            id: AccountId(5),
            ledger: 840,
            code: 1,
            timestamp: 17,
            ..Account::default()
        }),
    }
}

#[test]
fn leaves_are_pinned() {
    // What a leaf is can never change: checkpoints that somebody keeps would fit no more.
    let transfer = Change::Transfer(transfer()).leaf().to_string();
    let account = Change::Event(account()).leaf().to_string();
    assert_eq!(
        transfer,
        "90b17114b951f04a415d9e518edd32b1c969ffe10a3011f2e8586922f366fa52"
    );
    assert_eq!(
        account,
        "15559ddb1713788fd77c172f65c56a4ba16cd461cc1b81f544fcd3f63f844c44"
    );
}

#[test]
fn events_come_back_from_their_bytes_and_from_no_others() {
    for event in [Change::Transfer(transfer()), Change::Event(account())] {
        let mut bytes = Vec::new();
        event.write_to(&mut bytes);
        assert_eq!(Change::from_bytes(&bytes), Some(event.clone()));
        assert_eq!(Hash::of_leaf(&bytes), event.leaf());
        for end in 0..bytes.len() {
            assert_eq!(Change::from_bytes(&bytes[..end]), None);
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << bit;
                assert_ne!(Change::from_bytes(&altered), Some(event.clone()));
            }
        }
    }
}

#[test]
fn stored_rows_have_the_leaf_of_what_they_say() {
    let mut buffer = Vec::new();
    let mut row = Vec::new();
    packed::pack(&transfer().to_bytes(), &mut row);
    let leaf = change::leaf(9, KIND_TRANSFER, &row, &mut buffer);
    assert_eq!(leaf, Change::Transfer(transfer()).leaf());
    let mut body = Vec::new();
    account().write_body(&mut body);
    let leaf = change::leaf(3, account().kind(), &body, &mut buffer);
    assert_eq!(leaf, Change::Event(account()).leaf());
}
