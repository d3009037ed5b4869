//! Loads payments from a CSV file as ordinary transfers.
//!
//! Rows become transfers by a fixed plan: ids are derived from the file's own names, the original time goes to
//! `user_data_64`. Sending a row twice therefore changes nothing, which is what survives every crash, on either side,
//! and needs no checkpoint. A record in the ledger's store says how far the file was imported, so that a second run
//! need not send it all again; it is believed only when the rows at hand have the same fingerprint.
//!
//! Data flows one way: `source` (bytes) -> `rows` (transfers) -> `batches` (a thread that reads ahead) -> `sending`
//! (a few batches at once, answers in order) -> `report`; `run` puts them together.

mod accounts;
mod batches;
mod columns;
mod derive;
mod display;
mod plan;
mod progress;
mod report;
mod rows;
mod run;
mod sending;
mod source;
mod tally;
mod time;
mod top;

pub use columns::Columns;
pub use derive::Deriver;
pub use plan::{Options, Plan};
pub use progress::PROGRESS_NAMESPACE;
pub use report::{ImportReport, Refusals, TopAccount};
pub use rows::BadRow;
pub use run::{ImportOutcome, run};
