//! Proves that an external statement, a bank's or a payment rail's, equals what a ledger account says, and lists what does
//! not.
//!
//! Three steps: [`csv::read`] or [`camt::read`] makes a [`Statement`] out of a file, whole or not at all;
//! [`LedgerEntry::settled`] makes the other side out of an account's transfers; [`reconcile()`] compares them and gives a
//! [`Report`]. Every entry of both sides ends in exactly one of six classes, and the classes' sums add up to the sides':
//! that is checked at every run, and a run that cannot show it stops.
//!
//! Amounts are integers in the ledger's smallest unit from the first byte on; text that is not exactly such an amount is an
//! error, never rounded. What can be explained in more than one way is reported as ambiguous, never guessed.
//!
//! It deliberately knows no clock, no network, no files (it reads from [`std::io::Read`] and writes through serde), no
//! threads, no nodes and no SDK: where transfers come from and where a report goes is up to the caller.
//!
//! Where to start reading: [`mod@reconcile`](reconcile()) and the module `matching` behind it for the rules in order,
//! [`Rule`] for their names, `docs/reference/reconcile.md` for formats and the report's schema.
//!
//! ```
//! use farthing_reconcile::{Class, Direction, LedgerEntry, Options, Reading, csv, reconcile};
//!
//! let file = "id,amount,currency,time,description\n\
//!             77,12.50,EUR,2026-01-31,top-up\n\
//!             78,-3.00,EUR,2026-01-31,fee\n";
//! let statement = csv::read(file.as_bytes(), &csv::CsvOptions::standard(), &Reading::new(2))?;
//! // Our account for money at the bank: what the bank credits to us stands on its debit side.
//! let top_up = LedgerEntry {
//!     id: 77,
//!     amount: 1250,
//!     direction: Direction::Debit,
//!     timestamp: 1_769_860_800_000_000_000,
//!     user_data_128: 0,
//!     user_data_64: 0,
//!     user_data_32: 0,
//! };
//! let ledger = [top_up];
//! let report = reconcile(&statement, &ledger, &Options::default())?;
//! assert!(!report.agrees());
//! let missing: Vec<_> = report.items(&[Class::Missing]).collect();
//! assert_eq!(missing[0].statement[0].amount.to_string(), "3.00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// A float, a silent loss or an unwrapped option has no business near money.
#![deny(clippy::float_arithmetic, clippy::unwrap_used, clippy::expect_used)]

mod amount;
pub mod camt;
pub mod csv;
mod direction;
mod error;
mod format;
mod ledger_entry;
mod limits;
mod matching;
mod reference;
mod report;
pub mod rows;
mod statement;
mod time;

pub use amount::NumberFormat;
pub use direction::{Direction, Sides};
pub use error::{Place, Problem, StatementError};
pub use format::Format;
pub use ledger_entry::{LEDGER_ENTRY_BYTES, LedgerEntry};
pub use limits::Limits;
pub use matching::{
    Class, Doubt, ENTRIES_MAX, Field, Options, ReconcileError, Rule, Sums, reconcile,
    reconcile_deriving,
};
pub use report::{
    ClassSummary, DetailItem, Finding, Item, LedgerItem, Line, Money, Proof, Reason, Report,
    RuleSummary, SignedMoney, StatementItem, Summary, Tally,
};
pub use statement::{
    Balance, Builder, Check, CheckKind, Detail, ENTRY_BYTES, Entry, NewDetail, NewEntry, Reading,
    Reference, Section, SectionSums, Skipped, Stated, Statement,
};
pub use time::{DAY_NS, Span, TimeFormat};
