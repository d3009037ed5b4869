//! Before it votes or acknowledges anything, a node that starts asks the others what they know of it.
//!
//! It waits until it and those who answered make a majority of its voters: whoever made a majority with it before has
//! one of them in common with this one. A node that never was anything (an empty directory under the number of a
//! founder) waits for every other founder, because each may be the only one that remembers it. It then takes the
//! highest vote answered for its own, so that a vote it may have forgotten cannot be given twice; if somebody knows more
//! of it than its own directory does, that directory went back in time and the node refuses to go on.
//!
//! Not found out: a directory that went back while every node that knew better is away; what was said in the last
//! second before all of those lost power at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use tokio::sync::watch;
use tokio::time::Instant;

use super::claims::{Claim, rank};
use super::convert;
use super::network::Network;
use super::types::{Member, RaftMembership, decode_membership};
use crate::log::{EntryKind, Log, Vote};
use crate::storage;

/// Pause between two rounds of asking.
const PAUSE: Duration = Duration::from_millis(100);
/// A peer that does not answer within this is asked again in the next round.
const ANSWER_MAX: Duration = Duration::from_millis(500);
/// How often a node that waits says so.
const SAY_INTERVAL: Duration = Duration::from_secs(5);
/// Bytes of log read at once in search of memberships.
const READ_BYTES_MAX: u64 = 4 << 20;

/// Whom to ask, and how many must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Circle {
    pub(super) own: u64,
    /// Log index of the membership it is of; 0: of the founders.
    pub(super) index: u64,
    /// Sets of voters; two while a membership change is under way.
    pub(super) configs: Vec<BTreeSet<u64>>,
    /// Where the other members listen.
    pub(super) peers: BTreeMap<u64, Member>,
    /// Whether everybody has to answer.
    pub(super) all: bool,
}

impl Circle {
    /// Of a node that has a membership in its log or state, or of one that is told whom to found a cluster with.
    pub(super) fn new(
        own: u64,
        membership: Option<(u64, &RaftMembership)>,
        founders: &BTreeMap<u64, Member>,
        is_empty: bool,
    ) -> Self {
        let (configs, mut peers) = match membership {
            Some((_, membership)) => parts_of(membership),
            None if founders.is_empty() => (Vec::new(), BTreeMap::new()),
            None => (vec![founders.keys().copied().collect()], founders.clone()),
        };
        peers.remove(&own);
        Self {
            own,
            index: membership.map_or(0, |(index, _)| index),
            configs,
            peers,
            all: is_empty && founders.contains_key(&own),
        }
    }

    /// Takes a membership that another node has applied, if it is newer: those of the old one may all be gone. What a
    /// majority of the old voters would say is then known to every majority of the new ones, because without it the change
    /// could not have been committed. A node that finds nothing of itself goes on asking all founders.
    fn adopt(&mut self, index: u64, membership: &RaftMembership) {
        if self.all || index <= self.index {
            return;
        }
        self.index = index;
        (self.configs, self.peers) = parts_of(membership);
        self.peers.remove(&self.own);
        tracing::info!(index, members = ?self.peers.keys().collect::<Vec<_>>(), "the members have changed meanwhile");
    }

    /// Whether there is anybody to ask.
    pub(super) fn is_alone(&self) -> bool {
        self.peers.is_empty()
    }

    /// Whether this node and those who answered are enough to go on.
    pub(super) fn is_enough(&self, answered: &BTreeSet<u64>) -> bool {
        let counts = |voter: &&u64| **voter == self.own || answered.contains(voter);
        let majority =
            |config: &BTreeSet<u64>| config.iter().filter(counts).count() * 2 > config.len();
        let everybody = || self.peers.keys().all(|peer| answered.contains(peer));
        self.configs.iter().all(majority) && (!self.all || everybody())
    }
}

/// The sets of voters, and all members.
fn parts_of(membership: &RaftMembership) -> (Vec<BTreeSet<u64>>, BTreeMap<u64, Member>) {
    let members = membership.nodes();
    (
        membership.get_joint_config().clone(),
        members.map(|(id, member)| (*id, member.clone())).collect(),
    )
}

/// The newest membership that this node has, with its log index: of its state, or of an entry behind it. Reads all of the log that is to be
/// applied again; blocks.
pub(super) fn known_membership(
    log: &Log,
    storage: &dyn storage::Store,
) -> std::io::Result<Option<(u64, RaftMembership)>> {
    let applied = storage.applied();
    let mut newest = match &applied.membership {
        Some((id, bytes)) => Some((id.index, decode_membership(bytes)?)),
        None => None,
    };
    let end = log.state().last.map_or(0, |last| last.index + 1);
    let purged = log.state().last_purged.map_or(0, |id| id.index + 1);
    let mut start = applied.log_id.map_or(0, |id| id.index + 1).max(purged);
    while start < end {
        let entries = log.read(start..end, READ_BYTES_MAX)?;
        let Some(last) = entries.last() else { break };
        start = last.log_id.index + 1;
        for entry in &entries {
            if entry.kind == EntryKind::Membership {
                newest = Some((entry.log_id.index, decode_membership(&entry.payload)?));
            }
        }
    }
    Ok(newest)
}

/// What one of the others says.
#[derive(Debug, Default, Clone, Copy)]
struct Answer {
    vote: Option<Vote>,
    known: Option<Claim>,
    /// It has no history itself.
    empty: bool,
}

/// What the others' answers come to.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) answered: BTreeSet<u64>,
    /// The highest vote of any of them.
    pub(super) vote: Option<Vote>,
    /// The most that anybody knows of this node.
    pub(super) known: BTreeMap<u64, Claim>,
}

impl Answers {
    /// An empty node may be one that has forgotten everything: it is a witness only for those that are empty as well.
    fn take(&mut self, from: u64, answer: Answer, to_empty: bool) {
        if to_empty || !answer.empty {
            self.answered.insert(from);
        }
        if rank(answer.vote) > rank(self.vote) {
            self.vote = answer.vote;
        }
        self.known.extend(answer.known.map(|claim| (from, claim)));
    }
}

/// The vote to go on with: the highest answered, if that is above the own one. Nobody is made leader by it but who was
/// elected, and never this node itself.
pub(super) fn raised(own_id: u64, own: Option<Vote>, answered: Option<Vote>) -> Option<Vote> {
    let answered = answered.map(|vote| Vote {
        committed: vote.committed && vote.node != own_id,
        ..vote
    });
    if rank(answered) > rank(own) {
        answered
    } else {
        own
    }
}

/// Asks until enough have answered; `news` says when the members have changed meanwhile.
pub(super) async fn ask(
    network: &Network,
    circle: &mut Circle,
    own: &Claim,
    news: &watch::Receiver<Option<(u64, RaftMembership)>>,
) -> Answers {
    let mut answers = Answers::default();
    let mut said = Instant::now();
    while !circle.is_enough(&answers.answered) {
        if let Some((index, membership)) = &*news.borrow() {
            circle.adopt(*index, membership);
        }
        let asking = circle
            .peers
            .iter()
            .filter(|(id, _)| !answers.answered.contains(id))
            .map(|(id, member)| ask_one(network, *id, member, circle.own, own));
        // Everybody who can answer at once is heard, not only as many as are needed.
        for (from, answer) in futures::future::join_all(asking)
            .await
            .into_iter()
            .flatten()
        {
            answers.take(from, answer, circle.all);
        }
        if circle.is_enough(&answers.answered) {
            break;
        }
        if said.elapsed() >= SAY_INTERVAL {
            said = Instant::now();
            tracing::warn!(
                answered = ?answers.answered,
                asked = ?circle.peers.keys().collect::<Vec<_>>(),
                "waiting for the others to say what they know of this node; it does not vote or follow before"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
    answers
}

async fn ask_one(
    network: &Network,
    id: u64,
    member: &Member,
    own_id: u64,
    own: &Claim,
) -> Option<(u64, Answer)> {
    let mut client = network.control(&member.peer_address).ok()?;
    let message = wire::RememberRequest {
        own: Some(convert::claim_to_wire(own_id, own)),
    };
    let call = client.remember(network.request(id, message));
    let reply = match tokio::time::timeout(ANSWER_MAX, call).await {
        Ok(Ok(reply)) => reply.into_inner(),
        Ok(Err(status)) => {
            tracing::debug!(peer = id, %status, "no answer to what is remembered");
            return None;
        }
        Err(_) => return None,
    };
    let known = reply.known.as_ref().map(convert::claim_from_wire);
    let answer = Answer {
        vote: convert::log_vote_from_wire(reply.vote),
        known: known.map(|(_, claim)| claim),
        empty: reply.empty,
    };
    Some((id, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(own: u64, configs: &[&[u64]], all: bool) -> Circle {
        let configs: Vec<BTreeSet<u64>> = configs
            .iter()
            .map(|config| config.iter().copied().collect())
            .collect();
        let members = configs.iter().flatten().filter(|id| **id != own);
        Circle {
            own,
            index: 4,
            peers: members.map(|id| (*id, Member::default())).collect(),
            configs,
            all,
        }
    }

    #[test]
    fn enough_is_a_majority_with_oneself() {
        let answered = |ids: &[u64]| ids.iter().copied().collect::<BTreeSet<u64>>();
        let three = circle(1, &[&[1, 2, 3]], false);
        assert!(!three.is_enough(&answered(&[])));
        assert!(three.is_enough(&answered(&[3])));
        let five = circle(1, &[&[1, 2, 3, 4, 5]], false);
        assert!(!five.is_enough(&answered(&[2])));
        assert!(five.is_enough(&answered(&[2, 5])));
        // A learner is no part of the majority that it asks.
        let learner = circle(4, &[&[1, 2, 3]], false);
        assert!(!learner.is_enough(&answered(&[1])));
        assert!(learner.is_enough(&answered(&[1, 2])));
        let changing = circle(1, &[&[1, 2, 3], &[1, 4, 5]], false);
        assert!(!changing.is_enough(&answered(&[2, 3])));
        assert!(changing.is_enough(&answered(&[2, 4])));
        // Whoever finds nothing of itself asks everybody who could remember it.
        let empty = circle(1, &[&[1, 2, 3]], true);
        assert!(!empty.is_enough(&answered(&[2])));
        assert!(empty.is_enough(&answered(&[2, 3])));
        // One voter asks nobody.
        assert!(circle(1, &[&[1]], false).is_alone());
        assert!(circle(1, &[&[1]], false).is_enough(&answered(&[])));
    }

    #[test]
    fn an_empty_node_is_no_witness_for_one_that_has_a_history() {
        let empty = Answer {
            empty: true,
            ..Answer::default()
        };
        for (answer, to_empty, counts) in [
            (empty, true, true),
            (empty, false, false),
            (Answer::default(), false, true),
        ] {
            let mut answers = Answers::default();
            answers.take(2, answer, to_empty);
            assert_eq!(
                answers.answered.contains(&2),
                counts,
                "{answer:?} {to_empty}"
            );
        }
    }

    #[test]
    fn a_vote_is_only_raised_and_never_makes_a_leader_of_oneself() {
        let vote = |term, node, committed| {
            Some(Vote {
                term,
                node,
                committed,
            })
        };
        let rows = [
            (None, None, None),
            (vote(2, 1, false), None, vote(2, 1, false)),
            (None, vote(1, 2, false), vote(1, 2, false)),
            (vote(2, 1, false), vote(2, 3, false), vote(2, 1, false)),
            (vote(2, 1, false), vote(2, 3, true), vote(2, 3, true)),
            (vote(5, 1, false), vote(2, 3, true), vote(5, 1, false)),
            (vote(2, 3, true), vote(4, 1, true), vote(4, 1, false)),
            (vote(4, 1, false), vote(4, 1, true), vote(4, 1, false)),
        ];
        for (own, answered, expected) in rows {
            assert_eq!(raised(1, own, answered), expected, "{own:?} {answered:?}");
        }
    }
}
