//! What can go wrong with a sink.

use std::time::Duration;

/// What can go wrong with a sink, by what is to be done about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The same may succeed later: the runner waits and tries again.
    #[error("{message}")]
    Transient {
        /// What happened.
        message: String,
        /// How long the other side wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Another sink has taken over. What this one delivered before stands; it must not go on.
    #[error("{message}")]
    Fenced {
        /// What was met.
        message: String,
    },
    /// Trying again is no use before a person has changed something.
    #[error("{message}")]
    Permanent {
        /// What happened.
        message: String,
        /// What to do.
        advice: String,
    },
    /// The ledger's side refuses; trying again is no use.
    #[error(transparent)]
    Client(#[from] farthing_client::Error),
}

impl Error {
    /// What may pass.
    pub(crate) fn transient(message: impl Into<String>) -> Error {
        Error::Transient {
            message: message.into(),
            retry_after: None,
        }
    }

    /// What a person must look at.
    pub(crate) fn permanent(message: impl Into<String>, advice: impl Into<String>) -> Error {
        Error::Permanent {
            message: message.into(),
            advice: advice.into(),
        }
    }
}
