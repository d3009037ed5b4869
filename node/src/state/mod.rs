//! The state machine at work: one thread that takes committed entries in order, gathers what the ledger's rules need,
//! applies them and hands the changes to storage.
//!
//! It knows nothing of Raft: entries come in as bytes with a log id, outcomes leave through callbacks. It holds no clock
//! and starts no background change; whatever alters the state is an entry. Start reading at `Worker::apply`.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::{Applied, Applier, EntryReader, RequestResults};
use tokio::sync::{oneshot, watch};

use crate::storage;
use crate::storage::{LogId, Manifest, SealTicket, Writer};

/// Jobs waiting for the thread. Each holds a few megabytes of entries at most, and the caller waits for its answer, so
/// a handful keeps the thread busy.
const JOBS_MAX: usize = 8;
/// How often an idle state lets storage seal a window that has become old.
const TICK: Duration = Duration::from_secs(1);

/// What applying one entry answered.
#[derive(Debug)]
pub struct Outcome {
    /// Index of the entry.
    pub log_index: u64,
    /// Results in the order of the entry's requests.
    pub results: Vec<RequestResults>,
}

/// The content of a committed entry.
#[derive(Debug, Clone)]
pub enum Input {
    /// An entry envelope.
    Command(Bytes),
    /// Nothing: a new leader's first entry.
    Blank,
    /// A membership as cold metadata; the state keeps the bytes and does not look inside.
    Membership(Bytes),
}

/// Called with the outcome; `None` for blank and membership entries.
pub type Respond = Box<dyn FnOnce(Option<Arc<Outcome>>) + Send>;

/// One committed entry and whoever waits for it.
pub struct Item {
    /// Its position.
    pub log_id: LogId,
    /// Its content.
    pub input: Input,
    /// Who waits; absent on followers and in replay.
    pub respond: Option<Respond>,
}

/// Why the state machine stopped. Each of these stops the node: going on would make it differ from the others.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry does not decode: written by a newer version, or damaged behind its checksum.
    #[error("entry {index} does not decode: {why}; a newer version may have written it")]
    Entry {
        /// Its log index.
        index: u64,
        /// What the decoder said.
        why: String,
    },
    /// An invariant of the ledger does not hold.
    #[error(
        "entry {index} breaks an invariant of the ledger: {why}; this is a bug, the node stops"
    )]
    Broken {
        /// Its log index.
        index: u64,
        /// Which invariant.
        why: String,
    },
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The thread has ended.
    #[error("the state machine has stopped")]
    Stopped,
}

type Done<T> = oneshot::Sender<Result<T, Error>>;

enum Job {
    Apply {
        items: Vec<Item>,
        done: Done<()>,
    },
    Seal {
        done: Done<SealTicket>,
    },
    Install {
        dir: PathBuf,
        manifest: Manifest,
        done: Done<()>,
    },
    Stop,
}

/// Gives work to the thread and says how far it is. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    jobs: SyncSender<Job>,
    applied: watch::Receiver<Option<u64>>,
    storage: storage::Handle,
}

/// Starts the apply thread on an opened state. The join handle ends after [`Handle::stop`].
pub fn start(
    writer: Writer,
    storage: storage::Handle,
) -> std::io::Result<(Handle, JoinHandle<()>)> {
    let (jobs, receiver) = sync_channel(JOBS_MAX);
    let (applied_tx, applied) = watch::channel(writer.applied().log_id.map(|id| id.index));
    let worker = Worker {
        writer,
        applier: Applier::new(),
        applied: applied_tx,
    };
    let thread = std::thread::Builder::new()
        .name("apply".into())
        .spawn(move || worker.run(&receiver))?;
    Ok((
        Handle {
            jobs,
            applied,
            storage,
        },
        thread,
    ))
}

impl Handle {
    /// Applies entries that follow the ones before; resolves when all are applied.
    pub async fn apply(&self, items: Vec<Item>) -> Result<(), Error> {
        self.call(|done| Job::Apply { items, done }).await
    }

    /// Ends the current window, so that a checkpoint can contain everything applied so far.
    pub async fn seal(&self) -> Result<SealTicket, Error> {
        self.call(|done| Job::Seal { done }).await
    }

    /// Replaces the whole state by a received checkpoint.
    pub async fn install(&self, dir: PathBuf, manifest: Manifest) -> Result<(), Error> {
        self.call(|done| Job::Install {
            dir,
            manifest,
            done,
        })
        .await
    }

    /// Index of the last applied entry; `None` before the first.
    pub fn applied_index(&self) -> Option<u64> {
        *self.applied.borrow()
    }

    /// Waits until the entry at `index` is applied.
    pub async fn wait_applied(&self, index: u64) -> Result<(), Error> {
        let mut applied = self.applied.clone();
        applied
            .wait_for(|at| at.is_some_and(|at| at >= index))
            .await
            .map(|_| ())
            .map_err(|_| Error::Stopped)
    }

    /// No pending transfer expires before this time (ns); `None` when none can expire.
    pub fn next_expiry_ns(&self) -> Option<u64> {
        self.storage.next_due()
    }

    /// Ends the thread after the jobs before; what is not in a committed run is replayed from the log at the next start.
    pub async fn stop(&self) {
        let jobs = self.jobs.clone();
        // The queue may be full for as long as a run takes: do not block the runtime.
        let _ = tokio::task::spawn_blocking(move || jobs.send(Job::Stop).is_ok()).await;
    }

    async fn call<T>(&self, job: impl FnOnce(Done<T>) -> Job) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        let mut job = job(done);
        // Raft sends one job at a time and seals are rare, so the queue is practically never full.
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => break,
                Err(std::sync::mpsc::TrySendError::Full(back)) => {
                    job = back;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(Error::Stopped),
            }
        }
        answer.await.unwrap_or(Err(Error::Stopped))
    }
}

struct Worker {
    writer: Writer,
    applier: Applier,
    applied: watch::Sender<Option<u64>>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = match jobs.recv_timeout(TICK) {
                Ok(job) => job,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.writer.tick() {
                        tracing::error!(%error, "storage stops");
                        return; // the next job finds nobody and Raft reports the node as stopped
                    }
                    continue;
                }
            };
            let alive = match job {
                Job::Apply { items, done } => answer(
                    done,
                    items.into_iter().try_for_each(|item| self.apply(item)),
                ),
                Job::Seal { done } => answer(done, self.writer.seal().map_err(Error::from)),
                Job::Install {
                    dir,
                    manifest,
                    done,
                } => answer(done, self.install(dir, manifest)),
                Job::Stop => false,
            };
            if !alive {
                return;
            }
        }
    }

    /// One entry: decode, gather, apply, store, publish, answer. Nothing is answered before it is visible to readers.
    fn apply(&mut self, item: Item) -> Result<(), Error> {
        let index = item.log_id.index;
        let outcome = match item.input {
            Input::Blank => {
                self.writer.push_empty(item.log_id, None)?;
                None
            }
            Input::Membership(bytes) => {
                self.writer.push_empty(item.log_id, Some(bytes))?;
                None
            }
            Input::Command(bytes) => {
                let entry = EntryReader::new(&bytes).map_err(|error| Error::Entry {
                    index,
                    why: error.to_string(),
                })?;
                let view = self.writer.prefetch(&entry)?;
                fail::fail_point!("state.before_apply");
                let applied = self.applier.apply(&view, &entry);
                // First of all: a rule that asked for what was not gathered may have been answered wrongly.
                view.check()?;
                let Applied { results, changes } = applied.map_err(|broken| Error::Broken {
                    index,
                    why: broken.to_string(),
                })?;
                self.writer.push(item.log_id, &changes, None)?;
                Some(Arc::new(Outcome {
                    log_index: index,
                    results,
                }))
            }
        };
        self.applied.send_replace(Some(index));
        fail::fail_point!("state.before_respond");
        if let Some(respond) = item.respond {
            respond(outcome);
        }
        Ok(())
    }

    fn install(&mut self, dir: PathBuf, manifest: Manifest) -> Result<(), Error> {
        self.writer.install(dir, &manifest)?;
        self.applied
            .send_replace(self.writer.applied().log_id.map(|id| id.index));
        Ok(())
    }
}

/// Sends an answer; false after an error, which ends the thread.
fn answer<T>(done: Done<T>, result: Result<T, Error>) -> bool {
    let alive = result.is_ok();
    if let Err(error) = &result {
        tracing::error!(%error, "the state machine stops");
    }
    let _ = done.send(result);
    alive
}
