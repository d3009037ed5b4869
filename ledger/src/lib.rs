//! The accounting core of Farthing: accounts, transfers, ledgers and records, the statuses they are answered with,
//! and one pure function, [`apply`], that turns a replicated entry into results and changes.
//!
//! It is deterministic by construction: equal state and equal entry bytes give equal results on every machine. For
//! that it deliberately knows no clock, no randomness, no I/O, no threads, no floats and no unordered iteration, and
//! it depends on the standard library only. It does not know how entries are replicated, how state is stored, what
//! the wire looks like, or who the caller is: a principal is opaque bytes.
//!
//! Where to start reading: [`Transfer`] and [`CreateTransferStatus`] for the model, [`entry`] for the bytes that are
//! replicated, [`state`] for `apply` and the one file per command behind it, [`MemoryState`] for the smallest state
//! that works.
//!
//! ```
//! use farthing_ledger::{Account, AccountId, EntryBuilder, EntryReader, MemoryState, RequestBuilder, apply};
//!
//! let account = Account { id: AccountId(1), ledger: 700, code: 10, ..Account::default() };
//! let mut builder = EntryBuilder::new(1_000);
//! builder.push(&RequestBuilder::new(b"").accounts(&[account]).finish()?)?;
//! let bytes = builder.finish();
//!
//! let mut state = MemoryState::new();
//! let applied = apply(&state, &EntryReader::new(&bytes)?)?;
//! assert_eq!(applied.results[0].sections[0][0].status, 0);
//! state.absorb(&applied.changes);
//! assert_eq!(state.accounts().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// A float, a silent cast or an unwrapped option has no business near money.
#![deny(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
#![deny(clippy::cast_possible_wrap, clippy::unwrap_used, clippy::expect_used)]

mod account;
pub mod amount;
mod bytes;
mod changes;
pub mod entry;
mod event;
mod event_filter;
mod filter;
mod flags;
pub mod id_map;
mod ids;
pub mod invariants;
mod ledger;
mod memory;
pub mod packed;
mod pending;
mod planted;
mod record;
mod result;
mod setting;
pub mod state;
mod status;
mod transfer;

pub use account::{Account, AccountFlags, Balances};
pub use changes::{
    AccountChange, Changes, LedgerChange, NamespaceChange, PendingChange, RecordChange,
    SettingChange, TransferRow,
};
pub use entry::{
    EntryBuilder, EntryError, EntryReader, Request, RequestBuilder, Section, SectionKind,
};
pub use event::{Event, EventBody, EventError};
pub use event_filter::{EventFilter, KIND_TRANSFER};
pub use filter::{AccountFilter, Order, Sides, TransferFilter};
pub use ids::{AccountId, TransferId};
pub use ledger::{Ledger, LedgerFlags, SCALE_MAX};
pub use memory::MemoryState;
pub use pending::{Pending, PendingStatus};
#[cfg(feature = "planted")]
pub use planted::plant;
pub use planted::planted;
pub use record::{
    NAMESPACE_BYTES_MAX, NAMESPACE_ROWS_MAX, NamespaceTotals, RECORD_KEY_BYTES_MAX,
    RECORD_VALUE_BYTES_MAX, Record, RecordFlags, RecordItem, RecordKey, VERSION_ABSENT,
    VERSION_ANY,
};
pub use result::{ItemResult, RequestResults};
pub use setting::{FEATURE_LEVEL_MAX, SETTING_FEATURE_LEVEL, Setting};
pub use state::{
    Applied, Applier, Broken, Clock, Due, Keys, Seen, View, apply, round_one, round_two,
};
pub use status::{
    CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, SettingStatus, WriteRecordStatus,
};
pub use transfer::{Transfer, TransferFlags};

/// The highest timestamp there is, in ns: 2^63 - 1, in the year 2262.
pub const TIMESTAMP_MAX: u64 = (1 << 63) - 1;

/// The amount that means "all of it" or "as much as possible" where a rule says so.
pub const AMOUNT_MAX: u128 = u128::MAX;

/// Nanoseconds in a second: timeouts are in seconds, timestamps in nanoseconds.
pub const NS_PER_S: u64 = 1_000_000_000;
