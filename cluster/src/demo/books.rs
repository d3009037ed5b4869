//! What a demo begins with: a few accounts with numbers that can be typed, and the sample payments.

use std::path::Path;
use std::time::Duration;

use farthing_client::Client;
use farthing_ledger::{Account, AccountFlags, AccountId, Ledger, Transfer, TransferId};

use crate::connect::patiently;
use crate::failure::{Code, Failure};
use crate::import::{self, ImportReport, Options, Plan};

/// The sample payments, so that a program without its sources has them too.
const SAMPLE: &str = include_str!("../../sample/payments.csv");
const SAMPLE_NAMESPACE: &str = "sample";

/// Ledger of the purses.
pub const PURSE_LEDGER: u32 = 978;
const CENTS: u8 = 2;
/// Accounts to play with: id and what it is. The last one is where the money of the others came from.
pub const PURSES: [(u128, &str); 4] = [
    (1, "a customer's purse"),
    (2, "a shop"),
    (3, "fees"),
    (9, "the bank, where the money came from"),
];
const BANK: AccountId = AccountId(9);
/// What the customer begins with, in cents.
const GIFT_CENTS: u128 = 10_000;
/// Codes of accounts and of transfers, of the demo's choosing.
const CODE_CUSTOMER: u16 = 10;
const CODE_OTHER: u16 = 20;
const CODE_TRANSFER: u16 = 1;

/// Ledger and accounts of the load, apart from those a person looks at. 963 is the code ISO 4217 keeps for tests.
const LOAD_LEDGER: u32 = 963;
const LOAD_FROM: AccountId = AccountId(901);
const LOAD_TO: AccountId = AccountId(902);

/// How long the cluster is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a demo began with.
#[derive(Clone, Debug)]
pub struct Books {
    /// What the import of the sample said.
    pub payments: ImportReport,
}

impl Books {
    /// Writes ledgers, accounts, and the sample payments, whose file is left in `dir`.
    ///
    /// # Errors
    /// [`Code::NotReachable`] when the cluster does not answer, [`Code::Io`] for the file.
    pub async fn write(client: &Client, dir: &Path) -> Result<Self, Failure> {
        let ledgers = [
            Ledger::new(PURSE_LEDGER, "EUR", CENTS),
            Ledger::new(LOAD_LEDGER, "XTS", CENTS),
        ];
        let made = patiently(PATIENCE, |_| {}, || client.create_ledgers(&ledgers)).await?;
        all_made(made.iter().map(|outcome| outcome.is_success()))?;
        let accounts = accounts();
        let made = patiently(
            PATIENCE,
            |_| {},
            || client.create_accounts(accounts.clone()),
        )
        .await?;
        all_made(made.iter().map(|outcome| outcome.is_success()))?;
        let gift = Transfer {
            id: TransferId(1),
            debit_account_id: BANK,
            credit_account_id: AccountId(PURSES[0].0),
            amount: GIFT_CENTS,
            ledger: PURSE_LEDGER,
            code: CODE_TRANSFER,
            ..Transfer::default()
        };
        let made = patiently(PATIENCE, |_| {}, || client.create_transfers(vec![gift])).await?;
        all_made(made.iter().map(|outcome| outcome.is_success()))?;

        let file = dir.join("payments.csv");
        std::fs::write(&file, SAMPLE).map_err(|error| Failure::io("write", &file, &error))?;
        let plan = Plan {
            namespace: SAMPLE_NAMESPACE.to_owned(),
            ..Plan::default()
        };
        let options = Options {
            plan,
            file,
            skip_bad: false,
            in_flight: 4,
            top: 0,
            patience: PATIENCE,
        };
        let outcome = import::run(client, &options).await?;
        Ok(Self {
            payments: outcome.report,
        })
    }
}

fn accounts() -> Vec<Account> {
    let purse = |(id, _): &(u128, &str)| Account {
        id: AccountId(*id),
        ledger: PURSE_LEDGER,
        code: if *id == PURSES[0].0 {
            CODE_CUSTOMER
        } else {
            CODE_OTHER
        },
        // A purse holds what was put into it, and no more.
        flags: if *id == PURSES[0].0 {
            AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS
        } else {
            AccountFlags::default()
        },
        ..Account::default()
    };
    let loaded = |id| Account {
        id,
        ledger: LOAD_LEDGER,
        code: CODE_OTHER,
        ..Account::default()
    };
    PURSES
        .iter()
        .map(purse)
        .chain([LOAD_FROM, LOAD_TO].map(loaded))
        .collect()
}

fn all_made(mut made: impl Iterator<Item = bool>) -> Result<(), Failure> {
    if made.all(|made| made) {
        return Ok(());
    }
    Err(Failure::new(
        Code::Internal,
        "the demo's own ledgers and accounts were refused",
    ))
}

/// A transfer of one cent between the accounts of the load, under a new id.
pub(super) fn load_transfer() -> Transfer {
    Transfer {
        id: TransferId(farthing_client::ids::new()),
        debit_account_id: LOAD_FROM,
        credit_account_id: LOAD_TO,
        amount: 1,
        ledger: LOAD_LEDGER,
        code: CODE_TRANSFER,
        ..Transfer::default()
    }
}
