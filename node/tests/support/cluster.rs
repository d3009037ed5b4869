//! One or three nodes of one cluster, each a process with its own directory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use farthing_proto::v1::Role;
use rustix::process::Signal;
use tempfile::TempDir;
use tonic::Status;

use super::process::{Exit, Process, tail};
use super::{Client, eventually, fresh_id, port, uuid};

/// A failed test shows this many lines of each node's log.
const TAIL_LINES: usize = 30;

/// One node: where it is, and its process while there is one.
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) client_address: String,
    pub(crate) peer_address: String,
    pub(crate) dir: PathBuf,
    log: PathBuf,
    arguments: Vec<String>,
    process: Mutex<Option<Process>>,
}

impl Node {
    /// Starts its process and waits until it serves.
    pub(crate) fn start(&self) {
        self.spawn();
        self.wait_ready();
    }

    /// Starts its process with these flags after its own; it need not serve.
    pub(crate) fn spawn_with(&self, more: &[(&str, &str)]) {
        let mut arguments = self.arguments.clone();
        more.iter()
            .for_each(|(name, value)| arguments.extend([(*name).to_owned(), (*value).to_owned()]));
        let mut process = self.process.lock().unwrap();
        assert!(process.is_none(), "node {} runs already", self.id);
        *process = Some(Process::spawn(&arguments, &self.log));
    }

    /// Waits until its process has ended by itself; `None` when it still runs after `within`.
    pub(crate) fn wait_exit(&self, within: Duration) -> Option<Exit> {
        let mut slot = self.process.lock().unwrap();
        let process = slot.as_mut().expect("it runs");
        let status = process.wait(within)?;
        let exit = process.exit(status);
        *slot = None;
        Some(exit)
    }

    fn spawn(&self) {
        let mut process = self.process.lock().unwrap();
        assert!(process.is_none(), "node {} runs already", self.id);
        *process = Some(Process::spawn(&self.arguments, &self.log));
    }

    fn wait_ready(&self) {
        let mut process = self.process.lock().unwrap();
        let ready = process.as_mut().unwrap().wait_ready();
        let ready = ready.unwrap_or_else(|exit| panic!("node {} did not start: {exit:?}", self.id));
        assert_eq!(ready["ready"], true, "{ready}");
        assert_eq!(ready["node_id"], self.id, "{ready}");
        assert_eq!(ready["client_address"], self.client_address, "{ready}");
    }

    /// Starts a process that is expected to be refused, with these flags after its own (the last of a kind counts).
    pub(crate) fn start_refused(&self, changed: &[(&str, &str)]) -> Exit {
        let mut arguments = self.arguments.clone();
        for (flag, value) in changed {
            let at = arguments
                .iter()
                .position(|argument| argument == flag)
                .expect("a flag of every node");
            (*value).clone_into(&mut arguments[at + 1]);
        }
        let mut process = Process::spawn(&arguments, &self.log.with_extension("refused"));
        process.wait_ready().expect_err("it serves")
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        self.process.lock().unwrap().take().expect("it runs").kill();
    }

    /// SIGTERM; waits for the end and tells how long it took.
    pub(crate) async fn terminate(&self) -> (Exit, Duration) {
        let mut process = self.process.lock().unwrap().take().expect("it runs");
        let began = Instant::now();
        process.signal(Signal::TERM);
        let ended = tokio::task::spawn_blocking(move || {
            let status = process
                .wait(super::PATIENCE)
                .expect("it ends after SIGTERM");
            process.exit(status)
        });
        (ended.await.unwrap(), began.elapsed())
    }

    /// SIGSTOP: it stays connected and says nothing.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.process
            .lock()
            .unwrap()
            .as_mut()
            .expect("it runs")
            .signal(signal);
    }

    /// What it has logged since its first start.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Lines it has logged since its first start.
    pub(crate) fn log_lines(&self) -> usize {
        std::fs::read_to_string(&self.log).unwrap().lines().count()
    }

    /// Processor time its process has used, in user and system mode (Linux).
    pub(crate) fn cpu_time(&self) -> Duration {
        self.with_process(Process::cpu_time)
    }

    /// Memory of its process that is in use, and the most there ever was, in bytes (Linux).
    pub(crate) fn resident_bytes(&self) -> (u64, u64) {
        self.with_process(Process::resident_bytes)
    }

    /// Files its process has open, and how many it may have (Linux).
    pub(crate) fn open_files(&self) -> (u64, u64) {
        self.with_process(|process| (process.open_files(), process.files_max()))
    }

    /// Its process may have so many files open from now on (Linux).
    pub(crate) fn limit_files(&self, limit: u64) {
        self.with_process(|process| process.limit_files(limit));
    }

    fn with_process<T>(&self, look: impl FnOnce(&Process) -> T) -> T {
        look(self.process.lock().unwrap().as_ref().expect("it runs"))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// A client of this node alone.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.client_address)
    }
}

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
        while began.elapsed() < super::PATIENCE {
            for node in self.nodes.iter().filter(|node| node.is_running()) {
                match call(node.client().with_deadline(Duration::from_secs(1))).await {
                    Ok(answer) => return answer,
                    Err(status) => last = Some(status),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no node answers within {:?}: {last:?}", super::PATIENCE);
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

    fn print_tails(&self) {
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

/// Where the tests of one file find the cluster they share.
pub(crate) type Slot = Mutex<Weak<Cluster>>;

/// A cluster shared by the tests of one file; it ends with the last test that holds it, because a static would never
/// be dropped and its processes would outlive the tests.
pub(crate) struct Shared(Arc<Cluster>);

impl Shared {
    /// The cluster of the slot, started by the first test that needs it.
    pub(crate) fn get(slot: &Slot, start: impl FnOnce() -> Cluster) -> Self {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.upgrade() {
            return Self(running);
        }
        let started = Arc::new(start());
        *slot = Arc::downgrade(&started);
        Self(started)
    }
}

impl std::ops::Deref for Shared {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last holder may be another test, which has not failed.
        if std::thread::panicking() {
            self.0.print_tails();
        }
    }
}
