//! What the handles and the log's thread share: one lock, and two ways to wait.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::config::Config;
use super::error::Failure;
use super::segment::SegmentFile;
use super::state::{Body, Op, State};
use super::types::{Done, LogId};

/// Bytes taken from the queue for one write and sync. A bound on latency: who comes next waits for this much.
const BATCH_BYTES_MAX: u64 = 8 << 20;

/// What the writer is to do next.
pub(super) enum Work {
    Batch {
        ops: Vec<Op>,
        committed: Option<Option<LogId>>,
    },
    /// Nothing came for a while.
    Idle {
        committed: Option<Option<LogId>>,
    },
    Close {
        committed: Option<Option<LogId>>,
    },
    /// The log has failed elsewhere.
    Stop,
}

/// What became durable with a batch.
pub(super) struct Completed {
    pub(super) sequence: u64,
    pub(super) last_index: Option<u64>,
    /// First index still needed, once something has been purged.
    pub(super) first_index: Option<u64>,
}

pub(super) struct Shared {
    pub(super) config: Config,
    state: Mutex<State>,
    work: Condvar,
    durable: Condvar,
}

impl State {
    fn next_work(&mut self) -> Option<Work> {
        if self.failure.is_some() {
            return Some(Work::Stop);
        }
        if !self.queue.is_empty() {
            let mut bytes = 0;
            let mut ops = Vec::new();
            while let Some(op) = self
                .queue
                .pop_front_if(|op| bytes == 0 || bytes + op.bytes <= BATCH_BYTES_MAX)
            {
                bytes += op.bytes;
                ops.push(op);
            }
            return Some(Work::Batch {
                ops,
                committed: self.take_committed(),
            });
        }
        self.closing.then(|| Work::Close {
            committed: self.take_committed(),
        })
    }
}

impl Shared {
    pub(super) fn new(config: Config, state: State) -> Self {
        Self {
            config,
            state: Mutex::new(state),
            work: Condvar::new(),
            durable: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under this lock stops the node through the writer's guard; until then the state is whole, because
        // nothing under it runs code of others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and queues what is to be written, or calls `done` with the reason why not.
    pub(super) fn submit(&self, done: Done, change: impl FnOnce(&mut State) -> io::Result<Body>) {
        let mut state = self.lock();
        let refused = match &state.failure {
            Some(failure) => Some(failure.error()),
            None if state.closing => Some(Failure::closed().error()),
            None => None,
        };
        let body = match refused {
            Some(error) => Err(error),
            None => change(&mut state),
        };
        match body {
            Ok(body) => {
                let bytes = body.bytes();
                let sequence = state.next_sequence;
                state.next_sequence += 1;
                state.queued_bytes += bytes;
                if let Body::Truncate(last) = &body {
                    let last = last.map(|id| id.index);
                    state.durable_index = state
                        .durable_index
                        .min(last.max(state.positions.purged_index()));
                    state.truncates.push_back((sequence, last));
                }
                state.queue.push_back(Op {
                    sequence,
                    body,
                    done,
                    bytes,
                });
                drop(state);
                self.work.notify_one();
            }
            Err(error) => {
                drop(state);
                done(Err(error));
            }
        }
    }

    pub(super) fn save_committed(&self, committed: Option<LogId>) {
        let mut state = self.lock();
        if state.committed != committed {
            state.committed = committed;
            state.committed_unwritten = true;
        }
    }

    /// What there is to do now, if there is anything.
    pub(super) fn try_take(&self) -> Option<Work> {
        self.lock().next_work()
    }

    /// The work of a log that has fallen idle.
    pub(super) fn take_idle(&self) -> Work {
        Work::Idle {
            committed: self.lock().take_committed(),
        }
    }

    /// Waits for work. With `settle` it gives [`Work::Idle`] after the configured time without any.
    pub(super) fn take(&self, settle: bool) -> Work {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.next_work() {
                return work;
            }
            if settle {
                let (guard, timeout) = self
                    .work
                    .wait_timeout(state, self.config.mark_sync_idle)
                    .unwrap_or_else(PoisonError::into_inner);
                state = guard;
                if timeout.timed_out()
                    && state.queue.is_empty()
                    && !state.closing
                    && state.failure.is_none()
                {
                    return Work::Idle {
                        committed: state.take_committed(),
                    };
                }
            } else {
                state = self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    pub(super) fn queue_is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// A batch is durable. Gives the segments nobody needs any more.
    pub(super) fn complete(&self, completed: &Completed, ops: &[Op]) -> Vec<Arc<SegmentFile>> {
        let mut state = self.lock();
        while state
            .truncates
            .pop_front_if(|(sequence, _)| *sequence <= completed.sequence)
            .is_some()
        {}
        let bound = state.truncates.iter().map(|(_, last)| *last).min();
        state.durable_index = match bound {
            Some(last) => completed
                .last_index
                .min(last.max(state.positions.purged_index())),
            None => completed.last_index,
        };
        state.queued_bytes -= ops.iter().map(|op| op.bytes).sum::<u64>();
        let (bytes_max, durable_index) = (self.config.tail_bytes_max, state.durable_index);
        state.tail.evict(bytes_max, durable_index);
        let obsolete = completed
            .first_index
            .map_or_else(Vec::new, |first| state.index.take_obsolete(first));
        drop(state);
        self.durable.notify_all();
        obsolete
    }

    /// Waits until the entry at `index` is durable; `false` when the time is over first.
    pub(super) fn wait_durable(&self, index: u64, timeout: Duration) -> io::Result<bool> {
        let (state, _) = self
            .durable
            .wait_timeout_while(self.lock(), timeout, |state| {
                state.durable_index < Some(index) && state.failure.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        match &state.failure {
            _ if state.durable_index >= Some(index) => Ok(true),
            Some(failure) => Err(failure.error()),
            None => Ok(false),
        }
    }

    /// Stops the log for good: every waiting operation fails, and the node is told once.
    pub(super) fn fail(&self, what: &str, error: &io::Error, in_flight: Vec<Op>) {
        let mut state = self.lock();
        let first = state.failure.is_none();
        let failure = state
            .failure
            .get_or_insert_with(|| Failure::new(what, error))
            .clone();
        let waiting: Vec<Op> = in_flight
            .into_iter()
            .chain(std::mem::take(&mut state.queue))
            .collect();
        drop(state);
        // The node first: nobody may act on this failure before the node knows that it has to stop.
        if first {
            (self.config.on_fatal)(&failure.error());
        }
        self.work.notify_all();
        self.durable.notify_all();
        waiting
            .into_iter()
            .for_each(|op| (op.done)(Err(failure.error())));
    }

    /// No operation is accepted any more; those in the queue are still done.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    /// The writer has ended: whoever waits for durability would wait in vain.
    pub(super) fn ended(&self) {
        self.lock().failure.get_or_insert_with(Failure::closed);
        self.durable.notify_all();
    }
}
