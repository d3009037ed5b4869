//! One open pending transfer's way for one turn: what is known of it, what is decided, what came of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use farthing_ledger::PendingStatus;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::carry_out::{Answer, carry_out, look_up};
use super::decision::{
    AfterRefusal, BoxError, Decision, PendingTransfer, Refusal, RefusalCause, Settlement,
};
use super::start::{hint, passes};
use super::table::Open;
use crate::client::Client;
use crate::error::Error;
use crate::transport::backoff::Backoff;

pub(super) type Decide =
    dyn Fn(PendingTransfer) -> BoxFuture<'static, Result<Decision, BoxError>> + Send + Sync;
pub(super) type OnRefused = dyn Fn(Refusal) -> BoxFuture<'static, AfterRefusal> + Send + Sync;

/// What every attempt needs.
pub(super) struct Attempts {
    pub(super) client: Client,
    pub(super) decide: Arc<Decide>,
    pub(super) on_refused: Option<Arc<OnRefused>>,
    /// Decisions that may fail in a row.
    pub(super) failures_max: u32,
    /// The shortest and the longest wait between attempts.
    pub(super) retry: (Duration, Duration),
}

/// What came of one turn.
#[derive(Debug)]
pub(super) enum Step {
    /// It has met its end.
    Settled(Settlement),
    /// It was refused, and is left as it is.
    Left,
    /// Nothing more before this time.
    Wait(Instant, Why),
    /// No other will do better.
    Fatal(Error),
}

/// Why it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    PutOff,
    Retry,
    Refused,
}

impl Attempts {
    /// What was read just now, before its first turn.
    pub(super) fn open(&self, pending: PendingTransfer) -> Open {
        Open {
            pending,
            decision: None,
            ask_at: Instant::now(),
            look_up: false,
            failures: 0,
            backoff: Backoff::between(self.retry.0, self.retry.1),
        }
    }

    fn recovered(&self, open: &mut Open) {
        open.failures = 0;
        open.backoff = Backoff::between(self.retry.0, self.retry.1);
    }

    /// One turn. It may be given up at any moment.
    pub(super) async fn attempt(self: Arc<Self>, mut open: Open) -> (Open, Step) {
        let step = self.step(&mut open).await;
        // From now on it is no longer as it was read.
        open.look_up = true;
        (open, step)
    }

    async fn step(&self, open: &mut Open) -> Step {
        if open.look_up {
            match look_up(&self.client, open.pending.transfer.id).await {
                Ok(PendingStatus::Pending) => {}
                // Whether it stands as decided is asked for under its id below.
                Ok(_) if open.decision.is_some() => {}
                Ok(end) => return settled(open, end, false),
                Err(error) => return self.failed(open, error).await,
            }
        }
        let decision = match open.decision {
            Some(decision) => decision,
            None if Instant::now() < open.ask_at => {
                return Step::Wait(until(open), Why::PutOff);
            }
            None => match self.ask(open).await {
                Ok(decision) => decision,
                Err(step) => return step,
            },
        };
        match carry_out(&self.client, &open.pending, decision).await {
            Ok(Answer::AsDecided(end)) => settled(open, end, true),
            Ok(Answer::Otherwise(end)) => settled(open, end, false),
            Ok(Answer::Refused(status)) => self.refused(open, RefusalCause::Status(status)).await,
            Err(error) => self.failed(open, error).await,
        }
    }

    /// A decision that can be carried out, or what there is to do instead.
    async fn ask(&self, open: &mut Open) -> Result<Decision, Step> {
        let asked = open.pending;
        open.pending.asked_before = asked.asked_before.saturating_add(1);
        match unless_panics(|| (self.decide)(asked)).await {
            Ok(Decision::Later(wait)) => {
                self.recovered(open);
                Err(put_off(open, wait, Why::PutOff))
            }
            Ok(decision) => {
                self.recovered(open);
                open.decision = Some(decision);
                Ok(decision)
            }
            Err(error) => {
                open.failures += 1;
                if open.failures >= self.failures_max {
                    return Err(self.refused(open, RefusalCause::Undecided(error)).await);
                }
                let id = open.pending.transfer.id;
                debug!(?id, %error, failures = open.failures, "a settlement was not decided");
                let wait = open.backoff.next(None);
                Err(put_off(open, wait, Why::Retry))
            }
        }
    }

    /// A call without the answer that was hoped for.
    async fn failed(&self, open: &mut Open, error: Error) -> Step {
        match error {
            error if passes(&error) => {
                let wait = open.backoff.next(hint(&error));
                Step::Wait(later(wait), Why::Retry)
            }
            Error::ClusterMismatch { .. } | Error::Closed => Step::Fatal(error),
            error => self.refused(open, RefusalCause::Error(error)).await,
        }
    }

    /// Tells of a refusal, and does as it is answered. Without anybody to tell, it is tried again at leisure.
    async fn refused(&self, open: &mut Open, cause: RefusalCause) -> Step {
        let (pending, decision) = (open.pending, open.decision.take());
        let id = pending.transfer.id;
        warn!(?id, ?decision, %cause, "a pending transfer cannot be settled as decided");
        let refusal = Refusal {
            pending,
            decision,
            cause,
        };
        let again = AfterRefusal::Again(self.retry.1);
        let answer = match &self.on_refused {
            None => again,
            Some(tell) => unless_panics(|| tell(refusal).map(Ok))
                .await
                .unwrap_or(again),
        };
        match answer {
            AfterRefusal::Again(wait) => {
                self.recovered(open);
                put_off(open, wait, Why::Refused)
            }
            AfterRefusal::Void => {
                open.decision = Some(Decision::Void);
                // Not at once: a void that is refused too must not be sent as fast as it can be.
                Step::Wait(later(open.backoff.next(None)), Why::Refused)
            }
            AfterRefusal::Leave => Step::Left,
        }
    }
}

fn settled(open: &Open, end: PendingStatus, as_decided: bool) -> Step {
    Step::Settled(Settlement {
        pending: open.pending,
        end,
        decision: open.decision,
        as_decided,
    })
}

/// Nobody is asked before; whether it has expired is looked at in between.
fn put_off(open: &mut Open, wait: Duration, why: Why) -> Step {
    open.ask_at = later(wait);
    Step::Wait(until(open), why)
}

/// How often it is looked at whether a pending transfer that is due has expired.
const EXPIRY_CHECK: Duration = Duration::from_secs(1);

/// When it has its next turn: when a decision is to be asked for, or when it expires, if that is earlier. By this
/// machine's clock, which may be wrong: then it is looked at in vain.
fn until(open: &Open) -> Instant {
    let Some(expires_at) = open.pending.transfer.expires_at() else {
        return open.ask_at;
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let left = Duration::from_nanos(expires_at).saturating_sub(now);
    open.ask_at.min(later(left.max(EXPIRY_CHECK)))
}

/// A time that the clock cannot say is as good as thirty years.
fn later(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait)
        .unwrap_or_else(|| now + Duration::from_secs(1_000_000_000))
}

/// A panic of the user's code is an error like others: it must not end the settlement of other transfers.
async fn unless_panics<T, F>(call: impl FnOnce() -> F) -> Result<T, BoxError>
where
    F: Future<Output = Result<T, BoxError>>,
{
    let guarded = AssertUnwindSafe(async { call().await }).catch_unwind();
    guarded.await.unwrap_or_else(|_| Err("it panicked".into()))
}
