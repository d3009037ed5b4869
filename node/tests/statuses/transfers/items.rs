//! What an item says of itself: its id, its flags, its fields, its place in a chain.

use farthing_ledger::{CreateTransferStatus as S, TIMESTAMP_MAX, TransferFlags};
use farthing_proto::packed::transfers_section;
use farthing_proto::v1::{Transfer, TransferFlag};

use super::table::{Table, amount, flags};
use crate::support::{account, fresh_id, packed_transfer, pending, post, transfer, uuid, void};

/// What can be said without looking at the state, and chains.
pub(crate) async fn identity(table: &mut Table, a: u128, b: u128) {
    let usd = table.usd;
    let fresh = || transfer(a, b, "1.25", usd);
    let imported = |timestamp| Transfer {
        timestamp,
        flags: flags(&[TransferFlag::Imported]),
        ..fresh()
    };
    table.typed(&[fresh()], &[S::Created]).await;
    table
        .rows(vec![
            (
                S::TimestampMustBeZero,
                Transfer {
                    timestamp: 1,
                    ..fresh()
                },
            ),
            (S::ImportedEventTimestampOutOfRange, imported(0)),
            (
                S::ImportedEventTimestampOutOfRange,
                imported(TIMESTAMP_MAX + 1),
            ),
            (
                S::ImportedEventTimestampMustNotAdvance,
                imported(TIMESTAMP_MAX),
            ),
            (
                S::IdMustNotBeZero,
                Transfer {
                    id: uuid(0),
                    ..fresh()
                },
            ),
            (
                S::IdMustNotBeIntMax,
                Transfer {
                    id: uuid(u128::MAX),
                    ..fresh()
                },
            ),
        ])
        .await;
    // The typed form has no words for reserved bits.
    let item = farthing_ledger::Transfer {
        flags: TransferFlags(1 << 15),
        ..packed_transfer(a, b, 1, usd)
    };
    let (results, _) = table
        .client
        .submit(vec![transfers_section(&[item])])
        .await
        .unwrap();
    table.coverage.check(
        results[0].iter().map(|result| result.status),
        &[S::ReservedFlag],
        &item,
    );

    let linked = |item: Transfer| Transfer {
        flags: flags(&[TransferFlag::Linked]),
        ..item
    };
    let broken = Transfer { code: 0, ..fresh() };
    table
        .typed(&[linked(fresh())], &[S::LinkedEventChainOpen])
        .await;
    table
        .typed(
            &[linked(fresh()), broken.clone()],
            &[S::LinkedEventFailed, S::CodeMustNotBeZero],
        )
        .await;
    let chain = [linked(fresh()), linked(fresh()), broken, fresh()];
    let expected = [
        S::LinkedEventFailed,
        S::LinkedEventFailed,
        S::CodeMustNotBeZero,
        S::Created,
    ];
    table.typed(&chain, &expected).await;
    let mixed = [imported(0), fresh()];
    table
        .typed(
            &mixed,
            &[
                S::ImportedEventTimestampOutOfRange,
                S::ImportedEventExpected,
            ],
        )
        .await;
    table
        .typed(
            &[fresh(), imported(1)],
            &[S::Created, S::ImportedEventNotExpected],
        )
        .await;
}

/// Ids that were used before: the same again, one difference at a time, and one that was refused.
pub(crate) async fn repeated_ids(table: &mut Table, a: u128, b: u128) {
    let (usd, eur) = (table.usd, table.eur);
    let id = fresh_id();
    let original = Transfer {
        user_data_128: uuid(1),
        user_data_64: 2,
        user_data_32: 3,
        timeout_s: 1_000,
        ..pending(id, a, b, "1.00", usd)
    };
    let created = table
        .typed(std::slice::from_ref(&original), &[S::Created])
        .await;
    let retried = table
        .typed(std::slice::from_ref(&original), &[S::Exists])
        .await;
    assert_eq!(retried, created, "exists tells the time of the original");
    let other = || original.clone();
    table
        .rows(vec![
            (
                S::ExistsWithDifferentFlags,
                Transfer {
                    flags: Vec::new(),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentPendingId,
                Transfer {
                    pending_id: uuid(9),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentTimeout,
                Transfer {
                    timeout_s: 9,
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentDebitAccountId,
                Transfer {
                    debit_account_id: uuid(9),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentCreditAccountId,
                Transfer {
                    credit_account_id: uuid(9),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentAmount,
                Transfer {
                    amount_choice: amount("1.01"),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentUserData128,
                Transfer {
                    user_data_128: uuid(9),
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentUserData64,
                Transfer {
                    user_data_64: 9,
                    ..other()
                },
            ),
            (
                S::ExistsWithDifferentUserData32,
                Transfer {
                    user_data_32: 9,
                    ..other()
                },
            ),
            // 1.00 with two decimals is 100 without: equal amounts, so that only the ledger differs.
            (
                S::ExistsWithDifferentLedger,
                Transfer {
                    ledger: eur,
                    amount_choice: amount("100"),
                    ..other()
                },
            ),
            (S::ExistsWithDifferentCode, Transfer { code: 9, ..other() }),
        ])
        .await;
    table
        .typed(
            &[Transfer {
                id: uuid(fresh_id()),
                ..void(id)
            }],
            &[S::Created],
        )
        .await;

    // A refusal that depends on the state pins its id, also when the state has changed since.
    let missing = fresh_id();
    let early = transfer(missing, b, "1", usd);
    table
        .typed(std::slice::from_ref(&early), &[S::DebitAccountNotFound])
        .await;
    table
        .client
        .create_accounts(&[account(missing, usd)])
        .await
        .unwrap();
    table
        .typed(std::slice::from_ref(&early), &[S::IdAlreadyFailed])
        .await;
    table
        .typed(
            &[Transfer {
                id: uuid(fresh_id()),
                ..early
            }],
            &[S::Created],
        )
        .await;
}

/// Fields that contradict each other.
pub(crate) async fn fields(table: &mut Table, a: u128, b: u128) {
    let usd = table.usd;
    let fresh = || transfer(a, b, "1", usd);
    let own = fresh_id();
    let both = [
        TransferFlag::PostPendingTransfer,
        TransferFlag::VoidPendingTransfer,
    ];
    let closing = |flag| Transfer {
        flags: flags(&[flag]),
        ..fresh()
    };
    table
        .rows(vec![
            (
                S::DebitAccountIdMustNotBeZero,
                Transfer {
                    debit_account_id: uuid(0),
                    ..fresh()
                },
            ),
            (
                S::DebitAccountIdMustNotBeIntMax,
                Transfer {
                    debit_account_id: uuid(u128::MAX),
                    ..fresh()
                },
            ),
            (
                S::CreditAccountIdMustNotBeZero,
                Transfer {
                    credit_account_id: uuid(0),
                    ..fresh()
                },
            ),
            (
                S::CreditAccountIdMustNotBeIntMax,
                Transfer {
                    credit_account_id: uuid(u128::MAX),
                    ..fresh()
                },
            ),
            (
                S::AccountsMustBeDifferent,
                Transfer {
                    credit_account_id: uuid(a),
                    ..fresh()
                },
            ),
            (
                S::PendingIdMustBeZero,
                Transfer {
                    pending_id: uuid(9),
                    ..fresh()
                },
            ),
            (
                S::TimeoutReservedForPendingTransfer,
                Transfer {
                    timeout_s: 9,
                    ..fresh()
                },
            ),
            (
                S::TimeoutReservedForPendingTransfer,
                Transfer {
                    timeout_s: 9,
                    ledger: usd,
                    ..post(9)
                },
            ),
            (
                S::ClosingTransferMustBePending,
                closing(TransferFlag::ClosingDebit),
            ),
            (
                S::ClosingTransferMustBePending,
                closing(TransferFlag::ClosingCredit),
            ),
            (
                S::LedgerMustNotBeZero,
                Transfer {
                    ledger: 0,
                    ..fresh()
                },
            ),
            (S::CodeMustNotBeZero, Transfer { code: 0, ..fresh() }),
            (
                S::FlagsAreMutuallyExclusive,
                Transfer {
                    flags: flags(&both),
                    ledger: usd,
                    ..post(9)
                },
            ),
            (
                S::PendingIdMustNotBeZero,
                Transfer {
                    pending_id: String::new(),
                    ..post(9)
                },
            ),
            (
                S::PendingIdMustNotBeZero,
                Transfer {
                    pending_id: String::new(),
                    ..void(9)
                },
            ),
            (S::PendingIdMustNotBeIntMax, post(u128::MAX)),
            (
                S::PendingIdMustBeDifferent,
                Transfer {
                    id: uuid(own),
                    ..post(own)
                },
            ),
        ])
        .await;
}
