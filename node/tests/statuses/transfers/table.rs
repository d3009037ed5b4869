//! The accounts of the table, and requests that must change nothing when they create nothing.

use farthing_ledger::{Account, CreateTransferStatus as S};
use farthing_proto::v1::transfer::AmountChoice;
use farthing_proto::v1::{self, AccountFlag, CreateAccountStatus, Transfer, TransferFlag};

use crate::coverage::Coverage;
use crate::numbers;
use crate::support::{Client, account, fresh_id, fresh_ledger, ledger};

/// Accounts on three ledgers: `usd` with two decimals, `eur` without, `big` for the largest amounts.
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) coverage: Coverage,
    pub(crate) usd: u32,
    pub(crate) eur: u32,
    pub(crate) big: u32,
    pub(crate) accounts: Vec<u128>,
}

impl Table {
    pub(crate) async fn new(client: Client) -> Self {
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
    pub(crate) async fn account_at(&mut self, ledger: u32, flags: &[AccountFlag]) -> (u128, u64) {
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

    pub(crate) async fn account(&mut self, ledger: u32, flags: &[AccountFlag]) -> u128 {
        self.account_at(ledger, flags).await.0
    }

    pub(crate) async fn balances(&self) -> Vec<Option<Account>> {
        self.client.lookup_accounts(&self.accounts).await.unwrap()
    }

    /// One request. When it creates nothing, no account may have changed.
    pub(crate) async fn typed(&mut self, items: &[Transfer], expected: &[S]) -> Vec<u64> {
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

    pub(crate) async fn rows(&mut self, rows: Vec<(S, Transfer)>) {
        for (expected, item) in rows {
            self.typed(&[item], &[expected]).await;
        }
    }
}

/// Balances stay as they are when the amount is zero.
pub(crate) fn moves_nothing(items: &[Transfer]) -> bool {
    let zero = Some(AmountChoice::Amount("0".into()));
    items.iter().all(|item| item.amount_choice == zero)
}

pub(crate) fn flags(flags: &[TransferFlag]) -> Vec<i32> {
    flags.iter().map(|flag| i32::from(*flag)).collect()
}

pub(crate) fn amount(text: &str) -> Option<AmountChoice> {
    Some(AmountChoice::Amount(text.into()))
}
