//! A listener in front of one listener of one node. While either end of a connection is cut off its bytes wait, and a
//! new connection is as silent as one to a machine whose cable is pulled.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::network::Cuts;
use super::owner::owner;
use crate::local::Layout;

/// Bytes read before they are passed on.
const PIECE_BYTES: usize = 16 << 10;
/// Connections at once; one more is closed. Whoever is cut off tries again and again, and each try waits here.
const CONNECTIONS_MAX: usize = 512;

/// Which listener of a node stands behind a proxy.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// That of the clients.
    Clients,
    /// That of the other nodes: these.
    Peers(Arc<[u64]>),
}

/// What a proxy is told.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) node: u64,
    pub(super) side: Side,
    pub(super) there: SocketAddr,
    pub(super) layout: Layout,
    pub(super) cuts: Cuts,
}

/// Serves until the handle is dropped, which closes all connections.
pub(super) fn start(listener: TcpListener, place: Place) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((near, source)) = accepted && connections.len() < CONNECTIONS_MAX {
                        let place = place.clone();
                        connections.spawn(async move {
                            // A connection that breaks is what a network does.
                            let _ = carry(near, source, place).await;
                        });
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }))
}

async fn carry(near: TcpStream, source: SocketAddr, place: Place) -> io::Result<()> {
    let Place {
        node,
        side,
        there,
        layout,
        cuts,
    } = place;
    let from = match side {
        Side::Clients => None,
        Side::Peers(nodes) => {
            let found = tokio::task::spawn_blocking(move || owner(&layout, &nodes, source));
            found.await.unwrap_or(None)
        }
    };
    let ends = [Some(node), from];
    cuts.until_connected(ends).await;
    let far = TcpStream::connect(there).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::try_join!(
        pass(near_read, far_write, &cuts, ends),
        pass(far_read, near_write, &cuts, ends),
    )?;
    Ok(())
}

/// Passes bytes on until the source ends, then says so to the sink.
async fn pass(
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    cuts: &Cuts,
    ends: [Option<u64>; 2],
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = source.read(&mut piece).await?;
        cuts.until_connected(ends).await;
        if length == 0 {
            return sink.shutdown().await;
        }
        sink.write_all(&piece[..length]).await?;
    }
}
