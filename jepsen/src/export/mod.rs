//! Histories for other people's checkers: Jepsen's EDN for Knossos and Elle, JSON lines for Porcupine.
//!
//! **The append view.** An account is a list of the transfers that touched it, in the order in which they took effect;
//! a transfer T from A to B is the transaction `[[:append A T] [:append B T]]`. The ledger does not hand such lists
//! out, but two things that clients saw fix them: the timestamp of every transfer, which orders all of them, and the
//! balance in a read, which says how much of the list that read saw. So a read of an account is exported as the list
//! of the transfers whose sum is the balance that was read; if no prefix of the list has that sum, the read saw
//! something impossible and is exported with an element of its own that nobody appended, which every checker refuses.
//! Only accounts without a limit flag, single-phase transfers and reads of accounts are in the view: a workload for it
//! uses nothing else.
//!
//! **The bank view.** `{:f :transfer, :value {:from A :to B :amount N}}` and `{:f :read, :value {A balance ...}}`, for
//! reads that see every account.
//!
//! It knows the format of histories and nothing about what is right. Start at [`export`].

mod append;
mod bank;
mod edn;
mod elements;
mod porcupine;

use std::io::{self, Write};

use crate::history::{Event, HistoryError};

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Every event, EDN.
    EdnFull,
    /// List-append for Elle, EDN.
    EdnAppend,
    /// The bank test, EDN.
    EdnBank,
    /// The append view for Porcupine, JSON lines.
    PorcupineAppend,
}

/// Why a history could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The export cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a history in another form.
///
/// # Errors
/// See [`ExportError`].
pub fn export(
    history: impl Iterator<Item = Result<Event, HistoryError>>,
    view: View,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    match view {
        View::EdnFull => {
            for event in history {
                edn::event(&event?, out)?;
            }
        }
        View::EdnBank => {
            for event in history {
                bank::event(&event?, out)?;
            }
        }
        View::EdnAppend | View::PorcupineAppend => {
            let events = history.collect::<Result<Vec<_>, _>>()?;
            let calls = append::calls(&events);
            match view {
                View::EdnAppend => append::edn(&calls, out)?,
                _ => porcupine::lines(&calls, out)?,
            }
        }
    }
    Ok(())
}
