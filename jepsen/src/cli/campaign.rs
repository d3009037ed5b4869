//! `jepsen campaign`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::run::{Shape, carry_out};
use crate::campaign::{Judged, follower_dead, leader_kill, overload};
use crate::run::interrupted;
use crate::workload::Name as Workload;

/// Ask one question so often that the answer is a figure.
///
/// Every piece is appended to a file of results, jepsen/results/NAME.jsonl; begun again, it goes on where that ends.
/// Exit code: 0 when nothing was wrong, 1 when something was, 2 usage or could not run.
#[derive(Debug, Args)]
pub(super) struct Campaign {
    /// Which one.
    #[arg(value_enum)]
    name: Name,
    /// How often: kills, rounds or faults. Left out: 200 kills, 5 rounds, 1 round of overload, 2000 damaged files, 300
    /// losses of power, 100 amnesias.
    #[arg(long)]
    count: Option<u64>,
    /// Transfers in one request, of the campaigns that measure.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=8000))]
    batch: u32,
    /// File of results.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Folder for what runs leave behind.
    #[arg(short, long, default_value = "jepsen-runs")]
    dir: PathBuf,
    /// Seed of the first piece; the next has the next.
    #[arg(short, long, default_value_t = 1)]
    seed: u64,
    /// Only this workload, of the campaigns that are judged. Left out: one after the other.
    #[arg(short, long, value_enum)]
    workload: Option<Workload>,
    #[command(flatten)]
    shape: Shape,
}

/// The campaigns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Name {
    /// The leader is killed under load: until writes resume. --rate transfers are offered a second, whatever happens.
    LeaderKill,
    /// A follower is paused, then dead: what writes take against healthy at the same --rate.
    FollowerDead,
    /// W11: the peak is looked for, then ten times the callers come.
    Overload,
    /// Files are damaged between a kill and a start, several at a time, in all zones.
    Corruption,
    /// Disks lose their power under one node, the majority, all.
    PowerLoss,
    /// A node forgets what it promised, and has to decide then.
    Amnesia,
}

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::LeaderKill => "leader-kill",
            Self::FollowerDead => "follower-dead",
            Self::Overload => "overload",
            Self::Corruption => Judged::CORRUPTION.name,
            Self::PowerLoss => Judged::POWER_LOSS.name,
            Self::Amnesia => Judged::AMNESIA.name,
        }
    }

    fn count(self) -> u64 {
        match self {
            Self::LeaderKill => 200,
            Self::FollowerDead => 5,
            Self::Overload => 1,
            Self::Corruption => 2000,
            Self::PowerLoss => 300,
            Self::Amnesia => 100,
        }
    }
}

/// What clients do in judged campaigns, one run after the other.
const WORKLOADS: [Workload; 5] = [
    Workload::Transfer,
    Workload::Bank,
    Workload::TwoPhase,
    Workload::Idempotence,
    Workload::Linked,
];
/// Faults come this close in judged campaigns, unless it is said otherwise.
const EVERY: Duration = Duration::from_millis(600);

impl Campaign {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        if let Some(code) = self.shape.elsewhere()? {
            return Ok(code);
        }
        let count = self.count.unwrap_or(self.name.count());
        let file = format!("jepsen/results/{}.jsonl", self.name.text());
        let results = self.results.clone().unwrap_or_else(|| file.into());
        let well = match self.name {
            Name::Corruption => self.judged(&Judged::CORRUPTION, &results, count)?,
            Name::PowerLoss => self.judged(&Judged::POWER_LOSS, &results, count)?,
            Name::Amnesia => self.judged(&Judged::AMNESIA, &results, count)?,
            _ => self.measured(results, count)?,
        };
        Ok(ExitCode::from(u8::from(!well)))
    }

    fn judged(&self, campaign: &Judged, results: &Path, count: u64) -> anyhow::Result<bool> {
        let mut shape = self.shape.clone();
        shape.hurry(EVERY);
        let run = |seed: u64, target| {
            let workload = self
                .workload
                .unwrap_or(WORKLOADS[seed as usize % WORKLOADS.len()]);
            let dir = free(&self.dir, &format!("{}-{seed}", campaign.name));
            let mut options = shape.options(&[workload], campaign.nemeses, seed, &dir)?;
            options.damages = options.damages.max(campaign.damages);
            if let Some(target) = target
                && options.targets.is_empty()
            {
                options.targets = vec![target];
            }
            carry_out(&options)
        };
        campaign.carry_out(results, count, self.seed, run, &mut io::stdout())
    }

    fn measured(&self, results: PathBuf, count: u64) -> anyhow::Result<bool> {
        let dir = self
            .dir
            .join(format!("{}-{}", self.name.text(), std::process::id()));
        let setup = self
            .shape
            .setup(dir, results, count, self.batch, self.seed)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let measured = async {
                match self.name {
                    Name::LeaderKill => leader_kill(&setup).await,
                    Name::FollowerDead => follower_dead(&setup).await,
                    _ => overload(&setup).await,
                }
            };
            // Its nodes end with it; what was measured so far is in the file.
            tokio::select! {
                done = measured => done,
                () = interrupted() => bail!("interrupted; what was measured is in {}", setup.results.display()),
            }
        })
    }
}

/// A folder that is not there yet: what an interrupted run left stays for whoever wants to see it.
fn free(parent: &Path, name: &str) -> PathBuf {
    let mut dir = parent.join(name);
    for again in 2.. {
        if !dir.exists() {
            break;
        }
        dir = parent.join(format!("{name}-{again}"));
    }
    dir
}
