//! What was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::options::BenchOptions;
use crate::latency::LatencyUs;
use crate::output::{self, Report, Table};

/// The outcome of a run.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Transfers answered a second.
    pub transfers_per_second: u64,
    /// Latency of a call: a batch, or a single transfer when callers are counted. With a rate it counts from when the
    /// call was due.
    pub latency_us: LatencyUs,
    /// Transfers measured.
    pub transfers: u64,
    /// Calls measured.
    pub calls: u64,
    /// From the first call to the last answer, in microseconds.
    pub elapsed_us: u64,
    /// Transfers refused, by status; none when all is well.
    pub refused: BTreeMap<String, u64>,
    /// True when the accounts hold exactly what was sent.
    pub balances_ok: bool,
    /// Sum of the amounts sent and created.
    pub amount_expected: String,
    /// Sum of the accounts' debits.
    pub amount_debited: String,
    /// Sum of the accounts' credits.
    pub amount_credited: String,
    /// The settings of the run.
    pub settings: BenchOptions,
}

impl Report for BenchReport {
    fn table(&self) -> Table {
        let us = |us: u64| output::duration(Duration::from_micros(us));
        let latency = &self.latency_us;
        let unit = if self.settings.callers > 0 {
            "transfer"
        } else {
            "batch"
        };
        Table::pairs([
            ("transfers", output::count(self.transfers)),
            ("time", us(self.elapsed_us)),
            (
                "rate",
                format!("{} transfers/s", output::count(self.transfers_per_second)),
            ),
            (
                "calls",
                format!("{}, one {unit} each", output::count(self.calls)),
            ),
            ("latency p50", us(latency.p50)),
            ("latency p90", us(latency.p90)),
            ("latency p99", us(latency.p99)),
            ("latency p99.9", us(latency.p999)),
            ("latency max", us(latency.max)),
            ("refused", output::count(self.refused.values().sum())),
            (
                "balances",
                if self.balances_ok { "right" } else { "WRONG" }.to_owned(),
            ),
        ])
    }

    fn notes(&self) -> Vec<String> {
        let refused = self.refused.iter();
        refused
            .map(|(status, count)| format!("refused, {status}: {}", output::count(*count)))
            .collect()
    }
}
