//! A node that has lost part of its log, and how it becomes whole again.
//!
//! Others count on what it had acknowledged. So it says in every answer that it is *suspect*, which makes the leader
//! refill it, and it neither votes nor stands for election until its log holds everything that the leader has
//! committed, up to an entry of that leader's own term, and everything that the damage is known to have taken. That it
//! is suspect is in `DIR/suspect.meta` before anything is cut, and stays there over restarts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bincode::{Decode, Encode};
use tokio::sync::Notify;

use super::claims::Claim;
use crate::cold;
use crate::log::Damage;
use crate::meta;

/// The file in the node's directory.
const FILE: &str = "suspect.meta";

/// The file's contents: what is known of the loss.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Loss {
    /// In words, for whoever looks.
    pub(super) what: String,
    /// Term up to which `reach` may have been acknowledged.
    pub(super) term: u64,
    /// Log index up to which entries had been durable, as far as is known; 0 when it is not.
    pub(super) reach: u64,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    active: AtomicBool,
    loss: Mutex<Loss>,
    whole: Notify,
}

/// Whether this node is suspect. Cheap to clone, cheap to ask.
#[derive(Debug, Clone)]
pub struct Suspicion(Arc<Inner>);

impl Suspicion {
    /// What an earlier start left. A file that does not verify still says that the node is suspect.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        let found = match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Some(cold::decode(cold::Kind::Suspect, &bytes).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            active: AtomicBool::new(found.is_some()),
            loss: Mutex::new(found.unwrap_or_default()),
            whole: Notify::new(),
        })))
    }

    /// Makes it durable that the node is suspect; only then the log may be cut.
    ///
    /// # Errors
    /// When that cannot be written: then nothing may be cut.
    pub fn begin(&self, damage: &Damage) -> std::io::Result<()> {
        let loss = {
            let mut loss = self.lock();
            loss.what = damage.to_string();
            loss.reach = loss.reach.max(damage.durable_index.unwrap_or(0));
            loss.clone()
        };
        let bytes = cold::encode(cold::Kind::Suspect, &loss).map_err(std::io::Error::other)?;
        meta::replace(&self.0.dir, FILE, &bytes)?;
        self.0.active.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether this node must neither vote nor lead.
    pub fn is_active(&self) -> bool {
        self.0.active.load(Ordering::Acquire)
    }

    /// What was lost, in words, while the node is suspect.
    pub(super) fn what(&self) -> Option<String> {
        self.is_active().then(|| match &self.lock().what {
            what if what.is_empty() => {
                format!("{FILE} cannot be read, so what was lost is not known")
            }
            what => what.clone(),
        })
    }

    /// Others remember this of the node: it is whole again only with that.
    pub(super) fn expect(&self, known: &Claim) {
        let Some((_, index)) = known.acknowledged else {
            return;
        };
        let mut loss = self.lock();
        loss.reach = loss.reach.max(index);
        loss.term = loss.term.max(known.vote.map_or(0, |vote| vote.term));
    }

    /// The term that this node begins with: what was lost may have been acknowledged in it.
    pub(super) fn begins_in(&self, term: u64) {
        let mut loss = self.lock();
        loss.term = loss.term.max(term);
    }

    /// A leader of `leader_term`, which has committed up to `committed`, has matched the log up to (term, index).
    pub(super) fn matched(&self, leader_term: u64, committed: Option<u64>, matched: (u64, u64)) {
        if !self.is_active() {
            return;
        }
        let loss = self.lock();
        let (term, index) = matched;
        // A leader has all that was committed in terms before its own, and an entry of its own term comes after it.
        let has_committed = term == leader_term && committed.is_some_and(|end| index >= end);
        // What was acknowledged to the leader of this very term may count as committed without it knowing that yet.
        let has_own = leader_term > loss.term || index >= loss.reach;
        if !has_committed || !has_own {
            return;
        }
        let path = self.0.dir.join(FILE);
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::error!(path = %path.display(), %error, "this node is whole again and cannot say so; it stays suspect");
            return;
        }
        self.0.active.store(false, Ordering::Release);
        tracing::warn!(
            index,
            term,
            "refilled: this node has all that it had lost of its log and takes part again"
        );
        drop(loss);
        self.0.whole.notify_waiters();
        self.0.whole.notify_one();
    }

    /// Resolves when the node is not suspect any more.
    pub(super) async fn whole(&self) {
        while self.is_active() {
            self.0.whole.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loss> {
        self.0.loss.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::log::Vote;

    fn suspect(dir: &Path) -> Suspicion {
        let suspicion = Suspicion::open(dir).unwrap();
        let damage = Damage {
            path: "segment".into(),
            segment: 1,
            offset: 4_096,
            record_number: 4,
            index: Some(50),
            durable_index: Some(90),
            reason: "a test".into(),
        };
        suspicion.begin(&damage).unwrap();
        suspicion
    }

    #[test]
    fn it_is_whole_with_all_that_was_committed_and_all_that_it_had_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Suspicion::open(dir.path()).unwrap().is_active());
        suspect(dir.path());
        // A restart in between does not help it.
        let suspicion = Suspicion::open(dir.path()).unwrap();
        suspicion.expect(&Claim {
            incarnation: 1,
            vote: Some(Vote {
                term: 3,
                node: 2,
                committed: true,
            }),
            acknowledged: Some((3, 100)),
        });
        let not_yet = [
            (3, Some(60), (3, 60)),   // less than it had acknowledged to this leader
            (3, Some(120), (3, 110)), // less than is committed
            (4, Some(60), (3, 110)),  // a new leader's own entry is missing
            (4, None, (4, 110)),      // nothing is known to be committed
        ];
        for (leader, committed, matched) in not_yet {
            suspicion.matched(leader, committed, matched);
            assert!(suspicion.is_active(), "{leader} {committed:?} {matched:?}");
        }
        // The next leader may have dropped what nobody else had.
        suspicion.matched(4, Some(70), (4, 71));
        assert!(!suspicion.is_active());
        assert!(!Suspicion::open(dir.path()).unwrap().is_active());
    }

    #[test]
    fn under_the_same_leader_everything_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let suspicion = suspect(dir.path());
        suspicion.begins_in(3);
        suspicion.matched(3, Some(80), (3, 89));
        assert!(suspicion.is_active());
        suspicion.matched(3, Some(80), (3, 90));
        assert!(!suspicion.is_active());
    }

    #[test]
    fn a_damaged_file_still_says_suspect() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), b"?").unwrap();
        assert!(Suspicion::open(dir.path()).unwrap().is_active());
    }

    /// The bytes are a promise to later versions.
    #[test]
    fn the_file_has_these_bytes() {
        let loss = Loss {
            what: "torn".into(),
            term: 3,
            reach: 300,
        };
        let bytes = cold::encode(cold::Kind::Suspect, &loss).unwrap();
        assert_eq!(&bytes[..12], b"FART\x01\x00\x06\x00\x09\x00\x00\x00");
        assert_eq!(&bytes[16..], b"\x04torn\x03\xfb\x2c\x01");
    }
}
