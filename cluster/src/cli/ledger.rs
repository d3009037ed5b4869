//! `farthing ledger`: numbers with their currency and decimals.

use std::process::ExitCode;

use clap::Subcommand;
use farthing_ledger::{Ledger, LedgerFlags};
use serde::Serialize;

use super::globals::Globals;
use super::items::created_or_refused;
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{Align, Printer, Report, Table};

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Register a ledger, once and for ever.
    Create {
        /// Its number, from 1.
        number: u32,
        /// Its currency: 1 to 16 of A-Z 0-9 . _ -
        #[arg(long, value_name = "CODE")]
        currency: String,
        /// Decimals of its amounts, 0 to 38.
        #[arg(long, value_name = "DIGITS")]
        scale: u8,
    },
    /// Show ledgers by number.
    Get {
        /// Their numbers.
        #[arg(required = true)]
        numbers: Vec<u32>,
    },
    /// Show every ledger.
    List,
}

#[derive(Debug, Serialize)]
struct LedgerRow {
    number: u32,
    currency: String,
    scale: u8,
    registered: bool,
    timestamp: u64,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Ledgers(Vec<LedgerRow>);

impl From<Ledger> for LedgerRow {
    fn from(ledger: Ledger) -> Self {
        Self {
            number: ledger.ledger,
            currency: ledger.currency().unwrap_or_default().to_owned(),
            scale: ledger.scale,
            registered: ledger.flags.contains(LedgerFlags::REGISTERED),
            timestamp: ledger.timestamp,
        }
    }
}

impl Report for Ledgers {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("number", Align::Right),
            ("currency", Align::Left),
            ("scale", Align::Right),
            ("registered", Align::Left),
        ]);
        for row in &self.0 {
            table.row(vec![
                row.number.to_string(),
                row.currency.clone(),
                row.scale.to_string(),
                if row.registered { "yes" } else { "no" }.to_owned(),
            ]);
        }
        table
    }
}

impl LedgerCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        match self {
            Self::Create {
                number,
                currency,
                scale,
            } => {
                let ledger = Ledger::new(number, &currency, scale);
                let outcomes = client.create_ledgers(&[ledger]).await.map_err(failure)?;
                let answer = outcomes.first().map(|outcome| outcome.status.into());
                created_or_refused("ledger", printer, answer)?;
                let ledgers = client.lookup_ledgers(&[number]).await.map_err(failure)?;
                printer.print(&Ledgers(
                    ledgers.into_iter().flatten().map(Into::into).collect(),
                ))?;
            }
            Self::Get { numbers } => {
                let found = client.lookup_ledgers(&numbers).await.map_err(failure)?;
                let missing: Vec<String> = numbers
                    .iter()
                    .zip(&found)
                    .filter(|(_, ledger)| ledger.is_none())
                    .map(|(number, _)| number.to_string())
                    .collect();
                printer.print(&Ledgers(
                    found.into_iter().flatten().map(Into::into).collect(),
                ))?;
                if !missing.is_empty() {
                    return Err(Failure::new(
                        Code::NotFound,
                        format!("ledger {} is not there", missing.join(", ")),
                    ));
                }
            }
            Self::List => {
                let ledgers = client.ledgers().await.map_err(failure)?;
                printer.print(&Ledgers(ledgers.into_iter().map(Into::into).collect()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
