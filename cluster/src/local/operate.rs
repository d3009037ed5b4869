//! The commands on a local cluster. Each may be run twice: the second time it finds nothing to do and says so.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;
use tokio::time::sleep;

use super::binary;
use super::health::{Asker, ClusterHealth};
use super::layout::{Description, Layout, NodeEntry, write_whole};
use super::node_config;
use super::node_log;
use super::ports::free_addresses;
use super::process::{self, Activity, Identity, Started};
use super::target::Target;
use crate::failure::{Code, Failure};
use crate::output::{Report, Table};

/// Nodes of a cluster at most: more voters make every write wait for more disks.
pub const NODES_MAX: u64 = 9;
/// Time between two looks at something awaited.
const LOOK_PERIOD: Duration = Duration::from_millis(50);
/// Lines of a node's log shown when it does not start.
const LOG_LINES_SHOWN: usize = 8;

/// What [`up`] is asked for.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// Nodes of a new cluster; `None` means three, or as many as there are.
    pub nodes: Option<u64>,
    /// The node program; found by itself when `None`.
    pub node_bin: Option<PathBuf>,
    /// How long the cluster may take to become healthy.
    pub wait: Duration,
}

/// What a command did, node by node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Actions {
    /// Node ids with what was done to each, or that nothing had to be.
    pub nodes: Vec<Action>,
    /// The leader afterwards, where the command waited for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<u64>,
    /// Addresses for clients, where the command started nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

/// What was done to one node.
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    /// Node id.
    pub id: u64,
    /// In words: `started`, `running already`, ...
    pub did: &'static str,
}

impl Actions {
    fn add(&mut self, id: u64, did: &'static str) {
        self.nodes.push(Action { id, did });
    }
}

impl Report for Actions {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("node", crate::output::Align::Right),
            ("action", crate::output::Align::Left),
        ]);
        for action in &self.nodes {
            table.row(vec![action.id.to_string(), action.did.to_owned()]);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(leader) = self.leader {
            notes.push(format!("Node {leader} leads."));
        }
        if !self.endpoints.is_empty() {
            notes.push(format!("Clients connect to {}", self.endpoints.join(",")));
        }
        notes
    }
}

/// Starts the nodes that do not run, after making the cluster if there is none, and waits until it is healthy.
///
/// # Errors
/// [`Code::Usage`] when the cluster exists with another number of nodes, [`Code::Process`] when a node does not
/// start, [`Code::NotReachable`] when the cluster is not healthy in time.
pub async fn up(layout: &Layout, options: &UpOptions) -> Result<Actions, Failure> {
    let program = binary::find(options.node_bin.as_deref())?;
    let _lock = layout.lock()?;
    let description = match layout.description()? {
        Some(description) => same_size(description, options.nodes)?,
        None => create(layout, options.nodes.unwrap_or(3))?,
    };
    let ids: Vec<u64> = description.nodes.iter().map(|node| node.id).collect();
    start_nodes(layout, &description, &program, &ids, options.wait).await
}

/// Stops every node: first by request (SIGTERM), which hands leadership over and syncs, then, after `timeout`, by
/// force.
///
/// # Errors
/// [`Code::NoCluster`], or [`Code::Process`] when a process cannot be ended.
pub async fn down(layout: &Layout, timeout: Duration) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let ids: Vec<u64> = description.nodes.iter().map(|node| node.id).collect();
    stop_nodes(layout, &ids, timeout).await
}

/// Ends nodes at once (SIGKILL), as a crash would.
///
/// # Errors
/// [`Code::NotFound`] for an unknown node or when nobody leads, [`Code::Process`] when a process cannot be ended.
pub async fn kill(layout: &Layout, target: Target) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let mut actions = Actions::default();
    for id in resolve(layout, &description, target).await? {
        let identity = Identity::load(&layout.node_pid(id));
        let killed = match &identity {
            Some(identity) => identity.signal(Signal::KILL)?,
            None => false,
        };
        if let Some(identity) = identity.filter(|_| killed) {
            wait_until_gone(&identity, Duration::from_secs(10)).await?;
        }
        actions.add(id, if killed { "killed" } else { "not running" });
    }
    Ok(actions)
}

/// Stops nodes by request if they run, starts them, and waits until the cluster is healthy.
///
/// # Errors
/// As [`down`] and [`up`].
pub async fn restart(
    layout: &Layout,
    target: Target,
    options: &UpOptions,
) -> Result<Actions, Failure> {
    let program = binary::find(options.node_bin.as_deref())?;
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let ids = resolve(layout, &description, target).await?;
    stop_nodes(layout, &ids, options.wait).await?;
    start_nodes(layout, &description, &program, &ids, options.wait).await
}

/// Stops nodes in their tracks (SIGSTOP), as a long pause of the machine would.
///
/// # Errors
/// [`Code::NotFound`] for an unknown node, [`Code::Process`] when it cannot be signalled.
pub async fn pause(layout: &Layout, target: Target) -> Result<Actions, Failure> {
    signal_all(layout, target, Signal::STOP, Activity::Stopped, "paused").await
}

/// Lets paused nodes go on (SIGCONT).
///
/// # Errors
/// As [`pause`].
pub async fn resume(layout: &Layout, target: Target) -> Result<Actions, Failure> {
    signal_all(layout, target, Signal::CONT, Activity::Running, "resumed").await
}

async fn signal_all(
    layout: &Layout,
    target: Target,
    signal: Signal,
    wanted: Activity,
    did: &'static str,
) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let mut actions = Actions::default();
    for id in resolve(layout, &description, target).await? {
        let identity = Identity::load(&layout.node_pid(id));
        let activity = identity.as_ref().and_then(Identity::activity);
        actions.add(
            id,
            match (identity, activity) {
                (Some(_), Some(activity)) if activity == wanted => "nothing to do",
                (Some(identity), Some(_)) if identity.signal(signal)? => did,
                _ => "not running",
            },
        );
    }
    Ok(actions)
}

fn same_size(description: Description, wanted: Option<u64>) -> Result<Description, Failure> {
    let there = description.nodes.len() as u64;
    match wanted {
        Some(wanted) if wanted != there => Err(Failure::new(
            Code::Usage,
            format!("the cluster has {there} nodes, not {wanted}"),
        )
        .advise("leave --nodes out, or name an empty directory with --dir")),
        _ => Ok(description),
    }
}

fn create(layout: &Layout, nodes: u64) -> Result<Description, Failure> {
    if nodes == 0 || nodes > NODES_MAX {
        return Err(Failure::new(
            Code::Usage,
            format!("a cluster has 1 to {NODES_MAX} nodes, not {nodes}"),
        ));
    }
    let addresses = free_addresses(2 * nodes as usize)?;
    let entries = (1..=nodes)
        .zip(addresses.chunks_exact(2))
        .map(|(id, pair)| NodeEntry {
            id,
            client_address: pair[0],
            peer_address: pair[1],
        })
        .collect();
    layout.save(random_uuid(), entries)
}

/// A random (version 4) UUID.
fn random_uuid() -> String {
    let random: u128 = rand::random();
    let bits = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    crate::output::uuid(bits)
}

async fn start_nodes(
    layout: &Layout,
    description: &Description,
    program: &std::path::Path,
    ids: &[u64],
    wait: Duration,
) -> Result<Actions, Failure> {
    let begun = Instant::now();
    let mut actions = Actions::default();
    let mut started = Vec::new();
    for node in description
        .nodes
        .iter()
        .filter(|node| ids.contains(&node.id))
    {
        match Identity::load(&layout.node_pid(node.id)).and_then(|identity| identity.activity()) {
            Some(Activity::Running) => actions.add(node.id, "running already"),
            Some(Activity::Stopped) => actions.add(node.id, "paused; resume it"),
            None => {
                let config = layout.node_config(node.id);
                if !config.exists() {
                    let dir = layout.node_dir(node.id);
                    fs::create_dir_all(&dir)
                        .map_err(|error| Failure::io("make the directory", &dir, &error))?;
                    write_whole(&config, node_config::render(description, node)?.as_bytes())?;
                }
                started.push((node.id, process::start(program, layout, node.id)?));
                actions.add(node.id, "started");
            }
        }
    }
    let health = wait_until_healthy(
        layout,
        description,
        &mut started,
        wait.saturating_sub(begun.elapsed()),
    )
    .await?;
    actions.leader = health.leader;
    actions.endpoints = description.endpoints();
    Ok(actions)
}

/// Waits until all nodes that have a running process are reachable and know the leader.
async fn wait_until_healthy(
    layout: &Layout,
    description: &Description,
    started: &mut [(u64, Started)],
    wait: Duration,
) -> Result<ClusterHealth, Failure> {
    let begun = Instant::now();
    let asker = Asker::new(&description.endpoints())?;
    loop {
        for (id, node) in started.iter_mut() {
            if let Some(status) = node.ended() {
                return Err(did_not_start(layout, *id, &status));
            }
        }
        let mut health = asker.local(layout, description).await;
        // Nodes that were left stopped or paused on purpose are not waited for.
        health
            .nodes
            .retain(|node| node.process == super::ProcessState::Running);
        if health.is_healthy() {
            return Ok(health);
        }
        if begun.elapsed() >= wait {
            return Err(not_healthy(layout, &health, wait));
        }
        sleep(LOOK_PERIOD).await;
    }
}

fn did_not_start(layout: &Layout, id: u64, status: &str) -> Failure {
    let path = layout.node_log(id);
    let lines = node_log::tail(&path, LOG_LINES_SHOWN);
    let reason = if lines.is_empty() {
        "it wrote no log".to_owned()
    } else {
        format!("its log ends with\n    {}", lines.join("\n    "))
    };
    Failure::new(Code::Process, format!("node {id} ended: {status}"))
        .because(reason)
        .advise(format!("read {}", path.display()))
}

fn not_healthy(layout: &Layout, health: &ClusterHealth, wait: Duration) -> Failure {
    let silent: Vec<String> = health
        .nodes
        .iter()
        .filter(|node| !node.reachable)
        .map(|node| node.id.to_string())
        .collect();
    let reason = if silent.is_empty() {
        "the nodes have not agreed on a leader".to_owned()
    } else {
        format!("no answer from node {}", silent.join(", "))
    };
    Failure::new(
        Code::NotReachable,
        format!(
            "the cluster is not healthy after {}",
            crate::output::duration(wait)
        ),
    )
    .because(reason)
    .advise(format!(
        "read the logs, {}/node-*/node.log, and run `farthing cluster status`",
        layout.dir().display()
    ))
}

async fn stop_nodes(layout: &Layout, ids: &[u64], timeout: Duration) -> Result<Actions, Failure> {
    let mut asked = Vec::new();
    let mut actions = Actions::default();
    for id in ids {
        let identity = Identity::load(&layout.node_pid(*id));
        match identity {
            Some(identity) if identity.signal(Signal::TERM)? => {
                // A paused process does not see the request before it goes on.
                identity.signal(Signal::CONT)?;
                asked.push((*id, identity));
            }
            _ => actions.add(*id, "not running"),
        }
    }
    let begun = Instant::now();
    for (id, identity) in asked {
        let left = timeout.saturating_sub(begun.elapsed());
        let did = if wait_until_gone(&identity, left).await.is_ok() {
            "stopped"
        } else {
            identity.signal(Signal::KILL)?;
            wait_until_gone(&identity, Duration::from_secs(10)).await?;
            "killed, since it did not stop in time"
        };
        actions.add(id, did);
    }
    actions.nodes.sort_by_key(|action| action.id);
    Ok(actions)
}

async fn wait_until_gone(identity: &Identity, timeout: Duration) -> Result<(), Failure> {
    let begun = Instant::now();
    while identity.activity().is_some() {
        if begun.elapsed() >= timeout {
            return Err(Failure::new(
                Code::Process,
                format!("process {} does not end", identity.pid),
            )
            .because("it waits for a disk that does not answer"));
        }
        sleep(LOOK_PERIOD.min(timeout)).await;
    }
    Ok(())
}

/// The ids that a target means now.
///
/// # Errors
/// [`Code::NotFound`] when it means none.
pub async fn resolve(
    layout: &Layout,
    description: &Description,
    target: Target,
) -> Result<Vec<u64>, Failure> {
    let known: Vec<u64> = description.nodes.iter().map(|node| node.id).collect();
    let now = async || {
        Ok(Asker::new(&description.endpoints())?
            .local(layout, description)
            .await)
    };
    let found = match target {
        Target::All => return Ok(known),
        Target::Node(id) => known.contains(&id).then_some(id),
        Target::Leader => now().await?.leader,
        Target::Follower => {
            let health = now().await?;
            let follows = |node: &&super::NodeHealth| {
                node.reachable && node.leader.is_some_and(|leader| leader != node.id)
            };
            health.nodes.iter().find(follows).map(|node| node.id)
        }
    };
    found.map(|id| vec![id]).ok_or_else(|| {
        let (what, reason) = match target {
            Target::Node(id) => (
                format!("there is no node {id}"),
                format!("the nodes are {known:?}"),
            ),
            _ => (
                format!("there is no {target} at the moment"),
                "an election is under way, or most nodes are down".to_owned(),
            ),
        };
        Failure::new(Code::NotFound, what)
            .because(reason)
            .advise("see `farthing cluster status`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_say_their_version_and_differ() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_ne!(uuid, random_uuid());
    }

    #[test]
    fn a_cluster_is_made_once_with_its_ports() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(create(&layout, 0).unwrap_err().code, Code::Usage);
        let made = create(&layout, 3).unwrap();
        assert_eq!(layout.existing().unwrap(), made);
        assert_eq!(same_size(made.clone(), None).unwrap(), made);
        assert_eq!(same_size(made, Some(5)).unwrap_err().code, Code::Usage);
    }

    #[tokio::test]
    async fn commands_on_nothing_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(
            down(&layout, Duration::ZERO).await.unwrap_err().code,
            Code::NoCluster
        );
        create(&layout, 3).unwrap();
        let actions = down(&layout, Duration::ZERO).await.unwrap();
        assert!(
            actions
                .nodes
                .iter()
                .all(|action| action.did == "not running")
        );
        assert_eq!(
            kill(&layout, Target::Node(9)).await.unwrap_err().code,
            Code::NotFound
        );
        assert_eq!(
            kill(&layout, Target::Leader).await.unwrap_err().code,
            Code::NotFound
        );
        let actions = kill(&layout, Target::All).await.unwrap();
        assert_eq!(actions.nodes.len(), 3);
    }
}
