//! Hostile bytes for every decoder of Farthing: what a stranger, a peer, a disk or an operator gives it.
//!
//! A [`Part`] is one decoder with what must hold for any bytes at all: no panic, an error instead of a guess, what
//! was read can be written and read again as the same, and no more memory than the bytes themselves justify. The same
//! function is run by a fuzzer (`make fuzz`, which needs a nightly toolchain) and by [`rounds`], seeded mutations of
//! [`Target::seeds`] on any toolchain (`cargo test`).
//!
//! It deliberately does not know how the decoders work, and does not look inside: each target uses what a caller of
//! the decoder uses. Start reading at [`TARGETS`].

pub mod budget;
pub mod corpus;
pub mod mutate;
mod random;
mod targets;

pub use mutate::rounds;
pub use targets::{Part, TARGETS, Target, target};
