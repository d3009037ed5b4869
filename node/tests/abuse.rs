//! Connections that break the rules of HTTP/2, or keep them and mean harm. Whatever comes, on either listener: an honest
//! client goes on meanwhile, the node does not grow, the connection is ended or contained, and nothing spins afterwards.
//!
//! Frames are written by hand ([`wire`]); what is common to all attacks is in [`honest`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

#[path = "abuse/crowd.rs"]
mod crowd;
#[path = "abuse/floods.rs"]
mod floods;
#[path = "abuse/held.rs"]
mod held;
#[path = "abuse/honest.rs"]
mod honest;
#[path = "abuse/rules.rs"]
mod rules;
#[path = "abuse/slow.rs"]
mod slow;
#[path = "abuse/strange.rs"]
mod strange;
#[path = "abuse/wire.rs"]
mod wire;
