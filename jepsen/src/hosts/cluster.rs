//! The nodes of one run: where they are, and their processes while there are any.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

use super::links::Links;
use super::netns;
use super::process::{Exit, NodeProcess, Output};
use super::proxy::{Pids, Proxy, Sources};
use crate::disk::Disk;

const CLIENT_PORT: u16 = 3001;
const PEER_PORT: u16 = 4001;
/// A node's proxies listen at an address so much above its own.
pub(super) const PROXY_HOST: u8 = 100;

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Number of nodes, 1 to 9.
    pub nodes: u64,
    /// The node program.
    pub program: PathBuf,
    /// Folder for directories and logs of the nodes.
    pub dir: PathBuf,
    /// Flags for every node.
    pub flags: Vec<String>,
    /// Prefix of the namespaces that hold the nodes; without, a proxy stands between them.
    pub namespaces: Option<String>,
    /// Every node's directory lies on a disk of its own that can be broken.
    pub has_disks: bool,
    /// One host more, for a node that is added later.
    pub has_spare: bool,
    /// Every node reads its clock's error from a file.
    pub has_clocks: bool,
    /// Nothing of ours stands between anybody: for figures. Without namespaces only.
    pub is_direct: bool,
}

/// One node: where it is, and its process while there is one.
#[derive(Debug)]
pub struct Node {
    /// Its place in the cluster, from 1: whoever takes it over has another id as a member.
    pub id: u64,
    /// Where it serves clients, without anything in between: for the harness's own questions.
    pub direct: SocketAddr,
    /// Where clients reach it.
    pub through: SocketAddr,
    /// Where the other nodes reach it.
    pub peer_through: SocketAddr,
    /// Its data.
    pub dir: PathBuf,
    /// Its words.
    pub log: PathBuf,
    /// Where it reads its clock's error, if it does.
    pub clock: Option<PathBuf>,
    arguments: Vec<String>,
    state: Mutex<State>,
    /// What its data lies on, if that can be broken. Last: a process must be gone before its disk is.
    pub disk: Option<Disk>,
}

#[derive(Debug, Default)]
struct State {
    /// Its id as a member, when that is not its place.
    member: Option<u64>,
    process: Option<NodeProcess>,
    /// Flags for the next start, beside its own.
    more: Vec<String>,
    /// The nemesis has ended it or let it end: that it is not there says nothing.
    excused: bool,
}

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
        let links = Links::new(
            (layout.nodes + u64::from(layout.has_spare)) as usize,
            layout.namespaces.clone(),
        );
        let pids = Pids::default();
        let mut proxies = Vec::new();
        let net = std::process::id();
        // A network of 127.0.0.0/8 for each harness process: several can run at a time.
        let [_, _, high, low] = net.to_be_bytes();
        let net = match layout.namespaces {
            None => [127, 64 + high % 128, low],
            Some(_) => netns::NET,
        };
        // Between namespaces peers meet without anything of ours in between.
        let clients_at = if layout.is_direct { 0 } else { PROXY_HOST };
        let peers_at = if layout.namespaces.is_some() || layout.is_direct {
            0
        } else {
            PROXY_HOST
        };
        let host = |last: u8, port: u16| {
            SocketAddr::from((Ipv4Addr::new(net[0], net[1], net[2], last), port))
        };
        let ids: Vec<u64> = (1..=layout.nodes).collect();
        let members: Vec<String> = ids
            .iter()
            .flat_map(|id| {
                let client = host(clients_at + *id as u8, CLIENT_PORT);
                let peer = host(peers_at + *id as u8, PEER_PORT);
                ["--member".to_owned(), format!("{id}={client},{peer}")]
            })
            .collect();
        let cluster_id = format!("{:032x}", rand::random::<u128>() | 1);
        let mut nodes = Vec::new();
        for id in ids
            .into_iter()
            .chain(layout.has_spare.then_some(layout.nodes + 1))
        {
            let own = id as u8;
            let (client, peer) = (host(own, CLIENT_PORT), host(own, PEER_PORT));
            let through = host(clients_at + own, CLIENT_PORT);
            let peer_through = host(peers_at + own, PEER_PORT);
            if !layout.is_direct {
                proxies.push(Proxy::start(through, client, id, Sources::Clients, &links).await?);
            }
            if layout.namespaces.is_none() && !layout.is_direct {
                let sources = Sources::Nodes(Arc::clone(&pids));
                proxies.push(Proxy::start(peer_through, peer, id, sources, &links).await?);
            }
            let (dir, disk) = place(layout, id)?;
            let mut arguments: Vec<String> = Vec::new();
            let mut flag = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
            flag("--dir", dir.to_string_lossy().into_owned());
            flag("--node-id", id.to_string());
            flag("--cluster-id", cluster_id.clone());
            flag("--client-address", client.to_string());
            flag("--peer-address", peer.to_string());
            let clock = layout.dir.join(format!("clock-{id}"));
            if layout.has_clocks {
                std::fs::write(&clock, "")?;
                flag("--clock-file", clock.to_string_lossy().into_owned());
            }
            arguments.extend(members.iter().chain(&layout.flags).cloned());
            nodes.push(Node {
                id,
                direct: client,
                through,
                dir,
                peer_through,
                log: layout.dir.join(format!("node-{id}.log")),
                clock: layout.has_clocks.then_some(clock),
                disk,
                arguments,
                state: Mutex::default(),
            });
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
        let mut arguments = match state.member {
            None => node.arguments.clone(),
            Some(member) => joining(&node.arguments, member),
        };
        arguments.extend(state.more.iter().cloned());
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
        state.excused = false;
        Ok(())
    }
}

impl Cluster {
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

/// Where a node's data is: in the run's folder, or on a disk that is mounted there.
fn place(layout: &Layout, id: u64) -> io::Result<(PathBuf, Option<Disk>)> {
    let plain = layout.dir.join(format!("node-{id}"));
    if !layout.has_disks {
        std::fs::create_dir_all(&plain)?;
        return Ok((plain, None));
    }
    let at = layout.dir.join(format!("disk-{id}"));
    let disk = Disk::mount(&at, &layout.dir.join(format!("objects-{id}")), &plain)?;
    let dir = at.join("data");
    std::fs::create_dir_all(&dir)?;
    disk.store().sync_everything();
    Ok((dir, Some(disk)))
}

/// The same node as one that takes its place under another id: the leader tells it who the others are.
fn joining(founder: &[String], member: u64) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut given = founder.iter();
    while let Some(name) = given.next() {
        match name.as_str() {
            "--member" => {
                given.next();
            }
            "--node-id" => {
                given.next();
                arguments.extend([name.clone(), member.to_string()]);
            }
            _ => arguments.push(name.clone()),
        }
    }
    arguments.push("--join".to_owned());
    arguments
}

impl Node {
    /// Its id as a member.
    #[must_use]
    pub fn member(&self) -> u64 {
        self.state().member.unwrap_or(self.id)
    }

    /// From its next start on it is another member, which joins.
    pub fn joins_as(&self, member: u64) {
        self.state().member = Some(member);
    }

    /// Where clients and the other nodes reach it, as members are listed.
    #[must_use]
    pub fn addresses(&self) -> (String, String) {
        (self.through.to_string(), self.peer_through.to_string())
    }

    /// What the harness has done to its files is not undone by a loss of power.
    pub fn settle(&self) {
        if let Some(disk) = &self.disk {
            disk.store().sync_everything();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flags for its next starts, beside its own; empty again: none.
    pub fn set_flags(&self, more: Vec<String>) {
        self.state().more = more;
    }

    /// True when it has flags beside its own.
    #[must_use]
    pub fn has_flags(&self) -> bool {
        !self.state().more.is_empty()
    }

    /// `kill -9`, if it runs.
    pub fn kill(&self) {
        let process = self.state().process.take();
        if let Some(process) = process {
            process.kill();
        }
    }

    /// That it ends by itself is what the nemesis wants.
    pub fn excuse(&self) {
        self.state().excused = true;
    }

    /// From now on it must not end by itself.
    pub fn expect(&self) {
        self.state().excused = false;
    }

    /// Sends a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.state().process {
            process.signal(signal);
        }
    }

    /// Its process, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.state().process.as_ref().map(NodeProcess::pid)
    }

    /// How it ended by itself, once, and whether that was wanted.
    pub fn ended(&self) -> Option<(Exit, bool)> {
        let mut state = self.state();
        let exit = state.process.as_mut()?.ended()?;
        state.process = None;
        Some((exit, state.excused))
    }

    /// Its directory of data.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_a_place_joins_under_its_own_id() {
        let given = [
            "--dir",
            "d",
            "--node-id",
            "2",
            "--member",
            "1=a,b",
            "--member",
            "2=c,d",
        ];
        let given = given.map(str::to_owned);
        assert_eq!(
            joining(&given, 7),
            ["--dir", "d", "--node-id", "7", "--join"]
        );
    }
}
