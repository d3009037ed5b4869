//! What the layers above may ask of Raft.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, RaftError};
use tokio::sync::watch;

use super::clocks::{Clock, Clocks};
use super::read_index::{self, ReadIndexes};
use super::types::{Command, Raft};
use super::{Ended, Error, Role, Status, Suspicion, status};
use crate::state::{self, Outcome};
use crate::vitals::{self, Level, Verdict};

/// How long a leader asks for the voters' clocks before it gives up on what waits for a time.
const CLOCKS_MAX: Duration = Duration::from_secs(2);
/// Pause between two rounds of asking; only followed when the first round was confirmed by other calls than its own.
const CLOCKS_PAUSE: Duration = Duration::from_millis(5);

/// A proposal that was applied.
#[derive(Debug)]
pub struct Committed {
    /// Term in which it was proposed.
    pub term: u64,
    /// What applying it answered.
    pub outcome: Arc<Outcome>,
}

/// What exists once Raft runs, which may be a while after the node serves.
pub(super) struct Begun {
    pub(super) raft: Raft,
    pub(super) reads: ReadIndexes,
}

/// Everything the layers above may ask of Raft. Cheap to clone; works from any runtime.
#[derive(Clone)]
pub struct Handle {
    pub(super) begun: Arc<OnceLock<Begun>>,
    /// What to say before Raft runs.
    pub(super) waiting: Arc<Status>,
    pub(super) ending: watch::Receiver<Option<Ended>>,
    pub(super) state: state::Handle,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) node_id: u64,
    pub(super) vitals: vitals::Handle,
    pub(super) suspicion: Suspicion,
    /// The state began anew at this start and shows itself from this index on.
    pub(super) rebuild_to: Option<u64>,
}

impl Handle {
    /// Raft, or that nobody leads as far as this node knows: it still asks the others what they know of it.
    pub(super) fn begun(&self) -> Result<&Begun, Error> {
        self.begun.get().ok_or(Error::NotLeader { leader: None })
    }

    /// Proposes an entry envelope; resolves when it is durable on a quorum and applied here.
    ///
    /// # Errors
    /// [`Error::NotLeader`] and [`Error::Discarded`] mean it did not happen; any other error leaves the outcome unknown.
    pub async fn propose(&self, entry: Bytes) -> Result<Committed, Error> {
        match self.begun()?.raft.client_write(Command(entry)).await {
            Ok(response) => match response.data.0 {
                Some(outcome) => Ok(Committed {
                    term: response.log_id.leader_id.term,
                    outcome,
                }),
                None => Err(Error::Stopped(
                    "an entry was applied without an outcome".into(),
                )),
            },
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Err(Error::NotLeader {
                    leader: forward.leader_id.zip(forward.leader_node),
                })
            }
            Err(RaftError::APIError(ClientWriteError::LogEntryDiscarded(_))) => {
                Err(Error::Discarded)
            }
            Err(RaftError::APIError(other)) => Err(Error::Stopped(other.to_string())),
            Err(RaftError::Fatal(fatal)) => Err(Error::Stopped(fatal.to_string())),
        }
    }

    /// An index such that a state which has applied it is at least as new as everything acknowledged before this call;
    /// on a follower it is obtained from the leader.
    ///
    /// # Errors
    /// When no leader is known or no majority answers.
    pub async fn read_index(&self) -> Result<u64, Error> {
        self.begun()?.reads.get().await
    }

    /// The same, answered only while this node leads.
    pub(crate) async fn own_read_index(&self) -> Result<u64, Error> {
        self.begun()?.reads.own().await
    }

    /// The time to propose now, in ns since 1970; `None` while too few of the voters' clocks are known.
    pub fn proposal_time_ns(&self) -> Option<u64> {
        // Cloned, because the borrow holds a lock that Raft waits for.
        let membership = self
            .begun()
            .ok()?
            .raft
            .metrics()
            .borrow_watched()
            .membership_config
            .clone();
        let configs = membership.membership().get_joint_config();
        let (wall_ns, now) = (self.clock.wall_ns(), self.clock.monotonic());
        self.clocks.proposal_ns(self.node_id, configs, wall_ns, now)
    }

    /// The same; a leader that knows too few of the clocks, because it has only begun to lead, asks for them first.
    ///
    /// # Errors
    /// When this node does not lead, or no majority answers in time.
    pub async fn wait_proposal_time_ns(&self) -> Result<u64, Error> {
        let asking = async {
            loop {
                if let Some(time_ns) = self.proposal_time_ns() {
                    return Ok(time_ns);
                }
                // A heartbeat to everybody, whose replies carry the clocks.
                read_index::by_heartbeats(&self.begun()?.raft).await?;
                tokio::time::sleep(CLOCKS_PAUSE).await;
            }
        };
        match tokio::time::timeout(CLOCKS_MAX, asking).await {
            Ok(result) => result,
            Err(_) => Err(Error::NoQuorum(format!(
                "the clocks of a majority were not known within {CLOCKS_MAX:?}"
            ))),
        }
    }

    /// Whether this node believes that it leads.
    pub fn is_leader(&self) -> bool {
        self.begun.get().is_some_and(|begun| begun.raft.is_leader())
    }

    /// How this node and its peers are.
    pub fn vitals(&self) -> &vitals::Handle {
        &self.vitals
    }

    /// The voters by the last membership this node knows.
    pub(super) fn voters(&self) -> Vec<u64> {
        let Some(begun) = self.begun.get() else {
            return Vec::new();
        };
        let metrics = begun.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().voter_ids().collect()
    }

    /// Whether the voters' states agree, as far as this node knows.
    pub fn verdict(&self) -> Verdict {
        match crate::planted::is("digest-not-compared") {
            true => Verdict::Sound,
            false => self.vitals.verdict(),
        }
    }

    /// What of this node's log is lost and not refilled yet, in words; nothing when it has all.
    pub fn suspect(&self) -> Option<String> {
        self.suspicion.what()
    }

    /// Whether this node may stand for election: what it has is right and all of it is there.
    pub(super) fn may_lead(&self) -> bool {
        self.verdict().serves() && !self.suspicion.is_active()
    }

    /// Whether the state was lost and does not hold yet what this node had committed before.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuild_to
            .is_some_and(|index| self.state.applied_index() < Some(index))
    }

    /// What the disks have room for: this node's, when it has less than the best majority, because it is this node
    /// that writes first.
    pub fn disk_level(&self) -> Level {
        self.vitals.quorum_level().max(self.vitals.level())
    }

    /// The apply thread's handle.
    pub fn state(&self) -> &state::Handle {
        &self.state
    }

    /// Where this node stands.
    pub fn status(&self) -> Status {
        match self.begun.get() {
            Some(begun) => status::read(&begun.raft, &self.clocks, &*self.clock),
            None => (*self.waiting).clone(),
        }
    }

    /// Resolves with the reason when Raft has ended by itself, or must not begin.
    pub async fn ended(&self) -> Ended {
        let mut ending = self.ending.clone();
        match ending.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(why)) => why.clone(),
            _ => Ended::Failed("raft has stopped".into()),
        }
    }

    /// Gives leadership to `to`, or to the voter that is furthest.
    ///
    /// # Errors
    /// When this node does not lead, there is no other voter, or the transfer did not finish within `timeout`.
    pub async fn hand_over(&self, to: Option<u64>, timeout: Duration) -> Result<u64, Error> {
        let status = self.status();
        if status.role != Role::Leader {
            let leader = status.leader.and_then(|id| Some((id, status.member(id)?)));
            return Err(Error::NotLeader { leader });
        }
        let target = to.or_else(|| status.furthest_voter(self.node_id));
        let Some(target) = target.filter(|id| *id != self.node_id) else {
            return Err(Error::NoQuorum("there is no other voter to lead".into()));
        };
        self.begun()?
            .raft
            .trigger()
            .transfer_leader(target)
            .await
            .map_err(|fatal| Error::Stopped(fatal.to_string()))?;
        let node_id = self.node_id;
        let moved = self
            .begun()?
            .raft
            .wait(Some(timeout))
            .metrics(
                |metrics| {
                    metrics
                        .current_leader
                        .is_some_and(|leader| leader != node_id)
                },
                "leadership moved",
            )
            .await;
        match moved {
            Ok(metrics) => Ok(metrics.current_leader.unwrap_or(target)),
            Err(error) => Err(Error::NoQuorum(format!(
                "leadership did not move within {timeout:?}: {error}"
            ))),
        }
    }

    /// Builds a snapshot now.
    ///
    /// # Errors
    /// When Raft has stopped.
    pub async fn snapshot(&self) -> Result<(), Error> {
        self.begun()?
            .raft
            .trigger()
            .snapshot()
            .await
            .map_err(|fatal| Error::Stopped(fatal.to_string()))
    }
}
