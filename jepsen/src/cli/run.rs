//! `jepsen run`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::check::code;
use crate::campaign::Setup;
use crate::check::Verdict;
use crate::disk;
use crate::hosts::Namespaces;
use crate::nemesis::{Name as Nemesis, Target};
use crate::run::{HostsMode, Options, Summary, accompanied};
use crate::workload::Name as Workload;

/// Start a cluster, let clients work on it, break it, heal it, and judge what the clients saw.
///
/// Exit code as of `check`: 0 ok, 1 fail, 2 usage or could not run, 3 unknown, 4 rejected, 5 harness failure.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// What clients do; several at a time with commas.
    #[arg(
        short,
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "transfer"
    )]
    workload: Vec<Workload>,
    /// What is broken; several at a time with commas.
    #[arg(short, long, value_enum, value_delimiter = ',', default_value = "none")]
    nemesis: Vec<Nemesis>,
    /// Seed of every choice; a new one when it is left out.
    #[arg(short, long)]
    seed: Option<u64>,
    /// Folder for what the run leaves behind; must not hold a run yet.
    #[arg(short, long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
}

/// What `run` and `matrix` have in common.
#[derive(Clone, Debug, Args)]
pub(super) struct Shape {
    /// Only these nodes; several with commas. Left out: all kinds.
    #[arg(long = "target", value_enum, value_delimiter = ',')]
    targets: Vec<Target>,
    /// Seconds of load and faults.
    #[arg(short, long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..86_400))]
    time: u64,
    /// Number of nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=9))]
    nodes: u64,
    /// Requests a second that the clients try, all together.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..100_000))]
    rate: u32,
    /// The node program.
    #[arg(long, env = "FARTHING_NODE_BIN")]
    node_bin: Option<PathBuf>,
    /// Put every node's data on a disk that can be broken, also when nothing breaks it.
    #[arg(long)]
    disks: bool,
    /// Let disks say that the log is synced and lose it with their power: such a run must fail.
    #[arg(long, hide = true)]
    lying_disks: bool,
    /// Mean seconds between two faults of one nemesis, and the longest that one lasts; a fault that needs more takes
    /// it. Left out: 0.7 to 3 seconds between, up to 4 seconds each.
    #[arg(long, value_parser = seconds)]
    faults_every: Option<Duration>,
    /// Files that are damaged at a time, by the nemeses that damage files.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50))]
    damages: u32,
    /// What is between hosts.
    #[arg(long, value_enum, default_value_t = HostsMode::Proxy)]
    hosts: HostsMode,
    /// Prefix of the namespaces in which this process was started again.
    #[arg(long, hide = true)]
    inside: Option<String>,
}

impl Shape {
    /// With namespaces the whole harness has to live in one: starts this program again there and waits for it.
    pub(super) fn elsewhere(&self) -> anyhow::Result<Option<ExitCode>> {
        if self.hosts == HostsMode::Proxy || self.inside.is_some() {
            return Ok(None);
        }
        let made = Namespaces::make(self.nodes).context("no namespaces; try --hosts proxy")?;
        let mut command = tokio::process::Command::new("ip");
        command
            .args(["netns", "exec", &made.harness()])
            .arg(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .args(["--inside", made.prefix()]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let status = runtime.block_on(async {
            let mut child = command.spawn()?;
            loop {
                tokio::select! {
                    status = child.wait() => return status,
                    // It hears of it as well, and the namespaces must outlive it.
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
        })?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(Some(ExitCode::from(code.unwrap_or(2))))
    }

    /// A run of this shape.
    pub(super) fn options(
        &self,
        workloads: &[Workload],
        nemeses: &[Nemesis],
        seed: u64,
        dir: &Path,
    ) -> anyhow::Result<Options> {
        let program = self.program()?;
        let nemeses = accompanied(workloads, nemeses);
        if nemeses.contains(&Nemesis::Members) && self.hosts == HostsMode::Netns {
            bail!("members come and go with --hosts proxy only: namespaces are made beforehand");
        }
        if nemeses.contains(&Nemesis::Failpoint) && !has_flag(&program, "--failpoint")? {
            bail!(
                "{} has no named points: build it with `cargo build --release -p farthing-node --features failpoints`",
                program.display()
            );
        }
        if self.disks || nemeses.iter().any(|name| name.breaks_disks()) {
            disk::sweep();
            disk::available().context("disks cannot be broken here")?;
        }
        let has_clocks = nemeses.contains(&Nemesis::Clock) && has_flag(&program, "--clock-file")?;
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        Ok(Options {
            workloads: workloads.to_vec(),
            nemeses,
            targets: self.targets.clone(),
            time_s: self.time,
            seed,
            nodes: self.nodes,
            rate: self.rate,
            program,
            hosts: self.hosts,
            namespaces: self.inside.clone(),
            has_disks: self.disks,
            disks_lie: self.lying_disks,
            has_clocks,
            damages: self.damages,
            faults_every: self.faults_every,
            dir: dir.canonicalize()?,
        })
    }

    /// Faults come at least this close, unless it was said how close.
    pub(super) fn hurry(&mut self, every: Duration) {
        self.faults_every.get_or_insert(every);
    }

    /// A measured campaign of this shape.
    pub(super) fn setup(
        &self,
        dir: PathBuf,
        results: PathBuf,
        count: u64,
        batch: u32,
        seed: u64,
    ) -> anyhow::Result<Setup> {
        Ok(Setup {
            program: self.program()?,
            nodes: self.nodes,
            dir,
            results,
            count,
            rate: self.rate,
            batch,
            seed,
        })
    }

    /// Seconds of load.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    fn program(&self) -> anyhow::Result<PathBuf> {
        let own = std::env::current_exe()?;
        let beside = own.with_file_name("farthing-node");
        let program = self.node_bin.clone().unwrap_or(beside);
        let missing = || {
            format!(
                "{}: build farthing-node, or name it with --node-bin",
                program.display()
            )
        };
        program.canonicalize().with_context(missing)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    if !(0.05..=3600.0).contains(&seconds) {
        return Err("between 0.05 and 3600 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Whether the node program knows a flag: those for tests are in builds for tests only.
fn has_flag(program: &Path, flag: &str) -> anyhow::Result<bool> {
    let help = std::process::Command::new(program).arg("--help").output()?;
    Ok(String::from_utf8_lossy(&help.stdout).contains(flag))
}

/// Carries a run out on a runtime of its own.
pub(super) fn carry_out(options: &Options) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    runtime.block_on(crate::run::run(options))
}

/// One line on a run that has ended.
pub(super) fn say(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let word = match summary.report.verdict {
        Verdict::Ok => "ok",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::Rejected => "rejected",
        Verdict::HarnessFailure => "harness-failure",
    };
    let counts = &summary.report.counts;
    writeln!(
        out,
        "{word}: {} / {} seed {}: {} ok, {} fail, {} info, {} faults, {} hands, {} s: {}",
        summary.workload,
        summary.nemesis,
        summary.seed,
        counts.ok,
        counts.fail,
        counts.info,
        summary.faults,
        summary.hands,
        summary.took_s,
        summary.report.reason
    )
}

impl Run {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let seed = self
            .seed
            .unwrap_or_else(|| u64::from(rand::random::<u32>()));
        let first = |list: &[&'static str]| list.join("+");
        let workloads: Vec<_> = self.workload.iter().map(|name| name.text()).collect();
        let nemeses: Vec<_> = self.nemesis.iter().map(|name| name.text()).collect();
        let dir = self.dir.clone().unwrap_or_else(|| {
            let name = format!("{}-{}-{seed}", first(&workloads), first(&nemeses));
            PathBuf::from("jepsen-runs").join(name)
        });
        let options = self
            .shape
            .options(&self.workload, &self.nemesis, seed, &dir)?;
        let mut out = io::stdout().lock();
        let between = match options.hosts {
            HostsMode::Proxy => "loopback addresses and a proxy between all of them",
            HostsMode::Netns => {
                "network namespaces, veth and a bridge; cuts by blackhole routes; the proxy for clients"
            }
        };
        writeln!(out, "seed {seed}, hosts: {between}")?;
        writeln!(out, "{}", options.command())?;
        let summary = carry_out(&options)?;
        say(&summary, &mut out)?;
        writeln!(out, "{}", options.dir.join("report.html").display())?;
        Ok(ExitCode::from(code(summary.report.verdict)))
    }
}
