//! Transfers as they are shown.

use std::collections::BTreeMap;

use farthing_ledger::{Transfer, TransferFlags};
use serde::Serialize;

use crate::output::{self, Align, Report, Table, uuid};

/// A transfer, its amount in the ledger's unit.
#[derive(Debug, Serialize)]
pub(super) struct TransferRow {
    id: String,
    debit_account_id: String,
    credit_account_id: String,
    amount: String,
    ledger: u32,
    code: u16,
    flags: Vec<&'static str>,
    pending_id: String,
    timeout_s: u32,
    user_data_128: String,
    user_data_64: u64,
    user_data_32: u32,
    timestamp: u64,
}

const FLAG_NAMES: [(TransferFlags, &str); 9] = [
    (TransferFlags::LINKED, "linked"),
    (TransferFlags::PENDING, "pending"),
    (
        TransferFlags::POST_PENDING_TRANSFER,
        "post_pending_transfer",
    ),
    (
        TransferFlags::VOID_PENDING_TRANSFER,
        "void_pending_transfer",
    ),
    (TransferFlags::BALANCING_DEBIT, "balancing_debit"),
    (TransferFlags::BALANCING_CREDIT, "balancing_credit"),
    (TransferFlags::CLOSING_DEBIT, "closing_debit"),
    (TransferFlags::CLOSING_CREDIT, "closing_credit"),
    (TransferFlags::IMPORTED, "imported"),
];

impl TransferRow {
    pub(super) fn new(transfer: &Transfer, scales: &BTreeMap<u32, u8>) -> Self {
        Self::of(transfer, scales.get(&transfer.ledger).copied().unwrap_or(0))
    }

    /// Of a ledger with so many decimals.
    pub(super) fn of(transfer: &Transfer, scale: u8) -> Self {
        Self {
            id: uuid(transfer.id.0),
            debit_account_id: uuid(transfer.debit_account_id.0),
            credit_account_id: uuid(transfer.credit_account_id.0),
            amount: output::scaled(&transfer.amount.to_string(), scale),
            ledger: transfer.ledger,
            code: transfer.code,
            flags: FLAG_NAMES
                .iter()
                .filter(|(flag, _)| transfer.flags.contains(*flag))
                .map(|(_, name)| *name)
                .collect(),
            pending_id: uuid(transfer.pending_id.0),
            timeout_s: transfer.timeout,
            user_data_128: uuid(transfer.user_data_128),
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
            timestamp: transfer.timestamp,
        }
    }

    /// Names of its flags.
    pub(super) fn flags(&self) -> &[&'static str] {
        &self.flags
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Transfers(Vec<TransferRow>);

impl Transfers {
    pub(super) fn new(transfers: &[Transfer], scales: &BTreeMap<u32, u8>) -> Self {
        let rows = transfers
            .iter()
            .map(|transfer| TransferRow::new(transfer, scales));
        Self(rows.collect())
    }
}

impl Report for Transfers {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("id", Align::Left),
            ("debit account", Align::Left),
            ("credit account", Align::Left),
            ("amount", Align::Right),
            ("ledger", Align::Right),
            ("code", Align::Right),
            ("flags", Align::Left),
        ]);
        for row in &self.0 {
            table.row(vec![
                row.id.clone(),
                row.debit_account_id.clone(),
                row.credit_account_id.clone(),
                row.amount.clone(),
                row.ledger.to_string(),
                row.code.to_string(),
                row.flags.join(" "),
            ]);
        }
        table
    }
}
