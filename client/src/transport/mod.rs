//! How a request gets to the leader and its answer back.
//!
//! [`lane`] multiplexes requests over one stream, [`node`] is a connected node with its
//! lanes, [`router`] finds the leader and holds answers to the cluster id, [`failure`]
//! says what a lost or refused exchange means. Nothing here knows what a transfer is.

pub(crate) mod backoff;
pub(crate) mod failure;
pub(crate) mod lane;
pub(crate) mod node;
pub(crate) mod router;
