//! Settlement apart from initiation: a worker that follows pending transfers and posts or voids each as its owner decides.
//!
//! Whoever initiates a payment creates a pending transfer and goes on; a [`SettlementWorker`] reads it from the event
//! stream, asks a function of yours what is to become of it, and carries that out. Killed at any moment it loses none and
//! repeats none:
//!
//! - **None is lost**: its place in the stream is a [`Cursor`](crate::events::Cursor), which passes a pending transfer
//!   only when that has met its end: posted, voided, expired, or ended by somebody else. What was open when it died is
//!   read again.
//! - **None is repeated**: the transfer that posts or voids has an id made from the pending transfer's
//!   ([`settlement_id`]). Sent again, by the same worker, a later one or two at once, it is applied once.
//! - **What a decision came to is what the ledger says**: a void that is decided after a crash, when the post was carried
//!   out before, is told as posted ([`Settlement::contradicts`]).
//!
//! Your function may be asked about one transfer more than once: after a crash, after [`Decision::Later`] and after an
//! error of its own. What it does outside must bear that; the pending transfer's id is the key for it.
//!
//! It deliberately knows no rail, and remembers nothing outside of the ledger. Start reading at
//! [`SettlementWorker::builder`]; `worker` holds the loop, `table` what is open, `attempt` one transfer's way.
//!
//! ```no_run
//! # use farthing_client::{Client, Error};
//! use farthing_client::events::EventFilter;
//! use farthing_client::settlement::{Decision, SettlementWorker};
//!
//! # async fn example(client: Client) -> Result<(), Error> {
//! let filter = EventFilter { ledger: Some(840), ..EventFilter::default() };
//! let worker = SettlementWorker::builder(&client, "cards")
//!     .filter(filter)
//!     .build(|pending| async move {
//!         // Ask the rail, by `pending.transfer.id`; it may take its time.
//!         Ok(if pending.transfer.code == 7 { Decision::Void } else { Decision::Post })
//!     })?;
//! let stop = async { let _ = tokio::signal::ctrl_c().await; };
//! let progress = worker.run(stop).await?;
//! println!("{} posted, {} voided", progress.posted, progress.voided);
//! # Ok(())
//! # }
//! ```

mod attempt;
mod builder;
mod carry_out;
mod decision;
mod id;
mod progress;
mod reader;
mod run;
mod start;
mod table;
mod worker;

pub use self::builder::{OPEN_MAX, SettlementBuilder, StartFrom};
pub use self::decision::{
    AfterRefusal, BoxError, Decision, PendingTransfer, Refusal, RefusalCause, Settlement,
};
pub use self::id::settlement_id;
pub use self::progress::{ProgressHandle, SettlementProgress};
pub use self::worker::SettlementWorker;
