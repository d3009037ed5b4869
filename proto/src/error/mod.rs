//! Why a call was refused: stable reasons for programs, details for people.
//!
//! A refused *item* is data and never comes here. A refused *call* is a gRPC status
//! whose details carry an `ErrorInfo` (domain [`DOMAIN`], the reason's text), a
//! `BadRequest` with field paths, a `RetryInfo`, and the leader's address. On a
//! stream the same facts travel as a [`Refusal`](crate::v1::Refusal) message.
//! [`Refused`] is both, and converts both ways without loss.

mod reason;
mod refused;

pub use reason::Reason;
pub use refused::{FieldError, Refused};

/// `ErrorInfo.domain` of everything Farthing refuses.
pub const DOMAIN: &str = "farthing";

/// `ErrorInfo.metadata` key of the leader's client address.
pub const LEADER: &str = "leader";

/// Trailing metadata by which a server tells gRPC clients with a built-in retry
/// policy when to come back.
pub const RETRY_PUSHBACK: &str = "grpc-retry-pushback-ms";
