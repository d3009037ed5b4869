//! Faults of disks under running nodes: power that is cut, syncs and reads that fail, no room, slow syncs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::time::sleep;

use super::field::{Field, Taken};
use super::names::Name;
use super::plan::Step;
use crate::disk::{Faults, NoSpace, Survival, Zone};
use crate::history::Phase;

/// Time to open its files, so that not every fault meets a node that only begins to live.
const OPEN: Duration = Duration::from_millis(700);
/// How long after a call that failed a node may end because of it: it has to notice, and on a busy machine to get to run.
const FELT: Duration = Duration::from_secs(15);
/// Room that a disk still has when it is about to be full, at most.
const LEFT_BYTES: u64 = 2 << 20;

/// N6. All disks of the target lose their power at one moment, then the nodes die, and what was not synced is gone.
pub(super) async fn cut_power(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    let keeps_some = random.random_range(0..3) != 0;
    let what = if keeps_some { "some" } else { "nothing" };
    let detail = format!("{:?}, {what} of what was not synced stays", step.target);
    field.note(Name::PowerLoss.text(), Phase::Begin, &taken.nodes, detail);
    lose(field, &taken, keeps_some, random);
    if random.random_range(0..4) != 0 {
        sleep(step.hold).await;
    }
    taken.nodes.iter().for_each(|node| field.start(*node));
    field.note(Name::PowerLoss.text(), Phase::End, &taken.nodes, "");
    field.reached(&format!("power-loss.{:?}", step.target).to_lowercase());
    sleep(OPEN.mul_f64(random.random_range(0.0..2.0)).min(step.hold)).await;
}

fn lose(field: &Field, taken: &Taken, keeps_some: bool, random: &mut StdRng) {
    let nodes = || taken.nodes.iter().map(|node| field.cluster.node(*node));
    for node in nodes() {
        node.excuse();
        if let Some(disk) = &node.disk {
            disk.store().cut_power();
        }
    }
    // To wait for processes and files must not keep clients from hearing their answers.
    tokio::task::block_in_place(|| {
        nodes().for_each(crate::hosts::Node::kill);
        restore(field, nodes(), keeps_some, random);
    });
}

fn restore<'a>(
    field: &Field,
    nodes: impl Iterator<Item = &'a crate::hosts::Node>,
    keeps_some: bool,
    random: &mut StdRng,
) {
    for node in nodes {
        let Some(disk) = &node.disk else {
            field.trouble(format!("node {} has no disk that can be broken", node.id));
            continue;
        };
        let mut how = match keeps_some {
            true => Survival::Some(&mut *random),
            false => Survival::Nothing,
        };
        if let Err(error) = disk.restore_power(&mut how) {
            field.trouble(format!("node {}: its disk is gone: {error}", node.id));
        }
    }
}

/// N13, N14, N15, N16. A node may end because of it, and is started again when it is over.
pub(super) async fn break_disk(field: &Arc<Field>, name: Name, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    let zones = zones(random);
    let time = Duration::from_millis(SLOW_MS[random.random_range(0..SLOW_MS.len())]);
    let left = random.random_range(0..LEFT_BYTES);
    let detail = match name {
        Name::DiskFull => format!("{:?}, {left} bytes left", step.target),
        Name::SlowSync => format!("{:?}, {time:?} in {}", step.target, words(&zones)),
        _ => format!("{:?}, in {}", step.target, words(&zones)),
    };
    field.note(name.text(), Phase::Begin, &taken.nodes, detail);
    // Of each node that has such a disk, in the same order afterwards.
    let mut refusals = Vec::new();
    for node in &taken.nodes {
        let node = field.cluster.node(*node);
        let Some(disk) = &node.disk else {
            field.trouble(format!("node {} has no disk that can be broken", node.id));
            continue;
        };
        let mut faults = Faults::default();
        let mut store = disk.store();
        refusals.push(store.refusals());
        match name {
            Name::SyncError => faults.sync_fails = zones.clone(),
            Name::ReadError => faults.read_fails = zones.clone(),
            Name::SlowSync => faults.sync_takes = Some((zones.clone(), time)),
            _ => {
                let capacity = store.used() + left;
                faults.full = Some(NoSpace { capacity });
            }
        }
        // To wait for a slow disk is all that a node may do.
        if name != Name::SlowSync {
            node.excuse();
        }
        store.set_faults(faults);
    }
    sleep(step.hold.max(Duration::from_millis(500))).await;
    for node in &taken.nodes {
        let node = field.cluster.node(*node);
        if let Some(disk) = &node.disk {
            disk.store().set_faults(Faults::default());
        }
        if node.pid().is_none() {
            field.reached(&format!("{}.ended", name.text()));
            field.start(node.id);
        }
    }
    field.note(name.text(), Phase::End, &taken.nodes, "");
    // Whoever was about to end because of it ends now.
    sleep(OPEN).await;
    let mut refusals = refusals.into_iter();
    for node in &taken.nodes {
        let node = field.cluster.node(*node);
        let before = node.disk.as_ref().and_then(|_| refusals.next());
        let now = node.disk.as_ref().map(|disk| disk.store().refusals());
        if node.pid().is_none() {
            field.reached(&format!("{}.ended", name.text()));
            field.start(node.id);
        } else if now > before {
            node.expect_after(FELT);
        } else {
            node.expect();
        }
    }
}

/// ms; below an election timeout and far above it.
const SLOW_MS: [u64; 4] = [20, 100, 400, 1500];

/// Everything, or one part of what a node writes.
fn zones(random: &mut StdRng) -> BTreeSet<Zone> {
    if random.random_range(0..5) < 2 {
        return Zone::ALL.into();
    }
    let mut zones = [
        Zone::Log,
        Zone::Log,
        Zone::Sst,
        Zone::Manifest,
        Zone::Snapshot,
    ];
    zones.shuffle(random);
    [zones[0]].into()
}

fn words(zones: &BTreeSet<Zone>) -> String {
    if zones.len() == Zone::ALL.len() {
        return "everything".into();
    }
    let words: Vec<&str> = zones.iter().map(|zone| zone.text()).collect();
    words.join(", ")
}
