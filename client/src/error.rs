//! What can go wrong with a call.
//!
//! A refused *item* is not here: it is an [`Outcome`](crate::Outcome) with its status.
//! The line that matters most runs between [`Error::UnknownOutcome`] and the others:
//! after every other error nothing of the call was or will be applied.

use std::time::Duration;

use farthing_proto::error::{FieldError, Reason, Refused};

use crate::amount::AmountError;

/// What can go wrong with a call.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call may have been applied, may still be, or not: no answer came in time.
    /// Send the same items with the same ids again; what was applied answers `exists`.
    #[error("the outcome is unknown ({cause}): send the same ids again")]
    UnknownOutcome {
        /// Ids of the items: account, transfer and operation ids, ledger numbers.
        ids: Vec<u128>,
        /// What happened last.
        cause: String,
    },

    /// The deadline passed; nothing was applied.
    #[error("the deadline passed before anything was done ({cause})")]
    Deadline {
        /// What took so long.
        cause: String,
    },

    /// The cluster has more to do than it can in time; nothing was applied.
    #[error("the cluster is overloaded: {message}")]
    Overloaded {
        /// The server's hint.
        retry_after: Option<Duration>,
        /// The server's words.
        message: String,
    },

    /// Fields of the request cannot be read; nothing was applied.
    #[error("invalid request: {}", list(violations))]
    InvalidRequest {
        /// Each field with its path.
        violations: Vec<FieldError>,
    },

    /// More than one request may carry; nothing was sent. Split it, but never within a
    /// chain of linked items.
    #[error("{found} {what} in one request, the most is {most}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        most: usize,
    },

    /// An endpoint belongs to another cluster; nothing was applied.
    #[error("{address} belongs to cluster {found}, not to {expected}: check the endpoints")]
    ClusterMismatch {
        /// The endpoint.
        address: String,
        /// The cluster id this client holds to.
        expected: String,
        /// The cluster id it found.
        found: String,
    },

    /// No node, or no leader, could be reached; nothing was applied.
    #[error("no leader could be reached: {message}")]
    NotReachable {
        /// What each endpoint said.
        message: String,
    },

    /// The server refused the call for another reason; nothing was applied.
    #[error("refused, {0}")]
    Refused(Box<Refused>),

    /// An amount cannot be converted; nothing was sent.
    #[error(transparent)]
    Amount(#[from] AmountError),

    /// The server's answer cannot be read: a newer version, or not a Farthing server.
    #[error("the answer of {address} cannot be read: {message}")]
    Unreadable {
        /// The endpoint.
        address: String,
        /// What is wrong.
        message: String,
    },

    /// A part of the event stream does not go on where the one before ended: events left out, given twice or not in
    /// order. None of the part was given; asked again, the subscription goes on at another node.
    #[error("the event stream of {address} is broken: {message}")]
    BrokenStream {
        /// The endpoint.
        address: String,
        /// What does not fit.
        message: String,
    },

    /// Somebody else has moved this cursor: another consumer goes by the same name. What this one saved before stands;
    /// what it wanted to save was not saved.
    #[error("cursor {cursor} was moved by another consumer")]
    Fenced {
        /// The cursor's name.
        cursor: String,
    },

    /// The runtime that carried the client is gone.
    #[error("the client is closed")]
    Closed,
}

impl Error {
    /// True when the call may have been applied: keep its ids and send them again.
    #[must_use]
    pub fn is_unknown_outcome(&self) -> bool {
        matches!(self, Error::UnknownOutcome { .. })
    }

    /// The server's stable reason, when it gave one.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Error::Refused(refused) => refused.reason,
            Error::Overloaded { .. } => Some(Reason::Overloaded),
            Error::InvalidRequest { .. } => Some(Reason::InvalidField),
            Error::ClusterMismatch { .. } => Some(Reason::ClusterIdMismatch),
            Error::TooLarge { .. } => Some(Reason::TooLarge),
            _ => None,
        }
    }

    /// A stable code for scripts, such as `UNKNOWN_OUTCOME`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Error::UnknownOutcome { .. } => "UNKNOWN_OUTCOME",
            Error::Deadline { .. } => "DEADLINE",
            Error::Overloaded { .. } => "OVERLOADED",
            Error::InvalidRequest { .. } => "INVALID_REQUEST",
            Error::TooLarge { .. } => "TOO_LARGE",
            Error::ClusterMismatch { .. } => "CLUSTER_ID_MISMATCH",
            Error::NotReachable { .. } => "NOT_REACHABLE",
            Error::Refused(refused) => &refused.reason_text,
            Error::Amount(_) => "AMOUNT",
            Error::Unreadable { .. } => "UNREADABLE",
            Error::BrokenStream { .. } => "BROKEN_STREAM",
            Error::Fenced { .. } => "FENCED",
            Error::Closed => "CLOSED",
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused.reason {
            Some(Reason::Overloaded) => Error::Overloaded {
                retry_after: refused.retry_after,
                message: refused.message,
            },
            Some(Reason::Deadline) => Error::Deadline {
                cause: refused.message,
            },
            Some(Reason::InvalidField) => Error::InvalidRequest {
                violations: refused.violations,
            },
            Some(
                Reason::NotLeader | Reason::NoLeader | Reason::ShuttingDown | Reason::Starting,
            ) => Error::NotReachable {
                message: refused.to_string(),
            },
            _ => Error::Refused(Box::new(refused)),
        }
    }
}

fn list(violations: &[FieldError]) -> String {
    let mut words: Vec<String> = violations.iter().take(3).map(ToString::to_string).collect();
    if violations.len() > 3 {
        words.push(format!("and {} more", violations.len() - 3));
    }
    words.join("; ")
}
