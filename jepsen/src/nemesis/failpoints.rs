//! N24: nodes that fail, die or dawdle at a named point. Needs a node program with the feature `failpoints`.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};

use super::field::Field;
use super::plan::Step;
use crate::history::Phase;

/// The points of a node.
pub const POINTS: [&str; 42] = [
    "log.append.before_write",
    "log.append.after_write",
    "log.append.before_sync",
    "log.append.after_sync",
    "log.roll.before_sync",
    "log.roll.before_start",
    "log.roll.before_rename",
    "log.roll.after_start",
    "log.pool.before_fill",
    "log.purge.before_recycle",
    "log.purge.before_write",
    "log.truncate.before_write",
    "state.before_apply",
    "state.before_respond",
    "storage.run.begin",
    "storage.run.transfers.written",
    "storage.run.transfers",
    "storage.run.ids.written",
    "storage.run.ids",
    "storage.run.history.written",
    "storage.run.history",
    "storage.run.user_data.written",
    "storage.run.user_data",
    "storage.run.events.written",
    "storage.run.events",
    "storage.run.account_times.written",
    "storage.run.account_times",
    "storage.run.merkle.written",
    "storage.run.merkle",
    "storage.run.current.written",
    "storage.run.committed",
    "storage.checkpoint.begin",
    "storage.checkpoint.linked",
    "storage.checkpoint.summed",
    "storage.checkpoint.manifest",
    "storage.checkpoint.named",
    "storage.install.checked",
    "storage.install.runs_stopped",
    "storage.install.moved",
    "storage.generation.before_switch",
    "storage.generation.after_switch",
    "storage.install.published",
];

/// A restart with one point set. A node that dies there is started again without it.
pub(super) async fn hit(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(taken) = field.take(field.nodes(step.target, random)) else {
        return;
    };
    let point = POINTS[random.random_range(0..POINTS.len())];
    let after = if point.starts_with("log.append") || point.starts_with("state.") {
        random.random_range(0..200)
    } else {
        random.random_range(0..3)
    };
    let action = match random.random_range(0..5) {
        0 => "sleep(300)",
        1 => "1*sleep(3000)",
        2 => "return",
        _ => "panic",
    };
    let setting = format!("{point}={after}*off->{action}");
    field.note("failpoint", Phase::Begin, &taken.nodes, setting.clone());
    for node in &taken.nodes {
        let node = field.cluster.node(*node);
        node.kill();
        node.set_flags(vec!["--failpoint".into(), setting.clone()]);
        field.start(node.id);
        node.excuse();
    }
    let until = Instant::now() + step.hold + Duration::from_secs(2);
    let mut dead: Vec<u64> = Vec::new();
    while Instant::now() < until && dead.len() < taken.nodes.len() {
        sleep(Duration::from_millis(100)).await;
        for node in &taken.nodes {
            // The watcher has noted its end and taken its process away.
            if field.cluster.node(*node).pid().is_none() && !dead.contains(node) {
                field.reached(&format!("failpoint.{point}"));
                dead.push(*node);
            }
        }
    }
    for node in &taken.nodes {
        let node = field.cluster.node(*node);
        node.kill();
        node.set_flags(Vec::new());
        field.start(node.id);
    }
    let fired = if dead.is_empty() { "" } else { "died there" };
    field.note("failpoint", Phase::End, &taken.nodes, fired);
    sleep(Duration::from_millis(500)).await;
}
