//! Gathers both sides of a reconciliation: a statement out of a file, and an account's settled transfers out of the cluster
//! at one read point. What is the same is decided by the library `farthing-reconcile`, which sees neither.
//!
//! The order is: the account and its ledger (their decimals and currency are needed to read amounts), the file, the period
//! that both are compared for, the transfers of that period and of the window around it.

mod file;
mod period;
mod transfers;

use std::path::PathBuf;

use farthing_client::Client;
use farthing_ledger::{AccountId, Ledger};
use farthing_reconcile::camt::CamtOptions;
use farthing_reconcile::csv::CsvOptions;
use farthing_reconcile::{Format, LedgerEntry, Limits, Options, Reading, Statement};
use serde::Serialize;

pub use period::{Period, PeriodSource};
pub use transfers::Cut;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::uuid;

/// What is to be reconciled with what.
#[derive(Clone, Debug)]
pub struct Question {
    /// The account.
    pub account: AccountId,
    /// The statement: plain, zstd or gzip.
    pub file: PathBuf,
    /// What the file is in. `None`: told by its first bytes.
    pub format: Option<Format>,
    /// How it is read if it is CSV.
    pub csv: CsvOptions,
    /// How it is read if it is camt.053.
    pub camt: CamtOptions,
    /// What the statement calls the ledger's currency. `None`: as the ledger does.
    pub currency: Option<String>,
    /// Leave out entries in another currency.
    pub skip_other_currencies: bool,
    /// Seconds by which the statement's own zone is ahead of UTC.
    pub utc_offset_s: i32,
    /// Where the statement's period begins, in ns. `None`: as it says.
    pub from: Option<u64>,
    /// Where it ends, included. `None`: as it says.
    pub to: Option<u64>,
    /// How the sides are compared.
    pub options: Options,
    /// Entries of the statement, and settled transfers of the account, at most.
    pub entries_max: usize,
}

/// Both sides.
#[derive(Debug)]
pub struct Gathered {
    /// The one side.
    pub statement: Statement,
    /// The other.
    pub transfers: Vec<LedgerEntry>,
    /// The options asked for, with the period.
    pub options: Options,
    /// Where both come from.
    pub origin: Origin,
}

/// Where both sides come from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The statement's file.
    pub file: String,
    /// What it is in: `csv` or `camt`.
    pub format: &'static str,
    /// The account, as a UUID.
    pub account: String,
    /// Number of its ledger.
    pub ledger: u32,
    /// The time that is compared.
    pub period: Period,
    /// What was read of the ledger.
    pub cut: Cut,
}

/// Reads both sides.
///
/// # Errors
/// [`Code::NotFound`] for an account or a file that is not there, [`Code::BadInput`] for a statement that cannot be read or
/// is none of this account, [`Code::Usage`] for a period that ends before it begins or for more transfers than there may be,
/// and what [`failure`] says of a cluster that does not answer.
pub async fn gather(client: &Client, question: &Question) -> Result<Gathered, Failure> {
    let opened = file::open(&question.file, question.format)?;
    let ledger = ledger_of(client, question.account).await?;
    let currency = question.currency.clone();
    let reading = Reading {
        scale: ledger.scale,
        // Ledgers may have other units than currencies; those no statement names.
        currency: currency.or_else(|| ledger.currency().filter(is_iso).map(str::to_owned)),
        skip_other_currencies: question.skip_other_currencies,
        utc_offset_s: question.utc_offset_s,
        limits: Limits {
            entries_max: question.entries_max,
            ..Limits::default()
        },
    };
    let format = opened.format;
    let statement = file::read(opened, question, &reading).await?;
    file::check_currency(&statement, &ledger, question)?;
    let period = period::of(&statement, question.from, question.to)?;
    let options = Options {
        period: Some(period.span()),
        ..question.options.clone()
    };
    let range = period.and_around(options.window_ns);
    let (transfers, cut) =
        transfers::read(client, question.account, range, question.entries_max).await?;
    Ok(Gathered {
        statement,
        transfers,
        options,
        origin: Origin {
            file: question.file.display().to_string(),
            format: match format {
                Format::Csv => "csv",
                Format::Camt => "camt",
            },
            account: uuid(question.account.0),
            ledger: ledger.ledger,
            period,
            cut,
        },
    })
}

/// The ledger of an account. One that nobody registered has no decimals and no currency.
async fn ledger_of(client: &Client, account: AccountId) -> Result<Ledger, Failure> {
    let found = client.lookup_accounts(&[account]).await.map_err(failure)?;
    let Some(number) = found.into_iter().flatten().map(|it| it.ledger).next() else {
        let what = format!("account {} is not there", uuid(account.0));
        return Err(Failure::new(Code::NotFound, what)
            .advise("correct --account; `farthing account list` shows those there are"));
    };
    let found = client.lookup_ledgers(&[number]).await.map_err(failure)?;
    let found = found.into_iter().flatten().next();
    Ok(found.unwrap_or(Ledger {
        ledger: number,
        ..Ledger::default()
    }))
}

fn is_iso(currency: &&str) -> bool {
    currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
}
