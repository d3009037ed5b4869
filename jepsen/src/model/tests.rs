//! The rules a checker leans on, each as a short story.
#![allow(clippy::unwrap_used)]

use farthing_client::{AMOUNT_MAX, AccountId, CreateTransferStatus as S, TransferId};

use super::*;

fn account(id: u128, flags: AccountFlags) -> Account {
    Account {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        flags,
        ..Account::default()
    }
}

fn transfer(id: u128, debit: u128, credit: u128, amount: u128) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(debit),
        credit_account_id: AccountId(credit),
        amount,
        ledger: 1,
        code: 1,
        ..Transfer::default()
    }
}

fn second(id: u128, pending: u128, flags: TransferFlags, amount: u128) -> Transfer {
    Transfer {
        id: TransferId(id),
        pending_id: TransferId(pending),
        flags,
        amount,
        ..Transfer::default()
    }
}

/// Three accounts: 1 and 2 free, 3 may not be overdrawn.
fn bank() -> Model {
    let mut model = Model::new();
    let limited = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
    let none = AccountFlags::default();
    let items = [account(1, none), account(2, none), account(3, limited)];
    assert!(
        model
            .request(Items::Accounts(&items), 10)
            .iter()
            .all(|outcome| outcome.status() == 0)
    );
    model
}

fn statuses(model: &mut Model, items: &[Transfer], first: u64) -> Vec<S> {
    let outcomes = model.request(Items::Transfers(items), first);
    outcomes
        .iter()
        .map(|outcome| S::from_code(outcome.status()).unwrap())
        .collect()
}

fn balances(model: &Model, id: u128) -> [u128; 4] {
    let account = model.account(id).unwrap();
    [
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    ]
}

#[test]
fn the_same_again_exists_and_anything_else_differs() {
    let mut model = bank();
    let first = transfer(100, 1, 2, 5);
    assert_eq!(statuses(&mut model, &[first], 20), [S::Created]);
    assert_eq!(
        model.request(Items::Transfers(&[first]), 30),
        [Outcome(S::Exists.code(), 20)]
    );
    type Change = (&'static dyn Fn(&mut Transfer), S);
    let changes: [Change; 7] = [
        (
            &|t| t.flags = TransferFlags::PENDING,
            S::ExistsWithDifferentFlags,
        ),
        (&|t| t.pending_id.0 = 7, S::ExistsWithDifferentPendingId),
        (&|t| t.timeout = 7, S::ExistsWithDifferentTimeout),
        (
            &|t| t.debit_account_id.0 = 3,
            S::ExistsWithDifferentDebitAccountId,
        ),
        (&|t| t.amount = 6, S::ExistsWithDifferentAmount),
        (&|t| t.user_data_64 = 6, S::ExistsWithDifferentUserData64),
        (&|t| t.code = 6, S::ExistsWithDifferentCode),
    ];
    for (change, status) in changes {
        let mut other = first;
        change(&mut other);
        assert_eq!(statuses(&mut model, &[other], 40), [status]);
    }
    assert_eq!(balances(&model, 1), [0, 5, 0, 0]);
}

#[test]
fn a_passing_refusal_uses_up_the_id() {
    let mut model = bank();
    let overdraft = transfer(100, 3, 1, 5);
    assert_eq!(statuses(&mut model, &[overdraft], 20), [S::ExceedsCredits]);
    statuses(&mut model, &[transfer(101, 1, 3, 5)], 30);
    assert_eq!(statuses(&mut model, &[overdraft], 40), [S::IdAlreadyFailed]);
    assert_eq!(model.lookup(100), Lookup::Refused);
    // A lasting refusal does not.
    let mut wrong = transfer(102, 1, 2, 5);
    wrong.code = 0;
    assert_eq!(statuses(&mut model, &[wrong], 50), [S::CodeMustNotBeZero]);
    wrong.code = 1;
    assert_eq!(statuses(&mut model, &[wrong], 60), [S::Created]);
}

#[test]
fn a_chain_is_all_or_nothing_and_its_refusals_stay() {
    let mut model = bank();
    let linked = |t: Transfer| Transfer {
        flags: TransferFlags::LINKED,
        ..t
    };
    let chain = [
        linked(transfer(100, 1, 2, 5)),
        linked(transfer(101, 3, 2, 5)),
        transfer(102, 1, 2, 5),
        transfer(103, 1, 2, 1),
        linked(transfer(104, 1, 2, 1)),
    ];
    assert_eq!(
        statuses(&mut model, &chain, 20),
        [
            S::LinkedEventFailed,
            S::ExceedsCredits,
            S::LinkedEventFailed,
            S::Created,
            S::LinkedEventChainOpen
        ]
    );
    assert_eq!(balances(&model, 1), [0, 1, 0, 0]);
    assert_eq!(model.lookup(100), Lookup::Absent);
    assert_eq!(model.lookup(101), Lookup::Refused);
}

#[test]
fn a_pending_transfer_ends_once() {
    let mut model = bank();
    let pending = Transfer {
        flags: TransferFlags::PENDING,
        timeout: 1,
        ..transfer(100, 1, 2, 9)
    };
    statuses(&mut model, &[pending], 20);
    assert_eq!(balances(&model, 1), [9, 0, 0, 0]);
    let post = second(101, 100, TransferFlags::POST_PENDING_TRANSFER, 4);
    assert_eq!(
        statuses(
            &mut model,
            &[
                second(109, 100, TransferFlags::POST_PENDING_TRANSFER, 10),
                post
            ],
            30
        ),
        [S::ExceedsPendingTransferAmount, S::Created]
    );
    assert_eq!(balances(&model, 2), [0, 0, 0, 4]);
    let void = second(102, 100, TransferFlags::VOID_PENDING_TRANSFER, 0);
    assert_eq!(
        statuses(&mut model, &[post, void], 40),
        [S::Exists, S::PendingTransferAlreadyPosted]
    );
    assert!(!model.expire_next(u64::MAX));
}

#[test]
fn what_is_due_is_refused_before_it_expires() {
    let mut model = bank();
    let pending = Transfer {
        flags: TransferFlags::PENDING,
        timeout: 1,
        ..transfer(100, 1, 2, 9)
    };
    statuses(&mut model, &[pending], 20);
    let all = |id| second(id, 100, TransferFlags::POST_PENDING_TRANSFER, AMOUNT_MAX);
    assert_eq!(
        statuses(&mut model, &[all(101)], NS_PER_S + 20),
        [S::PendingTransferExpired]
    );
    assert_eq!(balances(&model, 1), [9, 0, 0, 0]);
    assert!(!model.expire_next(NS_PER_S + 19));
    assert!(model.expire_next(NS_PER_S + 20));
    assert_eq!(balances(&model, 1), [0; 4]);
    assert_eq!(model.pending(100), Some(PendingStatus::Expired));
}

#[test]
fn closing_is_undone_by_voiding_and_balancing_moves_what_is_left() {
    let mut model = bank();
    statuses(&mut model, &[transfer(100, 1, 3, 10)], 20);
    let all = Transfer {
        flags: TransferFlags::BALANCING_DEBIT,
        ..transfer(101, 3, 2, AMOUNT_MAX)
    };
    statuses(&mut model, &[all], 30);
    assert_eq!(balances(&model, 3), [0, 10, 0, 10]);
    let closing = TransferFlags::PENDING.with(TransferFlags::CLOSING_DEBIT);
    statuses(
        &mut model,
        &[Transfer {
            flags: closing,
            ..transfer(102, 3, 2, 0)
        }],
        40,
    );
    assert_eq!(
        statuses(&mut model, &[transfer(103, 1, 3, 1)], 50),
        [S::CreditAccountAlreadyClosed]
    );
    let void = second(104, 102, TransferFlags::VOID_PENDING_TRANSFER, 0);
    assert_eq!(
        statuses(&mut model, &[void, transfer(105, 1, 3, 1)], 60),
        [S::Created, S::Created]
    );
}

#[test]
fn a_trial_leaves_no_trace() {
    let mut model = bank();
    let pending = Transfer {
        flags: TransferFlags::PENDING,
        timeout: 1,
        ..transfer(100, 1, 2, 9)
    };
    statuses(&mut model, &[pending, transfer(101, 3, 1, 1)], 20);
    model.keep();
    let before = (
        model.accounts.clone(),
        model.transfer_count(),
        model.due.clone(),
        model.clock,
    );
    let mark = model.mark();
    statuses(
        &mut model,
        &[transfer(102, 3, 1, 1), transfer(103, 1, 2, 3)],
        30,
    );
    model.expire_next(u64::MAX);
    model.request(Items::Accounts(&[account(9, AccountFlags::default())]), 40);
    model.undo_to(mark);
    let after = (
        model.accounts.clone(),
        model.transfer_count(),
        model.due.clone(),
        model.clock,
    );
    assert_eq!(before, after);
    assert_eq!(model.lookup(102), Lookup::Absent);
    assert!(model.account(9).is_none());
}
