//! Bank statements as ISO 20022 camt.053 (`Document/BkToCstmrStmt`), versions .001.02 to .001.13.
//!
//! Elements are known by their local names; namespaces and prefixes do not matter, so that all versions are read alike.
//! What differs between versions and is needed here: a status is text (02) or has a code inside (from 04); a
//! transaction's amount stands in `AmtDtls/TxAmt` (02) or directly in `TxDtls`.
//!
//! An entry (`Ntry`) is one booking, however many transactions (`TxDtls`) it has: it becomes one entry with details. Its
//! direction is that of `CdtDbtInd`, also for a reversal (`RvslInd`): the standard says there what the reversal itself
//! does to the account, not what was reversed.
//!
//! Nothing is fetched or expanded: a document type definition is refused, and of entities only XML's own five and
//! characters by number are known.

mod document;
mod entry;
mod names;
mod section;
mod source;
mod values;
mod walk;

use std::io::Read;

use crate::error::StatementError;
use crate::statement::{Reading, Statement};

/// Which date of an entry counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum EntryDate {
    /// When it was booked (`BookgDt`); its value date if that is all it has.
    #[default]
    Booking,
    /// From when it counts for interest (`ValDt`); its booking date if that is all it has.
    Value,
}

/// What to take from a camt.053 file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CamtOptions {
    /// The account, as the statement names it (an IBAN, or what stands in `Othr/Id`); spaces and case do not count.
    /// `None`: the only one in the file.
    pub account: Option<String>,
    /// Statuses of entries that count. `BOOK` unless told: pending (`PDNG`) and merely informative (`INFO`) entries have
    /// not moved money.
    pub statuses: Vec<String>,
    /// Which date counts.
    pub date: EntryDate,
}

impl Default for CamtOptions {
    fn default() -> Self {
        Self {
            account: None,
            statuses: vec!["BOOK".to_owned()],
            date: EntryDate::Booking,
        }
    }
}

/// Reads all statements of a file as one, in their order, element by element.
///
/// # Errors
/// The first thing that is wrong; see [`Problem`](crate::Problem). Balances and sums that do not fit are no errors but
/// failed [checks](Statement::checks).
pub fn read(
    input: impl Read,
    options: &CamtOptions,
    reading: &Reading,
) -> Result<Statement, StatementError> {
    let mut document = document::Document::new(options, reading)?;
    walk::walk(input, &reading.limits, &mut document)?;
    document.finish()
}
