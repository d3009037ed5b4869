//! Faults of what a node has written: between a kill and the next start its files are changed, go back, or go.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::Signal;
use tokio::sync::MutexGuard;
use tokio::time::sleep;

use super::field::{Field, Taken};
use super::files::{self, Zone};
use super::names::Name;
use super::operator;
use super::plan::Step;
use crate::history::Phase;
use crate::hosts::Node;

/// Time for a damaged node to say so, and for a replaced one to catch up, before another is damaged.
const SETTLE: Duration = Duration::from_secs(3);
/// How often a node is asked whether it has what the others have, and the time between.
const TRIES: u32 = 10;
const TRY: Duration = Duration::from_millis(30);

/// Whether all other nodes hold what is committed: a fault that takes one node's data away must not find another
/// without, or no system could keep its word. One whose files were damaged before has to show that they are whole.
pub(super) async fn others_hold(field: &Field, target: u64) -> bool {
    let others = || field.cluster.nodes.iter().filter(|it| it.id != target);
    let mut committed = 0;
    for node in &field.cluster.nodes {
        match operator::positions(field, node.id).await {
            Some((knows, _)) => committed = committed.max(knows),
            None if node.id != target => return false,
            None => {}
        }
    }
    // Asked again after everybody has said what is committed: what comes later the others get as always.
    for node in others() {
        if !holds(field, node.id, committed).await {
            return false;
        }
    }
    if field
        .cluster
        .nodes
        .iter()
        .any(|it| field.is_replacing(it.id))
    {
        return false;
    }
    for node in others() {
        if field.is_in_doubt(node.id) {
            if !operator::verifies(field, node.id).await {
                return false;
            }
            field.has_shown_itself_whole(node.id);
        }
    }
    true
}

/// Whether a node soon has the log up to an entry.
async fn holds(field: &Field, node: u64, index: u64) -> bool {
    for _ in 0..TRIES {
        match operator::positions(field, node).await {
            Some((_, holds)) if holds >= index => return true,
            Some(_) => sleep(TRY).await,
            None => return false,
        }
    }
    false
}

/// The turn to take a node's data away, if the others can do without it.
async fn turn_to_damage(field: &Field, node: u64) -> Option<MutexGuard<'_, ()>> {
    let turn = field.turn.lock().await;
    if !others_hold(field, node).await {
        field.reached("damage.withheld");
        return None;
    }
    Some(turn)
}

/// One node that no other fault has and that the others can do without.
async fn take_one<'a>(
    field: &'a Arc<Field>,
    step: &Step,
    random: &mut StdRng,
) -> Option<(Taken, &'a Node, MutexGuard<'a, ()>)> {
    let taken = field.take(field.nodes(step.target, random))?;
    let node = field.cluster.node(taken.nodes[0]);
    let turn = turn_to_damage(field, node.id).await?;
    Some((taken, node, turn))
}

/// N8, N9, N10.
pub(super) async fn edit(field: &Arc<Field>, name: Name, step: &Step, random: &mut StdRng) {
    let Some((_taken, node, turn)) = take_one(field, step, random).await else {
        return;
    };
    node.kill();
    for _ in 0..field.damages {
        damage(field, name, node, random);
    }
    node.settle();
    drop(turn);
    field.start(node.id);
    sleep(step.hold.max(SETTLE)).await;
}

/// Changes one file, if there is one in the zone; else a kill is all that happened.
fn damage(field: &Field, name: Name, node: &Node, random: &mut StdRng) {
    let zone = Zone::ALL[random.random_range(0..Zone::ALL.len())];
    let Some(path) = zone.file(node.dir(), random) else {
        return;
    };
    let done = match name {
        Name::BitFlip => files::flip(zone, &path, random),
        Name::Truncate => files::cut(zone, &path, random),
        _ => files::misplace(zone, &path, random),
    };
    let path = path.strip_prefix(node.dir()).unwrap_or(&path).display();
    match done {
        Ok(how) => {
            field.mark_damaged(node.id);
            field.reached(&format!("damage.{zone:?}"));
            let detail = format!("{zone:?}: {path}: {how}");
            field.note(name.text(), Phase::Blow, &[node.id], detail);
        }
        Err(error) => field.trouble(format!("cannot damage a file: {error}")),
    }
}

/// N12.
pub(super) async fn wipe(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some((taken, node, turn)) = take_one(field, step, random).await else {
        return;
    };
    node.kill();
    field.note("wipe", Phase::Begin, &taken.nodes, "its directory is gone");
    if let Err(error) = field.cluster.set_aside(node.id) {
        field.trouble(format!("cannot set a directory aside: {error}"));
    }
    field.mark_damaged(node.id);
    drop(turn);
    field.start(node.id);
    sleep(step.hold.max(SETTLE)).await;
    field.note("wipe", Phase::End, &taken.nodes, "");
}

/// N11.
pub(super) async fn restore(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some((taken, node, turn)) = take_one(field, step, random).await else {
        return;
    };
    let old = node.dir().with_extension("old");
    node.kill();
    let kept = remove(&old).and_then(|()| files::copy(node.dir(), &old));
    field.start(node.id);
    drop(turn);
    sleep(step.hold.max(Duration::from_secs(2))).await;
    let Some(turn) = turn_to_damage(field, node.id).await else {
        return;
    };
    node.kill();
    let put = kept.and_then(|()| field.cluster.set_aside(node.id));
    let put = put.and_then(|()| files::copy(&old, node.dir()));
    match put.and_then(|()| remove(&old)) {
        Ok(()) => {
            field.mark_damaged(node.id);
            field.note(
                "stale",
                Phase::Blow,
                &taken.nodes,
                "its files of a while ago",
            );
        }
        Err(error) => field.trouble(format!("cannot restore old files: {error}")),
    }
    node.settle();
    drop(turn);
    field.start(node.id);
    sleep(SETTLE).await;
}

fn remove(dir: &std::path::Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// N7: a majority that knows everything, and one node that does not know what it promised. All but one other node
/// pause, the one forgets, and must now not decide anything with the other that the paused ones contradict.
pub(super) async fn amnesia(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let all = field.cluster.ids();
    let Some(taken) = field.take(all.clone()) else {
        return;
    };
    let at = random.random_range(0..all.len());
    let forgetful = all[at];
    // It hears nothing for a while and lags; the others go on without it.
    let lagging = all[(at + 1) % all.len()];
    let rest: Vec<u64> = all
        .iter()
        .copied()
        .filter(|node| *node != forgetful && *node != lagging)
        .collect();
    let Some(turn) = turn_to_damage(field, forgetful).await else {
        return;
    };
    let part = step.hold / 4;
    let (signal, resume) = (Signal::STOP, Signal::CONT);
    field.note(
        "amnesia",
        Phase::Begin,
        &taken.nodes,
        format!("node {forgetful} forgets"),
    );
    field.cluster.node(lagging).signal(signal);
    sleep(part).await;
    for node in &rest {
        field.cluster.node(*node).signal(signal);
    }
    let node = field.cluster.node(forgetful);
    node.kill();
    if let Err(error) = field.cluster.set_aside(forgetful) {
        field.trouble(format!("cannot set a directory aside: {error}"));
    }
    field.mark_damaged(forgetful);
    drop(turn);
    field.start(forgetful);
    field.cluster.node(lagging).signal(resume);
    sleep(part * 2).await;
    for node in &rest {
        field.cluster.node(*node).signal(resume);
    }
    field.note("amnesia", Phase::End, &taken.nodes, "");
    sleep(SETTLE + part).await;
}
