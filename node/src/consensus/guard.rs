//! What a node does about its own condition: it gives leadership away when its disk is full or slow and another's is
//! not, and takes no part in elections while a majority says that its state is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::network::Network;
use super::types::Raft;
use super::{Handle, Role, exchange};
use crate::storage;
use crate::vitals::{Level, Verdict};

/// Between two rounds of telling and hearing.
const PAUSE: Duration = Duration::from_millis(500);
/// A condition must hold for so long before leadership moves for it.
const HOLDS_MIN: Duration = Duration::from_secs(3);
/// At least so long between two hand-overs of this node: the next leader must not send it straight back.
const HAND_OVERS_APART: Duration = Duration::from_secs(30);
/// How long one may take.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// A reason to give leadership away, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its own disk is nearly full, a majority's is not.
    DiskFull,
    /// Its log is synced slowly, others' are not.
    SlowDisk,
    /// Its state is another than the majority's.
    Outvoted,
    /// What it has at rest is damaged.
    Damaged,
}

/// When a reason began, and when leadership moved last: together they keep it from moving to and fro.
#[derive(Debug, Default)]
struct Patience {
    since: Option<(Why, Instant)>,
    moved: Option<Instant>,
}

impl Patience {
    /// Whether to act on `why` now.
    fn is_over(&mut self, why: Option<Why>, now: Instant) -> bool {
        let Some(why) = why else {
            self.since = None;
            return false;
        };
        let since = match self.since {
            Some((same, since)) if same == why => since,
            _ => {
                self.since = Some((why, now));
                now
            }
        };
        let wrong = matches!(why, Why::Outvoted | Why::Damaged);
        let holds = wrong || now.saturating_duration_since(since) >= HOLDS_MIN;
        let apart = match why {
            // A state that is wrong must not lead for a moment longer than it takes to try again.
            Why::Outvoted | Why::Damaged => HAND_OVER_MAX,
            Why::DiskFull | Why::SlowDisk => HAND_OVERS_APART,
        };
        let rested = self
            .moved
            .is_none_or(|moved| now.saturating_duration_since(moved) >= apart);
        holds && rested
    }
}

/// Runs until Raft ends.
pub(super) async fn run(
    raft: Raft,
    network: Network,
    handle: Handle,
    storage: Arc<dyn storage::Store>,
) {
    let mut ticks = tokio::time::interval(PAUSE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut patience = Patience::default();
    let mut verdict_before = Verdict::Sound;
    loop {
        ticks.tick().await;
        let status = handle.status();
        if status.role == Role::Stopping {
            return;
        }
        let peers: Vec<_> = status
            .members
            .iter()
            .filter(|found| found.id != status.node_id)
            .map(|found| (found.id, found.member.clone()))
            .collect();
        let told = storage.applied().membership;
        let membership = told.map(|(id, membership)| (id.index, membership));
        exchange::round(&network, &handle.vitals, &peers, membership).await;

        handle.vitals.conclude(handle.voters());
        let verdict = handle.verdict();
        if verdict != verdict_before {
            tell(verdict);
            raft.runtime_config().elect(handle.may_lead());
            verdict_before = verdict;
        }
        if handle.status().role != Role::Leader {
            patience.since = None;
            continue;
        }
        let (why, targets) = reason(&handle, verdict);
        let now = handle.clock.monotonic();
        if patience.is_over(why, now) {
            patience.moved = Some(now);
            hand_over(&handle, why, &targets).await;
        }
    }
}

fn tell(verdict: Verdict) {
    match verdict {
        Verdict::Sound => {
            tracing::warn!("the state agrees with the majority's again: this node serves")
        }
        Verdict::Undecided => tracing::error!(
            "states differ and no majority agrees: writes are refused; keep every node's directory"
        ),
        Verdict::Damaged => {} // said with what is damaged, where that was found
        Verdict::Outvoted => tracing::error!(
            "this node's state differs from the majority's: it serves no reads, writes or votes until its state is replaced"
        ),
    }
}

fn reason(handle: &Handle, verdict: Verdict) -> (Option<Why>, Vec<u64>) {
    let vitals = &handle.vitals;
    let voters = handle.voters();
    let is_other_voter = |id: &u64| voters.contains(id) && *id != handle.node_id;
    if verdict == Verdict::Damaged {
        let others = voters.iter().copied().filter(is_other_voter);
        return (Some(Why::Damaged), others.collect());
    }
    if verdict == Verdict::Outvoted {
        let agrees = vitals.own().agrees;
        let others = voters.iter().copied();
        let right = others.filter(|id| is_other_voter(id) && !agrees.contains(id));
        return (Some(Why::Outvoted), right.collect());
    }
    if vitals.level() > Level::Roomy && vitals.quorum_level() == Level::Roomy {
        let mut roomy = vitals.roomy_peers();
        roomy.retain(is_other_voter);
        return (Some(Why::DiskFull).filter(|_| !roomy.is_empty()), roomy);
    }
    let mut faster = vitals.faster_peers();
    faster.retain(is_other_voter);
    (Some(Why::SlowDisk).filter(|_| !faster.is_empty()), faster)
}

async fn hand_over(handle: &Handle, why: Option<Why>, targets: &[u64]) {
    let Some(target) = handle.status().furthest_of(targets) else {
        return;
    };
    match handle.hand_over(Some(target), HAND_OVER_MAX).await {
        Ok(leader) => tracing::warn!(?why, leader, "gave leadership away"),
        Err(error) => tracing::warn!(?why, target, %error, "leadership could not be given away"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(began: Instant, ms: u64) -> Instant {
        began + Duration::from_millis(ms)
    }

    #[test]
    fn leadership_moves_for_what_lasts_and_not_again_soon() {
        let (mut patience, began) = (Patience::default(), Instant::now());
        let slow = Some(Why::SlowDisk);
        assert!(!patience.is_over(slow, began));
        assert!(!patience.is_over(slow, at(began, 2_900)));
        assert!(!patience.is_over(None, at(began, 2_950)));
        assert!(
            !patience.is_over(slow, at(began, 3_000)),
            "it was gone in between"
        );
        assert!(patience.is_over(slow, at(began, 6_000)));
        patience.moved = Some(at(began, 6_000));
        assert!(!patience.is_over(slow, at(began, 35_900)));
        assert!(patience.is_over(slow, at(began, 36_000)));
    }

    #[test]
    fn a_wrong_state_leads_no_longer_than_it_must() {
        let (mut patience, began) = (Patience::default(), Instant::now());
        assert!(patience.is_over(Some(Why::Outvoted), began));
        patience.moved = Some(began);
        assert!(!patience.is_over(Some(Why::Outvoted), at(began, 1_000)));
        assert!(patience.is_over(Some(Why::Outvoted), at(began, 2_000)));
    }
}
