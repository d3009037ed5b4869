//! The run writer: one thread of low priority that turns sealed windows into sorted files and takes checkpoints
//! between them, strictly in order.

mod file;
mod history;
mod user_data;
mod write;

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::AppliedState;
use super::error::Error;
use super::shared::{Shared, lock};
use super::snapshot::{self, SealTicket};
use super::window::Window;

/// What the apply thread asks for.
pub(crate) enum Job {
    /// Write a sealed window and commit it.
    Run(Box<Sealed>),
    /// Link the state as it is now.
    Checkpoint(SealTicket),
}

/// A window that will not change any more.
pub(crate) struct Sealed {
    pub(crate) window: Arc<Window>,
    /// The state before its first entry.
    pub(crate) began: AppliedState,
    /// The state after its last entry.
    pub(crate) end: AppliedState,
    /// From its first entry to its last.
    pub(crate) filled_in: Duration,
}

/// Starts the thread. It ends when storage stops, or with the first error, which everybody then gets to see.
pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let dir = shared.config.dir.clone();
    std::thread::Builder::new()
        .name("run-writer".into())
        .spawn(move || {
            // Applying and answering go first, but only a little: runs need nearly as much of the processor as applying
            // does, and when they fall behind on a busy machine, applying stops until they have caught up. Where this
            // is refused, they merely compete.
            let _ = rustix::process::nice(3);
            while let Some(job) = next(&shared) {
                let was_run = matches!(job, Job::Run(_));
                let result = perform(&shared, job);
                let mut queue = lock(&shared.queue);
                queue.busy = false;
                queue.unwritten -= usize::from(was_run);
                drop(queue);
                match result {
                    Ok(()) | Err(Error::Cancelled(_)) => shared.queue_changed.notify_all(),
                    Err(error) => {
                        tracing::error!(%error, "the run writer gives up; the node must stop");
                        shared.fail(&error);
                        return;
                    }
                }
            }
        })
        .map_err(|error| Error::io("start a thread for", &dir, error))
}

fn next(shared: &Shared) -> Option<Job> {
    let mut queue = lock(&shared.queue);
    loop {
        if queue.stopping {
            return None;
        }
        if let Some(job) = queue.jobs.pop_front() {
            queue.busy = true;
            return Some(job);
        }
        queue = shared
            .queue_changed
            .wait(queue)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

fn perform(shared: &Shared, job: Job) -> Result<(), Error> {
    match job {
        Job::Run(sealed) => write::write(shared, &sealed),
        Job::Checkpoint(ticket) => snapshot::take(shared, &ticket),
    }
}
