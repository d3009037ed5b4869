//! One replica of Farthing.
//!
//! From the outside in: [`server`] speaks gRPC, [`admission`] turns requests into log entries, [`consensus`] makes them
//! the same on every node, [`state`] applies them by the rules of `farthing-ledger`, [`storage`] keeps the result,
//! [`log`] keeps the entries, [`vitals`] watches over disks and over the
//! agreement of states, [`query`] answers reads, [`disk`] is the small door to the file system below the log,
//! [`listener`] takes connections and bounds them.
//! A layer calls only those below it; a test reads the sources and keeps it so. [`run`] puts the parts together.
//!
//! It deliberately does not know the SDK, the operator's tool or any payment system: those are its clients.

pub mod admission;
#[cfg(feature = "failpoints")]
mod clock_file;
pub mod cold;
pub mod config;
pub mod consensus;
pub mod disk;
pub mod events;
#[doc(hidden)]
pub mod fuzzing;
pub mod inspect;
pub mod listener;
pub mod log;
pub mod meta;
mod node;
#[doc(hidden)]
pub mod planted;
pub mod query;
mod repair;
pub mod server;
pub mod state;
pub mod storage;
pub mod telemetry;
pub mod vitals;

pub use node::{Error, run};
