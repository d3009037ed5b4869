//! The commands on a local cluster. Each may be run twice: the second time it finds nothing to do and says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use super::actions::Actions;
use super::binary;
use super::create::{create, same_size};
use super::health::Asker;
use super::layout::{Description, Layout};
use super::process::{Activity, Identity};
use super::start::start_nodes;
use super::stop::{self, stop_nodes};
use super::target::Target;
use super::tether::Tethers;
use crate::failure::{Code, Failure};

/// What [`up`] is asked for.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// Nodes of a new cluster; `None` means three, or as many as there are.
    pub nodes: Option<u64>,
    /// The node program; found by itself when `None`.
    pub node_bin: Option<PathBuf>,
    /// How long the cluster may take to become healthy.
    pub wait: Duration,
    /// Holds nodes that are to end with this process; `None` for nodes that outlive it.
    pub tethers: Option<Arc<Tethers>>,
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
    start_nodes(layout, &description, &program, &ids, options).await
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
            Some(identity) => stop::kill(identity).await?,
            None => false,
        };
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
    start_nodes(layout, &description, &program, &ids, options).await
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
