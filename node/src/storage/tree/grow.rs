//! The thread that hashes what is applied.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use farthing_proofs::Frontier;
use farthing_proofs::change;

use super::{Complete, keep};
use crate::storage::error::Error;
use crate::storage::rows::merkle;
use crate::storage::shared::{Published, Shared};
use crate::storage::window::chunk::Chunk;

/// Between two looks at what is applied: what comes meanwhile is hashed together, and the thread is woken no oftener.
const PAUSE: Duration = Duration::from_millis(2);
/// Longest sleep when nothing comes, to see that storage stops.
const SLEEP_MAX: Duration = Duration::from_millis(200);

/// Starts the thread. It ends when storage stops, or with the first error, which everybody then gets to see.
pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let dir = shared.config.dir.clone();
    let handle = std::thread::Builder::new()
        .name("event-tree".into())
        .spawn(move || {
            let mut growing = Growing::default();
            while !shared.is_stopping() {
                if let Err(error) = growing.catch_up(&shared) {
                    tracing::error!(%error, "the tree of changes cannot grow; the node must stop");
                    shared.fail(&error);
                    return;
                }
                std::thread::sleep(PAUSE);
                sleep(&shared, &growing);
            }
        })
        .map_err(|error| Error::io("start a thread for", &dir, error))?;
    Ok(handle)
}

/// Until something is published.
fn sleep(shared: &Shared, growing: &Growing) {
    let tree = &shared.tree;
    let _ = tree.thread.set(std::thread::current());
    tree.asleep.store(true, Ordering::Release);
    // Whatever is published from here on wakes; what was published before is seen now.
    if growing.is_at_the_end(&shared.published()) {
        std::thread::park_timeout(SLEEP_MAX);
    }
    tree.asleep.store(false, Ordering::Release);
}

/// How far the thread is.
#[derive(Default)]
struct Growing {
    generation: Option<u32>,
    frontier: Frontier,
    /// The window that is hashed, and how many of its chunks are.
    window: u64,
    chunks: usize,
    complete: Vec<Complete>,
    buffer: Vec<u8>,
}

impl Growing {
    fn is_at_the_end(&self, published: &Published) -> bool {
        let last = published.windows.last();
        self.generation == Some(published.generation)
            && last.is_none_or(|(window, chunks)| {
                (window.number, *chunks) <= (self.window, self.chunks)
            })
    }

    fn catch_up(&mut self, shared: &Shared) -> Result<(), Error> {
        let published = shared.published();
        if self.generation != Some(published.generation) {
            self.begin(shared, Arc::clone(&published))?;
        }
        for (window, chunk_count) in &published.windows {
            if window.number < self.window {
                continue;
            }
            if window.number > self.window {
                (self.window, self.chunks) = (window.number, 0);
            }
            while self.chunks < *chunk_count {
                if let Some(chunk) = window.chunk(self.chunks) {
                    self.hash(chunk)?;
                    let tree = &shared.tree;
                    tree.publish(published.generation, &self.frontier, &mut self.complete);
                }
                self.chunks += 1;
            }
        }
        Ok(())
    }

    /// Computes the right edge of what is committed.
    fn begin(&mut self, shared: &Shared, published: Arc<Published>) -> Result<(), Error> {
        self.generation = Some(published.generation);
        self.complete.clear();
        self.frontier = keep::frontier(Arc::clone(&published))?;
        (self.window, self.chunks) = (0, 0);
        shared
            .tree
            .publish(published.generation, &self.frontier, &mut self.complete);
        Ok(())
    }

    fn hash(&mut self, chunk: &Chunk) -> Result<(), Error> {
        let Self {
            frontier,
            complete,
            buffer,
            ..
        } = self;
        let mut wrong = None;
        chunk.each_body(0, &mut |sequence, kind, body| {
            // What a run committed between two looks is in the edge already.
            if sequence <= frontier.size() {
                return true;
            }
            if sequence != frontier.size() + 1 {
                wrong = Some(sequence);
                return false;
            }
            let leaf = change::leaf(sequence, kind, body, buffer);
            frontier.push(leaf, |level, index, hash| {
                if merkle::is_kept(level) {
                    complete.push(Complete {
                        level,
                        index,
                        hash: *hash,
                        log_index: chunk.log_index,
                    });
                }
            });
            true
        })?;
        match wrong {
            Some(sequence) => Err(Error::Broken(format!(
                "change {sequence} came where {} belongs",
                frontier.size() + 1
            ))),
            None => Ok(()),
        }
    }
}
