//! One run: a cluster, clients that work, a nemesis that breaks, and at the end everything healed, read and judged.
//!
//! It knows the order in which that happens and what a run leaves behind. It deliberately does not know what is right:
//! it asks [`crate::check`].
//!
//! Start at [`Options`] and [`run`].

mod folder;
mod last;
mod load;
mod options;
mod settle;
mod watch;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep, sleep_until};

pub use folder::{Summary, summary_of};
pub use options::{HostsMode, Options, accompanied};

use crate::check::{Checker, Report, Verdict, Violation, check};
use crate::disk::Zone;
use crate::follow::{Consumers, Followers};
use crate::history::{Facts, Function, Kind, Process, Recorder, RunFacts, Value};
use crate::hosts::{Cluster, Layout, Output};
use crate::nemesis::{self, Field};
use crate::report;

/// Longest wait for a new cluster to elect its first leader.
const FOUND: Duration = Duration::from_secs(30);
/// A fault ends what it began within; a change of members takes longest.
const FAULT_ENDS: Duration = Duration::from_secs(120);
/// Every node serves again so long after the heal.
const READY_MS: u64 = 45_000;

/// Carries a run out and judges it. The folder then holds the history, the nodes' logs, the time line, the report and
/// the verdict.
///
/// # Errors
/// When the harness could not do its work at all.
pub async fn run(options: &Options) -> anyhow::Result<Summary> {
    let began = std::time::Instant::now();
    std::fs::create_dir_all(&options.dir).with_context(|| options.dir.display().to_string())?;
    if options.dir.join(folder::HISTORY).exists() {
        bail!("{} holds a run already", options.dir.display());
    }
    let recorder = Recorder::create(&options.dir.join(folder::HISTORY))?;
    // Where a run that is interrupted finds what it has to end.
    let stage = Stage::default();
    let is_whole = tokio::select! {
        done = carry_out(options, &recorder, &stage) => done.map(|()| true)?,
        () = interrupted() => {
            stop_early(&stage, &recorder)?;
            false
        }
    };
    let history = options.dir.join(folder::HISTORY);
    let judge = tokio::task::spawn_blocking({
        let history = history.clone();
        move || check(&history)
    });
    let mut judged = judge.await?.context("the history cannot be read")?;
    if !is_whole {
        interrupted_report(&mut judged);
    }
    let mut summary = summary_of(options, judged, began.elapsed());
    summary.was_interrupted = !is_whole;
    folder::save(options, &summary)?;
    report::write(&options.dir, &summary)?;
    Ok(summary)
}

/// The cluster of a run, once there is one.
type Stage = Mutex<Option<Arc<Field>>>;

/// Ends the nodes of a run that is not to go on, and its history where it is.
fn stop_early(stage: &Stage, recorder: &Recorder) -> anyhow::Result<()> {
    let field = stage.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut counts = BTreeMap::new();
    if let Some(field) = field {
        field.over.store(true, Ordering::Relaxed);
        field.cluster.close();
        counts = field.counts();
    }
    recorder.note(
        Kind::Info,
        Process::Harness,
        Function::Coverage,
        Value::Coverage(counts),
        Facts::default(),
    );
    recorder.finish().context("the history cannot be written")
}

/// Nothing was read at the end, so that nothing is known, except what was seen to be wrong before.
fn interrupted_report(report: &mut Report) {
    let seen = [Checker::C1, Checker::C2, Checker::C4, Checker::C8];
    let is_wrong = |it: &&Violation| it.certain && seen.contains(&it.checker);
    match report.violations.iter().find(is_wrong) {
        Some(violation) => {
            report.verdict = Verdict::Fail;
            report.reason = violation.message.clone();
        }
        None => {
            report.verdict = Verdict::Unknown;
            report.reason =
                "interrupted: its nodes are stopped, nothing was read at the end".into();
        }
    }
}

/// Ctrl-C, or a polite kill.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn carry_out(options: &Options, recorder: &Recorder, stage: &Stage) -> anyhow::Result<()> {
    let layout = Layout {
        nodes: options.nodes,
        program: options.program.clone(),
        dir: options.dir.clone(),
        flags: options.node_flags(),
        namespaces: options.namespaces.clone(),
        has_disks: options.has_disks || options.breaks_disks(),
        has_spare: options.nemeses.contains(&nemesis::Name::Members),
        has_clocks: options.has_clocks,
        is_direct: false,
    };
    let cluster = Cluster::prepare(&layout)
        .await
        .context("the nodes cannot be laid out")?;
    let facts = RunFacts {
        seed: options.seed,
        command: options.command(),
        nodes: cluster.ids(),
        ready_within_ms: READY_MS,
        required: options.required(),
    };
    let harness = |function, value| {
        recorder.note(
            Kind::Info,
            Process::Harness,
            function,
            value,
            Facts::default(),
        );
    };
    harness(Function::Run, Value::Run(Box::new(facts)));
    let mut field = Field::new(cluster, recorder.clone());
    field.damages = options.damages;
    let field = Arc::new(field);
    *stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&field));
    for id in field.cluster.ids() {
        field
            .cluster
            .start(id, Output::Log)
            .context("the node program cannot be started")?;
    }
    let watcher = tokio::spawn(watch::watch(Arc::clone(&field)));
    let found_by = Instant::now() + FOUND;
    while field.leader.load(Ordering::Relaxed) == 0 {
        if Instant::now() > found_by {
            field.trouble("the new cluster has no leader");
            bail!("the new cluster has no leader after {FOUND:?}; see the logs of its nodes");
        }
        sleep(Duration::from_millis(50)).await;
    }
    let load = load::Load::start(options, &field).await?;
    let addresses = |through: bool| -> Vec<_> {
        let nodes = field.cluster.nodes.iter();
        nodes
            .map(|node| if through { node.through } else { node.direct })
            .collect()
    };
    let followers = options
        .follows()
        .then(|| Followers::start(&addresses(true), options.seed));
    let consumers = options
        .consumes()
        .then(|| Consumers::start(&addresses(true), options.seed, recorder))
        .transpose()?;
    if options.disks_lie {
        let disks = field
            .cluster
            .nodes
            .iter()
            .filter_map(|node| node.disk.as_ref());
        disks.for_each(|disk| disk.store().lie_about(Zone::Log));
    }
    let start = Instant::now();
    let time = Duration::from_secs(options.time_s);
    let nemeses: Vec<_> = options
        .nemeses
        .iter()
        .map(|name| {
            let steps = nemesis::plan(
                *name,
                &options.targets,
                time,
                options.faults_every,
                options.seed,
            );
            tokio::spawn(nemesis::run(Arc::clone(&field), *name, steps, start))
        })
        .collect();
    sleep_until(start + time).await;
    field.over.store(true, Ordering::Relaxed);
    for nemesis in nemeses {
        // A fault ends what it began; one that does not is the harness's bug.
        if tokio::time::timeout(FAULT_ENDS, nemesis).await.is_err() {
            field.trouble("a fault did not end");
        }
    }
    settle::heal(&field);
    harness(Function::Heal, Value::None);
    let ready = settle::wait_ready(&field, Duration::from_millis(READY_MS)).await;
    // Service after the heal is seen by clients as well, not only by questions about it.
    sleep(Duration::from_secs(2)).await;
    if let Some(consumers) = consumers {
        let (saved, fenced) = consumers.finish(&addresses(true)).await?;
        field.reached_times("cursors.saved", saved);
        field.reached_times("cursors.fenced", fenced);
    }
    let shared = load.stop(&field).await;
    watcher.abort();
    // Whoever holds the cluster keeps its disks mounted.
    let _ = watcher.await;
    last::read_everything(&field, &shared, ready).await;
    if let Some(followers) = followers {
        let events = followers.finish(&addresses(false), recorder).await;
        field.reached_times("events.followed", events);
    }
    harness(Function::Coverage, Value::Coverage(field.counts()));
    recorder.finish().context("the history cannot be written")?;
    stage.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(())
}
