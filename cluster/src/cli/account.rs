//! `farthing account`: accounts made and shown.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use farthing_client::{Client, ids};
use farthing_ledger::{Account, AccountFlags, AccountId, CreateAccountStatus};
use serde::Serialize;

use super::globals::Globals;
use super::values::id;
use crate::connect::failure;
use crate::failure::{Code, Failure};
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
    /// Links to outside, 128 bits.
    #[arg(long, value_parser = id, default_value = "0", hide_default_value = true, value_name = "ID")]
    user_data_128: u128,
    /// Links to outside, 64 bits.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "NUMBER"
    )]
    user_data_64: u64,
    /// Links to outside, 32 bits.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "NUMBER"
    )]
    user_data_32: u32,
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
            user_data_128: self.user_data_128,
            user_data_64: self.user_data_64,
            user_data_32: self.user_data_32,
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
                match outcomes.first().map(|outcome| outcome.status) {
                    Some(CreateAccountStatus::Created) => {}
                    Some(CreateAccountStatus::Exists) => {
                        printer.say("The account exists already, exactly so.")?
                    }
                    status => {
                        return Err(refused(
                            "account",
                            status.map(|status| (status.name(), status as u32)),
                        ));
                    }
                }
                show(&client, printer, &[id]).await
            }
            Self::Get { ids } => show(&client, printer, &ids).await,
        }
    }
}

/// The id given, or a new one that is told before anything is sent: whoever loses the answer can ask again with it.
pub(super) fn chosen_id(what: &str, given: Option<u128>) -> u128 {
    given.unwrap_or_else(|| {
        let id = ids::new();
        output::tell(format!("{what} id: {}", uuid(id)));
        id
    })
}

/// The failure of an item that was refused, by the name and number of its status.
pub(super) fn refused(what: &str, status: Option<(&str, u32)>) -> Failure {
    let Some((name, number)) = status else {
        return Failure::new(Code::Internal, format!("the {what} was not answered"));
    };
    Failure::new(
        Code::ItemRefused,
        format!("the {what} was refused: {name} ({number})"),
    )
    .advise("docs/reference lists every status and the rule it is named after")
}

async fn show(client: &Client, printer: Printer, ids: &[u128]) -> Result<ExitCode, Failure> {
    let wanted: Vec<AccountId> = ids.iter().map(|id| AccountId(*id)).collect();
    let found = client.lookup_accounts(&wanted).await.map_err(failure)?;
    let missing = missing(ids, found.iter().map(Option::is_some));
    let accounts: Vec<Account> = found.into_iter().flatten().collect();
    let scales = scales(client, accounts.iter().map(|account| account.ledger)).await?;
    let rows = accounts
        .iter()
        .map(|account| AccountRow::new(account, &scales));
    printer.print(&Accounts(rows.collect()))?;
    missing_is_failure("account", &missing)
}

/// The ids that were not found.
pub(super) fn missing(ids: &[u128], found: impl Iterator<Item = bool>) -> Vec<u128> {
    ids.iter()
        .zip(found)
        .filter(|(_, found)| !found)
        .map(|(id, _)| *id)
        .collect()
}

/// Success, or the failure that names what is missing.
pub(super) fn missing_is_failure(what: &str, missing: &[u128]) -> Result<ExitCode, Failure> {
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let listed: Vec<String> = missing.iter().map(|id| uuid(*id)).collect();
    Err(Failure::new(
        Code::NotFound,
        format!("{what} {} is not there", listed.join(", ")),
    ))
}

/// Decimals of ledgers; a number nobody registered has none.
pub(super) async fn scales(
    client: &Client,
    numbers: impl Iterator<Item = u32>,
) -> Result<BTreeMap<u32, u8>, Failure> {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let ledgers = client.lookup_ledgers(&numbers).await.map_err(failure)?;
    let scale = |ledger: Option<farthing_ledger::Ledger>| ledger.map_or(0, |ledger| ledger.scale);
    Ok(numbers
        .into_iter()
        .zip(ledgers.into_iter().map(scale))
        .collect())
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
