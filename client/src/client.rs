//! The client: what every call shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farthing_ledger::ItemResult;
use tokio::time::{Instant, sleep};

use farthing_proto::convert::consistency::Consistency;

use crate::batch::Load;
use crate::batch::batcher::Batcher;
use crate::batch::lookup::{Lookup, LookupAnswer, LookupPart};
use crate::batch::settle::settle;
use crate::batch::submit::{Submit, SubmitPart};
use crate::config::Builder;
use crate::error::Error;
use crate::outcome::{Outcome, Status};
use crate::transport::backoff::Backoff;
use crate::transport::failure::Failure;
use crate::transport::node::packed;
use crate::transport::router::Router;

/// A client of one cluster. Cheap to clone; all clones share the connection, the queue
/// and the batches, so one client for a whole process is right.
///
/// Every call has a deadline and either answers, or says that nothing was applied, or says
/// that the outcome is unknown. Calls from many tasks travel together by themselves. A call
/// that is dropped before its answer may or may not have been applied.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    deadline: Duration,
}

struct Inner {
    router: Arc<Router>,
    submits: Batcher<Submit>,
    lookups: Batcher<Lookup>,
    /// Scales of ledgers; they never change once they exist.
    scales: Mutex<HashMap<u32, u8>>,
}

/// Scales remembered at most; above it they are asked for each time.
const SCALES_MAX: usize = 4_096;

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoints", &self.inner.router.endpoints())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Settings of a new client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Connects to the cluster behind these endpoints, `host:port` each, and finds its
    /// leader. One endpoint is enough; the other members are learned.
    ///
    /// # Errors
    /// [`Error::NotReachable`] when there is no leader within 10 s,
    /// [`Error::ClusterMismatch`] when the endpoints belong to different clusters.
    pub async fn connect<E: AsRef<str>>(
        endpoints: impl IntoIterator<Item = E>,
    ) -> Result<Client, Error> {
        Client::builder().endpoints(endpoints).connect().await
    }

    pub(crate) fn start(config: Builder) -> Client {
        let deadline = config.deadline;
        let router = Arc::new(Router::new(config));
        Client {
            inner: Arc::new(Inner {
                submits: Batcher::start(Arc::clone(&router)),
                lookups: Batcher::start(Arc::clone(&router)),
                router,
                scales: Mutex::new(HashMap::new()),
            }),
            deadline,
        }
    }

    /// The same client with another deadline for its calls.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Client {
        Client {
            inner: Arc::clone(&self.inner),
            deadline,
        }
    }

    /// Deadline of this client's calls.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Given endpoints and learned members, `host:port` each.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.inner.router.endpoints()
    }

    /// The cluster id, once an answer has carried it.
    #[must_use]
    pub fn cluster_id(&self) -> Option<u128> {
        self.inner.router.identity.get()
    }

    pub(crate) async fn wait_for_leader(&self) -> Result<(), Error> {
        let deadline = self.ends_at();
        let mut backoff = Backoff::new(&self.inner.router.config);
        loop {
            let found = tokio::time::timeout_at(deadline, self.inner.router.leader()).await;
            let failure = match found {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::NotSent {
                    message: format!("no leader within {:?}", self.deadline),
                },
            };
            let wait = backoff.next(failure.retry_after());
            if !failure.is_retryable() || Instant::now() + wait >= deadline {
                return Err(failure.into_error());
            }
            sleep(wait).await;
        }
    }

    pub(crate) fn router(&self) -> &Arc<Router> {
        &self.inner.router
    }

    /// Waits between attempts, from the shortest on.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(&self.inner.router.config)
    }

    pub(crate) fn ends_at(&self) -> Instant {
        // A deadline beyond what the clock can say is as good as thirty years.
        Instant::now()
            .checked_add(self.deadline)
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(1_000_000_000))
    }

    /// Sends items and names what a retry found for what it is.
    pub(crate) async fn submit_part(&self, part: SubmitPart) -> Result<Settled, Error> {
        let deadline = self.ends_at();
        let delivered = self.inner.submits.call(part.clone(), deadline).await?;
        let log_index = delivered.answer.log_index;
        let results = settle(self, &part, delivered, deadline).await?;
        Ok(Settled { results, log_index })
    }

    pub(crate) async fn lookup_part(
        &self,
        part: LookupPart,
        deadline: Instant,
    ) -> Result<LookupAnswer, Error> {
        if part.consistency() == Consistency::Linearizable {
            return Ok(self.inner.lookups.call(part, deadline).await?.answer);
        }
        // Any node may answer, so the leader need not, and need not even be known.
        let left = deadline.saturating_duration_since(Instant::now());
        let reply = self
            .with_deadline(left)
            .ask_any(
                Lookup::request(&[&part], left),
                |channel, request| async move { packed(channel).lookup(request).await },
            )
            .await?;
        let mut answers =
            Lookup::answers(&[&part], reply).map_err(|message| Error::Unreadable {
                address: "a node".to_owned(),
                message,
            })?;
        answers.pop().ok_or(Error::Closed)
    }

    /// The scale of a ledger: 0 when nothing is known of its number.
    pub(crate) async fn scale(&self, ledger: u32) -> Result<u8, Error> {
        let remembered = self.scales().get(&ledger).copied();
        if let Some(scale) = remembered {
            return Ok(scale);
        }
        let found = self.lookup_ledgers(&[ledger]).await?;
        let Some(Some(row)) = found.first() else {
            // Not remembered: somebody may register it at any time.
            return Ok(0);
        };
        let mut scales = self.scales();
        if scales.len() < SCALES_MAX {
            scales.insert(ledger, row.scale);
        }
        Ok(row.scale)
    }

    /// A panic cannot happen while it is held: only map operations run under it.
    fn scales(&self) -> std::sync::MutexGuard<'_, HashMap<u32, u8>> {
        self.inner
            .scales
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The results of a call, section by section.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) results: Vec<Vec<SettledItem>>,
    pub(crate) log_index: u64,
}

/// The result of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettledItem {
    pub(crate) result: ItemResult,
    pub(crate) by_earlier_attempt: bool,
}

impl Settled {
    /// The outcomes of the first section, which must be of this status' kind.
    pub(crate) fn first<S: Status>(&self) -> Result<Vec<Outcome<S>>, Error> {
        self.results
            .first()
            .map_or(Ok(Vec::new()), |results| outcomes(results, self.log_index))
    }
}

/// Numbers as statuses.
pub(crate) fn outcomes<S: Status>(
    results: &[SettledItem],
    log_index: u64,
) -> Result<Vec<Outcome<S>>, Error> {
    results
        .iter()
        .map(|item| {
            let number = item.result.status;
            let status = S::from_code(number).ok_or_else(|| Error::Unreadable {
                address: "the leader".to_owned(),
                message: format!("status {number} is newer than this client: update it"),
            })?;
            Ok(Outcome {
                status,
                timestamp: item.result.timestamp,
                log_index,
                by_earlier_attempt: item.by_earlier_attempt,
            })
        })
        .collect()
}
