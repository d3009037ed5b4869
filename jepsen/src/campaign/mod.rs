//! Campaigns: one question, asked so often that the answer is a figure.
//!
//! Two kinds. A *judged* campaign ([`Judged`]) is many short runs of the same nemeses, each checked as any run, until
//! so many faults have been injected. A *measured* one lets open-loop or closed-loop load run against nodes with
//! nothing of ours in between, and says how long, how slow, how much. Both append a line for every piece to a file
//! of results and go on where that file ends.
//!
//! It deliberately does not judge histories: that is [`crate::check`].

mod bench;
mod follower;
mod judged;
mod leader;
mod lines;
mod overload;
mod stream;

pub use bench::Setup;
pub use follower::follower_dead;
pub use judged::Judged;
pub use leader::leader_kill;
pub use lines::Lines;
pub use overload::overload;
