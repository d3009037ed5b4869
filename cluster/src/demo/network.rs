//! The proxies of all nodes, and who is cut off.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::owner;
use super::proxy::{self, Place, Side};
use crate::failure::{Code, Failure};
use crate::local::{Description, Layout, NodeEntry, create};

/// Which nodes are cut off from everybody else. Clones share it.
#[derive(Clone, Debug)]
pub struct Cuts {
    nodes: Arc<watch::Sender<BTreeSet<u64>>>,
}

impl Default for Cuts {
    fn default() -> Self {
        let (nodes, _) = watch::channel(BTreeSet::new());
        Self {
            nodes: Arc::new(nodes),
        }
    }
}

impl Cuts {
    /// Cuts a node off; `false` when it was already.
    ///
    /// # Errors
    /// [`Code::Process`] where the system does not tell which process a connection comes from.
    pub fn cut(&self, node: u64) -> Result<bool, Failure> {
        if !owner::is_known() {
            return Err(Failure::new(Code::Process, "nodes cannot be cut off here")
                .because("this system does not tell by /proc whose connection is whose")
                .advise("use `pause ID`, which stops the node instead"));
        }
        Ok(self.nodes.send_if_modified(|nodes| nodes.insert(node)))
    }

    /// Connects all nodes again; those that were cut off.
    pub fn heal(&self) -> Vec<u64> {
        let healed = self.nodes.send_replace(BTreeSet::new());
        healed.into_iter().collect()
    }

    /// Nodes that are cut off now.
    #[must_use]
    pub fn cut_off(&self) -> Vec<u64> {
        self.nodes.borrow().iter().copied().collect()
    }

    /// Waits until none of these is cut off.
    pub(super) async fn until_connected(&self, ends: [Option<u64>; 2]) {
        let mut nodes = self.nodes.subscribe();
        let connected = |cut: &BTreeSet<u64>| !ends.iter().flatten().any(|end| cut.contains(end));
        // The sender lives as long as `self`.
        let _ = nodes.wait_for(connected).await;
    }
}

/// All proxies. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Network {
    /// Every address that is known to nodes and clients: a proxy's.
    shown: Description,
    cuts: Cuts,
    _proxies: Vec<AbortOnDropHandle<()>>,
}

impl Network {
    /// Makes the cluster's description and the nodes' configurations, and starts the proxies.
    ///
    /// # Errors
    /// [`Code::Process`] when there are no free ports, [`Code::Io`].
    pub(super) async fn start(layout: &Layout, count: u64) -> Result<Self, Failure> {
        let cuts = Cuts::default();
        let peers: Arc<[u64]> = (1..=count).collect();
        let mut listeners = Vec::new();
        let mut entries = Vec::new();
        for id in 1..=count {
            let clients = listen().await?;
            let others = listen().await?;
            entries.push(NodeEntry {
                id,
                client_address: clients.1,
                peer_address: others.1,
            });
            listeners.push((id, Side::Clients, clients.0));
            listeners.push((id, Side::Peers(Arc::clone(&peers)), others.0));
        }
        // While the proxies hold their ports, so that none comes twice.
        let behind = create::free_addresses(listeners.len())?;
        create::make_dir(layout)?;
        let shown = layout.save(create::random_uuid(), entries)?;
        for (node, own) in shown.nodes.iter().zip(behind.chunks_exact(2)) {
            let listens = NodeEntry {
                id: node.id,
                client_address: own[0],
                peer_address: own[1],
            };
            create::write_config(layout, &shown, &listens)?;
        }
        let proxies = listeners.into_iter().zip(behind);
        let proxies: Vec<_> = proxies
            .map(|((node, side, listener), there)| {
                let place = Place {
                    node,
                    side,
                    there,
                    layout: layout.clone(),
                    cuts: cuts.clone(),
                };
                proxy::start(listener, place)
            })
            .collect();
        Ok(Self {
            shown,
            cuts,
            _proxies: proxies,
        })
    }

    pub(super) const fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    /// Whether a proxy stands in front of a node.
    pub(super) fn stands_before(&self, node: u64) -> bool {
        self.shown.nodes.iter().any(|known| known.id == node)
    }

    pub(super) fn endpoints(&self) -> Vec<String> {
        self.shown.endpoints()
    }

    /// Makes the nodes listen where their proxies did.
    ///
    /// # Errors
    /// [`Code::Io`] when a configuration cannot be written.
    pub(super) fn without_proxies(&self, layout: &Layout) -> Result<(), Failure> {
        let nodes = &self.shown.nodes;
        nodes
            .iter()
            .try_for_each(|node| create::write_config(layout, &self.shown, node))
    }
}

async fn listen() -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    listener
        .and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((listener, address))
        })
        .map_err(|error| {
            Failure::new(Code::Process, "cannot find a free port on 127.0.0.1").because(error)
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn nothing_passes_while_a_node_is_cut_off_and_everything_afterwards() {
        let (behind, there) = listen().await.unwrap();
        let (front, here) = listen().await.unwrap();
        let cuts = Cuts::default();
        let dir = tempfile::tempdir().unwrap();
        let place = Place {
            node: 2,
            side: Side::Clients,
            there,
            layout: Layout::new(dir.path()),
            cuts: cuts.clone(),
        };
        let _proxy = proxy::start(front, place);
        let mut client = TcpStream::connect(here).await.unwrap();
        let (mut server, _) = behind.accept().await.unwrap();
        let mut byte = [0];
        client.write_all(b"a").await.unwrap();
        server.read_exact(&mut byte).await.unwrap();

        assert!(cuts.cut(2).unwrap() && !cuts.cut(2).unwrap());
        client.write_all(b"b").await.unwrap();
        let silence = Duration::from_millis(100);
        assert!(
            timeout(silence, server.read_exact(&mut byte))
                .await
                .is_err()
        );
        // A new connection gets nowhere either, and is not refused.
        let _late = TcpStream::connect(here).await.unwrap();
        assert!(timeout(silence, behind.accept()).await.is_err());

        assert_eq!(cuts.heal(), [2]);
        server.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"b");
        behind.accept().await.unwrap();
    }
}
