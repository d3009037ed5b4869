//! A disk that can be broken under a running node: a file system of our own (FUSE) that a node's directory lies on.
//!
//! It keeps what was written and what was synced apart, so that its power can be cut; it fails, fills up and dawdles on
//! command, by [`Zone`]. It promises what POSIX does and not a word more: bytes are durable after `fsync` of the file,
//! a name after `fsync` of its directory. File systems of the day keep more, and nobody should count on that. It
//! deliberately does not know what a node is; the zones are patterns of names.
//!
//! Start at [`Disk`], which is mounted; [`Store`] is what it does, without a kernel.

mod content;
mod faults;
mod mount;
mod names;
mod serve;
mod store;
#[cfg(test)]
mod tests;
mod zone;

pub use faults::{Faults, NoSpace};
pub use mount::{Disk, available, sweep};
pub use store::Store;
pub use zone::Zone;

use rand::rngs::StdRng;

/// What outlives a loss of power beside what was synced.
#[derive(Debug)]
pub enum Survival<'a> {
    /// Nothing.
    Nothing,
    /// Some blocks, some of them torn, and the first so many changes of names: what a disk may have got round to.
    Some(&'a mut StdRng),
}
