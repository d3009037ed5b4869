//! The event stream against real nodes: dense and complete while the nodes that serve it die, cursors, `events tail`.

mod cursors;
mod dying;
mod exports;
mod filters;
mod importing;
mod tail;

use std::time::{Duration, Instant};

use farthing_client::{Account, AccountId, Client, Ledger, Transfer, TransferId};

const PATIENCE: Duration = Duration::from_secs(120);

fn payment(number: u64) -> Transfer {
    Transfer {
        id: TransferId(u128::from(number)),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2 + u128::from(number % 10)),
        amount: u128::from(number),
        ledger: 840,
        code: 1,
        ..Transfer::default()
    }
}

/// A payer, account 1, and as many receivers as are wanted, from 2 on.
async fn prepare(client: &Client, receivers: u128) {
    let ledger = Ledger::new(840, "USD", 2);
    client.create_ledgers(&[ledger]).await.unwrap();
    let accounts = (1..=receivers + 1).map(|number| Account {
        id: AccountId(number),
        ledger: 840,
        code: 1,
        ..Account::default()
    });
    client.create_accounts(accounts.collect()).await.unwrap();
}

async fn pay(client: &Client, numbers: impl Iterator<Item = u64>) {
    let outcomes = client
        .create_transfers(numbers.map(payment).collect())
        .await;
    for outcome in outcomes.unwrap() {
        assert!(outcome.is_success_or_exists(), "{outcome:?}");
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
