//! Faults of processes: killed, paused, slow, and with nobody who reads what they say.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::field::Field;
use super::plan::Step;
use crate::history::Phase;
use crate::hosts::{Output, Quota};

/// N1. Some come back at once, some after the hold.
pub(super) async fn kill(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    field.note(
        "kill",
        Phase::Begin,
        &taken.nodes,
        format!("{:?}", step.target),
    );
    for node in &taken.nodes {
        field.cluster.node(*node).kill();
    }
    if random.random_range(0..4) != 0 {
        sleep(step.hold).await;
    }
    taken.nodes.iter().for_each(|node| field.start(*node));
    field.note("kill", Phase::End, &taken.nodes, "");
    // Time to open its files, so that not every kill meets a node that only begins to live.
    sleep(Duration::from_millis(random.random_range(0..1500))).await;
}

/// N2.
pub(super) async fn pause(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    field.note(
        "pause",
        Phase::Begin,
        &taken.nodes,
        format!("{:?}", step.target),
    );
    for node in &taken.nodes {
        field.cluster.node(*node).signal(Signal::STOP);
    }
    sleep(step.hold).await;
    for node in &taken.nodes {
        field.cluster.node(*node).signal(Signal::CONT);
    }
    field.note("pause", Phase::End, &taken.nodes, "");
}

/// N17. It begins and ends with a restart, since a process keeps the pipes it was born with.
pub(super) async fn block_output(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    field.note(
        "stdout",
        Phase::Begin,
        &taken.nodes,
        "pipes that nobody reads",
    );
    for node in &taken.nodes {
        // A pipe holds 64 KiB; only a talkative node fills it.
        let talkative = ["--log-filter", "debug"].map(str::to_owned).to_vec();
        field.cluster.node(*node).kill();
        field.cluster.node(*node).set_flags(talkative);
        field.start_with(*node, Output::Blocked);
    }
    sleep(step.hold.max(Duration::from_secs(3))).await;
    for node in &taken.nodes {
        field.cluster.node(*node).kill();
        field.cluster.node(*node).set_flags(Vec::new());
        field.start(*node);
    }
    field.note("stdout", Phase::End, &taken.nodes, "");
    sleep(Duration::from_secs(1)).await;
}

/// N23. With the right to it, by the kernel's quota; else stopped most of the time, in slices far below an election
/// timeout.
pub(super) async fn squeeze(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    let percent: u64 = random.random_range(5..40);
    let nodes = || taken.nodes.iter().map(|node| field.cluster.node(*node));
    let processes: Vec<u32> = nodes().filter_map(crate::hosts::Node::pid).collect();
    let quota = Quota::give(percent * processes.len().max(1) as u64, &processes);
    let how = if quota.is_ok() { "a quota" } else { "signals" };
    let detail = format!("{percent} % of the time, by {how}");
    field.note("cpu", Phase::Begin, &taken.nodes, detail);
    field.reached(&format!("cpu.by {how}"));
    if let Ok(quota) = quota {
        sleep(step.hold).await;
        drop(quota);
    } else {
        let until = Instant::now() + step.hold;
        while Instant::now() < until {
            nodes().for_each(|node| node.signal(Signal::STOP));
            sleep(Duration::from_millis(100 - percent)).await;
            nodes().for_each(|node| node.signal(Signal::CONT));
            sleep(Duration::from_millis(percent)).await;
        }
    }
    field.note("cpu", Phase::End, &taken.nodes, "");
}
