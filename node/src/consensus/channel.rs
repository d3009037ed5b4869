//! How calls reach a peer: HTTP/2 over TCP in a node, whatever a simulator has instead.

use std::time::Duration;

use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use super::network::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};

/// Why a call did not get through.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CallError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Takes gRPC calls as HTTP requests: towards a peer, or as the peers' side of this node.
pub type Channel = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, CallError>;

/// Makes channels to peers.
pub trait Dial: Send + Sync + 'static {
    /// A channel to the node that listens at `address`; it connects when it is first used, and again when it must.
    ///
    /// # Errors
    /// When that is no address.
    fn dial(&self, address: &str) -> Result<Channel, String>;
}

/// HTTP/2 over TCP.
#[derive(Debug, Clone, Copy)]
pub struct Tcp;

impl Dial for Tcp {
    fn dial(&self, address: &str) -> Result<Channel, String> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|error| format!("{address} is no address: {error}"))?
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(1))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_adaptive_window(false)
            .keep_alive_while_idle(true)
            .http2_keep_alive_interval(Duration::from_secs(1))
            .keep_alive_timeout(Duration::from_secs(2));
        let channel = endpoint
            .connect_lazy()
            .map_err(|error| CallError(error.into()));
        Ok(BoxCloneSyncService::new(channel))
    }
}
