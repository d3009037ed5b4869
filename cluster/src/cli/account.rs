//! `farthing account`: accounts made and shown.

use std::process::ExitCode;

use super::account_rows::Accounts;
use super::globals::Globals;
use super::items::{UserData, chosen_id, created_or_refused, missing, missing_is_failure, scales};
use super::listing::{AccountList, History};
use super::statement::{Statement, Sums};
use super::values::id;
use crate::connect::failure;
use crate::failure::Failure;
use crate::output::Printer;
use clap::{Args, Subcommand};
use farthing_client::Client;
use farthing_ledger::{Account, AccountFlags, AccountId};

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
    /// List accounts by what they carry, in the order in which they were created.
    List(AccountList),
    /// List the transfers of an account, oldest first.
    History(Box<History>),
    /// Show an account's balances after each change of them, or at a time.
    Balances(Statement),
    /// Count and sum an account's settled transfers, by code and period.
    Sums(Sums),
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
            Self::List(list) => list.run(&client, printer).await,
            Self::History(history) => history.run(&client, printer).await,
            Self::Balances(statement) => statement.run(&client, printer).await,
            Self::Sums(sums) => sums.run(&client, printer).await,
        }
    }
}

async fn show(client: &Client, printer: Printer, ids: &[u128]) -> Result<ExitCode, Failure> {
    let wanted: Vec<AccountId> = ids.iter().map(|id| AccountId(*id)).collect();
    let found = client.lookup_accounts(&wanted).await.map_err(failure)?;
    let missing = missing(ids, &found);
    let accounts: Vec<Account> = found.into_iter().flatten().collect();
    let scales = scales(client, accounts.iter().map(|account| account.ledger)).await?;
    printer.print(&Accounts::new(&accounts, &scales))?;
    missing_is_failure("account", &missing)
}
