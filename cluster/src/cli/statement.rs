//! Statements and sums of an account.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use farthing_client::queries::{Period, QueryOptions};
use farthing_client::{Client, Consistency, Sides};
use farthing_ledger::AccountId;

use super::items::scales;
use super::listing::{Carries, Extent, Range};
use super::past_rows::{BalanceRows, SumRows};
use super::values::{duration, id, moment};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{Printer, uuid};

/// The account, and how many decimals its amounts have.
pub(super) async fn existing(client: &Client, account: u128) -> Result<u8, Failure> {
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
        let filter = self.carries.transfers(Some(self.account), Sides::Both);
        let options = QueryOptions::default();
        let sums = client.sum_transfers(&filter, self.by_code, period, &options);
        let rows = sums.await.map_err(failure)?;
        printer.print(&SumRows::new(&rows, scale))?;
        Ok(ExitCode::SUCCESS)
    }
}
