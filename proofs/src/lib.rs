//! Proofs about the event stream that need nothing but themselves: no database, no node, no network.
//!
//! Every event is a leaf of one growing Merkle tree, as RFC 6962 and RFC 9162 define it: event `n` of the dense sequence,
//! which begins at 1, is leaf `n - 1`. A node signs [checkpoints](Checkpoint) of it, the tree's size and root. From then on
//! - an inclusion proof shows that an event is in the tree of a checkpoint ([`inclusion::verify`]);
//! - a consistency proof shows that the tree of one checkpoint begins with that of an earlier one
//!   ([`consistency::verify`]), which is to say that nothing in it was changed or left out.
//!
//! Both are about twice as many hashes as the tree is high: 60 for a thousand million events.
//!
//! An exported history ([`export`]) and a [`Proof`] are files that somebody can check who has nothing but them and a key;
//! [`check`] does, and the program `farthing-verify` is little more than that.
//!
//! It deliberately knows no clock, no randomness and no network, and it writes no files. Where to start reading:
//! [`Frontier`] for how a tree grows, then [`inclusion`], then [`export`].

pub mod change;
pub mod check;
mod checkpoint;
pub mod consistency;
mod error;
pub mod export;
mod frontier;
mod hash;
pub mod inclusion;
mod json;
mod keys;
mod proof_file;
mod subtrees;

pub use change::Change;
pub use checkpoint::{Checkpoint, Note, Signature};
pub use error::{NoteError, ProofError};
pub use frontier::Frontier;
pub use hash::{HASH_BYTES, Hash};
pub use keys::{KEY_NAMESPACE, KeyId, Signer, Verifier, key_name, key_record, origin};
pub use proof_file::{PROOF_BYTES_MAX, Proof, ProofFileError};
pub use subtrees::Subtrees;
