//! What consumers of the event stream do with their cursors.

use serde::{Deserialize, Serialize};

use super::number::is_default;

/// `cursor-open`, invoked; the answer is the sequence that was saved last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CursorOpen {
    /// Its name.
    pub cursor: String,
    /// Of this consumer: from an open to the next one.
    pub session: u64,
}

/// `cursor-save`, invoked; answered when it is saved, failed when the consumer learns that another one goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CursorSave {
    /// Its name.
    pub cursor: String,
    /// Of this consumer.
    pub session: u64,
    /// The last sequence that the consumer knows to be saved.
    pub from: u64,
    /// What it saves: it was given every event up to here.
    pub to: u64,
    /// What was wrong with the events in between, in words.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wrong: Vec<String>,
}
