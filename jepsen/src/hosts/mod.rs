//! Hosts: every node a real process, and a network between them that can be broken.
//!
//! It knows how to lay nodes out, start and end them, and what every byte between two hosts goes through. It
//! deliberately does not know why something is broken, or what the clients do: that is [`crate::nemesis`] and
//! [`crate::workload`]. It never touches an address outside 127.0.0.0/8.
//!
//! Start at [`Cluster`]; the network is a [`Links`] table that the [`Proxy`]s obey.

mod cgroup;
mod cluster;
mod connections;
mod layout;
mod links;
mod netns;
mod node;
mod pipe;
mod process;
mod proxy;

pub use cgroup::Quota;
pub use cluster::Cluster;
pub use layout::Layout;
pub use links::{CLIENTS, Link, Links};
pub use netns::Namespaces;
pub use node::{Expected, Node};
pub use process::{Exit, NodeProcess, Output};
pub use proxy::Proxy;
