//! Starting nodes, and waiting until the cluster is healthy.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::actions::Actions;
use super::create;
use super::health::{Asker, ClusterHealth, ProcessState};
use super::layout::{Description, Layout};
use super::node_log;
use super::operate::UpOptions;
use super::process::{self, Activity, Identity, Started};
use crate::failure::{Code, Failure};

/// Time between two looks at the nodes.
const LOOK_PERIOD: Duration = Duration::from_millis(50);
/// Lines of a node's log shown when it does not start.
const LOG_LINES_SHOWN: usize = 8;

/// Starts those of the nodes that do not run, after writing configurations that are missing, and waits.
///
/// # Errors
/// [`Code::Process`] when a node does not start, [`Code::NotReachable`] when the cluster is not healthy in time.
pub(super) async fn start_nodes(
    layout: &Layout,
    description: &Description,
    program: &Path,
    ids: &[u64],
    options: &UpOptions,
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
                    create::write_config(layout, description, node)?;
                }
                let tethers = options.tethers.as_deref();
                started.push((node.id, process::start(program, layout, node.id, tethers)?));
                actions.add(node.id, "started");
            }
        }
    }
    let health = wait_until_healthy(
        layout,
        description,
        &mut started,
        options.wait.saturating_sub(begun.elapsed()),
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
            .retain(|node| node.process == ProcessState::Running);
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
