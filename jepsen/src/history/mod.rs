//! Histories: what the clients of a run, its nemesis and the harness itself saw, one JSON line for each event.
//!
//! It knows the format and nothing of what is right or wrong in it: that is [`crate::check`]. Start at [`Event`];
//! a run writes through [`Recorder`], a checker reads through [`Reader`]. The format is described, with examples, in
//! `jepsen/README.md`.

mod accounts;
mod cursors;
mod event;
mod followed;
mod function;
mod lines;
mod number;
mod queries;
mod reader;
mod recorder;
mod transfers;
mod values;
mod writer;

pub use accounts::AccountState;
pub use cursors::{CursorOpen, CursorSave};
pub use event::{Event, Facts, Kind, Process};
pub use followed::Followed;
pub use function::Function;
pub use number::{Hex, Number};
pub use queries::{About, Amounts, Change, Filter, Page, Query, Rows, Statement, Sum};
pub use reader::{HistoryError, Reader, read_all};
pub use recorder::{Call, Recorder};
pub use transfers::{Lookup, TransferRow};
pub use values::{
    Answer, Consistency, Fault, FinalRead, Outcome, PendingRow, Phase, ReadIds, ReadReply,
    RunFacts, Value,
};
pub use writer::Writer;
