//! What a lost or refused exchange means.

use std::time::Duration;

use farthing_proto::convert::id::format_id;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::metadata::cluster_id;
use tonic::{Code, Status};

use crate::error::Error;

/// Why one attempt has no answer.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The server said no, with its reason.
    Refused {
        address: String,
        refused: Box<Refused>,
    },
    /// The exchange was begun and its answer is lost.
    Lost { address: String, message: String },
    /// Nothing was sent: no connection, or no leader.
    NotSent { message: String },
    /// The transport refused it for good: not a Farthing server, or a newer one.
    Rejected { address: String, message: String },
    /// A server of another cluster.
    Mismatch {
        address: String,
        expected: String,
        found: String,
    },
}

impl Failure {
    /// What a gRPC status means. Without Farthing's own details it came from the
    /// transport or a proxy, and says nothing of what the server did.
    pub(crate) fn from_status(address: &str, status: &Status) -> Failure {
        let address = address.to_owned();
        if let Some(refused) = Refused::from_status(status) {
            return Failure::refused(address, refused, cluster_id(status.metadata()));
        }
        let message = format!("{:?}: {}", status.code(), status.message());
        match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented => Failure::Rejected { address, message },
            _ => Failure::Lost { address, message },
        }
    }

    /// What a refusal means; `found` is the cluster id that came with it.
    pub(crate) fn refused(
        address: String,
        refused: Refused,
        found: Result<Option<u128>, String>,
    ) -> Failure {
        if refused.reason != Some(Reason::ClusterIdMismatch) {
            return Failure::Refused {
                address,
                refused: Box::new(refused),
            };
        }
        Failure::Mismatch {
            address,
            expected: "this client's".to_owned(),
            found: match found {
                Ok(Some(id)) => format_id(id),
                Ok(None) => "another".to_owned(),
                Err(text) => text,
            },
        }
    }

    /// True when the request was certainly not and will never be applied.
    pub(crate) fn nothing_happened(&self) -> bool {
        match self {
            Failure::Refused { refused, .. } => refused.nothing_happened(),
            Failure::NotSent { .. } | Failure::Mismatch { .. } => true,
            Failure::Lost { .. } | Failure::Rejected { .. } => false,
        }
    }

    /// True when the same request can succeed later or on another node.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Failure::Refused { refused, .. } => match refused.reason {
                Some(reason) => reason.is_retryable(),
                // A reason of a newer server: its code is what the standard says of it.
                None => matches!(refused.code, Code::Unavailable | Code::Aborted),
            },
            Failure::Lost { .. } | Failure::NotSent { .. } => true,
            Failure::Rejected { .. } | Failure::Mismatch { .. } => false,
        }
    }

    /// True when the node should be left: it does not lead, goes down, or is lost. An
    /// overloaded leader, or one without room, is still the leader.
    pub(crate) fn leaves_node(&self) -> bool {
        match self {
            Failure::Refused { refused, .. } => !matches!(
                refused.reason,
                Some(
                    Reason::Overloaded
                        | Reason::DiskFull
                        | Reason::IndexNotReached
                        | Reason::Deadline
                        | Reason::InvalidField
                        | Reason::TooLarge
                )
            ),
            _ => true,
        }
    }

    /// The leader's address, when the server gave it.
    pub(crate) fn leader(&self) -> Option<&str> {
        match self {
            Failure::Refused { refused, .. } => refused.leader.as_deref(),
            _ => None,
        }
    }

    /// The server's hint when to come back.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Refused { refused, .. } => refused.retry_after,
            _ => None,
        }
    }

    /// The error of a call that ends with this failure and certainly was not applied.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::Refused { refused, .. } => (*refused).into(),
            Failure::Lost { address, message } => Error::NotReachable {
                message: format!("{address}: {message}"),
            },
            Failure::NotSent { message } => Error::NotReachable { message },
            Failure::Rejected { address, message } => Error::Unreadable { address, message },
            Failure::Mismatch {
                address,
                expected,
                found,
            } => Error::ClusterMismatch {
                address,
                expected,
                found,
            },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused { address, refused } => write!(formatter, "{address}: {refused}"),
            Failure::Lost { address, message } | Failure::Rejected { address, message } => {
                write!(formatter, "{address}: {message}")
            }
            Failure::NotSent { message } => formatter.write_str(message),
            Failure::Mismatch { address, found, .. } => {
                write!(formatter, "{address}: belongs to cluster {found}")
            }
        }
    }
}
