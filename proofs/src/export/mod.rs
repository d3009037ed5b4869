//! Exported histories: the event stream as a file that explains itself and can be checked by whoever has it.
//!
//! One JSON object a line: a header that says which log it is of and where it begins, one line for each event, and a signed
//! checkpoint. A file has one form only, so exports of the same events are the same bytes on every node, and every altered
//! byte is noticed. The format is described in `docs/reference/event-export.md`.
//!
//! It does not know where events come from or which keys are to be trusted. Where to start reading: [`write_line`] for one
//! event, [`Writer`] for a file, [`verify`] for what makes it worth something.

mod error;
mod fields;
mod frame;
mod line;
mod lines;
mod verify;
mod write;

pub use crate::json::Expected;
pub use error::{Discontinuity, VerifyError, WriteError};
pub use frame::Header;
pub use line::{LineError, read_line, write_line};
pub use verify::{Progress, Verified, verify};
pub use write::Writer;

pub(crate) use error::names;
pub(crate) use frame::{HEADER_MARK, note_of, write_note};
pub(crate) use line::{read, same, write};
pub(crate) use lines::{Line, read_bounded};
pub(crate) use verify::signed_by;

/// A line of an exported history is no longer than this, in bytes: no reader needs more for it.
pub const LINE_BYTES_MAX: usize = crate::change::CHANGE_BYTES_MAX;
