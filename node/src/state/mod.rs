//! The state machine at work: one thread that takes committed entries in order, gathers what the ledger's rules need,
//! applies them and hands the changes to storage.
//!
//! It knows nothing of Raft: entries come in as bytes with a log id, outcomes leave through callbacks. It holds no clock
//! and starts no background change; whatever alters the state is an entry. Start reading at `Worker::apply`.

mod backend;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::{EntryReader, RequestResults};
use tokio::sync::{oneshot, watch};

pub use backend::Backend;
use backend::Stored;

use crate::storage;
use crate::storage::{LogId, Manifest, SealTicket, Store, Writer};

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
    jobs: Jobs,
    applied: watch::Receiver<Option<u64>>,
    store: Arc<dyn Store>,
}

/// Where jobs are done.
#[derive(Clone)]
enum Jobs {
    /// By the apply thread.
    Queued(SyncSender<Job>),
    /// By whoever brings them; nobody is left after an error.
    Inline(Arc<Mutex<Option<Worker>>>),
}

/// Starts the apply thread on an opened state. The join handle ends after [`Handle::stop`].
pub fn start(
    writer: Writer,
    storage: storage::Handle,
) -> std::io::Result<(Handle, JoinHandle<()>)> {
    let (jobs, receiver) = sync_channel(JOBS_MAX);
    let store: Arc<dyn Store> = Arc::new(storage);
    let (worker, applied) = Worker::new(Box::new(Stored::new(writer)), Arc::clone(&store));
    let thread = std::thread::Builder::new()
        .name("apply".into())
        .spawn(move || worker.run(&receiver))?;
    let handle = Handle {
        jobs: Jobs::Queued(jobs),
        applied,
        store,
    };
    Ok((handle, thread))
}

/// The same without a thread, for a simulator: whoever brings a job does it, and it takes no time.
pub fn start_inline(backend: Box<dyn Backend>, store: Arc<dyn Store>) -> Handle {
    let (worker, applied) = Worker::new(backend, Arc::clone(&store));
    Handle {
        jobs: Jobs::Inline(Arc::new(Mutex::new(Some(worker)))),
        applied,
        store,
    }
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
        self.store.next_due()
    }

    /// Ends the thread after the jobs before; what is not in a committed run is replayed from the log at the next start.
    pub async fn stop(&self) {
        match self.jobs.clone() {
            // The queue may be full for as long as a run takes: do not block the runtime.
            Jobs::Queued(jobs) => {
                let _ = tokio::task::spawn_blocking(move || jobs.send(Job::Stop).is_ok()).await;
            }
            Jobs::Inline(worker) => *lock(&worker) = None,
        }
    }

    async fn call<T>(&self, job: impl FnOnce(Done<T>) -> Job) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        let mut job = job(done);
        let jobs = match &self.jobs {
            Jobs::Queued(jobs) => jobs,
            Jobs::Inline(worker) => {
                lock(worker).take_if(|worker| !worker.perform(job));
                return answer.await.unwrap_or(Err(Error::Stopped));
            }
        };
        // Raft sends one job at a time and seals are rare, so the queue is practically never full.
        loop {
            match jobs.try_send(job) {
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

fn lock(worker: &Mutex<Option<Worker>>) -> std::sync::MutexGuard<'_, Option<Worker>> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    backend: Box<dyn Backend>,
    applied: watch::Sender<Option<u64>>,
    store: Arc<dyn Store>,
}

impl Worker {
    fn new(
        backend: Box<dyn Backend>,
        store: Arc<dyn Store>,
    ) -> (Self, watch::Receiver<Option<u64>>) {
        let (applied, receiver) = watch::channel(backend.applied_index());
        let worker = Self {
            backend,
            applied,
            store,
        };
        (worker, receiver)
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = match jobs.recv_timeout(TICK) {
                Ok(job) => job,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.backend.tick() {
                        tracing::error!(%error, "storage stops");
                        return; // the next job finds nobody and Raft reports the node as stopped
                    }
                    continue;
                }
            };
            if !self.perform(job) {
                return;
            }
        }
    }

    /// Does one job; false after the last, which is also one that fails.
    fn perform(&mut self, job: Job) -> bool {
        match job {
            Job::Apply { items, done } => {
                let applied = items.into_iter().try_for_each(|item| self.apply(item));
                if let Err(Error::Storage(error)) = &applied {
                    self.store.note_damage(error);
                }
                answer(done, applied)
            }
            Job::Seal { done } => answer(done, self.backend.seal().map_err(Error::from)),
            Job::Install {
                dir,
                manifest,
                done,
            } => answer(done, self.install(dir, manifest)),
            Job::Stop => false,
        }
    }

    /// One entry: decode, gather, apply, store, publish, answer. Nothing is answered before it is visible to readers.
    fn apply(&mut self, item: Item) -> Result<(), Error> {
        let index = item.log_id.index;
        let outcome = match item.input {
            Input::Blank => {
                self.backend.push_empty(item.log_id, None)?;
                None
            }
            Input::Membership(bytes) => {
                self.backend.push_empty(item.log_id, Some(bytes))?;
                None
            }
            Input::Command(bytes) => {
                let entry = EntryReader::new(&bytes).map_err(|error| Error::Entry {
                    index,
                    why: error.to_string(),
                })?;
                let results = self.backend.apply(item.log_id, &bytes, &entry)?;
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
        self.backend.install(dir, &manifest)?;
        self.applied.send_replace(self.backend.applied_index());
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
