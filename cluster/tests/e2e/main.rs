//! Real nodes, real crashes: a cluster of three processes is killed, paused and restarted while payments are being
//! imported, and afterwards every payment must exist once and every balance must equal a plain recomputation of the
//! file.
//!
//! The node program is `farthing-node` beside `farthing`, or what `FARTHING_NODE_BIN` names.
#![allow(clippy::unwrap_used)]

mod commands;
mod demo;
mod events;
mod faults;
mod members;
mod offline;
mod operating;
mod payments;
mod prompt;
mod queries;
mod recipes;
mod reconcile;
mod settlement;
mod support;
mod terminal;
mod vectors;
