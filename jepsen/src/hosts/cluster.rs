//! The nodes of one run and the network between them.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::{Addresses, Layout};
use super::links::Links;
use super::netns;
use super::node::Node;
use super::process::{NodeProcess, Output};
use super::proxy::{Pids, Proxy, Sources};

/// The nodes and the network of one run. Dropping it ends them.
#[derive(Debug)]
pub struct Cluster {
    /// The network.
    pub links: Links,
    /// The nodes, by id.
    pub nodes: Vec<Node>,
    /// A host on which no node runs, most of the time; its number is the one after theirs.
    pub spare: Option<Node>,
    /// No process is started any more.
    is_closed: AtomicBool,
    program: PathBuf,
    namespaces: Option<String>,
    pids: Pids,
    _proxies: Vec<Proxy>,
}

impl Cluster {
    /// Makes directories and the network; no node runs yet.
    ///
    /// # Errors
    /// When directories cannot be made or addresses are in use.
    pub async fn prepare(layout: &Layout) -> io::Result<Self> {
        let links = Links::new(layout.hosts().count(), layout.namespaces.clone());
        let pids = Pids::default();
        let mut proxies = Vec::new();
        let cluster_id = format!("{:032x}", rand::random::<u128>() | 1);
        let members = layout.members();
        let mut nodes = Vec::new();
        for id in layout.hosts() {
            let at = layout.addresses(id);
            if layout.has_client_proxies() {
                let sources = Sources::Clients;
                proxies.push(Proxy::start(at.through, at.client, id, sources, &links).await?);
            }
            if layout.has_peer_proxies() {
                let sources = Sources::Nodes(Arc::clone(&pids));
                proxies.push(Proxy::start(at.peer_through, at.peer, id, sources, &links).await?);
            }
            nodes.push(node(layout, id, at, &cluster_id, &members)?);
        }
        let spare = if layout.has_spare { nodes.pop() } else { None };
        Ok(Self {
            links,
            nodes,
            spare,
            is_closed: AtomicBool::new(false),
            program: layout.program.clone(),
            namespaces: layout.namespaces.clone(),
            pids,
            _proxies: proxies,
        })
    }

    /// Ids of all nodes.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.id).collect()
    }

    /// The node of an id, the spare host's included.
    #[must_use]
    pub fn node(&self, id: u64) -> &Node {
        if let Some(spare) = self.spare.as_ref().filter(|spare| spare.id == id) {
            return spare;
        }
        &self.nodes[(id as usize).clamp(1, self.nodes.len()) - 1]
    }

    /// All hosts, the spare one included.
    pub fn hosts(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().chain(&self.spare)
    }

    /// Starts a node's process, if it has none, with the flags set for it.
    ///
    /// # Errors
    /// When the program cannot be started: the harness's failure, not the node's.
    pub fn start(&self, id: u64, output: Output) -> io::Result<()> {
        let node = self.node(id);
        let mut state = node.state();
        // Looked at under the lock: who closes takes the process after that.
        if state.process.is_some() || self.is_closed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut arguments = node.arguments(&state);
        let mut program = self.program.clone();
        if let Some(prefix) = &self.namespaces {
            // `ip` becomes the program: its process id is the node's.
            let own = ["netns", "exec", &netns::host(prefix, id)].map(str::to_owned);
            let own = own
                .into_iter()
                .chain([program.to_string_lossy().into_owned()]);
            arguments = own.chain(arguments).collect();
            program = "ip".into();
        }
        let process = NodeProcess::start(&program, &arguments, &node.log, output)?;
        let mut pids = self.pids.lock().unwrap_or_else(PoisonError::into_inner);
        pids.retain(|(other, _)| *other != id);
        pids.push((id, process.pid()));
        drop(pids);
        state.process = Some(process);
        state.excuse = None;
        Ok(())
    }

    /// Ends every process, whoever would start it again.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.hosts().for_each(Node::kill);
    }

    /// Gives a node that does not run an empty directory; its log stays, the data of its last such loss is deleted.
    ///
    /// # Errors
    /// When the files cannot be moved.
    pub fn set_aside(&self, id: u64) -> io::Result<()> {
        let node = self.node(id);
        let state = node.state();
        if state.process.is_some() {
            return Err(io::Error::other(format!("node {id} runs")));
        }
        let lost = node.dir.with_extension("lost");
        match std::fs::remove_dir_all(&lost) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(&node.dir, &lost)?;
        std::fs::create_dir_all(&node.dir)?;
        node.settle();
        Ok(())
    }
}

/// A node with its files, which does not run yet.
fn node(
    layout: &Layout,
    id: u64,
    at: Addresses,
    cluster_id: &str,
    members: &[String],
) -> io::Result<Node> {
    let (dir, disk) = layout.place(id)?;
    let clock = layout.dir.join(format!("clock-{id}"));
    let clock = layout.has_clocks.then_some(clock);
    let mut arguments: Vec<String> = Vec::new();
    let mut flag = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    flag("--dir", dir.to_string_lossy().into_owned());
    flag("--node-id", id.to_string());
    flag("--cluster-id", cluster_id.to_owned());
    flag("--client-address", at.client.to_string());
    flag("--peer-address", at.peer.to_string());
    if let Some(clock) = &clock {
        std::fs::write(clock, "")?;
        flag("--clock-file", clock.to_string_lossy().into_owned());
    }
    arguments.extend(members.iter().chain(&layout.flags).cloned());
    Ok(Node {
        id,
        direct: at.client,
        through: at.through,
        peer_through: at.peer_through,
        dir,
        log: layout.dir.join(format!("node-{id}.log")),
        clock,
        arguments,
        state: Mutex::default(),
        disk,
    })
}
