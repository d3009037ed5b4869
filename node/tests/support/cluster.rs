//! One or three nodes of one cluster, each a process with its own directory.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use farthing_proto::v1::Role;
use tempfile::TempDir;
use tonic::Status;

use super::node::Node;
use super::process::tail;
use super::{Client, PATIENCE, eventually, fresh_id, port, uuid};

/// A failed test shows this many lines of each node's log.
const TAIL_LINES: usize = 30;

/// Nodes that share a cluster id and know each other's addresses.
pub(crate) struct Cluster {
    pub(crate) cluster_id: u128,
    nodes: Vec<Node>,
    // Behind the nodes: their processes are gone before their files are.
    _dir: TempDir,
}

impl Cluster {
    /// Starts `count` nodes and waits until all of them serve; there need not be a leader yet.
    pub(crate) fn start(count: u64) -> Self {
        Self::start_with(count, &[])
    }

    /// The same with more flags for every node.
    pub(crate) fn start_with(count: u64, flags: &[(&str, &str)]) -> Self {
        let cluster = Self::prepare(count, flags);
        cluster.nodes.iter().for_each(Node::spawn);
        cluster.nodes.iter().for_each(Node::wait_ready);
        cluster
    }

    /// Directories and addresses of a cluster; no process yet.
    pub(crate) fn prepare(count: u64, flags: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("farthing-node-test-")
            .tempdir()
            .unwrap();
        let cluster_id = fresh_id();
        let addresses: Vec<(u64, String, String)> = (1..=count)
            .map(|id| (id, port::free_address(), port::free_address()))
            .collect();
        let members = addresses
            .iter()
            .map(|(id, client, peer)| format!("{id}={client},{peer}"));
        let members: Vec<String> = members.collect();
        let nodes = addresses
            .into_iter()
            .map(|(id, client_address, peer_address)| {
                let node_dir = dir.path().join(format!("n{id}"));
                let mut arguments: Vec<String> = Vec::new();
                let mut flag =
                    |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
                flag("--dir", node_dir.to_str().unwrap());
                flag("--node-id", &id.to_string());
                flag("--cluster-id", &uuid(cluster_id));
                flag("--client-address", &client_address);
                flag("--peer-address", &peer_address);
                // The smallest segment: a test writes little and should not wait for 64 MiB of zeros.
                flag("--log-segment-bytes", "8388608");
                members.iter().for_each(|member| flag("--member", member));
                flags.iter().for_each(|(name, value)| flag(name, value));
                let log = dir.path().join(format!("n{id}.log"));
                Node {
                    id,
                    client_address,
                    peer_address,
                    dir: node_dir,
                    log,
                    arguments,
                    process: Mutex::default(),
                }
            });
        Self {
            cluster_id,
            nodes: nodes.collect(),
            _dir: dir,
        }
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with this number, from 1.
    pub(crate) fn node(&self, id: u64) -> &Node {
        self.nodes
            .iter()
            .find(|node| node.id == id)
            .expect("a node of this cluster")
    }

    pub(crate) fn others(&self, id: u64) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.id != id)
    }

    /// The node that leads and serves, once there is one.
    pub(crate) async fn leader(&self) -> &Node {
        self.leader_other_than(0).await
    }

    /// The same, not counting node `not`, which may still believe that it leads.
    pub(crate) async fn leader_other_than(&self, not: u64) -> &Node {
        eventually("a leader", || async {
            for node in self
                .nodes
                .iter()
                .filter(|node| node.id != not && node.is_running())
            {
                let client = node.client().with_deadline(Duration::from_millis(500));
                // Leading is proved by a read that a majority confirms, not by what the node believes.
                if client
                    .status()
                    .await
                    .is_ok_and(|status| status.role() == Role::Leader)
                    && client.lookup_accounts(&[1]).await.is_ok()
                {
                    return Some(node);
                }
            }
            None
        })
        .await
    }

    /// A client of the leader.
    pub(crate) async fn leader_client(&self) -> Client {
        self.leader().await.client()
    }

    /// Calls one running node after the other until one answers, the way a client without our SDK would: the call must
    /// carry ids that make its repetition harmless.
    pub(crate) async fn until_answered<T, F>(&self, call: impl Fn(Client) -> F) -> T
    where
        F: Future<Output = Result<T, Status>>,
    {
        let began = Instant::now();
        let mut last = None;
        while began.elapsed() < PATIENCE {
            for node in self.nodes.iter().filter(|node| node.is_running()) {
                match call(node.client().with_deadline(Duration::from_secs(1))).await {
                    Ok(answer) => return answer,
                    Err(status) => last = Some(status),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no node answers within {:?}: {last:?}", PATIENCE);
    }

    /// Waits until all running nodes have applied the same index and checks that their digests agree. Nobody may write
    /// meanwhile.
    pub(crate) async fn converge(&self) -> u64 {
        let seen = eventually("equal applied indexes", || async {
            let mut digests = Vec::new();
            for node in self.nodes.iter().filter(|node| node.is_running()) {
                digests.push((node.id, node.client().digest().await.ok()?));
            }
            let (_, (index, _)) = digests.first()?;
            digests
                .iter()
                .all(|(_, digest)| digest.0 == *index)
                .then_some(digests)
        })
        .await;
        let (_, first) = &seen[0];
        assert!(
            seen.iter().all(|(_, digest)| digest == first),
            "equal indexes, different digests: {seen:?}"
        );
        first.0
    }

    /// Shows the end of each node's log.
    pub(super) fn print_tails(&self) {
        for node in &self.nodes {
            let text = tail(&node.log, TAIL_LINES);
            eprintln!(
                "--- node {} at {}, end of its log:\n{text}",
                node.id, node.client_address
            );
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_tails();
        }
    }
}
