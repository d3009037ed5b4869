//! Lists, statements and sums: what `farthing account` and `farthing transfer` ask about the past.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use farthing_client::queries::{Period, QueryOptions};
use farthing_client::{AccountFilter, Client, Consistency, Order, Sides, TransferFilter};
use farthing_ledger::{Account, AccountId, Transfer};
use futures::{Stream, StreamExt, TryStreamExt};

use super::account_rows::Accounts;
use super::items::scales;
use super::past_rows::{BalanceRows, SumRows};
use super::transfer_rows::Transfers;
use super::values::{duration, id, moment};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Printer, uuid};

/// Rows of one page that is fetched.
const PAGE_ROWS_MAX: u64 = 1_000;

/// What an item carries, as flags.
#[derive(Debug, Args)]
struct Carries {
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
    range: Range,
}

/// A time range, as flags.
#[derive(Debug, Args)]
struct Range {
    /// From this time on: 2026-11-23T04:00:00Z, 2026-11-23, or nanoseconds since 1970.
    #[arg(long, value_parser = moment, default_value = "0", hide_default_value = true, value_name = "TIME")]
    from: u64,
    /// Up to this time, included.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    to: Option<u64>,
}

impl Range {
    fn check(&self) -> Result<(), Failure> {
        match self.to {
            Some(to) if to < self.from => Err(Failure::new(Code::Usage, "--to is before --from")),
            _ => Ok(()),
        }
    }
}

/// How much is listed, and from which end.
#[derive(Debug, Args)]
struct Extent {
    /// Rows, at most; 0 = all.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    limit: u64,
    /// Newest first.
    #[arg(long)]
    reversed: bool,
}

impl Extent {
    fn options(&self) -> QueryOptions {
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
    async fn rows<T>(
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
    let filter = TransferFilter {
        account_id: account.map(AccountId),
        sides: match side {
            None => Sides::Both,
            Some(Side::Debit) => Sides::Debits,
            Some(Side::Credit) => Sides::Credits,
        },
        user_data_128: carries.user_data_128,
        user_data_64: carries.user_data_64,
        user_data_32: carries.user_data_32,
        ledger: carries.ledger,
        code: carries.code,
        timestamp_min: carries.range.from,
        timestamp_max: carries.range.to,
    };
    let found = client.query_transfers(filter, extent.options());
    let transfers: Vec<Transfer> = extent.rows(found).await?;
    let scales = scales(client, transfers.iter().map(|transfer| transfer.ledger)).await?;
    printer.print(&Transfers::new(&transfers, &scales))?;
    Ok(ExitCode::SUCCESS)
}

/// The account, and how many decimals its amounts have.
async fn existing(client: &Client, account: u128) -> Result<u8, Failure> {
    let found = client.lookup_accounts(&[AccountId(account)]).await;
    let Some(found) = found.map_err(failure)?.into_iter().flatten().next() else {
        let what = format!("account {} is not there", uuid(account));
        return Err(Failure::new(Code::NotFound, what));
    };
    let scales = scales(client, [found.ledger].into_iter()).await?;
    Ok(scales.get(&found.ledger).copied().unwrap_or(0))
}

#[derive(Debug, Args)]
pub(super) struct Statement {
    /// The account.
    #[arg(value_parser = id, value_name = "ID")]
    account: u128,
    /// Only how they stood at this time.
    #[arg(long, value_parser = moment, conflicts_with_all = ["from", "to", "limit", "reversed"], value_name = "TIME")]
    at: Option<u64>,
    #[command(flatten)]
    range: Range,
    #[command(flatten)]
    extent: Extent,
}

impl Statement {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        self.range.check()?;
        let scale = existing(client, self.account).await?;
        let account = AccountId(self.account);
        if let Some(time) = self.at {
            let asked = client.balance_at(account, time, Consistency::Linearizable);
            let (balances, _) = asked.await.map_err(failure)?;
            let Some(balances) = balances else {
                let what = format!("account {} was created later than that", uuid(self.account));
                return Err(Failure::new(Code::NotFound, what));
            };
            printer.print(&BalanceRows::at(time, &balances, scale))?;
            return Ok(ExitCode::SUCCESS);
        }
        let options = self.extent.options();
        let to = self.range.to.unwrap_or(0);
        let found = client.account_balances(account, self.range.from, to, options);
        let rows = self.extent.rows(found).await?;
        printer.print(&BalanceRows::of(account, &rows, scale))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(super) struct Sums {
    /// The account.
    #[arg(value_parser = id, value_name = "ID")]
    account: u128,
    /// One row for each code.
    #[arg(long)]
    by_code: bool,
    /// One row for each period of so long, such as 24h: from multiples of it since 1970, in UTC.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    period: Option<Duration>,
    #[command(flatten)]
    carries: Carries,
}

impl Sums {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        self.carries.range.check()?;
        let period = match self.period {
            None => Period::Whole,
            Some(length) if length.subsec_nanos() == 0 && !length.is_zero() => Period::Of(length),
            Some(_) => {
                return Err(Failure::new(
                    Code::Usage,
                    "--period is whole seconds, at least one",
                ));
            }
        };
        let scale = existing(client, self.account).await?;
        let filter = TransferFilter {
            account_id: Some(AccountId(self.account)),
            user_data_128: self.carries.user_data_128,
            user_data_64: self.carries.user_data_64,
            user_data_32: self.carries.user_data_32,
            ledger: self.carries.ledger,
            code: self.carries.code,
            timestamp_min: self.carries.range.from,
            timestamp_max: self.carries.range.to,
            ..TransferFilter::default()
        };
        let options = QueryOptions::default();
        let sums = client.sum_transfers(&filter, self.by_code, period, &options);
        let rows = sums.await.map_err(failure)?;
        printer.print(&SumRows::new(&rows, scale))?;
        Ok(ExitCode::SUCCESS)
    }
}
