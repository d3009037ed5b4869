//! Before the first pending transfer: the cursor is taken over, and where to begin is fixed. And how calls are repeated
//! that a cluster without a leader cannot answer.

use std::time::Duration;

use tracing::debug;

use super::builder::StartFrom;
use crate::client::Client;
use crate::error::Error;
use crate::events::Cursor;
use crate::transport::backoff::Backoff;

/// Others that open the same cursor at the same moment, at most.
const RIVALS_MAX: usize = 8;

/// The cursor, taken from whoever had it, at the place where to go on.
pub(super) async fn take_over(
    client: &Client,
    name: &str,
    start_from: StartFrom,
) -> Result<Cursor, Error> {
    let mut rivals = 0;
    loop {
        let mut cursor = patiently(client, || Cursor::open(client, name)).await?;
        let before = match start_from {
            _ if cursor.exists() => cursor.sequence(),
            StartFrom::Beginning => 0,
            StartFrom::Sequence(first) => first.saturating_sub(1),
            StartFrom::Now => patiently(client, || client.newest_sequence()).await?,
        };
        // Written before anything is read: "now" stays that moment after a crash, and an older worker of this name learns
        // at its next save that it is over.
        match claim(client, &mut cursor, before).await {
            Ok(()) => return Ok(cursor),
            Err(Error::Fenced { .. }) if rivals < RIVALS_MAX => rivals += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn claim(client: &Client, cursor: &mut Cursor, sequence: u64) -> Result<(), Error> {
    let mut backoff = client.backoff();
    loop {
        match cursor.claim(sequence).await {
            Err(error) if passes(&error) => wait(&mut backoff, &error).await,
            done => return done,
        }
    }
}

/// Repeats a read until it is answered; only what cannot get better is an error.
pub(super) async fn patiently<T, F>(client: &Client, read: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut backoff = client.backoff();
    loop {
        match read().await {
            Err(error) if passes(&error) => wait(&mut backoff, &error).await,
            done => return done,
        }
    }
}

async fn wait(backoff: &mut Backoff, error: &Error) {
    let wait = backoff.next(hint(error));
    debug!(%error, ?wait, "a settlement worker tries again");
    tokio::time::sleep(wait).await;
}

/// How long the server asks to be left alone.
pub(super) fn hint(error: &Error) -> Option<Duration> {
    match error {
        Error::Overloaded { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// Whether the same call, with the same ids, may do better later.
pub(super) fn passes(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownOutcome { .. }
            | Error::Deadline { .. }
            | Error::Overloaded { .. }
            | Error::NotReachable { .. }
            | Error::BrokenStream { .. }
    )
}
