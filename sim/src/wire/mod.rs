//! Calls between hosts over the simulated network: what HTTP/2 over TCP is to a node.
//!
//! A call is a sequence of frames each way, every frame one datagram of turmoil's network, which delays, loses and
//! reorders them one by one. Frames of one end are put back in order; one that stays missing breaks the call, as a
//! connection breaks, and so does silence. What travels in the frames are the node's own gRPC messages: its peers'
//! client and server are real, only HTTP/2 below them is not.
//!
//! Start reading at [`Port`], then `call` (what is known of a call), `client` and `server` (its two ends).

mod body;
mod call;
mod client;
mod message;
mod port;
mod server;

pub(crate) use body::{read_all, whole};
pub use port::{Port, set_closed};
pub use server::Service;
pub(crate) use server::through;
