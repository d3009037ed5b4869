//! Changes of membership: learners first, then voters, and never a step that leaves no majority.
//!
//! What a change does not know is asked of Raft as it stands; two operators at once are kept apart by Raft itself, which
//! refuses a second change before the first is committed.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::{ChangeMembers, Instant as _};
use tokio::time::Instant;

use super::types::{Member, Raft};
use super::{Error, Handle, Role};

/// Entries that a learner may be behind when it becomes a voter: less than a second of work.
const BEHIND_MAX: u64 = 1_000;
/// How long members have to answer before a change, and how often they are asked.
const ANSWERS_MAX: Duration = Duration::from_secs(1);
const ANSWERS_PAUSE: Duration = Duration::from_millis(20);
/// How long leadership may take to move away from a leader that is removed.
const HAND_OVER_MAX: Duration = Duration::from_secs(5);
/// How often a leader looks for a change that its predecessor left half done.
const FINISH_PERIOD: Duration = Duration::from_secs(1);

/// Why the members were not changed. Nothing happened, except with [`ChangeError::Raft`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeError {
    /// Not the leader, or Raft could not do it.
    #[error(transparent)]
    Raft(#[from] Error),
    /// Another change is not complete yet.
    #[error("another change of members is under way")]
    UnderWay,
    /// No such member.
    #[error("node {0} is no member of this cluster")]
    Unknown(u64),
    /// The id belongs to a member with other addresses.
    #[error("node {id} is a member already, at {peer_address}")]
    Taken {
        /// The id.
        id: u64,
        /// Where that member listens for its peers.
        peer_address: String,
    },
    /// A learner that is too far behind to vote.
    #[error("node {id} has the log up to {matched}, which ends at {last}: it has not caught up")]
    Behind {
        /// The learner.
        id: u64,
        /// Last entry it is known to have.
        matched: u64,
        /// Last entry of the leader.
        last: u64,
    },
    /// Too few of the voters afterwards would answer.
    #[error("of the voters afterwards, {voters:?}, only {answering:?} answer: that is no majority")]
    Unsafe {
        /// The voters after the change.
        voters: Vec<u64>,
        /// Those of them that answer.
        answering: Vec<u64>,
    },
}

impl Handle {
    /// Makes a node a learner.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn add_learner(&self, id: u64, member: Member) -> Result<(), ChangeError> {
        self.check_leads()?;
        if let Some(known) = self.status().member(id) {
            if known == member {
                return Ok(());
            }
            return Err(ChangeError::Taken {
                id,
                peer_address: known.peer_address,
            });
        }
        let added = self.begun()?.raft.add_learner(id, member, false).await;
        added.map(|_| ()).map_err(refused)
    }

    /// Makes learners voters and removes members, as one change.
    ///
    /// # Errors
    /// See [`ChangeError`]. A leader that is to be removed hands over first and answers [`Error::NotLeader`]: the next
    /// leader is the one to ask.
    pub async fn change_voters(
        &self,
        add: &BTreeSet<u64>,
        remove: &BTreeSet<u64>,
    ) -> Result<(), ChangeError> {
        self.check_leads()?;
        let status = self.status();
        let is_voter = |id: &u64| {
            status
                .members
                .iter()
                .any(|found| found.id == *id && found.voter)
        };
        let before: BTreeSet<u64> = status
            .members
            .iter()
            .filter(|found| found.voter)
            .map(|found| found.id)
            .collect();
        let after: BTreeSet<u64> = before
            .union(add)
            .filter(|id| !remove.contains(id))
            .copied()
            .collect();
        let last = status.last_log_index.unwrap_or(0);
        for id in add
            .iter()
            .filter(|id| !is_voter(id) && !remove.contains(id))
        {
            let Some(learner) = status.members.iter().find(|found| found.id == *id) else {
                return Err(ChangeError::Unknown(*id));
            };
            let matched = learner.matched_index.unwrap_or(0);
            if matched + BEHIND_MAX < last {
                return Err(ChangeError::Behind {
                    id: *id,
                    matched,
                    last,
                });
            }
        }
        self.check_majority(&after).await?;
        if remove.contains(&self.node_id) && before != after {
            return self.step_aside(&after).await;
        }
        if before != after {
            let changed = self.begun()?.raft.change_membership(after, false).await;
            changed.map_err(refused)?;
        }
        // Removed voters are gone with that change; learners are members of their own.
        let learners: BTreeSet<u64> = remove
            .iter()
            .filter(|id| !before.contains(id) && status.member(**id).is_some())
            .copied()
            .collect();
        if !learners.is_empty() {
            let change = ChangeMembers::RemoveNodes(learners);
            let changed = self.begun()?.raft.change_membership(change, false).await;
            changed.map_err(refused)?;
        }
        Ok(())
    }

    fn check_leads(&self) -> Result<(), ChangeError> {
        let status = self.status();
        if status.role == Role::Leader {
            return Ok(());
        }
        let leader = status.leader.and_then(|id| Some((id, status.member(id)?)));
        Err(Error::NotLeader { leader }.into())
    }

    /// Refuses voters of whom no majority answers now: a cluster that cannot commit could not even take the change back.
    /// Every one is asked anew, because who answered a second ago may be gone.
    async fn check_majority(&self, voters: &BTreeSet<u64>) -> Result<(), ChangeError> {
        let asked = Instant::now();
        let raft = &self.begun()?.raft;
        let trigger = raft.trigger();
        loop {
            let heard = heard_since(raft, asked);
            let answers = |id: &&u64| **id == self.node_id || heard.contains(*id);
            let answering: Vec<u64> = voters.iter().filter(answers).copied().collect();
            if answering.len() * 2 > voters.len() {
                return Ok(());
            }
            if asked.elapsed() > ANSWERS_MAX {
                return Err(ChangeError::Unsafe {
                    voters: voters.iter().copied().collect(),
                    answering,
                });
            }
            let beaten = trigger.heartbeat().await;
            beaten.map_err(|fatal| Error::Stopped(fatal.to_string()))?;
            tokio::time::sleep(ANSWERS_PAUSE).await;
        }
    }

    /// A leader that removed itself would leave the others without one for an election.
    async fn step_aside(&self, after: &BTreeSet<u64>) -> Result<(), ChangeError> {
        let status = self.status();
        let successor = status
            .members
            .iter()
            .filter(|found| found.voter && found.id != self.node_id && after.contains(&found.id))
            .max_by_key(|found| found.matched_index)
            .map(|found| found.id);
        let leader = self.hand_over(successor, HAND_OVER_MAX).await?;
        let leader = status.member(leader).map(|member| (leader, member));
        Err(Error::NotLeader { leader }.into())
    }
}

/// The nodes that answered the leader after this moment; none on any other node.
fn heard_since(raft: &Raft, moment: Instant) -> BTreeSet<u64> {
    let metrics = raft.metrics().borrow_watched().clone();
    let acknowledged = metrics.heartbeat.unwrap_or_default();
    let age = moment.elapsed();
    acknowledged
        .into_iter()
        .filter(|(_, at)| at.as_ref().is_some_and(|at| at.elapsed() < age))
        .map(|(id, _)| id)
        .collect()
}

fn refused(
    error: RaftError<super::types::TypeConfig, ClientWriteError<super::types::TypeConfig>>,
) -> ChangeError {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => Error::NotLeader {
            leader: forward.leader_id.zip(forward.leader_node),
        }
        .into(),
        RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => match error {
            ChangeMembershipError::InProgress(_) => ChangeError::UnderWay,
            ChangeMembershipError::LearnerNotFound(missing) => {
                ChangeError::Unknown(missing.node_id)
            }
            other => Error::Stopped(other.to_string()).into(),
        },
        other => Error::Stopped(other.to_string()).into(),
    }
}

/// Completes a change that a leader began and did not live to complete: until then every commit needs a majority of the
/// old voters and one of the new.
pub(super) async fn finish_changes(raft: Raft) {
    loop {
        tokio::time::sleep(FINISH_PERIOD).await;
        if raft.metrics().borrow_watched().running_state.is_err() {
            return;
        }
        let membership = raft.metrics().borrow_watched().membership_config.clone();
        let half_done = membership.membership().get_joint_config().len() > 1;
        if !half_done || !raft.is_leader() {
            continue;
        }
        // Adding nobody to a joint configuration yields its second half.
        let change = ChangeMembers::AddVoterIds(BTreeSet::new());
        match raft.change_membership(change, false).await {
            Ok(_) => tracing::info!("completed a change of members that another leader began"),
            Err(error) => tracing::debug!(%error, "the change of members is not complete yet"),
        }
    }
}
