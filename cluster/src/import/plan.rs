//! What to import and as what.

use std::path::PathBuf;
use std::time::Duration;

use farthing_ledger::{Account, AccountId, Transfer, TransferId};

use super::columns::Columns;
use super::derive::Deriver;

/// Settings of an import. Those that shape ids and transfers must be the same in a second run for it to change
/// nothing; see [`Plan`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The file: CSV with a header line, plain, zstd or gzip.
    pub file: PathBuf,
    /// What its columns mean.
    pub plan: Plan,
    /// Leave bad rows out instead of stopping at the first.
    pub skip_bad: bool,
    /// Batches under way at once, 1 to 64.
    pub in_flight: usize,
    /// How many of the largest credit accounts the report lists.
    pub top: usize,
    /// How long one batch is tried again while the cluster has no leader or is overloaded.
    pub patience: Duration,
}

/// How rows become transfers: the same plan and the same file give the same transfers, byte for byte.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names of the columns.
    pub columns: Columns,
    /// Ledger number of accounts and transfers.
    pub ledger: u32,
    /// Currency code the ledger is registered with.
    pub currency: String,
    /// Decimals the ledger is registered with, 0 to 38.
    pub scale: u8,
    /// Code of the transfers.
    pub code: u16,
    /// Code of the accounts that pay.
    pub debit_account_code: u16,
    /// Code of the accounts that are paid.
    pub credit_account_code: u16,
    /// Sets this import's ids apart from every other's.
    pub namespace: String,
    /// What is told to the derivation of ids of accounts that pay, `customer` for instance.
    pub debit_kind: String,
    /// The same for accounts that are paid.
    pub credit_kind: String,
}

/// Kind told to the derivation of transfer ids.
const TRANSFER_KIND: &str = "transfer";

impl Default for Plan {
    fn default() -> Self {
        let columns = Columns::default();
        Self {
            debit_kind: Columns::kind_of(&columns.debit).to_owned(),
            credit_kind: Columns::kind_of(&columns.credit).to_owned(),
            columns,
            // ISO 4217: 840 is the US dollar.
            ledger: 840,
            currency: "USD".to_owned(),
            scale: 2,
            code: 1,
            debit_account_code: 10,
            credit_account_code: 20,
            namespace: "payments".to_owned(),
        }
    }
}

impl Plan {
    /// Derives transfer ids.
    #[must_use]
    pub fn transfer_ids(&self) -> Deriver {
        Deriver::new(&self.namespace, TRANSFER_KIND)
    }

    /// Derives ids of accounts that pay.
    #[must_use]
    pub fn debit_ids(&self) -> Deriver {
        Deriver::new(&self.namespace, &self.debit_kind)
    }

    /// Derives ids of accounts that are paid.
    #[must_use]
    pub fn credit_ids(&self) -> Deriver {
        Deriver::new(&self.namespace, &self.credit_kind)
    }

    pub(super) fn account(&self, id: u128, code: u16) -> Account {
        Account {
            id: AccountId(id),
            ledger: self.ledger,
            code,
            ..Account::default()
        }
    }

    pub(super) fn transfer(
        &self,
        id: u128,
        debit: u128,
        credit: u128,
        amount: u128,
        time_ns: u64,
    ) -> Transfer {
        Transfer {
            id: TransferId(id),
            debit_account_id: AccountId(debit),
            credit_account_id: AccountId(credit),
            amount,
            user_data_64: time_ns,
            ledger: self.ledger,
            code: self.code,
            ..Transfer::default()
        }
    }
}
