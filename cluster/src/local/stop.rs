//! Ending nodes.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::sleep;

use super::actions::Actions;
use super::layout::Layout;
use super::process::Identity;
use crate::failure::{Code, Failure};

/// Time between two looks at a process that ends.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// How long somebody on the way out waits for nodes to be gone.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a killed process may take to be gone: as long as its disk takes to finish what it was told.
const KILL_TIMEOUT: Duration = Duration::from_secs(30);

/// Asks nodes to stop (SIGTERM), all at once, and kills those that have not stopped after `timeout`.
///
/// # Errors
/// [`Code::Process`] when a process cannot be signalled or does not end.
pub(super) async fn stop_nodes(
    layout: &Layout,
    ids: &[u64],
    timeout: Duration,
) -> Result<Actions, Failure> {
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
            kill(&identity).await?;
            "killed, since it did not stop in time"
        };
        actions.add(id, did);
    }
    actions.nodes.sort_by_key(|action| action.id);
    Ok(actions)
}

/// Ends nodes at once without a runtime, for whoever is on the way out, and waits a little until they are gone. What
/// cannot be ended is left: nobody is there any more to hear of it.
pub(crate) fn end_at_once(layout: &Layout, ids: impl IntoIterator<Item = u64>) {
    let nodes = ids.into_iter();
    let nodes: Vec<Identity> = nodes
        .filter_map(|id| Identity::load(&layout.node_pid(id)))
        .filter(|identity| identity.signal(Signal::KILL).unwrap_or(false))
        .collect();
    let begun = Instant::now();
    while nodes.iter().any(|node| node.activity().is_some()) && begun.elapsed() < END_TIMEOUT {
        std::thread::sleep(LOOK_PERIOD);
    }
}

/// Ends a process at once; `false` when it was not there.
///
/// # Errors
/// As [`stop_nodes`].
pub(super) async fn kill(identity: &Identity) -> Result<bool, Failure> {
    let killed = identity.signal(Signal::KILL)?;
    wait_until_gone(identity, KILL_TIMEOUT).await?;
    Ok(killed)
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
