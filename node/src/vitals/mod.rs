//! How well this node is, and what its peers say of themselves: room on disks, speed of syncs, digests of states.
//!
//! It measures, keeps what peers told, and draws conclusions; it refuses nothing and moves nothing itself. The layers
//! above ask it before they let work in, and exchange it between nodes. It knows no wire and no clients. Start reading
//! at [`Handle`], then `space` (the marks of a disk) and `board` (what follows from what several nodes say).

mod ballast;
mod board;
mod scrub;
mod space;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log::Log;
use crate::storage::Store;

pub use self::board::Verdict;
pub use self::scrub::{Damage, ScrubConfig, ScrubReport};
pub use self::space::Level;

use self::ballast::Ballast;
use self::board::Board;
use self::scrub::Scrub;
use self::space::{Marks, Space};

/// How often the disk is looked at: in this time the door lets in less than the marks are apart.
const PAUSE: Duration = Duration::from_millis(100);
/// Digests told to a peer: the newest of each spacing, so that one of them is found where both nodes have been.
const DIGESTS_TOLD_MAX: usize = 4;

/// An Ed25519 key that everybody may know.
pub type PublicKey = [u8; 32];

/// What a node is told about its disk.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node.
    pub node_id: u64,
    /// The node's directory.
    pub dir: PathBuf,
    /// Bytes set aside for the log when everything else is full; 0 for none.
    pub ballast_bytes: u64,
    /// Below so many free bytes new work is refused; `None` computes it from the sizes of runs and segments.
    pub low_bytes: Option<u64>,
    /// Below so many free bytes everything but reads is refused.
    pub reserve_bytes: u64,
    /// Bytes of one log segment.
    pub segment_bytes: u64,
    /// Bytes of requests that the door holds at most.
    pub door_bytes: u64,
    /// Bytes that a run is expected to take at most.
    pub run_bytes: u64,
    /// A median sync of the log above this is slow, when other nodes' are not.
    pub sync_slow: Duration,
    /// When and how fast what is at rest is read back.
    pub scrub: ScrubConfig,
    /// The key that checks what this node signs.
    pub public_key: Option<PublicKey>,
}

/// What a node tells its peers of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Room on its disk.
    pub level: Level,
    /// Median of its latest syncs of the log; `None` when there were too few.
    pub sync_p50: Option<Duration>,
    /// Log indexes and the digests of its state there.
    pub digests: Vec<(u64, u128)>,
    /// Nodes whose state it found equal, itself included.
    pub agrees: Vec<u64>,
    /// The key that checks what it signs.
    pub public_key: Option<PublicKey>,
}

struct Inner {
    config: Config,
    log: Log,
    storage: Arc<dyn Store>,
    space: Mutex<Space>,
    board: Mutex<Board>,
    conclusion: Mutex<Conclusion>,
    scrub: Scrub,
}

/// What followed from the board when it was last looked at, for those who ask for every request.
#[derive(Default)]
struct Conclusion {
    voters: Vec<u64>,
    quorum_level: Option<Level>,
    verdict: Verdict,
}

/// Shared by all layers above. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the disk once, then again and again on a thread of its own that ends with the last handle.
///
/// # Errors
/// When there is no thread to be had.
pub fn start(config: Config, log: Log, storage: Arc<dyn Store>) -> std::io::Result<Handle> {
    let handle = look_once(config, log, storage);
    let inner = &handle.inner;
    let weak = Arc::downgrade(inner);
    std::thread::Builder::new()
        .name("vitals".into())
        .spawn(move || {
            while let Some(inner) = weak.upgrade() {
                inner.look();
                drop(inner);
                std::thread::sleep(PAUSE);
            }
        })?;
    let scrub = inner.config.scrub;
    if !scrub.period.is_zero() {
        let weak = Arc::downgrade(inner);
        std::thread::Builder::new()
            .name("scrub".into())
            .spawn(move || scrub::run(&weak, scrub))?;
    }
    Ok(handle)
}

/// The same without threads: the disk is looked at now and not again. For a simulator.
pub fn look_once(config: Config, log: Log, storage: Arc<dyn Store>) -> Handle {
    let ballast = Ballast::open(&config.dir, config.ballast_bytes);
    let inner = Arc::new(Inner {
        space: Mutex::new(Space::new(ballast)),
        board: Mutex::new(Board::new(config.node_id)),
        conclusion: Mutex::default(),
        scrub: Scrub::default(),
        config,
        log,
        storage,
    });
    inner.look();
    Handle { inner }
}

/// The monotonic clock that the runtime goes by, which a simulator sets.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Inner {
    fn look(&self) {
        let room = match self.storage.room() {
            Ok(room) => room,
            Err(error) => {
                tracing::warn!(%error, "the room on the disk is not known; the last reading stays");
                return;
            }
        };
        let spares = self.log.stats().spare_segments;
        let free = room.free_bytes;
        let marks = Marks::of(&self.config, room.compaction_bytes, spares);
        let log_room = free.saturating_add(spares.saturating_mul(self.config.segment_bytes));
        let mut space = lock(&self.space);
        let before = space.level();
        space.update(free, log_room, marks);
        let level = space.level();
        if level != before {
            tracing::warn!(
                ?before,
                ?level,
                free,
                ?marks,
                "the room on the disk changed its level"
            );
        }
    }
}

impl Handle {
    /// Room on this node's disk.
    pub fn level(&self) -> Level {
        lock(&self.inner.space).level()
    }

    /// What this node tells its peers.
    pub fn own(&self) -> Vitals {
        let storage = &self.inner.storage;
        let mut digests = storage.recent_digests(DIGESTS_TOLD_MAX);
        digests.dedup();
        Vitals {
            level: self.level(),
            sync_p50: self.inner.log.stats().sync_median,
            digests,
            agrees: lock(&self.inner.board).agrees(),
            public_key: self.inner.config.public_key,
        }
    }

    /// The keys of this node and of the peers that said theirs lately.
    pub fn public_keys(&self) -> Vec<(u64, PublicKey)> {
        let config = &self.inner.config;
        let own = config.public_key.map(|key| (config.node_id, key));
        let peers = lock(&self.inner.board).public_keys(now());
        own.into_iter().chain(peers).collect()
    }

    /// Takes what `peer` said of itself, and compares its state with the own one where both are known.
    pub fn heard(&self, peer: u64, vitals: Vitals) {
        let storage = &self.inner.storage;
        let newest_first = vitals.digests.iter().rev();
        let compared = newest_first
            .filter_map(|(index, theirs)| {
                let ours = storage.digest_at(*index)?;
                Some((*index, ours == *theirs))
            })
            .max_by_key(|(index, _)| *index);
        let mut board = lock(&self.inner.board);
        if let Some((index, false)) = compared
            && board.differed_at(peer).is_none()
        {
            tracing::error!(
                peer,
                index,
                "the digest of this node's state and of node {peer}'s differ at log index {index}: one of them is wrong"
            );
        }
        board.heard(peer, vitals, compared, now());
    }

    /// Draws conclusions from what the voters have said; until the next time they are what everybody here is told.
    pub fn conclude(&self, voters: Vec<u64>) {
        let board = lock(&self.inner.board);
        let verdict = if self.damage().is_some() {
            Verdict::Damaged
        } else {
            board.verdict(&voters)
        };
        let conclusion = Conclusion {
            quorum_level: Some(board.quorum_level(self.level(), &voters, now())),
            verdict,
            voters,
        };
        drop(board);
        *lock(&self.inner.conclusion) = conclusion;
    }

    /// What is damaged at rest: found by a pass over it, or met by whoever read it.
    pub fn damage(&self) -> Option<Damage> {
        let scrubbed = self.inner.scrub.damage();
        scrubbed.or_else(|| self.inner.storage.damage().map(Damage::State))
    }

    /// The room that the best majority of the voters has: entries need no more than a majority. Without news of a
    /// majority, the own level.
    pub fn quorum_level(&self) -> Level {
        let concluded = lock(&self.inner.conclusion).quorum_level;
        concluded.unwrap_or_else(|| self.level())
    }

    /// Whether the voters' states agree, as far as this node knows.
    pub fn verdict(&self) -> Verdict {
        lock(&self.inner.conclusion).verdict
    }

    /// Voters with room for more, as last heard.
    pub fn roomy_peers(&self) -> Vec<u64> {
        lock(&self.inner.board).peers_where(now(), |vitals| vitals.level == Level::Roomy)
    }

    /// Peers whose log is synced much faster than this node's, when this node's is slow; empty otherwise.
    pub fn faster_peers(&self) -> Vec<u64> {
        let bound = self.inner.config.sync_slow;
        let Some(own) = self
            .inner
            .log
            .stats()
            .sync_median
            .filter(|own| *own > bound)
        else {
            return Vec::new();
        };
        lock(&self.inner.board).peers_where(now(), |vitals| {
            vitals
                .sync_p50
                .is_some_and(|theirs| theirs < bound / 2 && theirs < own / 4)
        })
    }

    /// What is known of the passes over what is at rest.
    pub fn scrub(&self) -> ScrubReport {
        self.inner.scrub.report()
    }

    /// From the start of one pass to the start of the next.
    pub fn scrub_period(&self) -> Duration {
        self.inner.config.scrub.period
    }

    /// What a person must look at. Each line says what is wrong and what to do.
    pub fn alarms(&self) -> Vec<String> {
        let voters = lock(&self.inner.conclusion).voters.clone();
        let mut alarms: Vec<String> = lock(&self.inner.space).alarm().into_iter().collect();
        let quorum = self.quorum_level();
        if quorum > self.level() {
            alarms.push(format!(
                "the other nodes' disks are nearly full, so the cluster refuses {}: make room there",
                quorum.refused()
            ));
        }
        alarms.extend(lock(&self.inner.board).alarm(&voters));
        if let Some(damage) = self.damage() {
            alarms.push(format!(
                "data at rest is damaged ({damage}): this node serves no reads, writes or votes; it repairs itself if there are others, otherwise keep its directory"
            ));
        }
        let bound = self.inner.config.sync_slow;
        if let Some(median) = self
            .inner
            .log
            .stats()
            .sync_median
            .filter(|own| *own > bound)
        {
            alarms.push(format!(
                "the log's disk is slow: half of the syncs take longer than {median:.0?}; look at the disk"
            ));
        }
        alarms
    }
}
