//! The event stream as a subscriber sees it, and the proofs that it is what it was.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "events/following.rs"]
mod following;
#[path = "events/proving.rs"]
mod proving;
#[path = "events/stream.rs"]
mod stream;
