//! The nemesis: what is broken, when, and how it is mended.
//!
//! It knows the nodes as processes, files and ends of a network. It deliberately does not know what clients do nor
//! what follows from a fault. Every fault is in the history, with its beginning and its end; what a fault needs a
//! person for afterwards is a `hand`, in the history as well.
//!
//! Start at [`Name`], the list, and [`plan`]; [`Field`] is what a fault may touch. Disks that fail under a running node
//! are those of [`crate::disk`].

mod clock;
mod damage;
mod disks;
mod failpoints;
mod field;
mod files;
mod members;
mod names;
mod network;
mod operator;
mod plan;
mod processes;
mod replace;
mod run;

pub use failpoints::POINTS;
pub use field::Field;
pub use names::{Name, Target};
pub use plan::{Step, plan};
pub use replace::replace;
pub use run::run;
