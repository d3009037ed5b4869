//! What a dead or paused follower costs those who write.

use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::bench::{Bench, Setup, tell};
use super::leader::processors;
use super::lines::{Lines, quantile, tenth};
use super::stream::{Sample, Stream};

/// How long each state is looked at, and the time before the first.
const LOOK: Duration = Duration::from_secs(15);
const WARM: Duration = Duration::from_secs(5);
const LEVEL: Duration = Duration::from_secs(120);

/// One round: whole, a follower paused, whole, a follower dead.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Round {
    /// Seed of the campaign.
    pub seed: u64,
    /// Transfers offered a second.
    pub rate: u32,
    /// Write latency from when a batch was due, ms, 99 of 100: with all nodes.
    pub healthy_p99_ms: f64,
    /// The same with a follower paused, from its first moment on.
    pub paused_p99_ms: f64,
    /// The same with a follower dead, from its first moment on.
    pub dead_p99_ms: f64,
    /// Longest of all, ms: with all nodes, paused, dead.
    pub max_ms: [f64; 3],
    /// Processors of the machine, which runs all nodes and the load.
    pub processors: u64,
}

/// Looks at so many rounds. True when nothing acknowledged was lost.
///
/// # Errors
/// When the cluster does not come back, or files cannot be read or written.
pub async fn follower_dead(setup: &Setup) -> anyhow::Result<bool> {
    let mut lines = Lines::<Round>::open(&setup.results)?;
    let seed = setup.seed + lines.all.len() as u64;
    let done = |lines: &Lines<Round>| {
        let same = lines.all.iter().filter(|it| it.rate == setup.rate);
        same.cloned().collect::<Vec<Round>>()
    };
    let mut is_kept = true;
    if (done(&lines).len() as u64) < setup.count {
        let bench = Bench::start(setup).await?;
        let mut stream = Stream::prepare(&bench, seed, setup.batch).await?;
        stream.open_loop(setup.rate);
        sleep(WARM).await;
        while (done(&lines).len() as u64) < setup.count {
            let round = one(setup, seed, &bench, &stream).await?;
            tell(&format!(
                "p99 of writes: healthy {} ms, a follower paused {} ms, dead {} ms",
                round.healthy_p99_ms, round.paused_p99_ms, round.dead_p99_ms
            ));
            lines.add(round)?;
        }
        let fates = stream.stop().await;
        let counts = bench.transfer_counts(LEVEL).await?;
        is_kept = counts.iter().all(|count| *count >= fates.acknowledged);
        bench.end(&setup.dir, !is_kept)?;
    }
    let rounds = done(&lines);
    let median = |value: fn(&Round) -> f64| {
        let values: Vec<f64> = rounds.iter().map(value).collect();
        (quantile(&values, 500) * 100.0).round() / 100.0
    };
    tell(&format!(
        "{} rounds at {} transfers/s: p99 of writes against healthy, median of rounds: paused {}, dead {}; acknowledged and lost: {}",
        rounds.len(),
        setup.rate,
        median(|it| it.paused_p99_ms / it.healthy_p99_ms.max(0.1)),
        median(|it| it.dead_p99_ms / it.healthy_p99_ms.max(0.1)),
        if is_kept { "none" } else { "SOME" },
    ));
    Ok(is_kept)
}

async fn one(setup: &Setup, seed: u64, bench: &Bench, stream: &Stream) -> anyhow::Result<Round> {
    let follower = |leader: u64| 1 + leader % bench.cluster.nodes.len() as u64;
    let leader = bench.wait_level(LEVEL).await?;
    let healthy = look(stream).await;
    let node = bench.cluster.node(follower(leader));
    node.signal(Signal::STOP);
    let paused = look(stream).await;
    node.signal(Signal::CONT);
    let leader = bench.wait_level(LEVEL).await?;
    sleep(WARM).await;
    let healthy_again = look(stream).await;
    let node = bench.cluster.node(follower(leader));
    node.kill();
    let dead = look(stream).await;
    bench.cluster.start(node.id, crate::hosts::Output::Log)?;
    bench.wait_level(LEVEL).await?;
    sleep(WARM).await;
    let healthy: Vec<f64> = healthy.into_iter().chain(healthy_again).collect();
    let p99 = |values: &[f64]| tenth(quantile(values, 990));
    let max = |values: &[f64]| tenth(quantile(values, 1000));
    Ok(Round {
        seed,
        rate: setup.rate,
        healthy_p99_ms: p99(&healthy),
        paused_p99_ms: p99(&paused),
        dead_p99_ms: p99(&dead),
        max_ms: [max(&healthy), max(&paused), max(&dead)],
        processors: processors(),
    })
}

/// How long writes take now, ms.
async fn look(stream: &Stream) -> Vec<f64> {
    stream.take();
    sleep(LOOK).await;
    stream.take().iter().map(Sample::took_ms).collect()
}
