//! The way out: clients of the other nodes' listeners, made once and kept.
//!
//! Three connections to each peer, never one per call: log entries, heartbeats and votes, snapshots. A megabyte of
//! entries must not delay a heartbeat. What is said over them is in [`super::connection`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use farthing_proto::peer::v1::peer_client::PeerClient;
use openraft::RaftNetworkFactory;
use tonic::Request;

use super::channel::{Channel, Dial};
use super::claims::Claims;
use super::clocks::{Clock, Clocks};
use super::connection::Connection;
use super::identity::Identity;
use super::types::{Member, Raft, TypeConfig};

/// Flow control of the peer connections: a few entries of the largest size under way without a pause.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 8 << 20;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 32 << 20;
pub(crate) const FRAME_BYTES: u32 = 1 << 20;
/// A peer message: what one replication read returns, with room for one more entry of the largest size.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Entries,
    Heartbeats,
    Snapshots,
}

/// Makes and keeps the connections to the peers.
#[derive(Clone)]
pub(crate) struct Network {
    identity: Identity,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) claims: Claims,
    /// The Raft that speaks over this network, once it runs.
    pub(super) raft: Arc<OnceLock<Raft>>,
    channels: Arc<Mutex<HashMap<(String, Purpose), Channel>>>,
    dial: Arc<dyn Dial>,
}

impl Network {
    pub(crate) fn new(
        identity: Identity,
        clock: Arc<dyn Clock>,
        clocks: Arc<Clocks>,
        claims: Claims,
        dial: Arc<dyn Dial>,
    ) -> Self {
        Self {
            identity,
            clock,
            clocks,
            claims,
            raft: Arc::default(),
            channels: Arc::default(),
            dial,
        }
    }

    fn connection(&self, target: u64, member: &Member, purpose: Purpose) -> Connection {
        let client = self.channel(&member.peer_address, purpose).map(|channel| {
            PeerClient::new(channel)
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX)
        });
        Connection::new(self.clone(), target, purpose, client)
    }

    /// A client for calls that are not Raft's own, on the connection of heartbeats.
    pub(crate) fn control(&self, address: &str) -> Result<PeerClient<Channel>, String> {
        self.channel(address, Purpose::Heartbeats)
            .map(PeerClient::new)
    }

    /// A client for a peer's checkpoint, on the connection of snapshots.
    pub(crate) fn snapshots(&self, address: &str) -> Result<PeerClient<Channel>, String> {
        let channel = self.channel(address, Purpose::Snapshots)?;
        Ok(PeerClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// Wraps a message with the metadata that says who calls whom.
    pub(crate) fn request<T>(&self, to: u64, message: T) -> Request<T> {
        let mut request = Request::new(message);
        self.identity.stamp(request.metadata_mut(), to);
        request
    }

    fn channel(&self, address: &str, purpose: Purpose) -> Result<Channel, String> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&(address.to_owned(), purpose)) {
            return Ok(channel.clone());
        }
        let channel = self.dial.dial(address)?;
        channels.insert((address.to_owned(), purpose), channel.clone());
        Ok(channel)
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, node: &Member) -> Connection {
        self.connection(target, node, Purpose::Entries)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &Member) -> Connection {
        self.connection(target, node, Purpose::Heartbeats)
    }

    async fn new_snapshot_client(&mut self, target: u64, node: &Member) -> Connection {
        self.connection(target, node, Purpose::Snapshots)
    }
}
