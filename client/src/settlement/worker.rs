//! The worker: reads, lets attempts be made, keeps the cursor behind what is done.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::attempt::Attempts;
use super::builder::{SettlementBuilder, StartFrom};
use super::decision::Settlement;
use super::progress::{ProgressHandle, SettlementProgress};
use super::reader::read;
use super::run::Run;
use super::start::take_over;
use crate::client::Client;
use crate::error::Error;
use crate::events::{EventFilter, EventsOptions};

pub(super) type OnSettled = dyn Fn(&Settlement) + Send + Sync;

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) name: String,
    pub(super) filter: EventFilter,
    pub(super) start_from: StartFrom,
    pub(super) open_max: usize,
    pub(super) concurrency: usize,
    pub(super) save_interval: Duration,
    pub(super) stop_timeout: Duration,
}

/// Follows pending transfers and posts or voids them as it is told. See the [module](super).
///
/// It holds at most [`open_max`](SettlementBuilder::open_max) pending transfers, and three parts of the stream beyond
/// them (1,024 events each). The cursor stays before the first that is open, so one that is put off for hours is read
/// again after a restart, with all that came after it: what is settled by then is found by a look-up, a thousand at once,
/// and nobody is asked about it. While all of `open_max` are put off nothing new is settled: choose it above the number
/// that may be put off at once.
pub struct SettlementWorker {
    options: Options,
    attempts: Arc<Attempts>,
    on_settled: Option<Arc<OnSettled>>,
    progress: ProgressHandle,
}

impl std::fmt::Debug for SettlementWorker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SettlementWorker")
            .field("options", &self.options)
            .field("progress", &self.progress.get())
            .finish_non_exhaustive()
    }
}

impl SettlementWorker {
    /// Settings of a worker. `name` is that of its cursor, 1 to 57 bytes: a worker of the same name goes on where this one
    /// was.
    pub fn builder(client: &Client, name: &str) -> SettlementBuilder {
        SettlementBuilder::new(client, name)
    }

    pub(super) fn new(
        options: Options,
        attempts: Attempts,
        on_settled: Option<Arc<OnSettled>>,
    ) -> SettlementWorker {
        SettlementWorker {
            options,
            attempts: Arc::new(attempts),
            on_settled,
            progress: ProgressHandle::default(),
        }
    }

    /// Its progress, to be read while it runs.
    #[must_use]
    pub fn progress(&self) -> ProgressHandle {
        self.progress.clone()
    }

    /// Settles until `shutdown` is ready; then it asks for no more decisions, lets those on their way come to their end,
    /// saves the cursor and gives its last progress. A cluster without a leader is waited for. Given up instead of being
    /// shut down it loses nothing either.
    ///
    /// One worker of a name runs at a time: a new one takes the cursor over, and the older one ends at its next save.
    ///
    /// # Errors
    /// [`Error::Fenced`] when a worker of the same name has taken over; [`Error::ClusterMismatch`] and
    /// [`Error::InvalidRequest`] for endpoints and filters that are none; [`Error::Unreadable`] and [`Error::Refused`] for
    /// nodes of a newer version. Nothing is lost by any of them.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()>,
    ) -> Result<SettlementProgress, Error> {
        let mut shutdown = pin!(shutdown);
        let (client, options) = (&self.attempts.client, self.options);
        let cursor = select! {
            biased;
            () = &mut shutdown => return Ok(self.progress.get()),
            cursor = take_over(client, &options.name, options.start_from) => cursor?,
        };
        let events = client.events(EventsOptions {
            from: cursor.next_sequence(),
            filter: options.filter.clone(),
            ..EventsOptions::default()
        });
        let (sender, mut parts) = mpsc::channel(1);
        // Ended when it is dropped.
        let mut reader = JoinSet::new();
        reader.spawn(read(client.clone(), events, sender));
        let stop_timeout = options.stop_timeout;
        let mut run = Run::new(
            options,
            self.attempts,
            self.on_settled,
            cursor,
            self.progress,
        );
        loop {
            run.prepare();
            select! {
                () = &mut shutdown => break,
                part = parts.recv(), if run.wants_more() => {
                    run.arrive(part.unwrap_or(Err(Error::Closed))?);
                }
                came = run.next() => came?,
            }
        }
        drop(reader);
        run.stop(stop_timeout).await
    }
}
