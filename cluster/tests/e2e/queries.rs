//! The SDK's questions against real nodes: streams that page by themselves, also while the leader is killed.

use std::time::Duration;

use farthing_client::queries::{Period, QueryOptions};
use farthing_client::{
    Account, AccountFilter, AccountId, Client, Consistency, Ledger, Order, Sides, Transfer,
    TransferFilter, TransferId,
};
use futures::TryStreamExt;

use super::support::Cluster;

const PAYMENTS: u64 = 3_000;

/// Ten customers who pay one shop, in turn, with codes 1 to 3; the shop is account 1.
pub(crate) async fn shop(client: &Client) -> Vec<Transfer> {
    client
        .create_ledgers(&[Ledger::new(840, "USD", 2)])
        .await
        .unwrap();
    let accounts = (1..=11).map(|number| Account {
        id: AccountId(number),
        ledger: 840,
        code: 1,
        user_data_32: u32::try_from(number).unwrap() % 2,
        ..Account::default()
    });
    client.create_accounts(accounts.collect()).await.unwrap();
    let payments: Vec<Transfer> = (0..PAYMENTS)
        .map(|number| Transfer {
            id: TransferId(u128::from(number) + 1),
            debit_account_id: AccountId(2 + u128::from(number % 10)),
            credit_account_id: AccountId(1),
            amount: u128::from(number),
            user_data_64: number % 7,
            ledger: 840,
            code: 1 + (number % 3) as u16,
            ..Transfer::default()
        })
        .collect();
    for part in payments.chunks(500) {
        let outcomes = client.create_transfers(part.to_vec()).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.is_success()));
    }
    payments
}

fn ids<'a>(transfers: impl IntoIterator<Item = &'a Transfer>) -> Vec<u128> {
    transfers
        .into_iter()
        .map(|transfer| transfer.id.0)
        .collect()
}

#[test]
fn questions_are_answered_while_the_leader_is_killed() {
    let cluster = Cluster::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::builder()
            .endpoints(cluster.endpoints())
            .deadline(Duration::from_secs(20))
            .connect()
            .await
            .unwrap();
        let payments = shop(&client).await;
        let options = QueryOptions {
            page_size: 50,
            ..QueryOptions::default()
        };
        let filter = TransferFilter {
            account_id: Some(AccountId(1)),
            sides: Sides::Credits,
            user_data_64: Some(3),
            code: Some(2),
            ..TransferFilter::default()
        };
        let matching = payments
            .iter()
            .filter(|it| it.user_data_64 == 3 && it.code == 2);
        let expected = ids(matching);
        assert_eq!(expected.len(), 143);

        // Sixty pages; the leader dies within the first.
        let mut all = Box::pin(client.query_transfers(TransferFilter::default(), options));
        let mut seen = vec![all.try_next().await.unwrap().unwrap()];
        let leader = cluster.wait_for_leader();
        cluster.ok(["cluster", "kill", &leader.to_string()]);
        while let Some(transfer) = all.try_next().await.unwrap() {
            seen.push(transfer);
        }
        assert_eq!(ids(&seen), ids(&payments), "each of them once, in order");

        let found: Vec<Transfer> = client
            .query_transfers(filter, options)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(ids(&found), expected);
        let newest = QueryOptions {
            order: Order::Reversed,
            ..options
        };
        let mut found: Vec<Transfer> = client
            .query_transfers(filter, newest)
            .try_collect()
            .await
            .unwrap();
        found.reverse();
        assert_eq!(ids(&found), expected);

        let odd = AccountFilter {
            user_data_32: Some(1),
            ..AccountFilter::default()
        };
        let accounts: Vec<Account> = client
            .query_accounts(odd, options)
            .try_collect()
            .await
            .unwrap();
        let numbers: Vec<u128> = accounts.iter().map(|account| account.id.0).collect();
        assert_eq!(numbers, [1, 3, 5, 7, 9, 11]);
        let total: u64 = (0..PAYMENTS).sum();
        assert_eq!(accounts[0].credits_posted, u128::from(total));

        let rows: Vec<_> = client
            .account_balances(AccountId(2), 0, 0, options)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rows.len(), 300);
        for pair in rows.windows(2) {
            let before = pair[0].balances.debits_posted;
            assert_eq!(
                pair[1].balances.debits_posted,
                before + pair[1].transfer.amount
            );
        }
        let middle = rows[149];
        let consistency = Consistency::Linearizable;
        let (then, _) = client
            .balance_at(AccountId(2), middle.timestamp, consistency)
            .await
            .unwrap();
        assert_eq!(then, Some(middle.balances));

        let of_shop = TransferFilter {
            account_id: Some(AccountId(1)),
            ..TransferFilter::default()
        };
        let sums = client
            .sum_transfers(&of_shop, true, Period::Whole, &options)
            .await
            .unwrap();
        let codes: Vec<(u16, u64)> = sums
            .iter()
            .map(|row| (row.code, row.credit_count))
            .collect();
        assert_eq!(codes, [(1, 1_000), (2, 1_000), (3, 1_000)]);
        let credits: u128 = sums.iter().map(|row| row.credits_posted).sum();
        assert_eq!(credits, u128::from(total));
    });
}
