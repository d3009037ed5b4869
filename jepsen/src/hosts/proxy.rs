//! A listener in front of one node's listener: every connection to the node goes through it and is broken there.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::connections;
use super::links::{CLIENTS, Links, Table};
use super::pipe::{Way, carry};

/// Processes of the nodes, by id; who they are changes when they are started again.
pub(super) type Pids = Arc<Mutex<Vec<(u64, u32)>>>;

/// Stands in front of one listener of one node. Dropping it closes all its connections.
#[derive(Debug)]
pub struct Proxy {
    task: AbortHandle,
}

/// Who may connect through it.
#[derive(Clone, Debug)]
pub(super) enum Sources {
    /// The harness's own clients.
    Clients,
    /// The other nodes, told apart by their processes.
    Nodes(Pids),
}

impl Proxy {
    /// Listens at `here` for what shall reach `node`'s listener `there`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub(super) async fn start(
        here: SocketAddr,
        there: SocketAddr,
        node: u64,
        sources: Sources,
        links: &Links,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(here).await?;
        let table = links.subscribe();
        let task = tokio::spawn(serve(listener, there, node, sources, table)).abort_handle();
        Ok(Self { task })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    there: SocketAddr,
    node: u64,
    sources: Sources,
    table: watch::Receiver<Table>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, source)) = accepted else { continue };
                let connection = connect(stream, source, there, node, sources.clone(), table.clone());
                connections.spawn(connection);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(
    near: TcpStream,
    source: SocketAddr,
    there: SocketAddr,
    node: u64,
    sources: Sources,
    mut table: watch::Receiver<Table>,
) {
    let from = match sources {
        Sources::Clients => Some(CLIENTS),
        Sources::Nodes(pids) => {
            let pids = pids.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let look = move || connections::owner(source, &pids);
            tokio::task::spawn_blocking(look).await.ok().flatten()
        }
    };
    // A process that died between its connect and our look.
    let Some(from) = from else { return };
    // A handshake needs both ways.
    let open = |table: &Table| !table.link(from, node).cut && !table.link(node, from).cut;
    if table.wait_for(open).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(there).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let there = Way { from, to: node };
    let back = Way {
        from: node,
        to: from,
    };
    let there = carry(near_read, far_write, there, table.clone());
    let back = carry(far_read, near_write, back, table);
    tokio::pin!(there, back);
    // One direction that ended properly leaves the other open; one that broke takes it along.
    let mut open = (true, true);
    while open != (false, false) {
        tokio::select! {
            proper = &mut there, if open.0 => { if !proper { return } open.0 = false; }
            proper = &mut back, if open.1 => { if !proper { return } open.1 = false; }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failure is a panic here

    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, timeout};

    use super::*;

    /// A node that answers what it is told, and a client that reaches it through a proxy.
    async fn echo(links: &Links) -> (Proxy, TcpStream) {
        let node = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = node.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = node.accept().await {
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
            }
        });
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = free.local_addr().unwrap();
        drop(free);
        let proxy = Proxy::start(here, there, 1, Sources::Clients, links)
            .await
            .unwrap();
        (proxy, TcpStream::connect(here).await.unwrap())
    }

    async fn answers(stream: &mut TcpStream, within: Duration) -> bool {
        let mut byte = [0];
        let read = timeout(within, stream.read_exact(&mut byte)).await;
        matches!(read, Ok(Ok(_)))
    }

    #[tokio::test]
    async fn a_cut_holds_bytes_back_one_way_until_it_is_healed() {
        let soon = Duration::from_secs(5);
        for (from, to) in [(CLIENTS, 1), (1, CLIENTS)] {
            let links = Links::new(1, None);
            let (_proxy, mut stream) = echo(&links).await;
            stream.write_all(b"a").await.unwrap();
            assert!(answers(&mut stream, soon).await);
            links.change(from, to, |link| link.cut = true);
            stream.write_all(b"b").await.unwrap();
            assert!(!answers(&mut stream, Duration::from_millis(200)).await);
            links.heal();
            assert!(answers(&mut stream, soon).await, "TCP sends again");
        }
    }

    #[tokio::test]
    async fn bytes_take_their_time_and_a_reset_ends_the_connection() {
        let links = Links::new(1, None);
        let (_proxy, mut stream) = echo(&links).await;
        let delay = Duration::from_millis(150);
        links.change(CLIENTS, 1, |link| link.delay = delay);
        links.change(1, CLIENTS, |link| link.delay = delay);
        let began = Instant::now();
        stream.write_all(b"a").await.unwrap();
        assert!(answers(&mut stream, Duration::from_secs(5)).await);
        assert!(began.elapsed() >= 2 * delay, "{:?}", began.elapsed());
        links.reset(1, CLIENTS);
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is still open");
    }
}
