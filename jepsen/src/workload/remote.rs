//! One node as its clients see it: one call, one attempt, one end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use farthing_client::{Account, Consistency as Level, Pending, Reason, Refused, Transfer};
use farthing_proto::packed::{self, LookedUp};
use farthing_proto::v1::packed_client::PackedClient;
use farthing_proto::v1::{LookupKind, LookupReply, LookupRequest, Section, SubmitRequest};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::history::{Answer, Consistency, Lookup, Outcome, ReadReply};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(1);
/// Largest answer: that of a lookup of 8,189 pending transfers, and room.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// How a call ended without an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It certainly did not happen: it never left, or was refused as a whole.
    Fail {
        /// In words.
        why: String,
        /// Client address of the leader, if the node told it.
        leader: Option<String>,
        /// The node wants to be left alone for so long.
        wait: Option<Duration>,
    },
    /// Nobody knows.
    Info(String),
}

impl End {
    pub(super) fn fail(why: impl Into<String>) -> Self {
        Self::Fail {
            why: why.into(),
            leader: None,
            wait: None,
        }
    }

    fn of(status: &Status) -> Self {
        match Refused::from_status(status) {
            Some(refused) if refused.nothing_happened() => Self::Fail {
                why: format!("{}: {}", refused.reason_text, refused.message),
                leader: refused.leader.clone(),
                wait: refused
                    .retry_after
                    .filter(|_| refused.reason == Some(Reason::Overloaded)),
            },
            _ => Self::Info(format!("{:?}: {}", status.code(), status.message())),
        }
    }

    /// A read has no effect: whatever became of it, nothing happened.
    pub(super) fn of_read(self) -> Self {
        match self {
            Self::Info(why) => Self::fail(why),
            fail => fail,
        }
    }
}

/// One node, through one connection.
#[derive(Debug)]
pub struct Remote {
    address: SocketAddr,
    channel: Mutex<Option<Channel>>,
}

impl Remote {
    /// A node at an address. It connects when it is first asked.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            channel: Mutex::default(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Channel>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that was open when it was last looked at.
    ///
    /// # Errors
    /// When none can be opened; nothing was sent then.
    pub async fn channel(&self) -> Result<Channel, End> {
        let open = self.slot().clone();
        if let Some(channel) = open {
            return Ok(channel);
        }
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))
            .map_err(|error| End::fail(error.to_string()))?
            .tcp_nodelay(true)
            .connect_timeout(CONNECT);
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| End::fail(format!("no connection: {error}")))?;
        *self.slot() = Some(channel.clone());
        Ok(channel)
    }

    /// One call within its deadline; a connection that failed is not used again.
    pub(super) async fn call<T, F: Future<Output = Result<T, Status>>>(
        &self,
        deadline: Duration,
        call: impl FnOnce(Channel) -> F,
    ) -> Result<T, End> {
        let began = tokio::time::Instant::now();
        let channel = tokio::time::timeout(deadline, self.channel())
            .await
            .map_err(|_| End::fail("no connection in time"))??;
        match tokio::time::timeout_at(began + deadline, call(channel)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => {
                if Refused::from_status(&status).is_none() {
                    *self.slot() = None;
                }
                Err(End::of(&status))
            }
            Err(_) => {
                *self.slot() = None;
                Err(End::Info("no answer in time".into()))
            }
        }
    }

    async fn submit(
        &self,
        section: Section,
        deadline: Duration,
    ) -> Result<(Vec<Outcome>, u64), End> {
        let mut request = Request::new(SubmitRequest {
            request_number: 1,
            sections: vec![section],
            deadline_ms: millis(deadline),
        });
        request.set_timeout(deadline);
        let reply = self
            .call(deadline, |channel| async move {
                Ok(packed_client(channel).submit(request).await?.into_inner())
            })
            .await?;
        // An answer that cannot be read is an answer nobody knows.
        let results = reply
            .results
            .first()
            .and_then(|it| packed::read_results(it));
        let results = results.ok_or_else(|| End::Info("an answer that cannot be read".into()))?;
        let outcomes = results.iter().map(|it| Outcome(it.status, it.timestamp));
        Ok((outcomes.collect(), reply.log_index))
    }

    /// Creates transfers: one outcome for each, and the log index.
    ///
    /// # Errors
    /// See [`End`].
    pub async fn transfers(
        &self,
        items: &[Transfer],
        deadline: Duration,
    ) -> Result<(Vec<Outcome>, u64), End> {
        self.submit(packed::transfers_section(items), deadline)
            .await
    }

    /// Creates accounts: one outcome for each, and the log index.
    ///
    /// # Errors
    /// See [`End`].
    pub async fn accounts(
        &self,
        items: &[Account],
        deadline: Duration,
    ) -> Result<(Vec<Outcome>, u64), End> {
        self.submit(packed::accounts_section(items), deadline).await
    }

    async fn lookup<T>(
        &self,
        kind: LookupKind,
        ids: &[u128],
        consistency: Consistency,
        deadline: Duration,
        row: impl Fn(LookedUp<'_>) -> Option<T>,
    ) -> Result<ReadReply<T>, End> {
        let level = level(consistency);
        let mut request = Request::new(LookupRequest {
            request_number: 1,
            kind: kind.into(),
            ids: packed::write_ids(ids.iter().copied()),
            consistency: level.into(),
            deadline_ms: millis(deadline),
        });
        request.set_timeout(deadline);
        let reply: LookupReply = self
            .call(deadline, |channel| async move {
                Ok(packed_client(channel).lookup(request).await?.into_inner())
            })
            .await
            .map_err(End::of_read)?;
        let rows = packed::read_lookup(&reply, kind, ids.len())
            .and_then(|rows| rows.into_iter().map(row).collect::<Option<Vec<T>>>())
            .ok_or_else(|| End::fail("an answer that cannot be read"))?;
        Ok(ReadReply {
            applied_index: reply.applied_index,
            rows,
        })
    }

    /// Looks accounts up.
    ///
    /// # Errors
    /// [`End::Fail`].
    pub async fn read_accounts(
        &self,
        ids: &[u128],
        consistency: Consistency,
        deadline: Duration,
    ) -> Result<ReadReply<Option<Account>>, End> {
        let row = |row: LookedUp<'_>| match row {
            LookedUp::NotFound => Some(None),
            LookedUp::Found(bytes) => bytes
                .try_into()
                .ok()
                .map(|it| Some(Account::from_bytes(it))),
            LookedUp::Refused => None,
        };
        self.lookup(LookupKind::Accounts, ids, consistency, deadline, row)
            .await
    }

    /// Looks transfers up.
    ///
    /// # Errors
    /// [`End::Fail`].
    pub async fn read_transfers(
        &self,
        ids: &[u128],
        consistency: Consistency,
        deadline: Duration,
    ) -> Result<ReadReply<Lookup>, End> {
        let row = |row: LookedUp<'_>| match row {
            LookedUp::NotFound => Some(Lookup::Absent),
            LookedUp::Refused => Some(Lookup::Refused),
            LookedUp::Found(bytes) => {
                let bytes = bytes.try_into().ok()?;
                Some(Lookup::Found(Transfer::from_bytes(bytes)))
            }
        };
        self.lookup(LookupKind::Transfers, ids, consistency, deadline, row)
            .await
    }

    /// Looks up where pending transfers stand.
    ///
    /// # Errors
    /// [`End::Fail`].
    pub async fn read_pendings(
        &self,
        ids: &[u128],
        consistency: Consistency,
        deadline: Duration,
    ) -> Result<ReadReply<Option<Answer>>, End> {
        let row = |row: LookedUp<'_>| match row {
            LookedUp::NotFound => Some(None),
            LookedUp::Found(bytes) => {
                let pending = Pending::from_bytes(bytes.try_into().ok()?)?;
                Some(Some(Answer(pending.status)))
            }
            LookedUp::Refused => None,
        };
        self.lookup(LookupKind::Pendings, ids, consistency, deadline, row)
            .await
    }
}

fn packed_client(channel: Channel) -> PackedClient<Channel> {
    PackedClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

/// How fresh, in the client's words.
pub(super) fn level(consistency: Consistency) -> Level {
    match consistency {
        Consistency::Linearizable => Level::Linearizable,
        Consistency::MinLogIndex(index) => Level::MinLogIndex(index),
        Consistency::Stale => Level::Stale,
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
