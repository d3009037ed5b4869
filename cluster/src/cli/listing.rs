//! Lists of accounts and of transfers, and the flags that choose what is in them.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use farthing_client::queries::QueryOptions;
use farthing_client::{AccountFilter, Client, Order, Sides, TransferFilter};
use farthing_ledger::{Account, AccountId, Transfer};
use futures::{Stream, StreamExt, TryStreamExt};

use super::account_rows::Accounts;
use super::items::scales;
use super::statement::existing;
use super::transfer_rows::Transfers;
use super::values::{id, moment};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Printer};

/// Rows of one page that is fetched.
const PAGE_ROWS_MAX: u64 = 1_000;

/// What an item carries, as flags.
#[derive(Debug, Args)]
pub(super) struct Carries {
    /// With this user data, 128 bits.
    #[arg(long, value_parser = id, value_name = "ID")]
    user_data_128: Option<u128>,
    /// With this user data, 64 bits.
    #[arg(long, value_name = "NUMBER")]
    user_data_64: Option<u64>,
    /// With this user data, 32 bits.
    #[arg(long, value_name = "NUMBER")]
    user_data_32: Option<u32>,
    /// On this ledger.
    #[arg(long, value_name = "NUMBER")]
    ledger: Option<u32>,
    /// With this code.
    #[arg(long, value_name = "NUMBER")]
    code: Option<u16>,
    #[command(flatten)]
    pub(super) range: Range,
}

impl Carries {
    /// Transfers that carry it, of an account.
    pub(super) fn transfers(&self, account: Option<u128>, sides: Sides) -> TransferFilter {
        TransferFilter {
            account_id: account.map(AccountId),
            sides,
            user_data_128: self.user_data_128,
            user_data_64: self.user_data_64,
            user_data_32: self.user_data_32,
            ledger: self.ledger,
            code: self.code,
            timestamp_min: self.range.from,
            timestamp_max: self.range.to,
        }
    }
}

/// A time range, as flags.
#[derive(Debug, Args)]
pub(super) struct Range {
    /// From this time on: 2026-11-23T04:00:00Z, 2026-11-23, or nanoseconds since 1970.
    #[arg(long, value_parser = moment, default_value = "0", hide_default_value = true, value_name = "TIME")]
    pub(super) from: u64,
    /// Up to this time, included.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub(super) to: Option<u64>,
}

impl Range {
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.to {
            Some(to) if to < self.from => Err(Failure::new(Code::Usage, "--to is before --from")),
            _ => Ok(()),
        }
    }
}

/// How much is listed, and from which end.
#[derive(Debug, Args)]
pub(super) struct Extent {
    /// Rows, at most; 0 = all.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    limit: u64,
    /// Newest first.
    #[arg(long)]
    reversed: bool,
}

impl Extent {
    pub(super) fn options(&self) -> QueryOptions {
        let size = match self.limit {
            0 => PAGE_ROWS_MAX,
            limit => limit.min(PAGE_ROWS_MAX),
        };
        QueryOptions {
            order: if self.reversed {
                Order::Reversed
            } else {
                Order::Forward
            },
            page_size: u32::try_from(size).unwrap_or_default(),
            ..QueryOptions::default()
        }
    }

    /// As many rows as are wanted; says so when there are more.
    pub(super) async fn rows<T>(
        &self,
        stream: impl Stream<Item = Result<T, farthing_client::Error>>,
    ) -> Result<Vec<T>, Failure> {
        let most = match self.limit {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let wanted = stream.take(most.saturating_add(1));
        let mut rows: Vec<T> = wanted.try_collect().await.map_err(failure)?;
        if rows.len() > most {
            rows.truncate(most);
            output::tell(format!("There are more than these {most}: see --limit."));
        }
        Ok(rows)
    }
}

#[derive(Debug, Args)]
pub(super) struct AccountList {
    #[command(flatten)]
    carries: Carries,
    #[command(flatten)]
    extent: Extent,
}

impl AccountList {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        self.carries.range.check()?;
        let filter = AccountFilter {
            user_data_128: self.carries.user_data_128,
            user_data_64: self.carries.user_data_64,
            user_data_32: self.carries.user_data_32,
            ledger: self.carries.ledger,
            code: self.carries.code,
            timestamp_min: self.carries.range.from,
            timestamp_max: self.carries.range.to,
        };
        let found = client.query_accounts(filter, self.extent.options());
        let accounts: Vec<Account> = self.extent.rows(found).await?;
        let scales = scales(client, accounts.iter().map(|account| account.ledger)).await?;
        printer.print(&Accounts::new(&accounts, &scales))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Side {
    /// It is debited.
    Debit,
    /// It is credited.
    Credit,
}

#[derive(Debug, Args)]
pub(super) struct TransferList {
    /// Only transfers of this account.
    #[arg(long, value_parser = id, value_name = "ID")]
    account: Option<u128>,
    /// Only where that account stands on this side.
    #[arg(long, value_enum, requires = "account", value_name = "SIDE")]
    side: Option<Side>,
    #[command(flatten)]
    carries: Carries,
    #[command(flatten)]
    extent: Extent,
}

impl TransferList {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        list(
            client,
            printer,
            self.account,
            self.side,
            self.carries,
            &self.extent,
        )
        .await
    }
}

#[derive(Debug, Args)]
pub(super) struct History {
    /// The account.
    #[arg(value_parser = id, value_name = "ID")]
    account: u128,
    /// Only where it stands on this side.
    #[arg(long, value_enum, value_name = "SIDE")]
    side: Option<Side>,
    #[command(flatten)]
    carries: Carries,
    #[command(flatten)]
    extent: Extent,
}

impl History {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        existing(client, self.account).await?;
        let account = Some(self.account);
        list(
            client,
            printer,
            account,
            self.side,
            self.carries,
            &self.extent,
        )
        .await
    }
}

async fn list(
    client: &Client,
    printer: Printer,
    account: Option<u128>,
    side: Option<Side>,
    carries: Carries,
    extent: &Extent,
) -> Result<ExitCode, Failure> {
    carries.range.check()?;
    let sides = match side {
        None => Sides::Both,
        Some(Side::Debit) => Sides::Debits,
        Some(Side::Credit) => Sides::Credits,
    };
    let filter = carries.transfers(account, sides);
    let found = client.query_transfers(filter, extent.options());
    let transfers: Vec<Transfer> = extent.rows(found).await?;
    let scales = scales(client, transfers.iter().map(|transfer| transfer.ledger)).await?;
    printer.print(&Transfers::new(&transfers, &scales))?;
    Ok(ExitCode::SUCCESS)
}
