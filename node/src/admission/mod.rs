//! The door: how requests become log entries.
//!
//! A request takes a permit for its bytes before it queues, so what waits is bounded in the unit that is scarce. One
//! task turns whatever is waiting into the next entry; each request keeps its own chains, mode and results. The proposed
//! time of an entry is this node's clock, held to what the cluster's clocks allow. Nothing is decided about money here.

mod batcher;
mod pulse;
mod room;
mod work;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use farthing_ledger::RequestResults;
use tokio::sync::{mpsc, oneshot};

pub use self::room::Permit;
use self::room::Room;
pub use self::work::Work;
use crate::consensus;
use crate::consensus::Member;
use crate::vitals::{Level, Verdict};

/// What to tell a caller refused for want of disk: making room takes people, or at least a compaction.
const DISK_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Limits of the door.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of requests admitted and not yet answered.
    pub bytes_max: usize,
    /// Requests admitted and not yet answered.
    pub requests_max: usize,
    /// How often to look for pending transfers that are due.
    pub pulse_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            requests_max: 65_536,
            pulse_interval: Duration::from_millis(100),
        }
    }
}

/// Why a request was not carried out, or why nobody knows.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The door is full; it did not happen.
    #[error("the node has as much work as it can hold; try again in {retry_after:?}")]
    Overloaded {
        /// A time after which room is likely.
        retry_after: Duration,
    },
    /// A disk has no room for it; it did not happen.
    #[error("the disks are nearly full and {} refused until there is room; reads are served", .level.refused())]
    DiskFull {
        /// How full, by the marks of the nodes' disks.
        level: Level,
        /// When to look again.
        retry_after: Duration,
    },
    /// This node's state cannot be trusted; it did not happen.
    #[error("{0}")]
    Suspect(&'static str),
    /// It did not happen; the leader may do it.
    #[error("this node does not lead")]
    NotLeader {
        /// The leader as far as this node knows.
        leader: Option<(u64, Member)>,
    },
    /// The deadline passed; the request may still be carried out.
    #[error("the deadline passed before the outcome was known")]
    Deadline,
    /// No majority, or the node stops; the request may have been carried out.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// The request is larger than an entry may be; it did not happen.
    #[error("the request does not fit an entry: {0}")]
    TooLarge(String),
}

/// The answer to a request that was carried out.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Index of the entry it became part of.
    pub log_index: u64,
    /// Its results.
    pub results: RequestResults,
}

struct Waiting {
    request: Vec<u8>,
    answer: oneshot::Sender<Result<Answer, Refusal>>,
    deadline: Instant,
    // Held until the answer is on its way: what is being applied counts as much as what waits.
    permit: Permit,
}

/// Admits requests. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    consensus: consensus::Handle,
    room: Room,
    queue: mpsc::Sender<Waiting>,
}

/// Starts the task that makes entries and the one that looks for expired transfers.
pub fn start(config: &Config, consensus: consensus::Handle) -> Handle {
    let (queue, waiting) = mpsc::channel(config.requests_max.max(1));
    tokio::spawn(batcher::run(waiting, consensus.clone()));
    tokio::spawn(pulse::run(config.pulse_interval, consensus.clone()));
    Handle {
        consensus,
        room: Room::new(config.bytes_max),
        queue,
    }
}

impl Handle {
    /// Takes room for a request of `bytes`, without waiting: a full door refuses at once, because a queue in front of it
    /// would only hide the overload.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when there is no room, [`Refusal::TooLarge`] when there never will be.
    pub fn permit(&self, bytes: usize) -> Result<Permit, Refusal> {
        self.room.permit(bytes)
    }

    /// Carries out an encoded request; resolves when it is durable on a quorum and applied.
    ///
    /// # Errors
    /// See [`Refusal`]: which of them say that it did not happen.
    pub async fn submit(
        &self,
        permit: Permit,
        request: Vec<u8>,
        work: Work,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        if !self.consensus.is_leader() {
            return Err(self.not_leader());
        }
        self.check(work)?;
        let (answer, result) = oneshot::channel();
        let waiting = Waiting {
            request,
            answer,
            deadline,
            permit,
        };
        self.queue.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::Overloaded {
                retry_after: room::RETRY_AFTER,
            },
            mpsc::error::TrySendError::Closed(_) => Refusal::Unknown("the node is stopping".into()),
        })?;
        match tokio::time::timeout_at(deadline.into(), result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refusal::Unknown("the node is stopping".into())),
            Err(_) => Err(Refusal::Deadline),
        }
    }

    /// Refuses what the disks have no room for, and everything while it is open whose state is right.
    fn check(&self, work: Work) -> Result<(), Refusal> {
        match self.consensus.verdict() {
            Verdict::Sound => {}
            Verdict::Undecided => {
                return Err(Refusal::Suspect(
                    "the nodes' states differ and no majority agrees: nothing is written until that is settled",
                ));
            }
            Verdict::Damaged => {
                return Err(Refusal::Suspect(
                    "what this node has at rest is damaged; ask another node",
                ));
            }
            Verdict::Outvoted => {
                return Err(Refusal::Suspect(
                    "this node's state differs from the majority's; ask another node",
                ));
            }
        }
        let level = self.consensus.disk_level();
        let refused = match work {
            Work::New => level >= Level::Low,
            Work::Ending => level >= Level::Reserve,
        };
        if refused {
            return Err(Refusal::DiskFull {
                level,
                retry_after: DISK_RETRY_AFTER,
            });
        }
        Ok(())
    }

    /// Bytes admitted and not yet answered.
    pub fn bytes_in_use(&self) -> usize {
        self.room.bytes_in_use()
    }

    /// Requests waiting for an entry.
    pub fn requests_in_flight(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    fn not_leader(&self) -> Refusal {
        let status = self.consensus.status();
        Refusal::NotLeader {
            leader: status.leader.and_then(|id| Some((id, status.member(id)?))),
        }
    }
}
