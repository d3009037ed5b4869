//! What every node is known to have promised, so that one whose directory went back in time is found out.
//!
//! A node cannot see by itself that its files are older than what it told others; they can. A *claim* is the last that
//! is known of one node: how often its directory had been started, its vote, and up to where it had acknowledged the
//! log under that vote. Leaders learn claims from answers, and spread them with their heartbeats; everybody keeps the
//! highest of each node, and writes the table to `DIR/claims.meta` from a task of its own, never on the way of an
//! append. What a starting node does with them is in `remember`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bincode::{Decode, Encode};

use super::blocking;
use crate::cold;
use crate::log::{LogId, Vote};
use crate::meta;

/// Nodes remembered; far more than a cluster ever has, so that no message can make the table grow for ever.
const NODES_MAX: usize = 1_024;
/// Pause between two looks whether the table has changed.
const SAVE_PAUSE: Duration = Duration::from_secs(1);
/// The table's file in the node's directory.
const FILE: &str = "claims.meta";

/// The last that is known of one node. All of it was durable there when it was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// Starts of its directory.
    pub(super) incarnation: u64,
    /// Its vote.
    pub(super) vote: Option<Vote>,
    /// Term and index of the last entry that it acknowledged to the leader it had voted for. Under that vote it cannot
    /// lose it; under a later one a leader may have replaced it.
    pub(super) acknowledged: Option<(u64, u64)>,
}

/// Order of votes: a leader's is above a candidate's of the same term.
pub(super) fn rank(vote: Option<Vote>) -> Option<(u64, bool)> {
    vote.map(|vote| (vote.term, vote.committed))
}

/// Term and index: the order of log ids.
pub(super) fn position(id: Option<LogId>) -> Option<(u64, u64)> {
    id.map(|id| (id.term, id.index))
}

impl Claim {
    /// Takes over what is higher in `other`; says whether anything was.
    fn raise(&mut self, other: &Self) -> bool {
        let before = *self;
        self.incarnation = self.incarnation.max(other.incarnation);
        let key = |claim: &Self| (rank(claim.vote), claim.acknowledged);
        if key(other) > key(self) {
            self.vote = other.vote;
            self.acknowledged = other.acknowledged;
        }
        *self != before
    }

    /// Why a node that finds `own` in its directory has lost what it promised; `None` when it has not. `own` holds the
    /// start that is under way, the vote and the last entry.
    pub(super) fn contradicts(&self, own: &Self) -> Option<String> {
        if self.incarnation >= own.incarnation {
            return Some(format!(
                "its directory had been started {} times before and remembers {}",
                self.incarnation,
                own.incarnation.saturating_sub(1)
            ));
        }
        let forgotten = rank(self.vote) > rank(own.vote);
        let other_vote = match (self.vote, own.vote) {
            (Some(known), Some(own)) => known.term == own.term && known.node != own.node,
            _ => false,
        };
        // A vote of the same term for two nodes is one that was forgotten and given again.
        if forgotten || (other_vote && rank(self.vote) == rank(own.vote)) {
            return Some(format!(
                "it had voted {:?} and remembers {:?}",
                self.vote, own.vote
            ));
        }
        if rank(self.vote) == rank(own.vote) && self.acknowledged > own.acknowledged {
            return Some(format!(
                "it had acknowledged the log up to (term, index) {:?} and its own ends at {:?}",
                self.acknowledged, own.acknowledged
            ));
        }
        None
    }
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Row {
    node: u64,
    incarnation: u64,
    /// Term, node voted for, committed.
    vote: Option<(u64, u64, bool)>,
    /// Term, index.
    acknowledged: Option<(u64, u64)>,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// What each row says, with its node.
    pub(super) fn claims(self) -> impl Iterator<Item = (u64, Claim)> {
        self.rows.into_iter().map(from_row)
    }
}

#[derive(Debug, Default)]
struct Known {
    claims: BTreeMap<u64, Claim>,
    changed: bool,
}

/// The claims that this node knows. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    dir: PathBuf,
    known: Arc<Mutex<Known>>,
}

impl Claims {
    /// Reads what an earlier start wrote. A file that does not verify is put aside: it is about others, each of whom
    /// has another witness.
    pub(super) fn open(dir: &Path) -> std::io::Result<Self> {
        let path = dir.join(FILE);
        let mut known = Known::default();
        match std::fs::read(&path) {
            Ok(bytes) => match cold::decode::<Table>(cold::Kind::Claims, &bytes) {
                Ok(table) => known.claims.extend(table.claims()),
                Err(error) => {
                    let aside = path.with_extension("damaged");
                    tracing::error!(path = %path.display(), aside = %aside.display(), %error, "what this node knew of the others' claims is damaged; put aside");
                    std::fs::rename(&path, &aside)?;
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            dir: dir.to_owned(),
            known: Arc::new(Mutex::new(known)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is higher than what was known of `node`.
    pub(super) fn record(&self, node: u64, claim: &Claim) {
        let mut known = self.lock();
        if known.claims.len() >= NODES_MAX && !known.claims.contains_key(&node) {
            return;
        }
        if known.claims.entry(node).or_default().raise(claim) {
            known.changed = true;
        }
    }

    pub(super) fn of(&self, node: u64) -> Option<Claim> {
        self.lock().claims.get(&node).copied()
    }

    /// All of them, for a heartbeat.
    pub(super) fn table(&self) -> Vec<(u64, Claim)> {
        let known = self.lock();
        known
            .claims
            .iter()
            .map(|(id, claim)| (*id, *claim))
            .collect()
    }

    /// Writes the table if it has changed. Blocks for a sync.
    pub(super) fn save(&self) -> std::io::Result<()> {
        let table = {
            let mut known = self.lock();
            if !std::mem::take(&mut known.changed) {
                return Ok(());
            }
            Table {
                rows: known.claims.iter().map(to_row).collect(),
            }
        };
        let bytes = cold::encode(cold::Kind::Claims, &table).map_err(std::io::Error::other)?;
        let saved = meta::replace(&self.dir, FILE, &bytes);
        if saved.is_err() {
            self.lock().changed = true;
        }
        saved
    }

    /// Keeps the file near the table for as long as the runtime lives.
    pub(super) async fn keep_saved(self) {
        loop {
            tokio::time::sleep(SAVE_PAUSE).await;
            let claims = self.clone();
            let saved = blocking::run(move || claims.save()).await;
            if let Ok(Err(error)) = saved {
                // The log is what must not fail: a full disk must not end a node because of what it knows of others.
                tracing::warn!(%error, "the others' claims could not be written; trying again");
            }
        }
    }
}

fn to_row((node, claim): (&u64, &Claim)) -> Row {
    Row {
        node: *node,
        incarnation: claim.incarnation,
        vote: claim
            .vote
            .map(|vote| (vote.term, vote.node, vote.committed)),
        acknowledged: claim.acknowledged,
    }
}

fn from_row(row: Row) -> (u64, Claim) {
    let vote = row.vote.map(|(term, node, committed)| Vote {
        term,
        node,
        committed,
    });
    let claim = Claim {
        incarnation: row.incarnation,
        vote,
        acknowledged: row.acknowledged,
    };
    (row.node, claim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn vote(term: u64, node: u64, committed: bool) -> Option<Vote> {
        Some(Vote {
            term,
            node,
            committed,
        })
    }

    fn claim(incarnation: u64, vote: Option<Vote>, acknowledged: Option<(u64, u64)>) -> Claim {
        Claim {
            incarnation,
            vote,
            acknowledged,
        }
    }

    /// A node that comes back as it went is not accused, whatever a crash may have taken that was never acknowledged.
    #[test]
    fn what_was_kept_is_not_called_forgotten() {
        let known = claim(3, vote(2, 1, true), Some((2, 100)));
        let rows = [
            claim(4, vote(2, 1, true), Some((2, 100))),
            claim(4, vote(2, 1, true), Some((2, 180))),
            // A later leader may have replaced what was acknowledged to the earlier one.
            claim(4, vote(3, 2, false), Some((1, 60))),
            claim(9, vote(3, 2, true), Some((2, 90))),
        ];
        for own in rows {
            assert_eq!(known.contradicts(&own), None, "{own:?}");
        }
        assert_eq!(Claim::default().contradicts(&claim(1, None, None)), None);
    }

    #[test]
    fn what_was_forgotten_is_said() {
        let known = claim(3, vote(2, 1, true), Some((2, 100)));
        let rows = [
            (claim(4, vote(2, 1, true), Some((2, 99))), "acknowledged"),
            (claim(4, vote(2, 1, true), Some((1, 300))), "acknowledged"),
            (claim(4, vote(2, 1, false), Some((2, 100))), "voted"),
            (claim(4, vote(1, 1, true), Some((2, 100))), "voted"),
            (claim(4, None, None), "voted"),
            (
                claim(3, vote(2, 1, true), Some((2, 100))),
                "started 3 times",
            ),
            (
                claim(1, vote(9, 1, true), Some((9, 100))),
                "started 3 times",
            ),
        ];
        for (own, word) in rows {
            let why = known.contradicts(&own).unwrap();
            assert!(why.contains(word), "{own:?}: {why}");
        }
        let given = claim(3, vote(2, 1, false), None);
        let again = claim(4, vote(2, 3, false), None);
        assert!(given.contradicts(&again).is_some(), "two votes in one term");
    }

    #[test]
    fn the_highest_is_kept_and_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let claims = Claims::open(dir.path()).unwrap();
        claims.record(2, &claim(3, vote(2, 1, true), Some((2, 100))));
        // A probe of a leader acknowledges less than what is known; a new start is known at once.
        claims.record(2, &claim(4, vote(2, 1, true), Some((2, 50))));
        claims.record(2, &claim(2, vote(1, 3, true), Some((1, 500))));
        let kept = claim(4, vote(2, 1, true), Some((2, 100)));
        assert_eq!(claims.of(2), Some(kept));
        claims.save().unwrap();
        let again = Claims::open(dir.path()).unwrap();
        assert_eq!(again.table(), vec![(2, kept)]);
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), b"FART nonsense").unwrap();
        assert_eq!(Claims::open(dir.path()).unwrap().table(), vec![]);
        let aside = dir.path().join(FILE).with_extension("damaged");
        assert_eq!(std::fs::read(aside).unwrap(), b"FART nonsense");
    }

    /// The bytes are a promise to later versions.
    #[test]
    fn the_file_has_these_bytes() {
        let table = Table {
            rows: vec![to_row((&2, &claim(3, vote(4, 1, true), Some((4, 300)))))],
        };
        let golden = b"FART\x01\x00\x05\x00\x0c\x00\x00\x00";
        let payload = b"\x01\x02\x03\x01\x04\x01\x01\x01\x04\xfb\x2c\x01";
        let bytes = cold::encode(cold::Kind::Claims, &table).unwrap();
        assert_eq!(&bytes[..12], golden);
        assert_eq!(&bytes[16..], payload);
    }
}
