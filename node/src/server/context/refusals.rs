//! What the layers below refuse, in the words of the wire.

use std::time::Duration;

use farthing_proto::error::{Reason, Refused};

use super::Context;
use crate::admission::Refusal;
use crate::{consensus, query, storage};

impl Context {
    /// Why a request was not carried out, or not as far as is known.
    pub(super) fn refused(&self, refusal: Refusal) -> Refused {
        let message = refusal.to_string();
        match refusal {
            Refusal::Overloaded { retry_after } => {
                Refused::new(Reason::Overloaded, message).with_retry_after(retry_after)
            }
            Refusal::DiskFull { retry_after, .. } => {
                Refused::new(Reason::DiskFull, message).with_retry_after(retry_after)
            }
            Refusal::Suspect(_) => Refused::new(Reason::NodeSuspect, message),
            Refusal::NotLeader {
                leader: Some((id, member)),
            } => {
                let message = format!(
                    "node {} does not lead, node {id} does",
                    self.inner.identity.node_id
                );
                Refused::new(Reason::NotLeader, message).with_leader(member.client_address)
            }
            Refusal::NotLeader { leader: None } => {
                let message = "no leader is known at the moment: an election is under way or no majority is reachable";
                Refused::new(Reason::NoLeader, message).with_retry_after(Duration::from_millis(100))
            }
            Refusal::Deadline | Refusal::Unknown(_) => Refused::new(
                Reason::OutcomeUnknown,
                format!("{message}; send it again with the same ids to learn the outcome"),
            ),
            Refusal::TooLarge(_) => Refused::new(Reason::TooLarge, message),
        }
    }

    /// Why nothing could be read.
    pub(super) fn unread(&self, error: query::Error) -> Refused {
        match error {
            query::Error::Consensus(consensus::Error::Stopped(why)) => {
                Refused::new(Reason::ShuttingDown, why)
            }
            query::Error::Consensus(error) => Refused::new(
                Reason::NoLeader,
                format!("{error}; try again or another node"),
            )
            .with_retry_after(Duration::from_millis(200)),
            query::Error::Deadline { .. } => {
                Refused::new(Reason::IndexNotReached, error.to_string())
            }
            query::Error::Storage(error) => storage_failed(self.storage(), &error),
            query::Error::Late => Refused::new(Reason::Deadline, error.to_string()),
            query::Error::Stopping => Refused::new(Reason::ShuttingDown, error.to_string()),
        }
    }
}

/// A failure of the node's own storage in a lookup.
pub(in crate::server) fn storage_failed(
    storage: &storage::Handle,
    error: &storage::Error,
) -> Refused {
    storage.note_damage(error);
    tracing::error!(%error, "a read from storage failed");
    Refused::new(
        Reason::Internal,
        format!("reading the state failed: {error}"),
    )
}
