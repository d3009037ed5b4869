//! A connected node: its connections, and their streams, opened when first used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::v1::packed_client::PackedClient;
use tokio::sync::Mutex;
use tonic::transport::{Channel, Endpoint};

use super::failure::Failure;
use super::lane::{Exchange, Lane, Lookups, Submits};
use super::router::ClusterIdentity;
use crate::config::Builder;

/// Receive windows: a lookup's answer may be 1 MiB, and idle connections must not cost.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;

/// A connected node.
pub(crate) struct Node {
    pub(crate) address: String,
    identity: Arc<ClusterIdentity>,
    first: Connection,
    more: Vec<Connection>,
}

/// One TCP connection. The locks make concurrent callers open a stream once.
pub(crate) struct Connection {
    channel: Channel,
    in_flight: AtomicUsize,
    submits: Mutex<Option<Arc<Lane<Submits>>>>,
    lookups: Mutex<Option<Arc<Lane<Lookups>>>>,
}

impl Connection {
    async fn open(
        address: &str,
        endpoint: &Endpoint,
        config: &Builder,
    ) -> Result<Connection, Failure> {
        Ok(Connection {
            channel: connect(address, endpoint, config).await?,
            in_flight: AtomicUsize::new(0),
            submits: Mutex::new(None),
            lookups: Mutex::new(None),
        })
    }
}

/// An exchange that has its place on a connection.
pub(crate) trait OnConnection: Exchange + Sized {
    fn lane(connection: &Connection) -> &Mutex<Option<Arc<Lane<Self>>>>;
}

impl OnConnection for Submits {
    fn lane(connection: &Connection) -> &Mutex<Option<Arc<Lane<Self>>>> {
        &connection.submits
    }
}

impl OnConnection for Lookups {
    fn lane(connection: &Connection) -> &Mutex<Option<Arc<Lane<Self>>>> {
        &connection.lookups
    }
}

impl Node {
    /// Connects. Every connection is up before it is used, so that a dead node is noticed
    /// here and not by a request.
    pub(crate) async fn connect(
        address: &str,
        identity: Arc<ClusterIdentity>,
        config: &Builder,
    ) -> Result<Node, Failure> {
        let endpoint = endpoint(address, config)?;
        let first = Connection::open(address, &endpoint, config).await?;
        let mut more = Vec::new();
        for _ in 1..config.connections {
            more.push(Connection::open(address, &endpoint, config).await?);
        }
        Ok(Node {
            address: address.to_owned(),
            identity,
            first,
            more,
        })
    }

    /// Sends a request on the connection with the least in flight and waits for its answer.
    pub(crate) async fn exchange<E: OnConnection>(
        &self,
        request: E::Request,
    ) -> Result<E::Reply, Failure> {
        let connection = std::iter::once(&self.first)
            .chain(&self.more)
            .min_by_key(|connection| connection.in_flight.load(Ordering::Relaxed))
            .unwrap_or(&self.first);
        let _busy = Busy::new(&connection.in_flight);
        let lane = self.lane::<E>(connection).await?;
        lane.exchange(request).await
    }

    async fn lane<E: OnConnection>(
        &self,
        connection: &Connection,
    ) -> Result<Arc<Lane<E>>, Failure> {
        let mut slot = E::lane(connection).lock().await;
        if let Some(lane) = slot.as_ref().filter(|lane| !lane.is_lost()) {
            return Ok(Arc::clone(lane));
        }
        let lane = Lane::open(
            &self.address,
            packed(connection.channel.clone()),
            |request| self.identity.stamp(request.metadata_mut()),
            |metadata| self.identity.check(&self.address, metadata),
        )
        .await?;
        let lane = Arc::new(lane);
        *slot = Some(Arc::clone(&lane));
        Ok(lane)
    }

    /// A channel for unary calls.
    pub(crate) fn channel(&self) -> Channel {
        self.first.channel.clone()
    }
}

/// Counts one exchange in flight until it is dropped.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn new(in_flight: &'a AtomicUsize) -> Self {
        in_flight.fetch_add(1, Ordering::Relaxed);
        Busy(in_flight)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn packed(channel: Channel) -> PackedClient<Channel> {
    PackedClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// A connection for one user of it: whoever reads slowly on a connection that is shared takes the window of the others.
pub(crate) async fn connect_alone(address: &str, config: &Builder) -> Result<Channel, Failure> {
    connect(address, &endpoint(address, config)?, config).await
}

async fn connect(address: &str, endpoint: &Endpoint, config: &Builder) -> Result<Channel, Failure> {
    let patience = config.connect_timeout;
    tokio::time::timeout(patience, endpoint.connect())
        .await
        .map_err(|_| Failure::NotSent {
            message: format!("{address}: no connection within {patience:?}"),
        })?
        .map_err(|error| not_connected(address, &error))
}

/// How every connection of this client is set up.
pub(crate) fn endpoint(address: &str, config: &Builder) -> Result<Endpoint, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| not_connected(address, &error))?;
    Ok(endpoint
        .connect_timeout(config.connect_timeout)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        // A node that stops answering is noticed even while nothing is sent.
        .http2_keep_alive_interval(config.keepalive_interval)
        .keep_alive_timeout(config.keepalive_timeout)
        .keep_alive_while_idle(true))
}

fn not_connected(address: &str, error: &tonic::transport::Error) -> Failure {
    // The innermost source says what the system said; the outer ones only "transport error".
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Failure::NotSent {
        message: format!("{address}: {cause}"),
    }
}
