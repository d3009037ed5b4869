//! `create_accounts`.

use farthing_ledger::{AccountFlags, CreateAccountStatus as S, TIMESTAMP_MAX};
use farthing_proto::packed::accounts_section;
use farthing_proto::v1::{Account, AccountFlag};

use crate::coverage::Coverage;
use crate::numbers;
use crate::support::{Client, Cluster, account, fresh_id, fresh_ledger, packed_account, uuid};

struct Table {
    client: Client,
    coverage: Coverage,
}

impl Table {
    async fn typed(&mut self, items: &[Account], expected: &[S]) -> Vec<u64> {
        let results = self.client.create_accounts(items).await.unwrap();
        self.coverage.check(numbers!(results), expected, &items);
        results.iter().map(|result| result.timestamp).collect()
    }

    async fn packed(&mut self, item: farthing_ledger::Account, expected: S) {
        let (results, _) = self
            .client
            .submit(vec![accounts_section(&[item])])
            .await
            .unwrap();
        self.coverage.check(
            results[0].iter().map(|result| result.status),
            &[expected],
            &item,
        );
    }
}

fn flag(flag: AccountFlag) -> Vec<i32> {
    vec![flag.into()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_of_create_accounts() {
    let cluster = Cluster::start(1);
    let client = cluster.leader_client().await;
    let mut table = Table {
        client,
        coverage: Coverage::default(),
    };
    let (one, two) = (fresh_ledger(), fresh_ledger());
    let fresh = || account(fresh_id(), one);

    // An account with everything a client can say, its retry, and one difference at a time.
    let original = Account {
        user_data_128: uuid(1),
        user_data_64: 2,
        user_data_32: 3,
        flags: flag(AccountFlag::History),
        ..fresh()
    };
    let created = table
        .typed(std::slice::from_ref(&original), &[S::Created])
        .await;
    let retried = table
        .typed(std::slice::from_ref(&original), &[S::Exists])
        .await;
    assert_eq!(retried, created, "exists tells the time of the original");
    let different = |change: fn(&mut Account)| {
        let mut changed = original.clone();
        change(&mut changed);
        changed
    };
    let other_ledger = Account {
        ledger: two,
        ..original.clone()
    };
    let imported = |timestamp| Account {
        timestamp,
        flags: flag(AccountFlag::Imported),
        ..fresh()
    };
    let limits = vec![
        AccountFlag::DebitsMustNotExceedCredits.into(),
        AccountFlag::CreditsMustNotExceedDebits.into(),
    ];
    let rows: Vec<(S, Account)> = vec![
        (
            S::ExistsWithDifferentFlags,
            different(|item| item.flags.clear()),
        ),
        (
            S::ExistsWithDifferentUserData128,
            different(|item| item.user_data_128 = uuid(9)),
        ),
        (
            S::ExistsWithDifferentUserData64,
            different(|item| item.user_data_64 = 9),
        ),
        (
            S::ExistsWithDifferentUserData32,
            different(|item| item.user_data_32 = 9),
        ),
        (S::ExistsWithDifferentLedger, other_ledger),
        (S::ExistsWithDifferentCode, different(|item| item.code = 9)),
        (
            S::TimestampMustBeZero,
            Account {
                timestamp: 1,
                ..fresh()
            },
        ),
        (
            S::IdMustNotBeZero,
            Account {
                id: uuid(0),
                ..fresh()
            },
        ),
        (
            S::IdMustNotBeIntMax,
            Account {
                id: uuid(u128::MAX),
                ..fresh()
            },
        ),
        (
            S::FlagsAreMutuallyExclusive,
            Account {
                flags: limits,
                ..fresh()
            },
        ),
        (
            S::DebitsPendingMustBeZero,
            Account {
                debits_pending: "1".into(),
                ..fresh()
            },
        ),
        (
            S::DebitsPostedMustBeZero,
            Account {
                debits_posted: "1".into(),
                ..fresh()
            },
        ),
        (
            S::CreditsPendingMustBeZero,
            Account {
                credits_pending: "1".into(),
                ..fresh()
            },
        ),
        (
            S::CreditsPostedMustBeZero,
            Account {
                credits_posted: "1".into(),
                ..fresh()
            },
        ),
        (
            S::LedgerMustNotBeZero,
            Account {
                ledger: 0,
                ..fresh()
            },
        ),
        (S::CodeMustNotBeZero, Account { code: 0, ..fresh() }),
        (S::ImportedEventTimestampOutOfRange, imported(0)),
        (
            S::ImportedEventTimestampOutOfRange,
            imported(TIMESTAMP_MAX + 1),
        ),
        (
            S::ImportedEventTimestampMustNotAdvance,
            imported(TIMESTAMP_MAX),
        ),
        // In the past, but not after the account that exists.
        (S::ImportedEventTimestampMustNotRegress, imported(1)),
        (
            S::ImportedEventTimestampMustNotRegress,
            imported(created[0]),
        ),
        (S::Created, imported(created[0] + 1)),
    ];
    for (expected, item) in rows {
        table.typed(&[item], &[expected]).await;
    }

    let linked = |item: Account| Account {
        flags: flag(AccountFlag::Linked),
        ..item
    };
    table
        .typed(&[linked(fresh())], &[S::LinkedEventChainOpen])
        .await;
    let broken = Account { code: 0, ..fresh() };
    let rolled_back = linked(fresh());
    let items = [rolled_back.clone(), broken, fresh()];
    table
        .typed(
            &items,
            &[S::LinkedEventFailed, S::CodeMustNotBeZero, S::Created],
        )
        .await;
    // What was rolled back is not there: its id is free.
    table
        .typed(&[rolled_back, fresh()], &[S::Created, S::Created])
        .await;
    table
        .typed(
            &[imported(0), fresh()],
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

    // The typed form has no words for reserved bits and fields.
    let item = farthing_ledger::Account {
        reserved: 1,
        ..packed_account(fresh_id(), one)
    };
    table.packed(item, S::ReservedField).await;
    let item = farthing_ledger::Account {
        flags: AccountFlags(1 << 15),
        ..packed_account(fresh_id(), one)
    };
    table.packed(item, S::ReservedFlag).await;
    table
        .packed(packed_account(fresh_id(), one), S::Created)
        .await;

    table.coverage.is_complete::<S>();
    // The account of the first row is as it was created: none of its differing retries changed it.
    let kept = table
        .client
        .account(farthing_proto::convert::id::parse_id(&original.id).unwrap())
        .await;
    assert_eq!(
        (
            kept.user_data_128,
            kept.user_data_64,
            kept.user_data_32,
            kept.code
        ),
        (1, 2, 3, 1)
    );
    assert_eq!(
        (kept.ledger, kept.flags, kept.timestamp),
        (one, AccountFlags::HISTORY, created[0])
    );
}
