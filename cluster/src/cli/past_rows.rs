//! Balances over time, and sums, as they are shown.

use farthing_client::queries::{BalanceRow, SumRow};
use farthing_ledger::{AccountId, Balances};
use serde::Serialize;

use super::values::moment_text;
use crate::output::{self, Align, Report, Table, uuid};

fn text(units: u128, scale: u8) -> String {
    output::scaled(&units.to_string(), scale)
}

/// An account's balances after one change of them, in the ledger's unit.
#[derive(Debug, Serialize)]
struct Shown {
    timestamp: u64,
    /// The transfer that was carried out, or the pending one that expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_id: Option<String>,
    /// Debit or credit; empty for balances at a time.
    side: &'static str,
    expired: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    debits_posted: String,
    credits_posted: String,
    debits_pending: String,
    credits_pending: String,
}

impl Shown {
    fn new(timestamp: u64, balances: &Balances, scale: u8) -> Self {
        Self {
            timestamp,
            transfer_id: None,
            side: "",
            expired: false,
            amount: None,
            debits_posted: text(balances.debits_posted, scale),
            credits_posted: text(balances.credits_posted, scale),
            debits_pending: text(balances.debits_pending, scale),
            credits_pending: text(balances.credits_pending, scale),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct BalanceRows(Vec<Shown>);

impl BalanceRows {
    /// A statement of an account.
    pub(super) fn of(account: AccountId, rows: &[BalanceRow], scale: u8) -> Self {
        let shown = |row: &BalanceRow| Shown {
            transfer_id: Some(uuid(row.transfer.id.0)),
            side: if row.transfer.debit_account_id == account {
                "debit"
            } else {
                "credit"
            },
            expired: row.expired,
            amount: Some(text(row.transfer.amount, scale)),
            ..Shown::new(row.timestamp, &row.balances, scale)
        };
        Self(rows.iter().map(shown).collect())
    }

    /// Balances at a time.
    pub(super) fn at(time: u64, balances: &Balances, scale: u8) -> Self {
        Self(vec![Shown::new(time, balances, scale)])
    }
}

impl Report for BalanceRows {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("time", Align::Left),
            ("transfer", Align::Left),
            ("side", Align::Left),
            ("amount", Align::Right),
            ("debits posted", Align::Right),
            ("credits posted", Align::Right),
            ("debits pending", Align::Right),
            ("credits pending", Align::Right),
        ]);
        for row in &self.0 {
            let side = match row.expired {
                true => format!("{}, expired", row.side),
                false => row.side.to_owned(),
            };
            table.row(vec![
                moment_text(row.timestamp),
                row.transfer_id.clone().unwrap_or_default(),
                side,
                row.amount.clone().unwrap_or_default(),
                row.debits_posted.clone(),
                row.credits_posted.clone(),
                row.debits_pending.clone(),
                row.credits_pending.clone(),
            ]);
        }
        table
    }
}

/// Sums of one period and code, in the ledger's unit.
#[derive(Debug, Serialize)]
struct Sum {
    period_start: u64,
    code: u16,
    debit_count: u64,
    debits_posted: String,
    credit_count: u64,
    credits_posted: String,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct SumRows(Vec<Sum>);

impl SumRows {
    pub(super) fn new(rows: &[SumRow], scale: u8) -> Self {
        let sum = |row: &SumRow| Sum {
            period_start: row.period_start,
            code: row.code,
            debit_count: row.debit_count,
            debits_posted: text(row.debits_posted, scale),
            credit_count: row.credit_count,
            credits_posted: text(row.credits_posted, scale),
        };
        Self(rows.iter().map(sum).collect())
    }
}

impl Report for SumRows {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("period from", Align::Left),
            ("code", Align::Right),
            ("debits", Align::Right),
            ("debits posted", Align::Right),
            ("credits", Align::Right),
            ("credits posted", Align::Right),
        ]);
        for row in &self.0 {
            let period = match row.period_start {
                0 => String::new(),
                start => moment_text(start),
            };
            let code = match row.code {
                0 => String::new(),
                code => code.to_string(),
            };
            table.row(vec![
                period,
                code,
                row.debit_count.to_string(),
                row.debits_posted.clone(),
                row.credit_count.to_string(),
                row.credits_posted.clone(),
            ]);
        }
        table
    }
}
