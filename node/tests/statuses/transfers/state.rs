//! What the state says to an item: accounts, limits, pending transfers, totals.

use farthing_ledger::CreateTransferStatus as S;
use farthing_proto::convert::id::parse_id;
use farthing_proto::v1::{AccountFlag, Transfer};

use super::table::{Table, amount};
use crate::support::{eventually, fresh_id, pending, post, transfer, uuid, void};

/// 2^128 - 1.
pub(crate) const ALL: &str = "340282366920938463463374607431768211455";

/// Accounts that are missing, elsewhere, closed or at their limits.
pub(crate) async fn accounts(table: &mut Table, a: u128, b: u128) {
    let (usd, eur) = (table.usd, table.eur);
    let elsewhere = table.account(eur, &[]).await;
    let closed = table.account(usd, &[AccountFlag::Closed]).await;
    let without_credit = table
        .account(usd, &[AccountFlag::DebitsMustNotExceedCredits])
        .await;
    let without_debit = table
        .account(usd, &[AccountFlag::CreditsMustNotExceedDebits])
        .await;
    table
        .rows(vec![
            (S::DebitAccountNotFound, transfer(fresh_id(), b, "1", usd)),
            (S::CreditAccountNotFound, transfer(a, fresh_id(), "1", usd)),
            (
                S::AccountsMustHaveTheSameLedger,
                transfer(a, elsewhere, "1", usd),
            ),
            (
                S::TransferMustHaveTheSameLedgerAsAccounts,
                transfer(a, b, "1", eur),
            ),
            (S::DebitAccountAlreadyClosed, transfer(closed, b, "1", usd)),
            (S::CreditAccountAlreadyClosed, transfer(a, closed, "1", usd)),
            (S::ExceedsCredits, transfer(without_credit, b, "0.01", usd)),
            (S::ExceedsDebits, transfer(a, without_debit, "0.01", usd)),
            // At the limit is within it.
            (S::Created, transfer(a, without_credit, "2.50", usd)),
            (S::Created, transfer(without_credit, b, "2.50", usd)),
            (S::ExceedsCredits, transfer(without_credit, b, "0.01", usd)),
            (S::Created, transfer(without_credit, b, "0", usd)),
        ])
        .await;
}

/// Posts and voids of what is pending and of what is not.
pub(crate) async fn second_phase(table: &mut Table, a: u128, b: u128, expiring: u128) {
    let (usd, eur) = (table.usd, table.eur);
    let held = || pending(fresh_id(), a, b, "2", usd);
    let id = |item: &Transfer| parse_id(&item.id).unwrap();
    let (open, posted, voided) = (held(), held(), held());
    let plain = transfer(a, b, "1", usd);
    let created = [open.clone(), posted.clone(), voided.clone(), plain.clone()];
    table.typed(&created, &[S::Created; 4]).await;
    table
        .typed(&[post(id(&posted)), void(id(&voided))], &[S::Created; 2])
        .await;
    let open = id(&open);
    table
        .rows(vec![
            (S::PendingTransferNotFound, post(fresh_id())),
            (S::PendingTransferNotFound, void(fresh_id())),
            (
                S::PendingTransferNotFound,
                Transfer {
                    amount_choice: amount("1"),
                    ledger: usd,
                    ..post(fresh_id())
                },
            ),
            (S::PendingTransferNotPending, post(id(&plain))),
            (S::PendingTransferNotPending, void(id(&plain))),
            (
                S::PendingTransferHasDifferentDebitAccountId,
                Transfer {
                    debit_account_id: uuid(b),
                    ..post(open)
                },
            ),
            (
                S::PendingTransferHasDifferentCreditAccountId,
                Transfer {
                    credit_account_id: uuid(a),
                    ..post(open)
                },
            ),
            (
                S::PendingTransferHasDifferentLedger,
                Transfer {
                    ledger: eur,
                    ..post(open)
                },
            ),
            (
                S::PendingTransferHasDifferentCode,
                Transfer {
                    code: 9,
                    ..post(open)
                },
            ),
            (
                S::ExceedsPendingTransferAmount,
                Transfer {
                    amount_choice: amount("2.01"),
                    ledger: usd,
                    ..post(open)
                },
            ),
            // The unit of an amount without a ledger is the pending transfer's.
            (
                S::ExceedsPendingTransferAmount,
                Transfer {
                    amount_choice: amount("2.01"),
                    ..post(open)
                },
            ),
            (
                S::PendingTransferHasDifferentAmount,
                Transfer {
                    amount_choice: amount("1.99"),
                    ..void(open)
                },
            ),
            (S::PendingTransferAlreadyPosted, post(id(&posted))),
            (S::PendingTransferAlreadyPosted, void(id(&posted))),
            (S::PendingTransferAlreadyVoided, post(id(&voided))),
            (S::PendingTransferAlreadyVoided, void(id(&voided))),
        ])
        .await;
    eventually("the expiry of a pending transfer", || async {
        let row = table.client.pending(expiring).await.unwrap();
        (row.status == farthing_ledger::PendingStatus::Expired).then_some(())
    })
    .await;
    table
        .rows(vec![
            (S::PendingTransferExpired, post(expiring)),
            (S::PendingTransferExpired, void(expiring)),
        ])
        .await;
}

/// Totals that would pass 2^128 - 1.
pub(crate) async fn overflows(table: &mut Table) {
    let big = table.big;
    let mut accounts = Vec::new();
    for _ in 0..8 {
        accounts.push(table.account(big, &[]).await);
    }
    let [
        held_from,
        held_to,
        paid_from,
        paid_to,
        both_from,
        both_to,
        from,
        to,
    ] = accounts[..]
    else {
        unreachable!()
    };
    let hold = |debit, credit, amount: &str| pending(fresh_id(), debit, credit, amount, big);
    table
        .rows(vec![
            (S::Created, hold(held_from, held_to, ALL)),
            (S::OverflowsDebitsPending, hold(held_from, to, "1")),
            (S::OverflowsCreditsPending, hold(from, held_to, "1")),
            (S::OverflowsDebits, transfer(held_from, to, "1", big)),
            (S::OverflowsCredits, transfer(from, held_to, "1", big)),
            (S::Created, transfer(paid_from, paid_to, ALL, big)),
            (S::OverflowsDebitsPosted, transfer(paid_from, to, "1", big)),
            (S::OverflowsCreditsPosted, transfer(from, paid_to, "1", big)),
            // A post of what is held cannot overflow: the sum was reserved before.
            (S::Created, hold(both_from, both_to, "1")),
            (S::OverflowsDebits, transfer(both_from, to, ALL, big)),
            (S::OverflowsCredits, transfer(from, both_to, ALL, big)),
            (S::Created, transfer(from, to, "0", big)),
        ])
        .await;
}
