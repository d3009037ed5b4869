//! The invariants can fail: each is shown a state that breaks it and nothing else is.
#![allow(clippy::unwrap_used)]

mod support;

use farthing_ledger::invariants::{self, Violation};
use farthing_ledger::{
    Account, AccountFlags, AccountId, Applier, EntryBuilder, MemoryState, PendingStatus,
    RequestBuilder, Transfer, TransferFlags, TransferId,
};
use support::step;

fn transfer(id: u128, amount: u128, flags: TransferFlags, pending_id: u128) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount,
        pending_id: TransferId(pending_id),
        timeout: u32::from(flags.contains(TransferFlags::PENDING) && id == 5),
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

/// Two accounts, a transfer, a pending one that is posted, one that is open, one that expires.
fn state() -> MemoryState {
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
    let pending = TransferFlags::PENDING;
    let transfers = [
        transfer(1, 10, TransferFlags::default(), 0),
        transfer(2, 20, pending, 0),
        transfer(3, 15, TransferFlags::POST_PENDING_TRANSFER, 2),
        transfer(4, 30, pending, 0),
        transfer(5, 40, pending.with(TransferFlags::CLOSING_CREDIT), 0),
    ];
    let request = RequestBuilder::new(b"")
        .accounts(&accounts)
        .transfers(&transfers[..2]);
    let second = RequestBuilder::new(b"").transfers(&[
        Transfer {
            timeout: 0,
            ..transfers[2]
        },
        transfers[3],
        transfers[4],
    ]);
    for (time, request) in [
        (1, request),
        (2, second),
        (10_000_000_000, RequestBuilder::new(b"").pulse()),
    ] {
        let mut builder = EntryBuilder::new(time);
        builder.push(&request.finish().unwrap()).unwrap();
        step(&mut state, &mut applier, &builder.finish());
    }
    assert_eq!(state.transfers().len(), 5);
    state
}

fn number(result: Result<(), Violation>) -> u8 {
    result.map_or_else(|violation| violation.invariant, |()| 0)
}

#[test]
fn a_sound_state_has_none_broken() {
    invariants::check_all(&state()).unwrap();
}

#[test]
fn one_debits_and_credits_differ() {
    let mut accounts = state().accounts().to_vec();
    accounts[0].debits_posted += 1;
    assert_eq!(number(invariants::ledgers_balance(&accounts)), 1);
    accounts[1].credits_posted += 1;
    assert_eq!(number(invariants::ledgers_balance(&accounts)), 0);
    accounts[1].ledger = 2;
    assert_eq!(
        number(invariants::ledgers_balance(&accounts)),
        1,
        "each ledger for itself"
    );
}

#[test]
fn two_totals_do_not_fit() {
    let mut accounts = state().accounts().to_vec();
    accounts[0].debits_pending = u128::MAX;
    assert_eq!(number(invariants::balances_fit(&accounts)), 2);
}

#[test]
fn three_a_limit_is_exceeded() {
    let mut accounts = state().accounts().to_vec();
    accounts[0].flags = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
    assert_eq!(number(invariants::limits_hold(&accounts)), 3);
    // 25 posted, 30 still reserved.
    accounts[0].credits_posted = 55;
    assert_eq!(number(invariants::limits_hold(&accounts)), 0);
    accounts[0].credits_posted = 54;
    assert_eq!(number(invariants::limits_hold(&accounts)), 3);
    accounts[0].flags = AccountFlags::default();
    accounts[1].flags = AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS;
    assert_eq!(number(invariants::limits_hold(&accounts)), 3);
}

#[test]
fn four_an_id_occurs_twice() {
    let ids = [1, 2, 3].map(TransferId);
    assert_eq!(number(invariants::ids_are_unique(ids, [TransferId(4)])), 0);
    assert_eq!(number(invariants::ids_are_unique(ids, [TransferId(3)])), 4);
    assert_eq!(
        number(invariants::ids_are_unique(
            [TransferId(1), TransferId(1)],
            []
        )),
        4
    );
}

#[test]
fn five_pendings_do_not_add_up() {
    let state = state();
    let check = |accounts: &[Account], pendings: &[farthing_ledger::Pending]| {
        number(invariants::pendings_add_up(
            accounts,
            pendings,
            state.transfers(),
            state.events(),
        ))
    };
    let (accounts, pendings) = (state.accounts().to_vec(), state.pendings().to_vec());
    assert_eq!(check(&accounts, &pendings), 0);
    let mut less = accounts.clone();
    less[1].credits_pending -= 1;
    assert_eq!(check(&less, &pendings), 5);
    for end in [
        PendingStatus::Pending,
        PendingStatus::Voided,
        PendingStatus::Expired,
    ] {
        let mut other = pendings.clone();
        other[0].status = end;
        assert_eq!(
            check(&accounts, &other),
            5,
            "posted, but its row says {end:?}"
        );
    }
    assert_eq!(check(&accounts, &pendings[1..]), 5, "a row is missing");
    let twice = [&pendings[..], &pendings[1..2]].concat();
    assert_eq!(check(&accounts, &twice), 5, "a row too many");
    let transfers = [state.transfers(), &state.transfers()[2..3]].concat();
    let posted_twice =
        invariants::pendings_add_up(&accounts, &pendings, &transfers, state.events());
    assert_eq!(number(posted_twice), 5);
}

#[test]
fn seven_the_order_is_broken() {
    let state = state();
    let (accounts, transfers) = (state.accounts().to_vec(), state.transfers().to_vec());
    let check = |accounts: &[Account], transfers: &[farthing_ledger::TransferRow]| {
        number(invariants::order_holds(accounts, transfers, state.events()))
    };
    assert_eq!(check(&accounts, &transfers), 0);
    let mut swapped = accounts.clone();
    swapped.swap(0, 1);
    assert_eq!(check(&swapped, &transfers), 7);
    let mut swapped = transfers.clone();
    swapped.swap(0, 1);
    assert_eq!(check(&accounts, &swapped), 7);
    assert_eq!(
        check(&accounts, &transfers[1..]),
        7,
        "a sequence is missing"
    );
    let mut shared = accounts;
    shared[1].timestamp = transfers[0].transfer.timestamp;
    assert_eq!(check(&shared, &transfers), 7);
}

#[test]
fn eight_a_transfer_was_changed() {
    let state = state();
    let check = |accounts: &[Account], transfers: &[farthing_ledger::TransferRow]| {
        number(invariants::replay_agrees(
            accounts,
            transfers,
            state.events(),
        ))
    };
    let (accounts, transfers) = (state.accounts().to_vec(), state.transfers().to_vec());
    assert_eq!(check(&accounts, &transfers), 0);
    for index in 0..transfers.len() {
        let mut changed = transfers.clone();
        changed[index].transfer.amount += 1;
        assert_eq!(check(&accounts, &changed), 8, "amount of {index}");
        let mut changed = transfers.clone();
        changed[index].credit_after.credits_posted += 1;
        assert_eq!(check(&accounts, &changed), 8, "balance of {index}");
    }
    let mut other = accounts.clone();
    other[0].debits_posted += 1;
    assert_eq!(check(&other, &transfers), 8);
    let mut unexpired = number(invariants::replay_agrees(&accounts, &transfers, []));
    assert_eq!(unexpired, 8);
    unexpired = number(invariants::replay_agrees(
        &accounts[..0],
        &transfers[1..],
        [],
    ));
    assert_eq!(unexpired, 8);
}
