//! How long nobody can write when the leader dies, again and again, under load that does not wait.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use super::bench::{Bench, Setup, tell};
use super::lines::{Lines, quantile, tenth};
use super::stream::{Sample, Stream};

/// Time between a cluster that is whole again and the next kill.
const CALM_MS: std::ops::Range<u64> = 500..2000;
/// Nobody writes for so long: that is no failover any more.
const RESUME: Duration = Duration::from_secs(30);
const LEVEL: Duration = Duration::from_secs(120);

/// One leader killed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Kill {
    /// Seed of the campaign.
    pub seed: u64,
    /// Transfers offered a second.
    pub rate: u32,
    /// ms until a transfer sent after the kill was acknowledged.
    pub resume_ms: f64,
    /// ms that the slowest acknowledged batch that was due after the kill took.
    pub slowest_ms: f64,
    /// ms until the killed node followed again and had caught up.
    pub whole_ms: f64,
    /// Processors of the machine, which runs all nodes and the load.
    pub processors: u64,
}

/// Kills the leader until the file of results holds so many. True when nothing acknowledged was lost.
///
/// # Errors
/// When the cluster does not come back, or files cannot be read or written.
pub async fn leader_kill(setup: &Setup) -> anyhow::Result<bool> {
    let mut lines = Lines::<Kill>::open(&setup.results)?;
    let done = |lines: &Lines<Kill>| {
        let same = lines.all.iter().filter(|it| it.rate == setup.rate);
        same.map(|it| it.resume_ms).collect::<Vec<f64>>()
    };
    let seed = setup.seed + lines.all.len() as u64;
    let mut is_kept = true;
    if (done(&lines).len() as u64) < setup.count {
        let bench = Bench::start(setup).await?;
        let mut stream = Stream::prepare(&bench, seed, setup.batch).await?;
        stream.open_loop(setup.rate);
        let mut random = StdRng::seed_from_u64(seed);
        while (done(&lines).len() as u64) < setup.count {
            let kill = one(setup, seed, &bench, &stream, &mut random).await?;
            let number = done(&lines).len() + 1;
            tell(&format!(
                "{number} of {}: writes resume after {} ms, all nodes serve after {} ms",
                setup.count, kill.resume_ms, kill.whole_ms
            ));
            lines.add(kill)?;
        }
        let fates = stream.stop().await;
        let counts = bench.transfer_counts(LEVEL).await?;
        is_kept = counts.iter().all(|count| *count >= fates.acknowledged);
        tell(&format!(
            "acknowledged {}, unknown {}, not sent {}; on the nodes {counts:?}",
            fates.acknowledged, fates.unknown, fates.not_sent
        ));
        bench.end(&setup.dir, !is_kept)?;
    }
    let resume = done(&lines);
    tell(&format!(
        "{} leaders killed at {} transfers/s: writes resume after p50 {} ms, p99 {} ms, max {} ms; acknowledged and lost: {}",
        resume.len(),
        setup.rate,
        tenth(quantile(&resume, 500)),
        tenth(quantile(&resume, 990)),
        tenth(quantile(&resume, 1000)),
        if is_kept { "none" } else { "SOME" },
    ));
    Ok(is_kept)
}

async fn one(
    setup: &Setup,
    seed: u64,
    bench: &Bench,
    stream: &Stream,
    random: &mut StdRng,
) -> anyhow::Result<Kill> {
    let leader = bench.wait_level(LEVEL).await?;
    sleep(Duration::from_millis(random.random_range(CALM_MS))).await;
    // It may have moved meanwhile.
    let leader = bench.leader().await.unwrap_or(leader);
    stream.take();
    let killed = Instant::now();
    bench.cluster.node(leader).kill();
    let mut samples = Vec::new();
    let resumed = async {
        loop {
            samples.extend(stream.take());
            let after = samples.iter().filter(|it: &&Sample| it.due > killed);
            if let Some(first) = after.map(|it| it.done).min() {
                return first;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let first = timeout(RESUME, resumed).await;
    let first = first.map_err(|_| anyhow::anyhow!("no write succeeds {RESUME:?} after a kill"))?;
    bench.cluster.start(leader, crate::hosts::Output::Log)?;
    bench.wait_level(LEVEL).await?;
    let whole = killed.elapsed();
    samples.extend(stream.take());
    let after = samples.iter().filter(|it| it.due > killed);
    let slowest = after.map(Sample::took_ms).fold(0.0, f64::max);
    Ok(Kill {
        seed,
        rate: setup.rate,
        resume_ms: tenth((first - killed).as_secs_f64() * 1000.0),
        slowest_ms: tenth(slowest),
        whole_ms: tenth(whole.as_secs_f64() * 1000.0),
        processors: processors(),
    })
}

/// Processors of the machine.
pub(super) fn processors() -> u64 {
    std::thread::available_parallelism().map_or(0, |count| count.get() as u64)
}
