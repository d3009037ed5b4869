//! Finds the leader and keeps to it; holds every answer to the cluster id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use farthing_proto::convert::id::format_id;
use farthing_proto::metadata;
use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{Role, StatusReply, StatusRequest};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout_at};
use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;

use super::failure::Failure;
use super::node::{Node, endpoint};
use crate::config::{Builder, ENDPOINTS_MAX, address};

/// How long a node may take to say what it is.
const STATUS_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the others may take to contradict a node that says it leads.
const CONTRADICTION_TIMEOUT: Duration = Duration::from_millis(50);

/// The cluster id this client holds answers to: given, or learned from the first answer.
#[derive(Debug, Default)]
pub(crate) struct ClusterIdentity(OnceLock<u128>);

impl ClusterIdentity {
    pub(crate) fn get(&self) -> Option<u128> {
        self.0.get().copied()
    }

    /// Writes the id into the metadata of a call, once it is known.
    pub(crate) fn stamp(&self, metadata: &mut MetadataMap) {
        if let Some(id) = self.get() {
            metadata::set_cluster_id(metadata, id);
        }
    }

    /// Holds the metadata of an answer to the id. An answer without one passes: a proxy
    /// may have dropped it, and the server checks ours.
    pub(crate) fn check(&self, address: &str, metadata: &MetadataMap) -> Result<(), Failure> {
        match metadata::cluster_id(metadata) {
            Ok(None) => Ok(()),
            Ok(Some(id)) => self.check_id(address, id),
            Err(text) => Err(Failure::Rejected {
                address: address.to_owned(),
                message: format!("its cluster id is {text:?}"),
            }),
        }
    }

    fn check_id(&self, address: &str, found: u128) -> Result<(), Failure> {
        let expected = *self.0.get_or_init(|| found);
        if expected == found {
            return Ok(());
        }
        Err(Failure::Mismatch {
            address: address.to_owned(),
            expected: format_id(expected),
            found: format_id(found),
        })
    }
}

/// Who may lead: by term, then by its own word over that of others.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    term: u64,
    leads: bool,
    address: String,
}

impl Candidate {
    fn of(endpoint: &str, status: &StatusReply) -> Option<Candidate> {
        let leads = status.role() == Role::Leader;
        let address = if leads {
            endpoint.to_owned()
        } else {
            address(&status.leader_address)
        };
        (!address.is_empty()).then_some(Candidate {
            term: status.term,
            leads,
            address,
        })
    }
}

/// Finds the leader and keeps to it.
pub(crate) struct Router {
    pub(crate) config: Builder,
    pub(crate) identity: Arc<ClusterIdentity>,
    known: Mutex<Known>,
    /// One search at a time; the others wait for its result.
    search: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    endpoints: Vec<String>,
    leader: Option<Arc<Node>>,
    /// Where a node said the leader is.
    hint: Option<String>,
    /// Channels for unary calls; they connect when first used, and again when lost.
    channels: HashMap<String, Channel>,
    /// Which endpoint the next read that any node may answer begins with.
    turn: usize,
}

impl Router {
    pub(crate) fn new(config: Builder) -> Self {
        let identity = ClusterIdentity(match config.cluster_id {
            Some(id) => OnceLock::from(id),
            None => OnceLock::new(),
        });
        Router {
            identity: Arc::new(identity),
            known: Mutex::new(Known {
                endpoints: config.endpoints.clone(),
                ..Known::default()
            }),
            search: tokio::sync::Mutex::new(()),
            config,
        }
    }

    /// The connected leader.
    pub(crate) async fn leader(&self) -> Result<Arc<Node>, Failure> {
        if let Some(node) = &self.known().leader {
            return Ok(Arc::clone(node));
        }
        let _one = self.search.lock().await;
        if let Some(node) = &self.known().leader {
            return Ok(Arc::clone(node));
        }
        let hint = self.known().hint.take();
        if let Some(hint) = hint {
            // Told by a node: believed for one attempt, without asking anybody else.
            match self.connect(&hint).await {
                Ok(node) => return Ok(node),
                Err(failure @ Failure::Mismatch { .. }) => return Err(failure),
                Err(failure) => tracing::debug!(%failure, "the named leader cannot be reached"),
            }
        }
        let address = self.find_leader().await?;
        self.connect(&address).await
    }

    async fn connect(&self, address: &str) -> Result<Arc<Node>, Failure> {
        let node = Node::connect(address, Arc::clone(&self.identity), &self.config).await?;
        let node = Arc::new(node);
        tracing::debug!(address, "keeping to this node as the leader");
        self.known().leader = Some(Arc::clone(&node));
        Ok(node)
    }

    /// Leaves a node after a failure on it, unless somebody has already.
    pub(crate) fn leave(&self, node: &Arc<Node>, failure: &Failure) {
        if !failure.leaves_node() {
            return;
        }
        let mut known = self.known();
        if known
            .leader
            .as_ref()
            .is_some_and(|leader| Arc::ptr_eq(leader, node))
        {
            tracing::debug!(address = %node.address, %failure, "looking for the leader again");
            known.leader = None;
            known.hint = failure
                .leader()
                .map(address)
                .filter(|hint| !hint.is_empty() && *hint != node.address);
        }
    }

    /// Asks every known endpoint; the leader of the highest term wins. Once one says that
    /// it leads, the others have little time left to contradict: a node that answers
    /// nobody must not hold everybody up.
    async fn find_leader(&self) -> Result<String, Failure> {
        let endpoints = self.endpoints();
        let mut asking: FuturesUnordered<_> = endpoints
            .iter()
            .map(|endpoint| async move { (endpoint, self.ask(endpoint).await) })
            .collect();
        let mut best: Option<Candidate> = None;
        let mut words = Vec::new();
        let mut until = Instant::now() + STATUS_TIMEOUT * 2;
        // As long as nobody has said which cluster is meant, everybody is heard: endpoints
        // of two clusters must be noticed before money goes to either.
        let hurry = self.identity.get().is_some();
        while let Ok(Some((endpoint, answer))) = timeout_at(until, asking.next()).await {
            match answer {
                Ok(status) => {
                    words.push(format!(
                        "{endpoint}: node {} knows no leader",
                        status.node_id
                    ));
                    best = best.max(Candidate::of(endpoint, &status));
                    if hurry && best.as_ref().is_some_and(|best| best.leads) {
                        until = until.min(Instant::now() + CONTRADICTION_TIMEOUT);
                    }
                }
                // Another cluster behind one of the endpoints is a mistake to be told.
                Err(failure @ Failure::Mismatch { .. }) => return Err(failure),
                Err(failure) => words.push(failure.to_string()),
            }
        }
        best.map(|best| best.address)
            .ok_or_else(|| Failure::NotSent {
                message: words.join("; "),
            })
    }

    /// What one endpoint says of itself; members it names are remembered.
    pub(crate) async fn ask(&self, address: &str) -> Result<StatusReply, Failure> {
        let channel = self.channel(address)?;
        self.ask_on(address, channel, STATUS_TIMEOUT).await
    }

    pub(crate) async fn ask_on(
        &self,
        address: &str,
        channel: Channel,
        timeout: Duration,
    ) -> Result<StatusReply, Failure> {
        let mut request = Request::new(StatusRequest {});
        request.set_timeout(timeout);
        self.identity.stamp(request.metadata_mut());
        let mut client = AdminClient::new(channel);
        let answer = tokio::time::timeout(timeout, client.status(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(status)) => return Err(Failure::from_status(address, &status)),
            Err(_) => {
                return Err(Failure::NotSent {
                    message: format!("{address}: no answer within {timeout:?}"),
                });
            }
        };
        self.identity.check(address, response.metadata())?;
        let status = response.into_inner();
        self.remember(&status);
        Ok(status)
    }

    /// A channel for unary calls to any endpoint.
    pub(crate) fn channel(&self, address: &str) -> Result<Channel, Failure> {
        let mut known = self.known();
        if let Some(channel) = known.channels.get(address) {
            return Ok(channel.clone());
        }
        let channel = endpoint(address, &self.config)?.connect_lazy();
        if known.channels.len() < ENDPOINTS_MAX {
            known.channels.insert(address.to_owned(), channel.clone());
        }
        Ok(channel)
    }

    /// All endpoints, beginning with another one each time.
    pub(crate) fn endpoints_in_turn(&self) -> Vec<String> {
        let mut known = self.known();
        let mut endpoints = known.endpoints.clone();
        known.turn = known.turn.wrapping_add(1);
        let first = known.turn.checked_rem(endpoints.len()).unwrap_or(0);
        endpoints.rotate_left(first);
        endpoints
    }

    /// Given endpoints and learned members.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        self.known().endpoints.clone()
    }

    fn remember(&self, status: &StatusReply) {
        let mut known = self.known();
        for member in &status.members {
            let member = address(&member.client_address);
            if !member.is_empty()
                && known.endpoints.len() < ENDPOINTS_MAX
                && !known.endpoints.contains(&member)
            {
                known.endpoints.push(member);
            }
        }
    }

    /// A panic cannot happen while it is held: it only guards plain assignments.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
