//! W11: what is left of the peak when ten times the callers come, and how soon all is well when they go.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::bench::{Bench, Setup, tell};
use super::leader::processors;
use super::lines::{Lines, quantile, tenth};
use super::stream::{Sample, Stream};

/// Callers that are tried when the peak is looked for.
const CALLERS: [u32; 6] = [4, 8, 16, 32, 64, 128];
const TRY: Duration = Duration::from_secs(5);
/// How often the callers of the peak and ten times as many take turns, and for how long: a ledger that fills, and files
/// that are merged meanwhile, change its speed more than the crowd does, so that neighbours are compared.
const TURNS: usize = 8;
const TURN: Duration = Duration::from_secs(5);
/// Longest look at how it gets well, in steps of one second.
const WELL_S: u64 = 60;
const LEVEL: Duration = Duration::from_secs(180);

/// One round.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Round {
    /// Seed of the campaign.
    pub seed: u64,
    /// Transfers a second at the peak: median of the turns.
    pub peak_per_s: f64,
    /// Callers at the peak.
    pub callers: u32,
    /// Transfers a second while ten times the callers are there: median of the turns.
    pub goodput_per_s: f64,
    /// Of each turn, that over the peak's: their median.
    pub ratio: f64,
    /// Batches turned away meanwhile; they came again after the node's hint.
    pub turned_away: u64,
    /// Most memory of any node meanwhile, bytes.
    pub rss_max_bytes: u64,
    /// Latency of a batch, ms, 99 of 100: at the peak, and with ten times the callers.
    pub p99_ms: [f64; 2],
    /// s after the crowd has gone until nine tenths of the peak are reached again with its latency at most doubled.
    pub normal_after_s: f64,
    /// Processors of the machine, which runs all nodes and the load.
    pub processors: u64,
}

/// Looks at so many rounds. True when nothing acknowledged was lost.
///
/// # Errors
/// When the cluster does not come back, or files cannot be read or written.
pub async fn overload(setup: &Setup) -> anyhow::Result<bool> {
    let mut lines = Lines::<Round>::open(&setup.results)?;
    let seed = setup.seed + lines.all.len() as u64;
    let mut is_kept = true;
    if (lines.all.len() as u64) < setup.count {
        let bench = Bench::start(setup).await?;
        let mut stream = Stream::prepare(&bench, seed, setup.batch).await?;
        while (lines.all.len() as u64) < setup.count {
            lines.add(one(seed, &bench, &mut stream).await?)?;
        }
        let fates = stream.stop().await;
        let counts = bench.transfer_counts(LEVEL).await?;
        is_kept = counts.iter().all(|count| *count >= fates.acknowledged);
        bench.end(&setup.dir, !is_kept)?;
    }
    for round in &lines.all {
        tell(&format!(
            "peak {}/s with {} callers; with ten times as many {}/s, {} of it; p99 {} and {} ms; most memory {} MiB; normal after {} s",
            round.peak_per_s,
            round.callers,
            round.goodput_per_s,
            round.ratio,
            round.p99_ms[0],
            round.p99_ms[1],
            round.rss_max_bytes >> 20,
            round.normal_after_s,
        ));
    }
    tell(&format!(
        "acknowledged and lost: {}",
        if is_kept { "none" } else { "SOME" }
    ));
    Ok(is_kept)
}

struct Seen {
    per_s: f64,
    p99_ms: f64,
}

fn seen(samples: &[Sample], time: Duration) -> Seen {
    let items: f64 = samples.iter().map(|it| f64::from(it.items)).sum();
    let took: Vec<f64> = samples.iter().map(Sample::took_ms).collect();
    Seen {
        per_s: (items / time.as_secs_f64()).round(),
        p99_ms: tenth(quantile(&took, 990)),
    }
}

/// So many callers for a while; the most memory any node had.
async fn crowd(bench: &Bench, stream: &mut Stream, callers: u32, time: Duration) -> (Seen, u64) {
    let until = Instant::now() + time;
    let mut rss = 0;
    stream.take();
    stream.closed_loop(callers, until);
    while Instant::now() < until {
        let statuses = bench.statuses().await;
        let most = statuses.iter().flatten().map(|it| it.rss_bytes).max();
        rss = rss.max(most.unwrap_or(0));
        sleep(Duration::from_millis(250)).await;
    }
    (seen(&stream.take(), time), rss)
}

async fn one(seed: u64, bench: &Bench, stream: &mut Stream) -> anyhow::Result<Round> {
    bench.wait_level(LEVEL).await?;
    let (mut best, mut callers) = (0.0, CALLERS[0]);
    for count in CALLERS {
        let (now, _) = crowd(bench, stream, count, TRY).await;
        tell(&format!(
            "{count} callers: {}/s, p99 {} ms",
            now.per_s, now.p99_ms
        ));
        // A few percent more for twice the callers is no higher peak.
        if now.per_s > best * 1.05 {
            (best, callers) = (now.per_s, count);
        }
        sleep(Duration::from_secs(1)).await;
    }
    anyhow::ensure!(
        best > 0.0,
        "nothing was acknowledged: is the disk full? The nodes' alarms say"
    );
    let before = stream.fates().turned_away;
    let (mut peaks, mut crowds, mut ratios) = (vec![], vec![], vec![]);
    let mut p99_ms = [vec![], vec![]];
    let mut rss_max_bytes = 0;
    for turn in 0..TURNS {
        let (peak, _) = crowd(bench, stream, callers, TURN).await;
        stream.settle().await;
        let (crowded, rss) = crowd(bench, stream, callers * 10, TURN).await;
        if turn + 1 < TURNS {
            stream.settle().await;
        }
        tell(&format!(
            "turn {}: {callers} callers {}/s, {} callers {}/s",
            turn + 1,
            peak.per_s,
            callers * 10,
            crowded.per_s
        ));
        ratios.push(crowded.per_s / peak.per_s.max(1.0));
        for (all, one) in p99_ms.iter_mut().zip([&peak, &crowded]) {
            all.push(one.p99_ms);
        }
        peaks.push(peak.per_s);
        crowds.push(crowded.per_s);
        rss_max_bytes = rss_max_bytes.max(rss);
    }
    let median = |all: &[f64]| quantile(all, 500);
    let peak = Seen {
        per_s: median(&peaks),
        p99_ms: median(&p99_ms[0]),
    };
    let gone = Instant::now();
    let mut normal_after_s = f64::INFINITY;
    for _ in 0..WELL_S {
        let begun = gone.elapsed().as_secs_f64();
        let (now, _) = crowd(bench, stream, callers, Duration::from_secs(1)).await;
        if now.per_s >= peak.per_s * 0.9 && now.p99_ms <= peak.p99_ms * 2.0 {
            normal_after_s = begun;
            break;
        }
    }
    Ok(Round {
        seed,
        peak_per_s: peak.per_s,
        callers,
        goodput_per_s: median(&crowds),
        ratio: (median(&ratios) * 100.0).round() / 100.0,
        turned_away: stream.fates().turned_away - before,
        rss_max_bytes,
        p99_ms: [peak.p99_ms, median(&p99_ms[1])],
        // JSON has no infinity: longer than was looked at.
        normal_after_s: tenth(normal_after_s.min(WELL_S as f64)),
        processors: processors(),
    })
}
