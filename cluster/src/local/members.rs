//! Nodes added to a running cluster, removed from it, replaced.
//!
//! The order is always: write down, start, learn, catch up, vote; and for the one that goes: vote no more, stop, forget.
//! Every step can be repeated, so a command that was interrupted is run again and goes on where it was.

use std::fs;
use std::time::{Duration, Instant};

use farthing_client::{Client, Error, Member, MemberRole, Reason};
use tokio::time::sleep;

use super::actions::Actions;
use super::binary;
use super::create::NODES_MAX;
use super::layout::{Description, Layout, NodeEntry, write_whole};
use super::node_config;
use super::operate::{UpOptions, resolve};
use super::ports::free_addresses;
use super::start::start_nodes;
use super::stop::stop_nodes;
use super::target::Target;
use crate::connect::{self, failure};
use crate::failure::{Code, Failure};
use crate::output;

/// How long one call to the cluster may take: a change of voters is two entries and their majorities.
const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// Time between two looks at how far the new node is, and between two lines about it.
const LOOK_PERIOD: Duration = Duration::from_millis(100);
const LINE_PERIOD: Duration = Duration::from_secs(2);
/// How long a node that leaves may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Adds a node to a running cluster, as a learner until it has caught up and as a voter then.
///
/// # Errors
/// [`Code::NoCluster`], [`Code::Usage`] when there are nodes enough, [`Code::Process`] when it does not start,
/// [`Code::NotReachable`] when the cluster does not answer or the node has not caught up in time.
pub async fn add(layout: &Layout, options: &UpOptions) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let client = connect::connect(&description.endpoints(), CALL_DEADLINE).await?;
    let (node, mut actions) = start_learner(layout, &client, description, options).await?;
    change(&client, &[node.id], &[], options.wait).await?;
    actions.add(node.id, "votes");
    Ok(actions)
}

/// Removes a node: it votes no more, is stopped, and its directory is set aside. Its id is never used again.
///
/// # Errors
/// [`Code::NotFound`] for an unknown node, [`Code::RequestRefused`] when the rest would be no majority.
pub async fn remove(layout: &Layout, target: Target, wait: Duration) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let ids = one(layout, &description, target).await?;
    let client = connect::connect(&description.endpoints(), CALL_DEADLINE).await?;
    change(&client, &[], &ids, wait).await?;
    let mut actions = Actions::default();
    ids.iter()
        .for_each(|id| actions.add(*id, "removed from the members"));
    forget(layout, description, &ids, &mut actions).await?;
    Ok(actions)
}

/// Replaces a node by a new one under a new id, in one change of voters: there are never fewer than before.
///
/// # Errors
/// As [`add`] and [`remove`].
pub async fn replace(
    layout: &Layout,
    target: Target,
    options: &UpOptions,
) -> Result<Actions, Failure> {
    let description = layout.existing()?;
    let _lock = layout.lock()?;
    let ids = one(layout, &description, target).await?;
    let client = connect::connect(&description.endpoints(), CALL_DEADLINE).await?;
    let (node, mut actions) = start_learner(layout, &client, description, options).await?;
    change(&client, &[node.id], &ids, options.wait).await?;
    actions.add(node.id, "votes");
    ids.iter()
        .for_each(|id| actions.add(*id, "removed from the members"));
    forget(layout, layout.existing()?, &ids, &mut actions).await?;
    Ok(actions)
}

async fn one(
    layout: &Layout,
    description: &Description,
    target: Target,
) -> Result<Vec<u64>, Failure> {
    let ids = resolve(layout, description, target).await?;
    if ids.len() == 1 {
        return Ok(ids);
    }
    Err(Failure::new(Code::Usage, "name one node, not all"))
}

/// A node that runs, learns and has caught up: one that an interrupted command left half added, or a new one.
async fn start_learner(
    layout: &Layout,
    client: &Client,
    mut description: Description,
    options: &UpOptions,
) -> Result<(NodeEntry, Actions), Failure> {
    let program = binary::find(options.node_bin.as_deref())?;
    let members = members(client).await?;
    let votes = |node: &NodeEntry| {
        let mut voters = members
            .iter()
            .filter(|member| member.role() == MemberRole::Voter);
        voters.any(|member| member.id == node.id)
    };
    let node = match description.nodes.iter().find(|node| !votes(node)) {
        Some(half_added) => {
            output::tell(format!(
                "node {} is half added already; going on with it",
                half_added.id
            ));
            *half_added
        }
        None => {
            let node = new_entry(client, &description).await?;
            // Written down before anything else: whatever happens now, the next run finds it.
            description.nodes.push(node);
            description = layout.save(description.cluster_id, description.nodes)?;
            node
        }
    };
    let config = layout.node_config(node.id);
    if !config.exists() {
        let dir = layout.node_dir(node.id);
        fs::create_dir_all(&dir)
            .map_err(|error| Failure::io("make the directory", &dir, &error))?;
        write_whole(
            &config,
            node_config::render_joining(&description, &node)?.as_bytes(),
        )?;
    }
    // Known to the leader before it starts: the node hears of the cluster as soon as it listens.
    let (client_address, peer_address) = (
        node.client_address.to_string(),
        node.peer_address.to_string(),
    );
    client
        .add_learner(node.id, &client_address, &peer_address)
        .await
        .map_err(failure)?;
    let actions = start_nodes(layout, &description, &program, &[node.id], options).await?;
    catch_up(client, &node, options.wait).await?;
    Ok((node, actions))
}

async fn new_entry(client: &Client, description: &Description) -> Result<NodeEntry, Failure> {
    if description.nodes.len() as u64 >= NODES_MAX {
        return Err(Failure::new(
            Code::Usage,
            format!("a cluster has at most {NODES_MAX} nodes"),
        )
        .advise("remove or replace one: `farthing cluster replace ID`"));
    }
    let addresses = free_addresses(2)?;
    Ok(NodeEntry {
        id: client.allot_node_id().await.map_err(failure)?,
        client_address: addresses[0],
        peer_address: addresses[1],
    })
}

/// The members as the node with the highest term knows them.
async fn members(client: &Client) -> Result<Vec<Member>, Failure> {
    let statuses = client.statuses().await;
    let known = statuses.into_iter().filter_map(|(_, status)| status.ok());
    let newest = known.max_by_key(|status| (status.term, status.applied_index));
    newest.map(|status| status.members).ok_or_else(|| {
        Failure::new(Code::NotReachable, "no node of the cluster answers")
            .advise("start them with `farthing cluster up`")
    })
}

/// Waits until a learner has what the cluster had when it was last looked at.
async fn catch_up(client: &Client, node: &NodeEntry, wait: Duration) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut last_line = begun;
    let address = node.client_address.to_string();
    loop {
        let statuses = client.statuses().await;
        let committed = statuses
            .iter()
            .filter_map(|(_, status)| status.as_ref().ok())
            .map(|status| status.committed_index)
            .max()
            .unwrap_or(0);
        let own = client.status(&address).await;
        let applied = own.as_ref().map_or(0, |status| status.applied_index);
        if applied > 0 && applied >= committed {
            return Ok(());
        }
        let text = format!(
            "node {} has applied {applied} of {committed} entries",
            node.id
        );
        if begun.elapsed() >= wait {
            return Err(Failure::new(
                Code::NotReachable,
                format!("{text} after {}", output::duration(wait)),
            )
            .advise("run the command again to go on, with --wait for more time"));
        }
        if last_line.elapsed() >= LINE_PERIOD {
            last_line = Instant::now();
            output::tell(text);
        }
        sleep(LOOK_PERIOD).await;
    }
}

/// Changes the voters, waiting out what passes by itself.
async fn change(
    client: &Client,
    add: &[u64],
    remove: &[u64],
    wait: Duration,
) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let error = match client.change_voters(add, remove).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let passes = connect::may_pass(&error)
            || matches!(
                error.reason(),
                Some(Reason::MembersChanging | Reason::MemberBehind | Reason::MembersUnsafe)
            );
        if !passes || begun.elapsed() >= wait {
            return Err(refused(error));
        }
        sleep(LOOK_PERIOD).await;
    }
}

fn refused(error: Error) -> Failure {
    let unsafe_now = error.reason() == Some(Reason::MembersUnsafe);
    let failure = failure(error);
    if unsafe_now {
        failure.advise("start the nodes that are down (`farthing cluster up`), or replace them, then try again")
    } else {
        failure
    }
}

/// Stops nodes that are no members any more and takes them out of the description. Their data is set aside, not deleted.
async fn forget(
    layout: &Layout,
    description: Description,
    ids: &[u64],
    actions: &mut Actions,
) -> Result<(), Failure> {
    let stopped = stop_nodes(layout, ids, STOP_TIMEOUT).await?;
    actions.nodes.extend(stopped.nodes);
    let (cluster_id, nodes) = (description.cluster_id, description.nodes);
    let kept = nodes
        .into_iter()
        .filter(|node| !ids.contains(&node.id))
        .collect();
    layout.save(cluster_id, kept)?;
    for id in ids {
        let (from, to) = (layout.node_dir(*id), layout.removed_node_dir(*id));
        if from.exists() {
            fs::rename(&from, &to).map_err(|error| Failure::io("set aside", &from, &error))?;
            output::tell(format!(
                "the directory of node {id} is now {}; delete it when you like",
                to.display()
            ));
        }
    }
    Ok(())
}
