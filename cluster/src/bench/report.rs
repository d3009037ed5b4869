//! What was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::nodes::NodeCost;
use super::options::BenchOptions;
use crate::latency::LatencyUs;
use crate::output::{self, Report, Table};

/// Questions answered while the transfers ran.
#[derive(Clone, Debug, Serialize)]
pub struct QueryReport {
    /// Questions.
    pub count: u64,
    /// Rows of all answers.
    pub rows: u64,
    /// From when each was due to its answer.
    pub latency_us: LatencyUs,
}

/// What subscribers saw while the transfers ran.
#[derive(Clone, Debug, Serialize)]
pub struct FollowReport {
    /// Events of all that followed.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// From the last answer until the slowest had everything, in microseconds.
    pub late_us: u64,
    /// How many events they were behind the node that served them, looked at a hundred times a second: events, not time.
    pub behind: LatencyUs,
}

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
    /// Questions answered meanwhile; `None` when none were asked.
    pub queries: Option<QueryReport>,
    /// What subscribers saw; `None` when there were none.
    pub subscribers: Option<FollowReport>,
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
    /// What the run cost each node.
    pub nodes: Vec<NodeCost>,
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
        let most = |of: fn(&NodeCost) -> u64| self.nodes.iter().map(of).max().unwrap_or(0);
        let per_transfer = self.nodes.iter().map(|node| node.disk_bytes_per_transfer);
        let mut pairs = vec![
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
            ("elections", most(|node| node.elections).to_string()),
            (
                "memory of a node",
                format!("{} at most", output::bytes(most(|node| node.rss_bytes))),
            ),
            (
                "disk of a node",
                format!(
                    "{} at most, of it {} log",
                    output::bytes(most(|node| node.disk_bytes)),
                    output::bytes(most(|node| node.log_bytes))
                ),
            ),
            (
                "disk per transfer",
                format!("{:.1} B without the log", per_transfer.fold(0.0, f64::max)),
            ),
        ];
        if let Some(queries) = &self.queries {
            pairs.extend([
                (
                    "questions",
                    format!(
                        "{}, {} rows",
                        output::count(queries.count),
                        output::count(queries.rows)
                    ),
                ),
                ("question p50", us(queries.latency_us.p50)),
                ("question p99", us(queries.latency_us.p99)),
                ("question max", us(queries.latency_us.max)),
            ]);
        }
        if let Some(followed) = &self.subscribers {
            pairs.extend([
                (
                    "subscribers",
                    format!(
                        "{} events, {}",
                        output::count(followed.events),
                        output::bytes(followed.bytes)
                    ),
                ),
                (
                    "behind",
                    format!(
                        "p50 {} and p99 {} events, {} after the end",
                        output::count(followed.behind.p50),
                        output::count(followed.behind.p99),
                        us(followed.late_us)
                    ),
                ),
            ]);
        }
        Table::pairs(pairs)
    }

    fn notes(&self) -> Vec<String> {
        let refused = self.refused.iter();
        refused
            .map(|(status, count)| format!("refused, {status}: {}", output::count(*count)))
            .collect()
    }
}
