//! Accounts as they are shown.

use std::collections::BTreeMap;

use farthing_ledger::{Account, AccountFlags};
use serde::Serialize;

use crate::output::{self, Align, Report, Table, uuid};

/// An account, its balances in the ledger's unit.
#[derive(Debug, Serialize)]
pub(super) struct AccountRow {
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
        Self::of(account, scales.get(&account.ledger).copied().unwrap_or(0))
    }

    /// Of a ledger with so many decimals.
    pub(super) fn of(account: &Account, scale: u8) -> Self {
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
pub(super) struct Accounts(Vec<AccountRow>);

impl Accounts {
    pub(super) fn new(accounts: &[Account], scales: &BTreeMap<u32, u8>) -> Self {
        let rows = accounts
            .iter()
            .map(|account| AccountRow::new(account, scales));
        Self(rows.collect())
    }
}

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
