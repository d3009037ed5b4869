//! What a node does about its own damaged data, so that nobody has to come: what is sound is kept, what is not is put
//! aside, and the others give back what is missing.
//!
//! | damaged | kept | comes back from |
//! |---|---|---|
//! | log | what comes before the damage, the state | the leader, entry by entry; until then the node is suspect |
//! | state, and the log begins with the first entry | log and vote | the log |
//! | state, and the log was purged | log and vote | a peer's checkpoint, then the log |
//!
//! Damage is met at a start, by a read, by compaction, by a pass over what is at rest, or seen by a majority whose states
//! agree on something else. Met while running it is written down as a [`Finding`] and ends the process, which starts
//! itself again. A node that has nobody else changes nothing and says what is damaged. It decides nothing about Raft.

mod finding;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::consensus::{self, Suspicion};
use crate::disk::RealDisk;
use crate::log::{self, Log, OpenError};
use crate::node::{Durable, Error};
use crate::storage::{self, Storage, put_aside, put_state_aside};
use crate::vitals::{Damage, Verdict};

use finding::About;
pub(crate) use finding::Finding;

/// Pause between two looks at whether anything was found.
const PAUSE: Duration = Duration::from_millis(100);
/// How long leadership may take to move away from a node that is about to repair itself.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// The opened data of a node.
pub(crate) struct Opened {
    pub(crate) log: Log,
    pub(crate) writer: storage::Writer,
    pub(crate) storage: storage::Handle,
    /// The state was put aside and begins anew; it serves when it has reached this index again.
    pub(crate) rebuild_to: Option<u64>,
}

/// Opens log and state, repairing what can be repaired before Raft runs. `has_others` says whether anybody else could
/// give back what is missing.
///
/// # Errors
/// When the disk refuses, or when data is damaged and nobody else has it; nothing is changed then.
pub(crate) fn open(
    dir: &Path,
    log_config: &log::Config,
    storage_config: &storage::Config,
    suspicion: &Suspicion,
    has_others: bool,
) -> Result<Opened, Error> {
    let found = Finding::read(dir).map_err(anyhow::Error::from)?;
    let of_state = found.as_ref().filter(|found| found.about == About::State);
    if let (Some(found), false) = (of_state, has_others) {
        return Err(Error::Found(found.what.clone()));
    }
    let log = open_log(dir, log_config, suspicion, has_others)?;
    let mut rebuild_to = None;
    if let Some(found) = of_state {
        rebuild_to = Some(begin_anew(dir, &log, &found.what)?);
    }
    let durable = || Arc::new(Durable(log.clone()));
    let (writer, storage) = match Storage::open(storage_config.clone(), durable()) {
        Err(error) if error.is_damage() && has_others => {
            rebuild_to = Some(begin_anew(dir, &log, &error.to_string())?);
            Storage::open(storage_config.clone(), durable())?
        }
        opened => opened?,
    };
    // Opening has read all of the log, so a finding about it is settled as well.
    if found.is_some() {
        Finding::clear(dir).map_err(anyhow::Error::from)?;
    }
    let applied = storage.applied().log_id.map(|id| id.index);
    let purged = log.state().last_purged.map(|id| id.index);
    if applied < purged {
        if !has_others {
            return Err(Error::Found(format!(
                "it ends at entry {applied:?}, and the log begins after entry {purged:?}"
            )));
        }
        // Also when an earlier start put the state aside and did not come to its end.
        rebuild_to = rebuild_to.max(Some(committed(&log)));
    }
    Ok(Opened {
        log,
        writer,
        storage,
        rebuild_to,
    })
}

/// How far this node knew the log to be committed.
fn committed(log: &Log) -> u64 {
    let purged = log.state().last_purged;
    let known = log.committed().map(|id| id.index);
    known.max(purged.map(|id| id.index)).unwrap_or(0)
}

/// Puts the state aside and says how far the next one has to come before it is shown to anybody.
fn begin_anew(dir: &Path, log: &Log, why: &str) -> Result<u64, Error> {
    let aside = put_state_aside(dir)?;
    tracing::error!(why, aside = %aside.display(), "the state cannot be used: it was put aside and is made again, from the log or from another node's checkpoint");
    Ok(committed(log))
}

/// Opens the log; a damaged one with what comes before the damage, once it is durable that the node is suspect.
fn open_log(
    dir: &Path,
    config: &log::Config,
    suspicion: &Suspicion,
    has_others: bool,
) -> Result<Log, Error> {
    let disk = Arc::new(RealDisk);
    match Log::open(disk.clone(), config.clone()) {
        Err(OpenError::Damaged(damage)) if has_others => {
            tracing::error!(%damage, "this node is suspect: it goes on with what comes before the damage, and neither votes nor leads before the others have refilled it");
            suspicion.begin(&damage).map_err(anyhow::Error::from)?;
            match Log::open_before_damage(disk.clone(), config.clone()) {
                // Not even its first records tell what the vote was: the others know.
                Err(OpenError::Damaged(damage)) => {
                    let aside = put_aside(dir, "log")?;
                    tracing::error!(%damage, aside = %aside.display(), "nothing of the log can be used; it was put aside, and this node begins with an empty one");
                    Ok(Log::open(disk, config.clone())?)
                }
                opened => Ok(opened?),
            }
        }
        opened => Ok(opened?),
    }
}

/// What is wrong with this node's data as far as it knows now.
fn find(consensus: &consensus::Handle, storage: &storage::Handle) -> Option<Finding> {
    if let Some(what) = storage.damage() {
        return Some(Finding::state(what));
    }
    match (consensus.vitals().damage(), consensus.verdict()) {
        (Some(Damage::Log(what)), _) => Some(Finding {
            about: About::Log,
            what,
        }),
        (Some(Damage::State(what)), _) => Some(Finding::state(what)),
        (None, Verdict::Outvoted) => Some(Finding::state(
            "a majority of the voters agrees on another state",
        )),
        (None, _) => None,
    }
}

/// Resolves when this node must repair its data, which it does at its next start; what was found is written down then,
/// and leadership given away. A node without others writes it down and goes on, serving nothing but its status.
pub(crate) async fn due(
    dir: &Path,
    consensus: &consensus::Handle,
    storage: &storage::Handle,
    has_others: impl Fn() -> bool,
) -> String {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(found) = find(consensus, storage) else {
            continue;
        };
        note(dir, &found);
        fail::fail_point!("repair.noted", |_| String::new());
        if !has_others() {
            return std::future::pending().await;
        }
        tracing::error!(
            what = found.what,
            "this node's data is wrong: it gives leadership away and repairs itself"
        );
        let _ = consensus.hand_over(None, HAND_OVER_MAX).await;
        return found.what;
    }
}

/// The same for a node that ends for another reason: damage may be why.
pub(crate) fn left(dir: &Path, storage: &storage::Handle) -> Option<String> {
    let what = storage.damage()?;
    note(dir, &Finding::state(what.clone()));
    Some(what)
}

fn note(dir: &Path, found: &Finding) {
    if let Err(error) = found.write(dir) {
        tracing::error!(%error, what = found.what, "what was found wrong could not be written down");
    }
}
