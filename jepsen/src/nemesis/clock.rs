//! N5: wrong clocks. A node built for tests reads what is wrong with its clock from a file while it runs: it jumps,
//! stands still, goes to and fro. Any other can only be started with a wrong clock.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};

use super::field::Field;
use super::plan::Step;
use crate::history::Phase;

const SECOND_MS: i64 = 1000;
const YEAR_MS: i64 = 365 * 86_400 * SECOND_MS;
/// From a little to ten years, both ways.
const JUMPS_MS: [i64; 10] = [
    -200,
    300,
    -5 * SECOND_MS,
    5 * SECOND_MS,
    -600 * SECOND_MS,
    600 * SECOND_MS,
    -YEAR_MS,
    YEAR_MS,
    -10 * YEAR_MS,
    10 * YEAR_MS,
];

pub(super) async fn jump(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    let jump = JUMPS_MS[random.random_range(0..JUMPS_MS.len())];
    if field.cluster.node(taken.nodes[0]).clock.is_some() && random.random_range(0..4) != 0 {
        return while_running(field, &taken.nodes, jump, step.hold, random).await;
    }
    field.note("clock", Phase::Begin, &taken.nodes, format!("{jump} ms"));
    restart(
        field,
        &taken.nodes,
        vec!["--clock-skew-ms".into(), jump.to_string()],
    );
    sleep(step.hold + Duration::from_secs(2)).await;
    restart(field, &taken.nodes, Vec::new());
    field.note("clock", Phase::End, &taken.nodes, "");
    sleep(Duration::from_secs(1)).await;
}

/// Without a restart. At the end the clock is right again, which is one more jump.
async fn while_running(
    field: &Arc<Field>,
    nodes: &[u64],
    jump: i64,
    hold: Duration,
    random: &mut StdRng,
) {
    let words = format!("skew {jump}");
    let (kind, detail) = match random.random_range(0..3) {
        0 => ("jump", format!("{jump} ms, running")),
        1 => ("freeze", "stands still".to_owned()),
        _ => ("strobe", format!("to and fro by {jump} ms")),
    };
    field.note("clock", Phase::Begin, nodes, detail);
    match kind {
        "jump" => set(field, nodes, &words),
        "freeze" => set(field, nodes, "freeze"),
        _ => {
            let until = Instant::now() + hold;
            let mut is_wrong = false;
            while Instant::now() < until {
                is_wrong = !is_wrong;
                set(field, nodes, if is_wrong { &words } else { "" });
                sleep(Duration::from_millis(random.random_range(20..200))).await;
            }
        }
    }
    if kind != "strobe" {
        sleep(hold).await;
    }
    set(field, nodes, "");
    field.reached(&format!("clock.{kind}"));
    field.note("clock", Phase::End, nodes, "");
}

fn set(field: &Field, nodes: &[u64], words: &str) {
    for node in nodes {
        let file = field.cluster.node(*node).clock.as_ref();
        if let Some(Err(error)) = file.map(|file| std::fs::write(file, words)) {
            field.trouble(format!("the clock of node {node} cannot be set: {error}"));
        }
    }
}

fn restart(field: &Field, nodes: &[u64], flags: Vec<String>) {
    for node in nodes {
        field.cluster.node(*node).kill();
        field.cluster.node(*node).set_flags(flags.clone());
        field.start(*node);
    }
}
