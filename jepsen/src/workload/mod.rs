//! Workloads: what clients ask of a cluster while it is being broken.
//!
//! It knows what requests are worth sending and how the end of one call is called: `ok` when the cluster answered,
//! `fail` when it certainly did not happen, `info` when nobody knows. It deliberately does not know what a right answer
//! is (that is [`crate::check`]), nor what the nemesis does.
//!
//! Start at [`Name`], the list; [`Mix`] makes requests, a [`Remote`] carries one call to one node, [`drive`] lets
//! many workers do that.

mod answers;
mod drive;
mod kinds;
mod mix;
mod questions;
mod remote;
mod shared;

pub use drive::{Counts, Drive, drive};
pub use kinds::Name;
pub use mix::{Ask, Mix};
pub use questions::Listing;
pub use remote::{End, Remote};
pub use shared::{LEDGER, Shared};
