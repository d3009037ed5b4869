//! `create_ledgers`.

use farthing_ledger::{CreateLedgerStatus as S, LedgerFlags};
use farthing_proto::packed::ledgers_section;
use farthing_proto::v1::{Ledger, LedgerFlag, LookupLedgersRequest};

use crate::coverage::Coverage;
use crate::numbers;
use crate::support::{Cluster, account, fresh_id, fresh_ledger, ledger};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_of_create_ledgers() {
    let cluster = Cluster::start(1);
    let client = cluster.leader_client().await;
    let mut coverage = Coverage::default();
    let (registered, in_use) = (fresh_ledger(), fresh_ledger());
    client
        .create_accounts(&[account(fresh_id(), in_use)])
        .await
        .unwrap();

    let fresh = || ledger(fresh_ledger(), "USD", 2);
    let linked = |item: Ledger| Ledger {
        flags: vec![LedgerFlag::Linked.into()],
        ..item
    };
    let rows: Vec<(Vec<Ledger>, Vec<S>)> = vec![
        (vec![ledger(registered, "USD", 2)], vec![S::Created]),
        (vec![ledger(registered, "USD", 2)], vec![S::Exists]),
        (
            vec![ledger(registered, "USD", 3)],
            vec![S::ExistsWithDifferentScale],
        ),
        (
            vec![ledger(registered, "EUR", 2)],
            vec![S::ExistsWithDifferentCurrency],
        ),
        (
            vec![ledger(in_use, "USD", 2)],
            vec![S::LedgerInUseWithScaleZero],
        ),
        (vec![ledger(in_use, "JPY", 0)], vec![S::Created]),
        (
            vec![Ledger {
                timestamp: 1,
                ..fresh()
            }],
            vec![S::TimestampMustBeZero],
        ),
        (vec![ledger(0, "USD", 2)], vec![S::LedgerMustNotBeZero]),
        (
            vec![ledger(fresh_ledger(), "", 2)],
            vec![S::CurrencyInvalid],
        ),
        (
            vec![ledger(fresh_ledger(), "usd", 2)],
            vec![S::CurrencyInvalid],
        ),
        (
            vec![ledger(fresh_ledger(), "ABCDEFGHIJKLMNOPQ", 2)],
            vec![S::CurrencyInvalid],
        ),
        (vec![ledger(fresh_ledger(), "USD", 38)], vec![S::Created]),
        (
            vec![ledger(fresh_ledger(), "USD", 39)],
            vec![S::ScaleOutOfRange],
        ),
        (vec![linked(fresh())], vec![S::LinkedEventChainOpen]),
        (
            vec![linked(fresh()), ledger(0, "USD", 2), fresh()],
            vec![S::LinkedEventFailed, S::LedgerMustNotBeZero, S::Created],
        ),
    ];
    for (items, expected) in rows {
        let results = client.create_ledgers(&items).await.unwrap();
        coverage.check(numbers!(results), &expected, &items);
    }

    // The typed form has no words for reserved bits and fields.
    let item = farthing_ledger::Ledger::new(fresh_ledger(), "USD", 2);
    let mut reserved = item;
    reserved.reserved[31] = 1;
    let rows = [
        (
            farthing_ledger::Ledger {
                flags: LedgerFlags(1 << 15),
                ..item
            },
            S::ReservedFlag,
        ),
        // Only the cluster says that a ledger is registered.
        (
            farthing_ledger::Ledger {
                flags: LedgerFlags::REGISTERED,
                ..item
            },
            S::ReservedFlag,
        ),
        (reserved, S::ReservedField),
        (item, S::Created),
    ];
    for (item, expected) in rows {
        let (results, _) = client.submit(vec![ledgers_section(&[item])]).await.unwrap();
        coverage.check(
            results[0].iter().map(|result| result.status),
            &[expected],
            &item,
        );
    }
    coverage.is_complete::<S>();

    // Refused registrations left no trace.
    let numbers = vec![registered, in_use];
    let request = client.request(LookupLedgersRequest {
        numbers,
        ..Default::default()
    });
    let found = client
        .ledgers()
        .lookup_ledgers(request)
        .await
        .unwrap()
        .into_inner()
        .ledgers;
    let found: Vec<(String, u32, bool)> = found
        .into_iter()
        .map(|found| found.ledger.expect("a row"))
        .map(|ledger| (ledger.currency, ledger.scale, ledger.registered))
        .collect();
    assert_eq!(
        found,
        [("USD".to_owned(), 2, true), ("JPY".to_owned(), 0, true)]
    );
}
