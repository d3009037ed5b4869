//! What a check of the books found.

use serde::Serialize;

use crate::output::{self, Align, Report, Table};

/// The outcome of a check.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// True when nothing was found wrong.
    pub ok: bool,
    /// What was found wrong, in words.
    pub findings: Vec<String>,
    /// The nodes.
    pub nodes: Vec<NodeVerified>,
    /// The index at which the digests were compared.
    pub index: u64,
    /// Sums of every ledger, from the node that was furthest.
    pub ledgers: Vec<LedgerSums>,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeVerified {
    /// Node id.
    pub id: u64,
    /// Where clients connect.
    pub address: String,
    /// The node's own checks found nothing.
    pub sound: bool,
    /// Index at which it read its state.
    pub index: u64,
    /// Accounts it holds.
    pub account_count: u64,
    /// Transfers it holds.
    pub transfer_count: u64,
    /// Digest at the index of the comparison, hexadecimal.
    pub digest: String,
}

/// Sums over all accounts of a ledger, decimal text of the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerSums {
    /// Its number.
    pub ledger: u32,
    /// Its currency; empty when it is not registered.
    pub currency: String,
    /// Its decimals.
    pub scale: u8,
    /// Accounts on it.
    pub account_count: u64,
    /// Posted debits, equal to the posted credits when the books are right.
    pub debits_posted: String,
    /// Posted credits.
    pub credits_posted: String,
    /// Pending debits, equal to the pending credits when the books are right.
    pub debits_pending: String,
    /// Pending credits.
    pub credits_pending: String,
}

impl Report for VerifyReport {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("address", Align::Left),
            ("sound", Align::Left),
            ("index", Align::Right),
            ("accounts", Align::Right),
            ("transfers", Align::Right),
            ("digest", Align::Left),
        ]);
        for node in &self.nodes {
            table.row(vec![
                node.id.to_string(),
                node.address.clone(),
                if node.sound { "yes" } else { "NO" }.to_owned(),
                node.index.to_string(),
                output::count(node.account_count),
                output::count(node.transfer_count),
                node.digest.clone(),
            ]);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for sums in &self.ledgers {
            notes.push(format!(
                "ledger {}{}{}: debits posted {}, credits posted {}; pending {} and {}",
                sums.ledger,
                if sums.currency.is_empty() { "" } else { " " },
                sums.currency,
                output::scaled(&sums.debits_posted, sums.scale),
                output::scaled(&sums.credits_posted, sums.scale),
                output::scaled(&sums.debits_pending, sums.scale),
                output::scaled(&sums.credits_pending, sums.scale),
            ));
        }
        if self.ok {
            notes.push(format!(
                "The books are right: debits equal credits, and {} nodes have the same digest at index {}.",
                self.nodes.len(),
                self.index
            ));
        }
        notes.extend(
            self.findings
                .iter()
                .map(|finding| format!("WRONG: {finding}")),
        );
        notes
    }
}
