//! Bootstrap, run and operate clusters of Farthing, and load, check and measure them.
//!
//! The binary `farthing` is a thin shell over [`cli`], which parses flags and prints; the work is in the other
//! modules and takes plain values, so that tests and other tools can call it.
//!
//! What this crate deliberately does not know: how a node works. It starts `farthing-node` as a process, talks to it
//! through the SDK like any other client, and reads nothing of a node's directory but its own files there (the
//! configuration it wrote, the ready line, the process id, the text log). Nothing here holds state that the ledger
//! needs to be right: delete every file of this crate's making and the money is untouched.
//!
//! Start reading at [`local`] for a cluster on this machine, [`import`] for loading payments, [`verify`] for checking
//! the books, [`mod@reconcile`] for comparing an account with a bank's statement, [`mod@bench`] for measuring.

pub mod bench;
pub mod cli;
pub mod connect;
pub mod demo;
mod display;
pub mod explain;
pub mod failure;
pub mod import;
pub mod inspect;
pub mod latency;
pub mod local;
pub mod node_program;
pub mod output;
pub mod reconcile;
pub mod settings;
mod source;
pub mod verify;
