//! Loads payments from a CSV file as ordinary transfers.
//!
//! Rows become transfers by a fixed plan: ids are derived from the file's own names, the original time goes to
//! `user_data_64`. Sending a row twice therefore changes nothing, which is what survives every crash, on either side,
//! and needs no checkpoint. A record in the ledger's store says how far the file was imported, so that a second run
//! need not send it all again; it is believed only when the rows at hand have the same fingerprint.
//!
//! Data flows one way: `crate::source` (bytes) -> `rows` (transfers) -> `batches` (a thread that reads ahead) -> `sending`
//! (a few batches at once, answers in order) -> `report`; `run` puts them together.

mod accounts;
mod batches;
mod columns;
mod derive;
mod plan;
mod progress;
mod report;
mod rows;
mod run;
mod sending;
mod tally;
mod time;
mod top;

use std::io::Read;

use farthing_ledger::{Account, Transfer};

use crate::failure::Failure;

pub use columns::Columns;
pub use derive::Deriver;
pub use plan::{Options, Plan};
pub use progress::PROGRESS_NAMESPACE;
pub use report::{ImportReport, Refusals, TopAccount};
pub use rows::BadRow;
pub use run::{ImportOutcome, run};

/// The rows of a file as an import reads them, at most `rows_max`, and the accounts they name: for tests that hand it
/// hostile files.
///
/// # Errors
/// When the header line lacks a column or the file cannot be read.
#[doc(hidden)]
#[allow(clippy::type_complexity)] // a type of its own would be one more thing that only tests use
pub fn read_rows(
    input: Box<dyn Read + Send>,
    plan: Plan,
    rows_max: usize,
) -> Result<(Vec<Result<Transfer, BadRow>>, Vec<Account>), Failure> {
    let (mut rows, mut accounts) = (Vec::new(), Vec::new());
    let mut reader = rows::Rows::new(input, plan)?;
    while rows.len() < rows_max
        && let Some(row) = reader.next(&mut accounts)?
    {
        rows.push(match row {
            rows::Row::Payment(_, transfer) => Ok(transfer),
            rows::Row::Bad(bad) => Err(bad),
        });
    }
    Ok((rows, accounts))
}
