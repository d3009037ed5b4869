//! What every service needs: the layers below, who this node is, deadlines, and refusals in the words of the wire.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farthing_ledger::{RequestBuilder, SectionKind};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::metadata;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::scales::Scales;
use crate::admission::{self, Answer, Refusal, Work};
use crate::listener::Gauges;
use crate::{consensus, query, storage};

/// Deadline of a call that names none.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
/// Longest deadline; nothing waits longer on the server.
const DEADLINE_MAX: Duration = Duration::from_secs(60);
/// Most of a caller's time that is kept for the way back, and what share of a short one.
const WAY_BACK_MAX: Duration = Duration::from_millis(50);
const WAY_BACK_SHARE: u32 = 10;

/// Which node of which cluster answers.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Cluster id.
    pub cluster_id: u128,
    /// Node id.
    pub node_id: u64,
    /// Address told to clients.
    pub client_address: String,
    /// Address told to peers.
    pub peer_address: String,
    /// The node's directory.
    pub data_dir: PathBuf,
    /// Raft term of the last start, before this one's elections.
    pub term_at_start: u64,
}

/// What the node's listeners count, for status.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The clients' listener.
    pub clients: Gauges,
    /// The peers' listener.
    pub peers: Gauges,
}

struct Inner {
    identity: Identity,
    doors: Doors,
    admission: admission::Handle,
    query: query::Handle,
    consensus: consensus::Handle,
    storage: storage::Handle,
    log: crate::log::Log,
    scales: Scales,
    started: Instant,
}

/// Shared by all services. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

impl Context {
    /// Over the layers below.
    pub fn new(
        identity: Identity,
        doors: Doors,
        admission: admission::Handle,
        query: query::Handle,
        consensus: consensus::Handle,
        storage: storage::Handle,
        log: crate::log::Log,
    ) -> Self {
        let scales = Scales::default();
        let inner = Inner {
            identity,
            doors,
            admission,
            query,
            consensus,
            storage,
            log,
            scales,
            started: Instant::now(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(super) fn doors(&self) -> &Doors {
        &self.inner.doors
    }

    pub(super) fn consensus(&self) -> &consensus::Handle {
        &self.inner.consensus
    }

    pub(super) fn storage(&self) -> &storage::Handle {
        &self.inner.storage
    }

    pub(super) fn log(&self) -> &crate::log::Log {
        &self.inner.log
    }

    pub(super) fn admission(&self) -> &admission::Handle {
        &self.inner.admission
    }

    pub(super) fn scales(&self) -> &Scales {
        &self.inner.scales
    }

    pub(super) fn uptime(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// Refuses a caller that names another cluster. One that names none is let in: it learns the id from the answer.
    pub(super) fn check_cluster(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let own = self.inner.identity.cluster_id;
        let told = metadata::cluster_id(metadata);
        if matches!(told, Ok(None)) || told == Ok(Some(own)) {
            return Ok(());
        }
        let own = farthing_proto::convert::id::format_id(own);
        let message =
            format!("this node belongs to cluster {own}; check the endpoints or the cluster id");
        Err(Refused::new(Reason::ClusterIdMismatch, message).into_status())
    }

    /// An answer that carries the cluster's id.
    pub(super) fn reply<T>(&self, message: T) -> tonic::Response<T> {
        let mut response = tonic::Response::new(message);
        metadata::set_cluster_id(response.metadata_mut(), self.inner.identity.cluster_id);
        response
    }

    /// Carries out the sections of one request.
    pub(super) async fn submit(
        &self,
        sections: &[(SectionKind, usize, &[u8])],
        deadline: Instant,
    ) -> Result<Answer, Refused> {
        if deadline <= Instant::now() {
            let message = "the deadline passed before the request was begun; nothing was done";
            return Err(Refused::new(Reason::Deadline, message));
        }
        let bytes = sections.iter().map(|(_, _, items)| items.len()).sum();
        let permit = self
            .inner
            .admission
            .permit(bytes)
            .map_err(|refusal| self.refused(refusal))?;
        let work = Work::of(sections.iter().map(|(kind, _, items)| (*kind, *items)));
        // The caller's principal comes with authentication; until then a request has none.
        let request = sections
            .iter()
            .fold(RequestBuilder::new(&[]), |builder, (kind, count, items)| {
                builder.section(*kind, *count, items)
            })
            .finish()
            .map_err(|error| Refused::new(Reason::TooLarge, error.to_string()))?;
        self.inner
            .admission
            .submit(permit, request, work, deadline)
            .await
            .map_err(|refusal| self.refused(refusal))
    }

    /// A consistent cut as new as asked.
    pub(super) async fn reader(
        &self,
        consistency: Consistency,
        deadline: Instant,
    ) -> Result<storage::Reader, Refused> {
        if !self.consensus().verdict().serves() {
            let message = "this node's state is damaged or differs from the majority's, so it serves no reads; ask another node";
            return Err(Refused::new(Reason::NodeSuspect, message));
        }
        if self.consensus().is_rebuilding() {
            let message = "this node's state was damaged and is being made again, so it serves no reads yet; ask another node";
            return Err(Refused::new(Reason::NodeSuspect, message));
        }
        let consistency = match consistency {
            Consistency::Linearizable => query::Consistency::Linearizable,
            Consistency::MinLogIndex(index) => query::Consistency::AtLeast(index),
            Consistency::Stale => query::Consistency::Stale,
        };
        self.inner
            .query
            .reader(consistency, deadline)
            .await
            .map_err(|error| match error {
                query::Error::Consensus(consensus::Error::Stopped(why)) => {
                    Refused::new(Reason::ShuttingDown, why)
                }
                query::Error::Consensus(error) => Refused::new(
                    Reason::NoLeader,
                    format!("{error}; try again or another node"),
                )
                .with_retry_after(Duration::from_millis(200)),
                query::Error::Deadline { .. } => {
                    Refused::new(Reason::IndexNotReached, error.to_string())
                }
                query::Error::Storage(error) => storage_failed(self.storage(), &error),
                query::Error::Late => Refused::new(Reason::Deadline, error.to_string()),
                query::Error::Stopping => Refused::new(Reason::ShuttingDown, error.to_string()),
            })
    }

    fn refused(&self, refusal: Refusal) -> Refused {
        let message = refusal.to_string();
        match refusal {
            Refusal::Overloaded { retry_after } => {
                Refused::new(Reason::Overloaded, message).with_retry_after(retry_after)
            }
            Refusal::DiskFull { retry_after, .. } => {
                Refused::new(Reason::DiskFull, message).with_retry_after(retry_after)
            }
            Refusal::Suspect(_) => Refused::new(Reason::NodeSuspect, message),
            Refusal::NotLeader {
                leader: Some((id, member)),
            } => {
                let message = format!(
                    "node {} does not lead, node {id} does",
                    self.inner.identity.node_id
                );
                Refused::new(Reason::NotLeader, message).with_leader(member.client_address)
            }
            Refusal::NotLeader { leader: None } => {
                let message = "no leader is known at the moment: an election is under way or no majority is reachable";
                Refused::new(Reason::NoLeader, message).with_retry_after(Duration::from_millis(100))
            }
            Refusal::Deadline | Refusal::Unknown(_) => Refused::new(
                Reason::OutcomeUnknown,
                format!("{message}; send it again with the same ids to learn the outcome"),
            ),
            Refusal::TooLarge(_) => Refused::new(Reason::TooLarge, message),
        }
    }
}

/// A failure of the node's own storage in a lookup.
pub(super) fn storage_failed(storage: &storage::Handle, error: &storage::Error) -> Refused {
    storage.note_damage(error);
    tracing::error!(%error, "a read from storage failed");
    Refused::new(
        Reason::Internal,
        format!("reading the state failed: {error}"),
    )
}

/// When a call has to be answered, from its `grpc-timeout`.
pub(super) fn deadline(metadata: &MetadataMap) -> Instant {
    let named = metadata
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok())
        .and_then(parse_timeout);
    answer_by(named.unwrap_or(DEADLINE_DEFAULT).min(DEADLINE_MAX))
}

/// The same for a call whose message names a deadline too: the nearer counts.
pub(super) fn unary_deadline(metadata: &MetadataMap, deadline_ms: u32) -> Instant {
    let named = deadline(metadata);
    if deadline_ms == 0 {
        named
    } else {
        named.min(message_deadline(deadline_ms))
    }
}

/// The deadline of one message on a stream: its own milliseconds, or the stream's rule.
pub(super) fn message_deadline(deadline_ms: u32) -> Instant {
    let wait = match deadline_ms {
        0 => DEADLINE_DEFAULT,
        ms => Duration::from_millis(u64::from(ms)).min(DEADLINE_MAX),
    };
    answer_by(wait)
}

/// An answer sent at the deadline itself comes too late: the caller has given up, or the transport has answered for us
/// without saying whether anything happened.
fn answer_by(wait: Duration) -> Instant {
    Instant::now() + (wait - (wait / WAY_BACK_SHARE).min(WAY_BACK_MAX))
}

/// `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn answers_leave_before_the_deadline() {
        let ahead = |wait| {
            Duration::from_millis(wait) - (answer_by(Duration::from_millis(wait)) - Instant::now())
        };
        assert!(ahead(10_000) >= WAY_BACK_MAX && ahead(10_000) < WAY_BACK_MAX * 2);
        assert!(ahead(100) >= Duration::from_millis(10) && ahead(100) < Duration::from_millis(60));
        assert!(answer_by(Duration::ZERO) <= Instant::now());
    }

    #[test]
    fn nobody_waits_longer_than_the_server_allows() {
        let now = Instant::now();
        let with_timeout = |timeout: &'static str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", timeout.parse().unwrap());
            metadata
        };
        let year = with_timeout("99999999H");
        // Up to a second for this test itself.
        let slack = Duration::from_secs(1);
        for (until, most) in [
            (deadline(&year), DEADLINE_MAX),
            (message_deadline(u32::MAX), DEADLINE_MAX),
            (unary_deadline(&year, u32::MAX), DEADLINE_MAX),
            (deadline(&MetadataMap::new()), DEADLINE_DEFAULT),
            (message_deadline(0), DEADLINE_DEFAULT),
            // Of two the nearer counts.
            (
                unary_deadline(&with_timeout("2S"), 9_000),
                Duration::from_secs(2),
            ),
            (
                unary_deadline(&with_timeout("9S"), 2_000),
                Duration::from_secs(2),
            ),
        ] {
            let wait = until - now;
            assert!(
                wait > most - slack && wait < most + slack,
                "{wait:?}, not {most:?}"
            );
        }
    }

    #[test]
    fn timeouts_of_grpc() {
        assert_eq!(parse_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            parse_timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        for bad in ["", "S", "1", "123456789S", "-1S", "1x", "1é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
