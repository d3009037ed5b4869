//! Faults of the network between nodes, and between them and clients.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep};

use super::field::Field;
use super::plan::Step;
use crate::history::Phase;
use crate::hosts::CLIENTS;

/// One direction that is cut.
type Cut = (u64, u64);

/// N3.
pub(super) async fn partition(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let (name, cuts) = shape(field, random);
    let flaps = random.random_range(0..5) == 0;
    let detail = format!("{name}{}", if flaps { ", flapping" } else { "" });
    let mut nodes: Vec<u64> = cuts.iter().flat_map(|(from, to)| [*from, *to]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes.retain(|node| *node != CLIENTS);
    field.note("partition", Phase::Begin, &nodes, detail);
    cut(field, &cuts, true);
    if flaps {
        let until = Instant::now() + step.hold;
        let mut broken = true;
        while Instant::now() < until {
            sleep(Duration::from_millis(random.random_range(50..700))).await;
            broken = !broken;
            cut(field, &cuts, broken);
        }
    } else {
        sleep(step.hold).await;
    }
    cut(field, &cuts, false);
    // Half of the time the connections do not outlive it.
    if random.random() {
        cuts.iter()
            .for_each(|(a, b)| field.cluster.links.reset(*a, *b));
    }
    field.note("partition", Phase::End, &nodes, "");
}

fn cut(field: &Field, cuts: &[Cut], broken: bool) {
    for (from, to) in cuts {
        field
            .cluster
            .links
            .change(*from, *to, |link| link.cut = broken);
    }
}

fn shape(field: &Field, random: &mut StdRng) -> (&'static str, Vec<Cut>) {
    let mut all = field.cluster.ids();
    all.shuffle(random);
    let leader = field.leader_or_any(random);
    let others = |node: u64| all.iter().copied().filter(move |other| *other != node);
    let both = |a: u64, b: u64| [(a, b), (b, a)];
    match random.random_range(0..9) {
        0 => {
            let one = all[0];
            (
                "one",
                others(one).flat_map(|other| both(one, other)).collect(),
            )
        }
        1 => {
            let cuts = others(leader).flat_map(|other| both(leader, other));
            ("the leader, from the nodes", cuts.collect())
        }
        2 => {
            let everybody = others(leader).chain([CLIENTS]);
            let cuts = everybody.flat_map(|other| both(leader, other));
            ("the leader, from everybody", cuts.collect())
        }
        3 => {
            let (left, right) = all.split_at(all.len() / 2);
            let pairs = left
                .iter()
                .flat_map(|a| right.iter().map(move |b| (*a, *b)));
            ("halves", pairs.flat_map(|(a, b)| both(a, b)).collect())
        }
        // One node sees all others, and they see only that one.
        4 => {
            let rest = &all[1..];
            let pairs = rest.iter().flat_map(|a| rest.iter().map(move |b| (*a, *b)));
            ("bridge", pairs.filter(|(a, b)| a != b).collect())
        }
        // Every node sees its two neighbours; with three nodes one link is cut.
        5 => {
            let count = all.len();
            let far = |a: usize, b: usize| {
                let distance = a.abs_diff(b);
                distance.min(count - distance) > 1
            };
            let mut cuts = Vec::new();
            for a in 0..count {
                for b in 0..count {
                    if far(a, b) || (count == 3 && a + b == 1) {
                        cuts.push((all[a], all[b]));
                    }
                }
            }
            ("ring", cuts)
        }
        6 => {
            let cuts = others(leader).map(|other| (leader, other));
            ("one way: nobody hears the leader", cuts.collect())
        }
        7 => {
            let cuts = others(leader).map(|other| (other, leader));
            ("one way: the leader hears nobody", cuts.collect())
        }
        _ => {
            let node = if random.random() { leader } else { all[0] };
            let cuts = match random.random_range(0..3) {
                0 => both(CLIENTS, node).to_vec(),
                1 => vec![(node, CLIENTS)],
                _ => vec![(CLIENTS, node)],
            };
            ("clients' side", cuts)
        }
    }
}

/// N4.
pub(super) async fn worsen(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let nodes = field.nodes(step.target, random);
    let kind = random.random_range(0..5);
    let ms = |random: &mut StdRng, range: std::ops::Range<u64>| {
        Duration::from_millis(random.random_range(range))
    };
    let (delay, jitter) = (ms(random, 5..200), ms(random, 20..400));
    let (loss, resets) = (random.random_range(20..200), random.random_range(1..30));
    let rate = random.random_range(20_000..400_000);
    let detail = match kind {
        0 => format!("delay {delay:?}"),
        1 => format!("up to {jitter:?} between connections"),
        2 => format!("{loss} of 1000 pieces lost"),
        3 => format!("{rate} bytes/s"),
        _ => format!("reset at {resets} of 1000 pieces"),
    };
    field.note("net", Phase::Begin, &nodes, detail);
    let mut hosts = field.cluster.ids();
    hosts.push(CLIENTS);
    let pairs: Vec<Cut> = nodes
        .iter()
        .flat_map(|node| hosts.iter().map(move |other| (*node, *other)))
        .filter(|(a, b)| a != b)
        .flat_map(|(a, b)| [(a, b), (b, a)])
        .collect();
    for (from, to) in &pairs {
        field.cluster.links.change(*from, *to, |link| match kind {
            0 => link.delay = delay,
            1 => link.jitter = jitter,
            2 => link.loss_per_mille = loss,
            3 => link.bytes_per_s = rate,
            _ => link.reset_per_mille = resets,
        });
    }
    sleep(step.hold).await;
    for (from, to) in &pairs {
        field.cluster.links.change(*from, *to, |link| {
            let cut = link.cut;
            *link = crate::hosts::Link::default();
            link.cut = cut;
        });
    }
    field.note("net", Phase::End, &nodes, "");
}
