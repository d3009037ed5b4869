//! The way to a cluster: connecting, patience while it has no leader, and the SDK's errors as failures for a person.

use std::time::{Duration, Instant};

use farthing_client::{Client, Error};
use serde::Serialize;
use tokio::time::sleep;

use crate::failure::{Code, Failure};
use crate::output::{Report, Table};

/// Pause before the second attempt; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Connects to a cluster by any of its nodes.
///
/// # Errors
/// [`Code::NotReachable`] when none answers, [`Code::Usage`] when an address cannot be read.
pub async fn connect(endpoints: &[String], deadline: Duration) -> Result<Client, Failure> {
    connect_with(endpoints, deadline, 1).await
}

/// [`connect`] with a number of connections to the leader.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(
    endpoints: &[String],
    deadline: Duration,
    connections: usize,
) -> Result<Client, Failure> {
    Client::builder()
        .endpoints(endpoints)
        .deadline(deadline)
        .connections(connections)
        .connect()
        .await
        .map_err(|error| {
            let failure = failure(error);
            if failure.code == Code::NotReachable {
                failure.advise(format!(
                    "check that the nodes run (`farthing cluster status`) and that {} is right",
                    endpoints.join(",")
                ))
            } else {
                failure
            }
        })
}

/// The failure that says what an error of the SDK means to the person at the terminal.
#[must_use]
pub fn failure(error: Error) -> Failure {
    let text = error.to_string();
    match error {
        Error::UnknownOutcome { cause, .. } => Failure::new(
            Code::OutcomeUnknown,
            "the request was sent, but nobody knows whether it was carried out",
        )
        .because(cause)
        .advise("run the same command again with the same ids: what was done is not done twice"),
        Error::Deadline { cause } => Failure::new(
            Code::NotReachable,
            "the deadline passed before anything was done",
        )
        .because(cause)
        .advise("see `farthing cluster status`, or allow more time with --deadline"),
        Error::NotReachable { message } => Failure::new(
            Code::NotReachable,
            "no leader could be reached; nothing was done",
        )
        .because(message)
        .advise("see `farthing cluster status`"),
        Error::Overloaded { .. } => Failure::new(Code::RequestRefused, text)
            .because("more is asked of the cluster than it can do in time; nothing was done")
            .advise("try again a little later, or with fewer requests at once"),
        Error::InvalidRequest { .. } | Error::TooLarge { .. } | Error::Amount(_) => {
            Failure::new(Code::Usage, text)
        }
        Error::ClusterMismatch { .. } => Failure::new(Code::Usage, text)
            .because("the endpoints are those of another cluster")
            .advise("correct --endpoints or --dir"),
        Error::BrokenStream { .. } => Failure::new(Code::CheckFailed, text)
            .because("the node's state is not what it should be, or it is no node")
            .advise("run `farthing verify`; asked again, another node answers"),
        _ => Failure::new(Code::RequestRefused, text),
    }
}

/// True when the same call may succeed later, and making it again does no harm since its ids are the same.
#[must_use]
pub fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownOutcome { .. }
            | Error::Deadline { .. }
            | Error::NotReachable { .. }
            | Error::Overloaded { .. }
    )
}

/// Makes a call, again and again with growing pauses while [`may_pass`] says so, for at most `patience`. The items of
/// the call must keep their ids. `on_wait` hears of each error that is waited out.
///
/// # Errors
/// The last error, as a failure.
pub async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    patience: Duration,
    mut on_wait: impl FnMut(&Error),
    call: impl Fn() -> F,
) -> Result<T, Failure> {
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    loop {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) if may_pass(&error) && begun.elapsed() + pause < patience => {
                on_wait(&error);
                let hint = match &error {
                    Error::Overloaded { retry_after, .. } => *retry_after,
                    _ => None,
                };
                sleep(hint.unwrap_or(pause).min(PAUSE_MAX)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(error) => return Err(failure(error)),
        }
    }
}

/// Who leads after a transfer of leadership.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewLeader {
    /// Node id.
    pub leader: u64,
    /// Raft term.
    pub term: u64,
}

impl Report for NewLeader {
    fn table(&self) -> Table {
        Table::pairs([
            ("leader", self.leader.to_string()),
            ("term", self.term.to_string()),
        ])
    }
}

/// Hands leadership to a node, or to any that is not behind.
///
/// # Errors
/// As [`failure`] says.
pub async fn transfer_leader(client: &Client, to: Option<u64>) -> Result<NewLeader, Failure> {
    let reply = client.transfer_leader(to).await.map_err(failure)?;
    Ok(NewLeader {
        leader: reply.leader_id,
        term: reply.term,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;

    fn unreachable() -> Error {
        Error::NotReachable {
            message: "no one".into(),
        }
    }

    #[tokio::test]
    async fn patience_outlasts_an_election_but_not_for_ever() {
        let calls = Cell::new(0);
        let after_three = || {
            calls.set(calls.get() + 1);
            ready(if calls.get() < 3 {
                Err(unreachable())
            } else {
                Ok(7)
            })
        };
        assert_eq!(
            patiently(Duration::from_secs(10), |_| {}, after_three)
                .await
                .unwrap(),
            7
        );
        let never = || ready(Err::<(), _>(unreachable()));
        let failure = patiently(Duration::from_millis(200), |_| {}, never)
            .await
            .unwrap_err();
        assert_eq!(failure.code, Code::NotReachable);
    }

    #[tokio::test]
    async fn what_cannot_pass_is_not_tried_again() {
        let calls = Cell::new(0);
        let closed = || {
            calls.set(calls.get() + 1);
            ready(Err::<(), _>(Error::Closed))
        };
        assert!(
            patiently(Duration::from_secs(10), |_| {}, closed)
                .await
                .is_err()
        );
        assert_eq!(calls.get(), 1);
    }

    #[test]
    fn an_unknown_outcome_has_a_status_of_its_own() {
        let error = Error::UnknownOutcome {
            ids: vec![1],
            cause: "stream lost".into(),
        };
        let failure = failure(error);
        assert_eq!(failure.code.exit_status(), 4);
        assert!(failure.advice.unwrap().contains("same ids"));
    }
}
