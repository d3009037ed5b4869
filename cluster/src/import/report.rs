//! What an import did.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::rows::BadRow;
use crate::latency::LatencyUs;
use crate::output::{self, Align, Report, Table};

/// Lines named for each status.
pub(super) const LINES_LISTED: usize = 10;

/// The outcome of an import.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The file.
    pub file: String,
    /// Rows of the file that were read.
    pub rows: u64,
    /// Of these, rows an earlier run had imported: read and compared, not sent.
    pub rows_passed_over: u64,
    /// Of those, rows the ledger refused then.
    pub refused_before: u64,
    /// Rows that are no payments.
    pub bad: u64,
    /// The first of them.
    pub bad_rows: Vec<BadRow>,
    /// Transfers this run created.
    pub created: u64,
    /// Transfers sent that were there already.
    pub existed: u64,
    /// Transfers the ledger refused.
    pub refused: u64,
    /// The refused ones by status.
    pub refusals: BTreeMap<String, Refusals>,
    /// Accounts this run created.
    pub accounts_created: u64,
    /// Sum of all payments read, decimal text in the ledger's unit.
    pub amount: String,
    /// Currency of the ledger.
    pub currency: String,
    /// Accounts that pay, and those that are paid.
    pub debit_accounts: u64,
    /// Accounts that are paid.
    pub credit_accounts: u64,
    /// Time from the first to the last batch, in microseconds.
    pub elapsed_us: u64,
    /// Transfers answered a second; zero when none was sent.
    pub transfers_per_second: u64,
    /// Time from sending a batch to its answer.
    pub batch_latency_us: LatencyUs,
    /// The largest credit accounts, as the ledger has them now.
    pub top: Vec<TopAccount>,
}

impl ImportReport {
    /// True when ids were refused because they stand for other payments already.
    #[must_use]
    pub fn another_file_has_the_ids(&self) -> bool {
        let mut refusals = self.refusals.keys();
        refusals.any(|status| status.starts_with("exists_with_different"))
    }
}

/// Transfers refused with one status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// Lines of the first of them.
    pub lines: Vec<u64>,
}

/// An account among the largest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopAccount {
    /// Kind and name in the file, `terminal 1365`.
    pub name: String,
    /// Id in the ledger.
    pub id: String,
    /// Posted credits, decimal text in the ledger's unit.
    pub credits_posted: String,
}

impl Refusals {
    pub(super) fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < LINES_LISTED {
            self.lines.push(line);
        }
    }

    fn lines_text(&self) -> String {
        lines_text(&self.lines, self.count)
    }
}

fn lines_text(lines: &[u64], count: u64) -> String {
    let listed: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count.saturating_sub(lines.len() as u64);
    let more = if more > 0 {
        format!(" and {} more", output::count(more))
    } else {
        String::new()
    };
    format!("lines {}{more}", listed.join(", "))
}

impl ImportReport {
    /// True when the ledger holds the whole file already and nothing was sent.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.created == 0 && self.accounts_created == 0
    }
}

impl Report for ImportReport {
    fn table(&self) -> Table {
        let mut pairs = vec![
            ("rows", output::count(self.rows)),
            ("imported before", output::count(self.rows_passed_over)),
            ("created", output::count(self.created)),
            ("existed", output::count(self.existed)),
            ("refused", output::count(self.refused)),
            ("bad", output::count(self.bad)),
            ("accounts created", output::count(self.accounts_created)),
            ("total", format!("{} {}", self.amount, self.currency)),
            ("debit accounts", output::count(self.debit_accounts)),
            ("credit accounts", output::count(self.credit_accounts)),
        ];
        if self.transfers_per_second > 0 {
            let us = Duration::from_micros;
            let latency = &self.batch_latency_us;
            pairs.push(("time", output::duration(us(self.elapsed_us))));
            pairs.push((
                "rate",
                format!("{} transfers/s", output::count(self.transfers_per_second)),
            ));
            pairs.push((
                "batch latency",
                format!(
                    "p50 {}, p99 {}, max {}",
                    output::duration(us(latency.p50)),
                    output::duration(us(latency.p99)),
                    output::duration(us(latency.max))
                ),
            ));
        }
        Table::pairs(pairs)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.refused_before > 0 {
            notes.push(format!(
                "Of the rows imported before, the ledger refused {}.",
                output::count(self.refused_before)
            ));
        }
        if self.changed_nothing() && self.refused == 0 && self.bad == 0 {
            notes.push("Nothing changed: every row was imported before.".to_owned());
        }
        for (status, refusals) in &self.refusals {
            notes.push(format!(
                "refused, {status}: {} ({})",
                output::count(refusals.count),
                refusals.lines_text()
            ));
        }
        for bad in &self.bad_rows {
            notes.push(format!("bad row, line {}: {}", bad.line, bad.problem));
        }
        if !self.top.is_empty() {
            notes.push(String::new());
            notes.push(format!("The {} largest:", self.top.len()));
            let mut table = Table::new(&[
                ("account", Align::Left),
                ("credits posted", Align::Right),
                ("id", Align::Left),
            ]);
            for top in &self.top {
                table.row(vec![
                    top.name.clone(),
                    top.credits_posted.clone(),
                    top.id.clone(),
                ]);
            }
            notes.push(table.to_text(false).trim_end().to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_listed_up_to_a_bound_and_the_others_counted() {
        let mut refusals = Refusals::default();
        (1..=1_012).for_each(|line| refusals.add(line));
        assert_eq!(
            refusals.lines_text(),
            "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1,002 more"
        );
    }
}
