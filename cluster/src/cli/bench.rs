//! `farthing bench`: throughput and latency.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::globals::Globals;
use super::values::duration;
use crate::bench::{self, BenchOptions, IdOrder, TRANSFERS_MAX};
use crate::connect;
use crate::failure::{Code, Failure};
use crate::local::Asker;
use crate::output::Printer;

/// Measures throughput and latency with transfers between accounts of its own, then checks that the accounts hold
/// exactly what was sent.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Accounts of the run.
    #[arg(long, default_value_t = BenchOptions::default().account_count, value_name = "COUNT")]
    account_count: u64,
    /// Accounts that are hot.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    account_count_hot: u64,
    /// Share of transfers that debit a hot account, when there are hot accounts.
    #[arg(long, default_value_t = 100, value_name = "PERCENT")]
    transfer_hot_percent: u8,
    /// Transfers to measure [default: 1000000].
    #[arg(long, value_name = "COUNT")]
    transfer_count: Option<u64>,
    /// End after this time, such as 10min; without --transfer-count the transfers last as long as it takes.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Transfers before those, not measured.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    warmup: u64,
    /// Transfers in a request, 1 to 8189.
    #[arg(long, default_value_t = BenchOptions::default().transfer_batch_size, value_name = "COUNT")]
    transfer_batch_size: u64,
    /// Make the transfers pending.
    #[arg(long)]
    transfer_pending: bool,
    /// Give every transfer user data of its own, 128, 64 and 32 bits, which are indexed.
    #[arg(long)]
    user_data: bool,
    /// Order of transfer ids.
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    id_order: IdOrder,
    /// Share of ids that are random whatever the order.
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    random_id_percent: u8,
    /// Clients, each with connections of its own.
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    clients: u64,
    /// Connections of each client.
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    connections: u64,
    /// Requests each client has under way at most [default: 1, or with a rate 64, which is the most].
    #[arg(long, value_name = "COUNT")]
    in_flight: Option<u64>,
    /// Measure single transfers instead: so many callers share the clients, each sending one at a time.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    callers: u64,
    /// Send so many transfers a second whatever the answers take; latency counts from when each was due.
    #[arg(long, value_name = "COUNT")]
    rate: Option<u64>,
    /// Ask so many questions a second meanwhile: an account's newest 100 transfers, linearizable.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    queries: u64,
    /// Subscribers that follow all events meanwhile, as fast as they come.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    subscribers: u64,
    /// Subscribers that stop reading as soon as they are served: they must cost nobody anything.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    stuck_subscribers: u64,
    /// Seed of accounts and amounts.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
}

impl BenchArgs {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let endpoints = globals.endpoints()?;
        let options = BenchOptions {
            account_count: self.account_count,
            account_count_hot: self.account_count_hot,
            transfer_hot_percent: self.transfer_hot_percent,
            transfer_count: self.transfer_count.unwrap_or(match self.duration {
                Some(_) => TRANSFERS_MAX,
                None => BenchOptions::default().transfer_count,
            }),
            duration_s: self.duration.map(|time| time.as_secs().max(1)),
            warmup: self.warmup,
            transfer_batch_size: self.transfer_batch_size,
            transfer_pending: self.transfer_pending,
            user_data: self.user_data,
            id_order: self.id_order,
            random_id_percent: self.random_id_percent,
            clients: self.clients,
            connections: self.connections,
            in_flight: self.in_flight,
            callers: self.callers,
            rate: self.rate,
            queries: self.queries,
            subscribers: self.subscribers,
            stuck_subscribers: self.stuck_subscribers,
            seed: self.seed,
        };
        let asker = Asker::new(&endpoints)?;
        let report = bench::run(
            &options,
            async |connections| {
                connect::connect_with(&endpoints, globals.deadline, connections).await
            },
            async || asker.remote(&endpoints).await,
        )
        .await?;
        printer.print(&report)?;
        if report.balances_ok && report.refused.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(
            Code::CheckFailed,
            "the accounts do not hold what was sent, or transfers were refused",
        )
        .because(format!(
            "sent {}, debited {}, credited {}",
            report.amount_expected, report.amount_debited, report.amount_credited
        )))
    }
}
