//! One caller's call: what is known of it at any moment, and how it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::Load;
use crate::error::Error;
use crate::transport::failure::Failure;

/// What is known of a call. Shared between the caller, who may give up at any time, and
/// the batcher.
#[derive(Debug, Default)]
struct Progress {
    phase: Phase,
    /// An attempt was sent and its answer is lost: it may have been applied.
    unknown: bool,
    /// Why the last attempt failed.
    last: Option<Failure>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    /// In the queue, or waiting for the next attempt.
    #[default]
    Waiting,
    /// An attempt is on its way.
    InFlight,
    /// Answered, or given up by the caller: no attempt begins any more.
    Ended,
}

/// A call in the batcher.
pub(crate) struct Call<L: Load> {
    pub(crate) part: Arc<L::Part>,
    pub(crate) deadline: Instant,
    progress: Arc<Mutex<Progress>>,
    answer: oneshot::Sender<Result<Delivered<L::Answer>, Error>>,
    /// Room in the queue, in bytes; given back when the call ends.
    _room: OwnedSemaphorePermit,
}

/// An answer, and whether it is that of a retry.
#[derive(Debug)]
pub(crate) struct Delivered<A> {
    pub(crate) answer: A,
    /// An earlier attempt may have been applied: `exists` may be our own doing.
    pub(crate) after_unknown: bool,
}

/// The caller's end of a call. Dropping it ends the call: an attempt on its way goes on,
/// but no further one begins.
pub(crate) struct Ticket<L: Load> {
    part: Arc<L::Part>,
    deadline: Instant,
    progress: Arc<Mutex<Progress>>,
    answer: oneshot::Receiver<Result<Delivered<L::Answer>, Error>>,
}

/// Both ends of a call.
pub(crate) fn call<L: Load>(
    part: L::Part,
    deadline: Instant,
    room: OwnedSemaphorePermit,
) -> (Call<L>, Ticket<L>) {
    let (sender, receiver) = oneshot::channel();
    let part = Arc::new(part);
    let progress = Arc::new(Mutex::new(Progress::default()));
    let call = Call {
        part: Arc::clone(&part),
        deadline,
        progress: Arc::clone(&progress),
        answer: sender,
        _room: room,
    };
    let ticket = Ticket {
        part,
        deadline,
        progress,
        answer: receiver,
    };
    (call, ticket)
}

impl<L: Load> Call<L> {
    /// False when the caller has given up or its deadline has passed.
    pub(crate) fn is_live(&self, now: Instant) -> bool {
        lock(&self.progress).phase != Phase::Ended && self.deadline > now
    }

    /// The call is sent now; false when it must not be any more. From here on, until the
    /// attempt has failed, its outcome is unknown.
    pub(crate) fn begin(&self, now: Instant) -> bool {
        let mut progress = lock(&self.progress);
        if progress.phase == Phase::Ended || self.deadline <= now {
            return false;
        }
        progress.phase = Phase::InFlight;
        true
    }

    /// The attempt failed.
    pub(crate) fn failed(&self, failure: &Failure) {
        let mut progress = lock(&self.progress);
        progress.unknown |= !failure.nothing_happened();
        progress.last = Some(failure.clone());
        if progress.phase == Phase::InFlight {
            progress.phase = Phase::Waiting;
        }
    }

    /// An earlier attempt may have been applied, and another one could do harm.
    pub(crate) fn must_not_repeat(&self) -> bool {
        lock(&self.progress).unknown && !L::is_repeatable(&self.part)
    }

    /// The answer came.
    pub(crate) fn deliver(self, answer: L::Answer) {
        // The phase stays: a caller whose deadline passes at this very moment must take
        // the outcome for unknown, not for nothing.
        let after_unknown = lock(&self.progress).unknown;
        let _ = self.answer.send(Ok(Delivered {
            answer,
            after_unknown,
        }));
    }

    /// No further attempt is made.
    pub(crate) fn give_up(self) {
        let error = end::<L>(&self.part, &self.progress, "no attempt was made");
        let _ = self.answer.send(Err(error));
    }
}

impl<L: Load> Ticket<L> {
    /// Waits for the answer until the call's deadline.
    pub(crate) async fn wait(mut self) -> Result<Delivered<L::Answer>, Error> {
        match tokio::time::timeout_at(self.deadline, &mut self.answer).await {
            Ok(Ok(result)) => result,
            // The batcher lets calls fall whose deadline has passed.
            Ok(Err(_)) if Instant::now() < self.deadline => Err(end::<L>(
                &self.part,
                &self.progress,
                "the client was closed",
            )),
            _ => Err(end::<L>(&self.part, &self.progress, "waiting for its turn")),
        }
    }
}

impl<L: Load> Drop for Ticket<L> {
    fn drop(&mut self) {
        lock(&self.progress).phase = Phase::Ended;
    }
}

/// Ends a call without an answer: unknown when any attempt may have been applied.
fn end<L: Load>(part: &L::Part, progress: &Mutex<Progress>, otherwise: &str) -> Error {
    let mut progress = lock(progress);
    let in_flight = progress.phase == Phase::InFlight;
    progress.phase = Phase::Ended;
    let cause = match (&progress.last, in_flight) {
        (Some(failure), _) => failure.to_string(),
        (None, true) => "no answer before the deadline".to_owned(),
        (None, false) => otherwise.to_owned(),
    };
    match L::ids(part) {
        Some(ids) if in_flight || progress.unknown => Error::UnknownOutcome { ids, cause },
        _ => match progress.last.take() {
            Some(failure) => failure.into_error(),
            None => Error::Deadline { cause },
        },
    }
}

/// A panic cannot happen while it is held: it only guards plain assignments.
fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
