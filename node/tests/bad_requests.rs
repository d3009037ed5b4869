//! Requests that no honest client sends: each is answered with its own code, reason and field paths, changes nothing,
//! and leaves a node that serves the next caller.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "bad_requests/amounts.rs"]
mod amounts;
#[path = "bad_requests/deadlines.rs"]
mod deadlines;
#[path = "bad_requests/fields.rs"]
mod fields;
#[path = "bad_requests/frames.rs"]
mod frames;
#[path = "bad_requests/overload.rs"]
mod overload;
#[path = "bad_requests/packed.rs"]
mod packed;
#[path = "bad_requests/peers.rs"]
mod peers;
#[path = "bad_requests/sizes.rs"]
mod sizes;
#[path = "bad_requests/strangers.rs"]
mod strangers;
#[path = "bad_requests/world.rs"]
mod world;
