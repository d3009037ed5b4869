//! Every call of the SDK against a true ledger behind a true gRPC server.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod nodes;
mod requests;
mod transfers;

use common::Cluster;
use farthing_client::*;

const USD: u32 = 840;

/// A cluster with a ledger of cents and two accounts.
async fn bank() -> (Cluster, Client, AccountId, AccountId) {
    let cluster = Cluster::start(3).await;
    let client = cluster.client().await;
    let outcomes = client
        .create_ledgers(&[Ledger::new(USD, "USD", 2)])
        .await
        .unwrap();
    assert!(outcomes[0].is_success());
    let (alice, bob) = (AccountId(ids::new()), AccountId(ids::new()));
    let outcomes = client
        .create_accounts(vec![account(alice), account(bob)])
        .await
        .unwrap();
    assert!(outcomes.iter().all(Outcome::is_success));
    (cluster, client, alice, bob)
}

fn account(id: AccountId) -> Account {
    Account {
        id,
        ledger: USD,
        code: 1,
        ..Account::default()
    }
}

/// One cent from one account to another.
fn cent(id: u128, debit: AccountId, credit: AccountId) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: debit,
        credit_account_id: credit,
        amount: 1,
        ledger: USD,
        code: 1,
        ..Transfer::default()
    }
}
