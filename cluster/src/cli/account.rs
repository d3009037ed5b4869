//! `farthing account`: accounts made and shown.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use farthing_client::Client;
use farthing_ledger::{Account, AccountFlags, AccountId};
use serde::Serialize;

use super::globals::Globals;
use super::items::{UserData, chosen_id, created_or_refused, missing, missing_is_failure, scales};
use super::values::id;
use crate::connect::failure;
use crate::failure::Failure;
use crate::output::{self, Align, Printer, Report, Table, uuid};

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Create an account.
    Create(Create),
    /// Show accounts by id.
    Get {
        /// Ids: UUID, hexadecimal or decimal.
        #[arg(required = true, value_parser = id)]
        ids: Vec<u128>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Number of its ledger.
    #[arg(long, value_name = "NUMBER")]
    ledger: u32,
    /// What kind of account it is, from 1; yours to choose.
    #[arg(long, value_name = "NUMBER")]
    code: u16,
    /// Its id [default: a new one, printed before it is sent].
    #[arg(long, value_parser = id, value_name = "ID")]
    id: Option<u128>,
    /// Refuse transfers that would make its debits exceed its credits.
    #[arg(long)]
    debits_must_not_exceed_credits: bool,
    /// Refuse transfers that would make its credits exceed its debits.
    #[arg(long)]
    credits_must_not_exceed_debits: bool,
    /// Keep its balances after every transfer.
    #[arg(long)]
    history: bool,
    /// Closed from the start.
    #[arg(long)]
    closed: bool,
    #[command(flatten)]
    user_data: UserData,
}

impl Create {
    fn account(&self, id: u128) -> Account {
        let flags = [
            (
                self.debits_must_not_exceed_credits,
                AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            ),
            (
                self.credits_must_not_exceed_debits,
                AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            ),
            (self.history, AccountFlags::HISTORY),
            (self.closed, AccountFlags::CLOSED),
        ];
        Account {
            id: AccountId(id),
            ledger: self.ledger,
            code: self.code,
            flags: flags
                .into_iter()
                .filter(|(wanted, _)| *wanted)
                .fold(AccountFlags::default(), |all, (_, flag)| all.with(flag)),
            user_data_128: self.user_data.user_data_128,
            user_data_64: self.user_data.user_data_64,
            user_data_32: self.user_data.user_data_32,
            ..Account::default()
        }
    }
}

impl AccountCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        match self {
            Self::Create(create) => {
                let id = chosen_id("account", create.id);
                let account = create.account(id);
                let outcomes = client
                    .create_accounts(vec![account])
                    .await
                    .map_err(failure)?;
                let answer = outcomes.first().map(|outcome| outcome.status.into());
                created_or_refused("account", printer, answer)?;
                show(&client, printer, &[id]).await
            }
            Self::Get { ids } => show(&client, printer, &ids).await,
        }
    }
}

async fn show(client: &Client, printer: Printer, ids: &[u128]) -> Result<ExitCode, Failure> {
    let wanted: Vec<AccountId> = ids.iter().map(|id| AccountId(*id)).collect();
    let found = client.lookup_accounts(&wanted).await.map_err(failure)?;
    let missing = missing(ids, &found);
    let accounts: Vec<Account> = found.into_iter().flatten().collect();
    let scales = scales(client, accounts.iter().map(|account| account.ledger)).await?;
    let rows = accounts
        .iter()
        .map(|account| AccountRow::new(account, &scales));
    printer.print(&Accounts(rows.collect()))?;
    missing_is_failure("account", &missing)
}

#[derive(Debug, Serialize)]
struct AccountRow {
    id: String,
    ledger: u32,
    code: u16,
    flags: Vec<&'static str>,
    debits_posted: String,
    credits_posted: String,
    debits_pending: String,
    credits_pending: String,
    user_data_128: String,
    user_data_64: u64,
    user_data_32: u32,
    timestamp: u64,
}

const FLAG_NAMES: [(AccountFlags, &str); 6] = [
    (AccountFlags::LINKED, "linked"),
    (
        AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        "debits_must_not_exceed_credits",
    ),
    (
        AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
        "credits_must_not_exceed_debits",
    ),
    (AccountFlags::HISTORY, "history"),
    (AccountFlags::IMPORTED, "imported"),
    (AccountFlags::CLOSED, "closed"),
];

impl AccountRow {
    fn new(account: &Account, scales: &BTreeMap<u32, u8>) -> Self {
        let scale = scales.get(&account.ledger).copied().unwrap_or(0);
        let text = |amount: u128| output::scaled(&amount.to_string(), scale);
        Self {
            id: uuid(account.id.0),
            ledger: account.ledger,
            code: account.code,
            flags: FLAG_NAMES
                .iter()
                .filter(|(flag, _)| account.flags.contains(*flag))
                .map(|(_, name)| *name)
                .collect(),
            debits_posted: text(account.debits_posted),
            credits_posted: text(account.credits_posted),
            debits_pending: text(account.debits_pending),
            credits_pending: text(account.credits_pending),
            user_data_128: uuid(account.user_data_128),
            user_data_64: account.user_data_64,
            user_data_32: account.user_data_32,
            timestamp: account.timestamp,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Accounts(Vec<AccountRow>);

impl Report for Accounts {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("id", Align::Left),
            ("ledger", Align::Right),
            ("code", Align::Right),
            ("debits posted", Align::Right),
            ("credits posted", Align::Right),
            ("debits pending", Align::Right),
            ("credits pending", Align::Right),
            ("flags", Align::Left),
        ]);
        for row in &self.0 {
            table.row(vec![
                row.id.clone(),
                row.ledger.to_string(),
                row.code.to_string(),
                row.debits_posted.clone(),
                row.credits_posted.clone(),
                row.debits_pending.clone(),
                row.credits_pending.clone(),
                row.flags.join(" "),
            ]);
        }
        table
    }
}
