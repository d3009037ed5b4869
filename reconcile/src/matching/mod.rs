//! Which entries of the statement are which entries of the ledger.
//!
//! Five passes, from what proves most to what proves least; what one pass settles no later one touches:
//!
//! 1. a reference names one transfer, and amount and direction are equal ([`by_reference`]);
//! 2. references tie one entry to several transfers, or several entries to one, and their sums are equal; what names the
//!    same transfer and differs is *different*;
//! 3. equal amounts close in time, where there is one way to pair them ([`by_time`]);
//! 4. sums close in time, where there is one way to make them ([`by_sum`]);
//! 5. the rest is *missing* (the statement has it, the ledger has not) or *extra* (the other way round), or *outside*: the
//!    ledger has it at a time that the statement does not cover.
//!
//! Where there is more than one way the entries are *ambiguous*: a guess that looks like a proof is worse than none.
//!
//! Everything is sorted before it is compared and nothing depends on addresses, hashes or time: equal inputs give equal
//! reports, in whatever order the ledger's entries come.
//!
//! Cost for `n` entries of both sides: O(n log n) for passes 1 to 3; pass 4 looks at the candidates of each entry that
//! is left, and stops at [`Sums::steps_max`].

mod by_reference;
mod by_sum;
mod by_time;
mod combinations;
mod components;
mod groups;
mod options;
mod runs;
mod sum_outcome;
mod sum_search;
mod work;

pub use groups::{Class, Doubt, Rule};
pub(crate) use groups::{Group, Verdict};
pub use options::{Field, Options, Sums};
pub(crate) use work::Work;

use crate::ledger_entry::LedgerEntry;
use crate::report::Report;
use crate::statement::Statement;

/// Why two sides cannot be compared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The ledger's entries name a transfer twice: pages that overlap, or two accounts in one list.
    #[error(
        "the ledger's entries have the transfer {0:#x} twice; give each transfer of the account once"
    )]
    TransferTwice(u128),
    /// The ledger's debits or credits come to more than 2^128 - 1, which no account can.
    #[error("the ledger's entries come to more than 2^128 - 1; are they of one account?")]
    Total,
    /// More entries than can be numbered.
    #[error("more than {max} entries on one side; reconcile a shorter period")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

/// Entries of one side at most.
pub const ENTRIES_MAX: usize = 1 << 30;

/// Compares a statement with a ledger account's settled transfers of the same period, and some around it: what was booked
/// just before the period on one side may be in it on the other.
///
/// # Errors
/// [`ReconcileError`] when the ledger's entries cannot be those of one account.
pub fn reconcile<'a>(
    statement: &'a Statement,
    ledger: &'a [LedgerEntry],
    options: &Options,
) -> Result<Report<'a>, ReconcileError> {
    reconcile_deriving(statement, ledger, options, |_| None)
}

/// The same for ledgers whose ids or user data are derived from the other party's references: `derive` makes the number
/// of a reference's text. Texts that are numbers are compared as such, too.
///
/// # Errors
/// As [`reconcile`].
pub fn reconcile_deriving<'a>(
    statement: &'a Statement,
    ledger: &'a [LedgerEntry],
    options: &Options,
    derive: impl Fn(&str) -> Option<u128>,
) -> Result<Report<'a>, ReconcileError> {
    let mut work = Work::new(statement, ledger, options)?;
    let keys = by_reference::Keys::of(statement, &derive);
    for field in options.fields() {
        by_reference::pairs(&mut work, &keys, field);
    }
    for field in options.fields() {
        by_reference::groups(&mut work, &keys, field);
    }
    for field in options.fields() {
        by_reference::differences(&mut work, &keys, field);
    }
    by_time::pairs(&mut work);
    let not_searched = match &options.sums {
        Some(sums) => by_sum::sums(&mut work, sums),
        None => 0,
    };
    // Of many who share a name, one entry and one transfer may be left by now.
    for field in options.fields() {
        by_reference::differences(&mut work, &keys, field);
    }
    drop(keys);
    work.settle_rest();
    Ok(Report::new(work.finish(), not_searched))
}
