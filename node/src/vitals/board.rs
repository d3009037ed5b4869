//! What the peers said of themselves, and what follows from it for this node.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Level, PublicKey, Vitals};

/// What was said longer ago says nothing about now.
const AGE_MAX: Duration = Duration::from_secs(3);

/// Whether the voters' states agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// No voter is known to differ, or those that do are a minority without this node.
    #[default]
    Sound,
    /// States differ and no majority of equal ones is known: nobody can say which is right.
    Undecided,
    /// A majority of the voters agrees on another state than this node's.
    Outvoted,
    /// What this node has at rest was read back and is damaged.
    Damaged,
}

impl Verdict {
    /// Whether this node may answer reads and vote.
    pub fn serves(self) -> bool {
        matches!(self, Self::Sound | Self::Undecided)
    }
}

#[derive(Debug)]
struct Told {
    vitals: Vitals,
    at: Instant,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Board {
    own: u64,
    told: BTreeMap<u64, Told>,
    /// The newest index at which a peer's digest was compared with the own one, and whether they were equal.
    compared: BTreeMap<u64, (u64, bool)>,
}

impl Board {
    pub(super) fn new(own: u64) -> Self {
        Self {
            own,
            told: BTreeMap::new(),
            compared: BTreeMap::new(),
        }
    }

    pub(super) fn heard(
        &mut self,
        peer: u64,
        vitals: Vitals,
        compared: Option<(u64, bool)>,
        at: Instant,
    ) {
        self.told.insert(peer, Told { vitals, at });
        if let Some(found) = compared
            && self
                .compared
                .get(&peer)
                .is_none_or(|before| before.0 <= found.0)
        {
            self.compared.insert(peer, found);
        }
    }

    /// Nodes whose state was last found equal, this one included.
    pub(super) fn agrees(&self) -> Vec<u64> {
        let equal = self.compared.iter().filter(|(_, (_, equal))| *equal);
        equal.map(|(peer, _)| *peer).chain([self.own]).collect()
    }

    /// Where the peer's state was last found different, if it was.
    pub(super) fn differed_at(&self, peer: u64) -> Option<u64> {
        let (index, equal) = self.compared.get(&peer)?;
        (!equal).then_some(*index)
    }

    /// Peers' keys, of those that said theirs lately.
    pub(super) fn public_keys(&self, now: Instant) -> Vec<(u64, PublicKey)> {
        let keys = self
            .fresh(now)
            .map(|(peer, vitals)| (peer, vitals.public_key));
        keys.filter_map(|(peer, key)| Some((peer, key?))).collect()
    }

    /// Peers that said so lately.
    pub(super) fn peers_where(&self, now: Instant, holds: impl Fn(&Vitals) -> bool) -> Vec<u64> {
        let fresh = self.fresh(now).filter(|(_, vitals)| holds(vitals));
        fresh.map(|(peer, _)| peer).collect()
    }

    fn fresh(&self, now: Instant) -> impl Iterator<Item = (u64, &Vitals)> {
        let is_fresh =
            move |(_, told): &(&u64, &Told)| now.saturating_duration_since(told.at) <= AGE_MAX;
        self.told
            .iter()
            .filter(is_fresh)
            .map(|(peer, told)| (*peer, &told.vitals))
    }

    pub(super) fn quorum_level(&self, own: Level, voters: &[u64], now: Instant) -> Level {
        let quorum = voters.len() / 2 + 1;
        let peers = self.fresh(now).filter(|(peer, _)| *peer != self.own);
        let mut levels: Vec<Level> = peers
            .filter(|(peer, _)| voters.contains(peer))
            .map(|(_, vitals)| vitals.level)
            .collect();
        if voters.contains(&self.own) {
            levels.push(own);
        }
        levels.sort_unstable();
        levels.get(quorum - 1).copied().unwrap_or(own)
    }

    pub(super) fn verdict(&self, voters: &[u64]) -> Verdict {
        let quorum = voters.len() / 2 + 1;
        let count = |nodes: &[u64]| nodes.iter().filter(|node| voters.contains(node)).count();
        let differing: Vec<u64> = self.differing(voters).collect();
        if differing.is_empty() || count(&self.agrees()) >= quorum {
            return Verdict::Sound;
        }
        let outvotes = |peer: &u64| {
            self.told.get(peer).is_some_and(|told| {
                count(&told.vitals.agrees) >= quorum && !told.vitals.agrees.contains(&self.own)
            })
        };
        if differing.iter().any(outvotes) {
            Verdict::Outvoted
        } else {
            Verdict::Undecided
        }
    }

    fn differing<'a>(&'a self, voters: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
        let voters = voters.iter().copied();
        voters.filter(|voter| *voter != self.own && self.differed_at(*voter).is_some())
    }

    pub(super) fn alarm(&self, voters: &[u64]) -> Option<String> {
        let differing: Vec<String> = self
            .differing(voters)
            .map(|peer| {
                let index = self.differed_at(peer).unwrap_or(0);
                format!("node {peer} at log index {index}")
            })
            .collect();
        if differing.is_empty() {
            return None;
        }
        let differing = differing.join(", ");
        Some(match self.verdict(voters) {
            Verdict::Sound => format!(
                "the state of {differing} differs from the majority's: that node serves nothing; replace its state"
            ),
            Verdict::Undecided => format!(
                "this state differs from that of {differing}, and no majority agrees: writes are refused; keep every directory and find out which is right"
            ),
            Verdict::Outvoted | Verdict::Damaged => format!(
                "this state differs from the majority's ({differing}): this node serves neither reads nor votes; replace its state"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOTERS: [u64; 3] = [1, 2, 3];

    fn agreeing(agrees: &[u64]) -> Vitals {
        Vitals {
            agrees: agrees.to_vec(),
            ..Vitals::default()
        }
    }

    fn at_level(level: Level) -> Vitals {
        Vitals {
            level,
            ..Vitals::default()
        }
    }

    #[test]
    fn the_one_that_differs_from_two_that_agree_is_outvoted() {
        let (mut board, now) = (Board::new(1), Instant::now());
        assert_eq!(board.verdict(&VOTERS), Verdict::Sound);
        board.heard(2, agreeing(&[2, 3]), Some((7, false)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Outvoted);
        assert!(board.alarm(&VOTERS).is_some());
        // Replaced by a right state it agrees again, from a later index on.
        board.heard(2, agreeing(&[2, 3]), Some((6, true)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Outvoted);
        board.heard(2, agreeing(&[1, 2, 3]), Some((8, true)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Sound);
        assert_eq!(board.alarm(&VOTERS), None);
    }

    #[test]
    fn a_majority_goes_on_and_without_one_nobody_writes() {
        let (mut board, now) = (Board::new(1), Instant::now());
        board.heard(2, agreeing(&[2]), Some((7, false)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Undecided);
        assert_eq!(board.verdict(&[1, 2]), Verdict::Undecided);
        board.heard(3, agreeing(&[3]), Some((7, false)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Undecided);
        board.heard(3, agreeing(&[1, 3]), Some((8, true)), now);
        assert_eq!(board.verdict(&VOTERS), Verdict::Sound);
        assert!(
            board
                .alarm(&VOTERS)
                .is_some_and(|alarm| alarm.contains("node 2"))
        );
        // A node that votes no more does not count.
        assert_eq!(board.verdict(&[1, 3]), Verdict::Sound);
    }

    #[test]
    fn the_room_is_that_of_the_best_majority_known() {
        let now = Instant::now();
        let mut board = Board::new(1);
        assert_eq!(board.quorum_level(Level::Low, &VOTERS, now), Level::Low);
        assert_eq!(board.quorum_level(Level::Roomy, &[1], now), Level::Roomy);
        board.heard(2, at_level(Level::Reserve), None, now);
        // The third is not known: a majority needs the second.
        assert_eq!(
            board.quorum_level(Level::Roomy, &VOTERS, now),
            Level::Reserve
        );
        board.heard(3, at_level(Level::Roomy), None, now);
        assert_eq!(board.quorum_level(Level::Roomy, &VOTERS, now), Level::Roomy);
        assert_eq!(board.quorum_level(Level::Low, &VOTERS, now), Level::Low);
        let later = now + AGE_MAX + Duration::from_millis(1);
        assert_eq!(
            board.quorum_level(Level::Roomy, &VOTERS, later),
            Level::Roomy
        );
    }
}
