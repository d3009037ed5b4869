//! `create_transfers`.

use std::time::Duration;

use farthing_ledger::{Account, CreateTransferStatus as S, TIMESTAMP_MAX, TransferFlags};
use farthing_proto::convert::id::parse_id;
use farthing_proto::packed::transfers_section;
use farthing_proto::v1::transfer::AmountChoice;
use farthing_proto::v1::{self, AccountFlag, CreateAccountStatus, Transfer, TransferFlag};

use crate::coverage::Coverage;
use crate::numbers;
use crate::support::{
    Client, Cluster, account, eventually, fresh_id, fresh_ledger, ledger, packed_transfer, pending,
    post, transfer, uuid, void,
};

const ALL: &str = "340282366920938463463374607431768211455";

/// Accounts on three ledgers: `usd` with two decimals, `eur` without, `big` for the largest amounts.
struct Table {
    client: Client,
    coverage: Coverage,
    usd: u32,
    eur: u32,
    big: u32,
    accounts: Vec<u128>,
}

impl Table {
    async fn new(client: Client) -> Self {
        let (usd, eur, big) = (fresh_ledger(), fresh_ledger(), fresh_ledger());
        let ledgers = [
            ledger(usd, "USD", 2),
            ledger(eur, "EUR", 0),
            ledger(big, "BIG", 0),
        ];
        let created = client.create_ledgers(&ledgers).await.unwrap();
        assert!(
            created.iter().all(|result| result.status == 0),
            "{created:?}"
        );
        Self {
            client,
            coverage: Coverage::default(),
            usd,
            eur,
            big,
            accounts: Vec::new(),
        }
    }

    /// A new account; its id and timestamp.
    async fn account_at(&mut self, ledger: u32, flags: &[AccountFlag]) -> (u128, u64) {
        let id = fresh_id();
        let flags = flags.iter().map(|flag| i32::from(*flag)).collect();
        let results = self
            .client
            .create_accounts(&[v1::Account {
                flags,
                ..account(id, ledger)
            }])
            .await
            .unwrap();
        assert_eq!(results[0].status(), CreateAccountStatus::Created);
        self.accounts.push(id);
        (id, results[0].timestamp)
    }

    async fn account(&mut self, ledger: u32, flags: &[AccountFlag]) -> u128 {
        self.account_at(ledger, flags).await.0
    }

    async fn balances(&self) -> Vec<Option<Account>> {
        self.client.lookup_accounts(&self.accounts).await.unwrap()
    }

    /// One request. When it creates nothing, no account may have changed.
    async fn typed(&mut self, items: &[Transfer], expected: &[S]) -> Vec<u64> {
        let refuses = !expected.contains(&S::Created);
        let before = self.balances().await;
        let results = self.client.create_transfers(items).await.unwrap();
        self.coverage.check(numbers!(results), expected, &items);
        let after = self.balances().await;
        assert_eq!(
            before == after,
            refuses || moves_nothing(items),
            "{items:#?}\n{before:#?}\n{after:#?}"
        );
        results.iter().map(|result| result.timestamp).collect()
    }

    async fn rows(&mut self, rows: Vec<(S, Transfer)>) {
        for (expected, item) in rows {
            self.typed(&[item], &[expected]).await;
        }
    }
}

/// Balances stay as they are when the amount is zero.
fn moves_nothing(items: &[Transfer]) -> bool {
    let zero = Some(AmountChoice::Amount("0".into()));
    items.iter().all(|item| item.amount_choice == zero)
}

fn flags(flags: &[TransferFlag]) -> Vec<i32> {
    flags.iter().map(|flag| i32::from(*flag)).collect()
}

fn amount(text: &str) -> Option<AmountChoice> {
    Some(AmountChoice::Amount(text.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_of_create_transfers() {
    let cluster = Cluster::start(1);
    let mut table = Table::new(cluster.leader_client().await).await;
    let a = table.account(table.usd, &[]).await;
    let b = table.account(table.usd, &[]).await;

    // Begin with the pending transfer that has to expire meanwhile.
    let expiring = fresh_id();
    let item = Transfer {
        timeout_s: 1,
        ..pending(expiring, a, b, "1", table.usd)
    };
    table.typed(&[item], &[S::Created]).await;

    identity(&mut table, a, b).await;
    repeated_ids(&mut table, a, b).await;
    fields(&mut table, a, b).await;
    accounts(&mut table, a, b).await;
    second_phase(&mut table, a, b, expiring).await;
    overflows(&mut table).await;
    imported(&mut table).await;
    timeout_past_the_end_of_time(&mut table.coverage).await;
    table.coverage.is_complete::<S>();
}

/// What can be said without looking at the state, and chains.
async fn identity(table: &mut Table, a: u128, b: u128) {
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
async fn repeated_ids(table: &mut Table, a: u128, b: u128) {
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
async fn fields(table: &mut Table, a: u128, b: u128) {
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

/// Accounts that are missing, elsewhere, closed or at their limits.
async fn accounts(table: &mut Table, a: u128, b: u128) {
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
async fn second_phase(table: &mut Table, a: u128, b: u128, expiring: u128) {
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
async fn overflows(table: &mut Table) {
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

/// Imported transfers, whose timestamps must fit between those of accounts and other transfers.
async fn imported(table: &mut Table) {
    let usd = table.usd;
    let (older, older_at) = table.account_at(usd, &[]).await;
    let (younger, younger_at) = table.account_at(usd, &[]).await;
    let import = |debit, credit, timestamp| Transfer {
        timestamp,
        flags: flags(&[TransferFlag::Imported]),
        ..transfer(debit, credit, "1", usd)
    };
    let between = older_at + 1;
    assert!(between < younger_at);
    let holds = Transfer {
        flags: flags(&[TransferFlag::Imported, TransferFlag::Pending]),
        timeout_s: 9,
        ..import(older, younger, younger_at + 1)
    };
    table
        .rows(vec![
            (
                S::ImportedEventTimestampMustNotRegress,
                import(older, younger, 1),
            ),
            // Nobody's timestamp may be used again.
            (
                S::ImportedEventTimestampMustNotRegress,
                import(older, younger, younger_at),
            ),
            (
                S::ImportedEventTimestampMustPostdateDebitAccount,
                import(younger, older, between),
            ),
            (
                S::ImportedEventTimestampMustPostdateCreditAccount,
                import(older, younger, between),
            ),
            (S::ImportedEventTimeoutMustBeZero, holds),
        ])
        .await;
    let taken = table
        .typed(&[import(older, younger, younger_at + 1)], &[S::Created])
        .await;
    assert_eq!(
        taken,
        [younger_at + 1],
        "an imported transfer keeps its own time"
    );
}

/// The longest timeout is 136 years, so today no transfer can time out after the year 2262: only a cluster whose clock
/// is that far ahead can answer this.
async fn timeout_past_the_end_of_time(coverage: &mut Coverage) {
    let years = Duration::from_secs(110 * 365 * 24 * 3_600);
    let skew = years.as_millis().to_string();
    let cluster = Cluster::start_with(1, &[("--clock-skew-ms", &skew)]);
    let mut table = Table::new(cluster.leader_client().await).await;
    let (a, b) = (
        table.account(table.usd, &[]).await,
        table.account(table.usd, &[]).await,
    );
    let hold = |timeout_s| Transfer {
        timeout_s,
        ..pending(fresh_id(), a, b, "1", table.usd)
    };
    let rows = vec![
        (S::OverflowsTimeout, hold(u32::MAX)),
        (S::Created, hold(3_600)),
    ];
    table.rows(rows).await;
    coverage.absorb(table.coverage);
}
