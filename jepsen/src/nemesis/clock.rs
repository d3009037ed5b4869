//! N5: wrong clocks. A node's clock can be set when it starts, so every jump comes with a restart.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::sleep;

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

fn restart(field: &Field, nodes: &[u64], flags: Vec<String>) {
    for node in nodes {
        field.cluster.node(*node).kill();
        field.cluster.node(*node).set_flags(flags.clone());
        field.start(*node);
    }
}
