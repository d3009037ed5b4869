//! Rereads what is at rest, slowly and for ever: the log's entries with their checksums, then the state with its own,
//! and recomputes the state's digest.
//!
//! A byte that rots is not noticed before it is read, and a cluster that reads it only after another node has failed
//! has one copy less than it believes.

use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Inner, Level, Verdict, lock};
use crate::storage::Error;

/// The thread looks this often whether it is time, and whether anybody still wants it.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of log read at once.
const LOG_STEP_BYTES: u64 = 1 << 20;
/// What errors call the log.
const LOG: &str = "log";
/// Longest wait in one piece, so that a stopping node is not held up.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// How slowly.
#[derive(Debug, Clone, Copy)]
pub struct ScrubConfig {
    /// From the start of one pass to the start of the next; zero for none at all.
    pub period: Duration,
    /// Ceiling of what a pass reads.
    pub bytes_per_s: u64,
}

/// What is known of the passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Seconds since 1970 at which the last pass without a finding ended; 0 before the first.
    pub finished_unix_s: u64,
    /// How long it took.
    pub took: Duration,
    /// Bytes it read, of log and state.
    pub bytes: u64,
    /// What is damaged.
    pub damage: Option<Damage>,
}

/// What is damaged, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// Entries of the log.
    Log(String),
    /// Rows of the state.
    State(String),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Log(what) | Self::State(what)) = self;
        f.write_str(what)
    }
}

#[derive(Default)]
pub(super) struct Scrub {
    report: Mutex<ScrubReport>,
}

impl Scrub {
    pub(super) fn report(&self) -> ScrubReport {
        lock(&self.report).clone()
    }

    pub(super) fn damage(&self) -> Option<Damage> {
        lock(&self.report).damage.clone()
    }
}

/// Holds reading to its ceiling.
struct Pace {
    inner: Weak<Inner>,
    bytes_per_s: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// Counts `bytes` as read and waits until so many were allowed.
    fn take(&mut self, bytes: u64) -> Result<(), Error> {
        self.bytes += bytes;
        loop {
            if self.inner.strong_count() == 0 {
                return Err(Error::Cancelled("the node stops"));
            }
            let due = Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_s.max(1) as f64);
            match due.checked_sub(self.began.elapsed()) {
                Some(wait) if !wait.is_zero() => std::thread::sleep(wait.min(WAIT_MAX)),
                _ => return Ok(()),
            }
        }
    }
}

/// Runs until nobody holds the vitals any more.
pub(super) fn run(weak: &Weak<Inner>, config: ScrubConfig) {
    // Nobody waits for it: on a busy machine it takes what is left over. Where this is refused, it merely competes.
    let _ = rustix::process::nice(19);
    let mut next = Instant::now();
    loop {
        std::thread::sleep(PAUSE);
        let Some(inner) = weak.upgrade() else { return };
        // A copy keeps files that compaction would remove: not while the disk is short of room.
        let has_room = lock(&inner.space).level() == Level::Roomy;
        if Instant::now() < next || !has_room || inner.scrub.report().damage.is_some() {
            continue;
        }
        next = Instant::now() + config.period;
        let (log, storage) = (inner.log.clone(), inner.storage.clone());
        drop(inner);
        let pace = Pace {
            inner: weak.clone(),
            bytes_per_s: config.bytes_per_s,
            began: Instant::now(),
            bytes: 0,
        };
        let result = pass(&log, &*storage, pace);
        let Some(inner) = weak.upgrade() else { return };
        inner.scrubbed(result);
    }
}

/// Bytes read and how long it took, or what is damaged.
fn pass(
    log: &crate::log::Log,
    storage: &dyn crate::storage::Store,
    mut pace: Pace,
) -> Result<(u64, Duration), Error> {
    let mut at = 0;
    while let Some((next, bytes)) = log
        .reread(at, LOG_STEP_BYTES)
        .map_err(|error| damaged_log(&error))?
    {
        at = next;
        pace.take(bytes)?;
    }
    storage.scrub(&mut |bytes| pace.take(bytes))?;
    Ok((pace.bytes, pace.began.elapsed()))
}

fn damaged_log(error: &std::io::Error) -> Error {
    Error::Damaged {
        what: LOG,
        detail: error.to_string(),
    }
}

impl Inner {
    fn scrubbed(&self, result: Result<(u64, Duration), Error>) {
        let mut report = lock(&self.scrub.report);
        match result {
            Ok((bytes, took)) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                *report = ScrubReport {
                    finished_unix_s: now.unwrap_or_default().as_secs(),
                    took,
                    bytes,
                    damage: None,
                };
                tracing::info!(
                    bytes,
                    ?took,
                    "everything at rest was read back and is sound"
                );
            }
            // A copy could not be made, or the node stops: that says nothing about what is at rest.
            Err(Error::Cancelled(_) | Error::Io { .. }) => {}
            Err(error) if error.to_string().contains("No space left on device") => {}
            Err(error) => {
                tracing::error!(%error, "data at rest is damaged: this node serves no reads, writes or votes until it is repaired");
                let what = error.to_string();
                report.damage = Some(match error {
                    Error::Damaged { what: LOG, .. } => Damage::Log(what),
                    _ => Damage::State(what),
                });
                lock(&self.conclusion).verdict = Verdict::Damaged;
            }
        }
    }
}
