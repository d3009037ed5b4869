//! Sends a request, again and again with the same ids, until it is answered or every
//! caller has given up.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout_at};

use super::Load;
use super::call::Call;
use crate::transport::backoff::Backoff;
use crate::transport::failure::Failure;
use crate::transport::router::Router;

/// Carries calls that travel together to their end.
pub(crate) async fn run<L: Load>(router: Arc<Router>, mut calls: Vec<Call<L>>) {
    let mut backoff = Backoff::new(&router.config);
    for attempt in 1.. {
        let now = Instant::now();
        calls.retain(|call| call.is_live(now));
        let Some(deadline) = calls.iter().map(|call| call.deadline).max() else {
            return;
        };
        let failure = match once::<L>(&router, &mut calls, deadline).await {
            Ok(answers) => {
                for (call, answer) in calls.into_iter().zip(answers) {
                    call.deliver(answer);
                }
                return;
            }
            Err(failure) => failure,
        };
        tracing::debug!(attempt, calls = calls.len(), %failure, "an attempt failed");
        for call in &calls {
            call.failed(&failure);
        }
        if !failure.is_retryable() || attempt >= router.config.attempts_max {
            break;
        }
        let wait = backoff.next(failure.retry_after());
        let until = Instant::now() + wait;
        // Who cannot be tried again in time is told now.
        for call in calls.extract_if(.., |call| call.must_not_repeat() || call.deadline <= until) {
            call.give_up();
        }
        if calls.is_empty() {
            return;
        }
        sleep(wait).await;
    }
    for call in calls {
        call.give_up();
    }
}

/// One attempt: the leader, a request, its answers. Calls that have ended by the time of
/// sending are dropped: their callers were told that nothing happened, or have gone.
async fn once<L: Load>(
    router: &Router,
    calls: &mut Vec<Call<L>>,
    deadline: Instant,
) -> Result<Vec<L::Answer>, Failure> {
    let node = timeout_at(deadline, router.leader())
        .await
        .unwrap_or_else(|_| {
            Err(Failure::NotSent {
                message: "no leader was found before the deadline".to_owned(),
            })
        })?;
    let now = Instant::now();
    calls.retain(|call| call.begin(now));
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&L::Part> = calls.iter().map(|call| &*call.part).collect();
    let request = L::request(&parts, deadline.saturating_duration_since(now));
    let until = deadline.min(now + router.config.attempt_timeout);
    let result = match timeout_at(until, node.exchange::<L::Exchange>(request)).await {
        Ok(Ok(reply)) => L::answers(&parts, reply).map_err(|message| Failure::Rejected {
            address: node.address.clone(),
            message,
        }),
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::Lost {
            address: node.address.clone(),
            message: format!(
                "no answer within {:?}",
                until.saturating_duration_since(now)
            ),
        }),
    };
    if let Err(failure) = &result {
        router.leave(&node, failure);
    }
    result
}
