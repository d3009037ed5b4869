//! Reads: which state answers a question, and how new it has to be.
//!
//! A linearizable read waits until this node has applied everything that was acknowledged before the read began; it works
//! on any node. Every answer says at which applied index it is exact. Nothing here changes anything.

use std::time::Instant;

use crate::consensus;
use crate::storage;

/// How new an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// At least as new as everything acknowledged before the read began.
    #[default]
    Linearizable,
    /// At least as new as the entry at this index: read your own writes on any node.
    AtLeast(u64),
    /// Whatever this node has applied.
    Stale,
}

/// Why a read has no answer. A read changes nothing, so it may always be tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No leader or no majority confirms what is acknowledged.
    #[error(transparent)]
    Consensus(#[from] consensus::Error),
    /// The node did not reach the wanted index in time.
    #[error("the deadline passed before this node had applied index {index}; it is at {applied:?}")]
    Deadline {
        /// What the read waited for.
        index: u64,
        /// Where the node is.
        applied: Option<u64>,
    },
    /// The deadline passed before a majority had confirmed what is acknowledged.
    #[error("the deadline passed before a majority confirmed how new the answer must be")]
    Late,
    /// The state could not be read.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Opens consistent readers. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    consensus: consensus::Handle,
    storage: storage::Handle,
}

impl Handle {
    /// Reads from `storage`, ordered by `consensus`.
    pub fn new(consensus: consensus::Handle, storage: storage::Handle) -> Self {
        Self { consensus, storage }
    }

    /// One consistent cut of the state, as new as `consistency` asks.
    ///
    /// # Errors
    /// When it cannot be had before `deadline`.
    pub async fn reader(
        &self,
        consistency: Consistency,
        deadline: Instant,
    ) -> Result<storage::Reader, Error> {
        let index = match consistency {
            Consistency::Stale => None,
            Consistency::AtLeast(_) if crate::planted::is("min-index-ignored") => None,
            Consistency::AtLeast(index) => Some(index),
            Consistency::Linearizable => {
                let read_index =
                    tokio::time::timeout_at(deadline.into(), self.consensus.read_index());
                match read_index.await {
                    Ok(index) => Some(index?),
                    Err(_) => return Err(Error::Late),
                }
            }
        };
        if let Some(index) = index {
            let state = self.consensus.state();
            match tokio::time::timeout_at(deadline.into(), state.wait_applied(index)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Error::Stopping),
                Err(_) => {
                    return Err(Error::Deadline {
                        index,
                        applied: state.applied_index(),
                    });
                }
            }
        }
        Ok(self.storage.reader()?)
    }
}
