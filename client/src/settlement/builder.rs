//! What a worker is built from.

use std::sync::Arc;
use std::time::Duration;

use farthing_proto::error::FieldError;
use futures::FutureExt;

use super::attempt::{Attempts, OnRefused};
use super::decision::{AfterRefusal, BoxError, Decision, PendingTransfer, Refusal, Settlement};
use super::worker::{OnSettled, Options, SettlementWorker};
use crate::client::Client;
use crate::error::Error;
use crate::events::{CURSOR_NAME_BYTES_MAX, EventFilter, EventKind};

/// Pending transfers that a worker may hold open, at most. Each takes less than a kilobyte.
pub const OPEN_MAX: usize = 1_000_000;
/// Decisions asked for at once, at most.
const CONCURRENCY_MAX: usize = 65_536;

/// Where a worker begins whose name was never used before. One that has a cursor goes on where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// With the first event there is.
    #[default]
    Beginning,
    /// With what is created from now on.
    Now,
    /// With this sequence.
    Sequence(u64),
}

/// Settings of a worker. Made by [`SettlementWorker::builder`].
#[must_use]
pub struct SettlementBuilder {
    client: Client,
    options: Options,
    on_refused: Option<Arc<OnRefused>>,
    on_settled: Option<Arc<OnSettled>>,
    failures_max: u32,
    retry: (Duration, Duration),
}

impl std::fmt::Debug for SettlementBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SettlementBuilder")
            .field("options", &self.options)
            .field("failures_max", &self.failures_max)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl SettlementBuilder {
    pub(super) fn new(client: &Client, name: &str) -> SettlementBuilder {
        SettlementBuilder {
            client: client.clone(),
            options: Options {
                name: name.to_owned(),
                filter: EventFilter::default(),
                start_from: StartFrom::default(),
                open_max: 10_000,
                concurrency: 256,
                save_interval: Duration::from_secs(1),
                stop_timeout: Duration::from_secs(10),
            },
            on_refused: None,
            on_settled: None,
            failures_max: 8,
            retry: (Duration::from_millis(100), Duration::from_secs(60)),
        }
    }

    /// Which pending transfers: those that touch some accounts, of a ledger, of a code. Its kinds stay empty. Under one
    /// name always the same: what one filter has passed, another does not see again. Default: all.
    pub fn filter(mut self, filter: EventFilter) -> Self {
        self.options.filter = filter;
        self
    }

    /// Where to begin when the name was never used before. Default: the beginning.
    pub fn start_from(mut self, start_from: StartFrom) -> Self {
        self.options.start_from = start_from;
        self
    }

    /// Pending transfers that are open at once, put off ones included, 1 to [`OPEN_MAX`]; with as many the worker reads
    /// no further, until one has met its end. Default: 10,000.
    pub fn open_max(mut self, count: usize) -> Self {
        self.options.open_max = count.clamp(1, OPEN_MAX);
        self
    }

    /// Decisions that are asked for or carried out at once, 1 to 65,536; what is sent at once travels in few requests.
    /// Default: 256.
    pub fn concurrency(mut self, count: usize) -> Self {
        self.options.concurrency = count.clamp(1, CONCURRENCY_MAX);
        self
    }

    /// How often the cursor is saved while there is something to save. What was settled since is looked up again after a
    /// crash. Default: 1 s.
    pub fn save_interval(mut self, interval: Duration) -> Self {
        self.options.save_interval = interval;
        self
    }

    /// How long decisions may take that are on their way when the worker is to stop; those that take longer are given up
    /// and asked for again by the next one. Default: 10 s.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.options.stop_timeout = timeout;
        self
    }

    /// Shortest and longest wait between attempts; it doubles in between, and each is shortened by a random part of up to
    /// one half. Default: 100 ms and 60 s.
    pub fn retry(mut self, shortest: Duration, longest: Duration) -> Self {
        let shortest = shortest.max(Duration::from_millis(1));
        self.retry = (shortest, longest.max(shortest));
        self
    }

    /// Decisions about one transfer that may fail in a row, 1 at least, before that is told as a refusal. Calls that no
    /// node answers are not counted: they are repeated until one does. Default: 8.
    pub fn failures_max(mut self, count: u32) -> Self {
        self.failures_max = count.max(1);
        self
    }

    /// Is told of pending transfers that cannot be settled as decided, and says what is to be done. Without it, and when
    /// it panics, a decision is asked for again after the longest wait; it is in the log and in the progress either way.
    pub fn on_refused<F, Fut>(mut self, tell: F) -> Self
    where
        F: Fn(Refusal) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = AfterRefusal> + Send + 'static,
    {
        self.on_refused = Some(Arc::new(move |refusal| tell(refusal).boxed()));
        self
    }

    /// Is told of every end, before the cursor passes it: once at least, and after a crash perhaps again, then without a
    /// decision. It must be quick: nothing else is done meanwhile.
    pub fn on_settled(mut self, tell: impl Fn(&Settlement) + Send + Sync + 'static) -> Self {
        self.on_settled = Some(Arc::new(tell));
        self
    }

    /// The worker, which asks `decide` about every pending transfer. An error of it, or a panic, is an attempt that is
    /// made again. Nothing is sent before [`SettlementWorker::run`].
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] unless the name has 1 to 57 bytes, or when the filter names kinds.
    pub fn build<F, Fut>(self, decide: F) -> Result<SettlementWorker, Error>
    where
        F: Fn(PendingTransfer) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Decision, BoxError>> + Send + 'static,
    {
        let mut options = self.options;
        if !(1..=CURSOR_NAME_BYTES_MAX).contains(&options.name.len()) {
            return Err(invalid("name", "a name has 1 to 57 bytes"));
        }
        if !options.filter.kinds.is_empty() {
            let words = "leave it empty: a settlement worker reads the kinds that it needs";
            return Err(invalid("filter.kinds", words));
        }
        options.filter.kinds = vec![EventKind::TransferCreated, EventKind::TransferExpired];
        let attempts = Attempts {
            client: self.client,
            decide: Arc::new(move |pending| decide(pending).boxed()),
            on_refused: self.on_refused,
            failures_max: self.failures_max,
            retry: self.retry,
        };
        Ok(SettlementWorker::new(options, attempts, self.on_settled))
    }
}

fn invalid(field: &str, description: &str) -> Error {
    Error::InvalidRequest {
        violations: vec![FieldError::new(field, description)],
    }
}
