//! Calls between hosts over the simulated network: what HTTP/2 over TCP is to a node.
//!
//! A call is a sequence of frames each way, every frame one datagram of turmoil's network, which delays, loses and
//! reorders them one by one. Frames of one end are put back in order; one that stays missing breaks the call, as a
//! connection breaks, and so does silence. What travels in the frames are the node's own gRPC messages: its peers'
//! client and server are real, only HTTP/2 below them is not.

mod body;
mod message;
mod port;

pub use port::{Port, Service, set_closed};
pub(crate) use port::{read_all, through, whole};
