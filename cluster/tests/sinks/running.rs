//! A sink as a process, killed and started again.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::Cluster;

const PATIENCE: Duration = Duration::from_secs(120);

/// A sink of a cluster. What it says goes to files, so that it never waits for a reader.
pub(crate) struct Running<'a> {
    cluster: &'a Cluster,
    args: Vec<String>,
    environment: Vec<(&'static str, String)>,
    child: Child,
    log: PathBuf,
}

impl<'a> Running<'a> {
    /// Starts `farthing sink run` with these words.
    pub(crate) fn start(cluster: &'a Cluster, args: &[impl AsRef<str>]) -> Running<'a> {
        Self::start_as(cluster, args[0].as_ref(), args)
    }

    /// The same under a name of its own, for two sinks of one kind.
    pub(crate) fn start_as(
        cluster: &'a Cluster,
        name: &str,
        args: &[impl AsRef<str>],
    ) -> Running<'a> {
        Self::start_in(cluster, name, args, Vec::new())
    }

    /// The same with variables of the environment.
    pub(crate) fn start_in(
        cluster: &'a Cluster,
        name: &str,
        args: &[impl AsRef<str>],
        environment: Vec<(&'static str, String)>,
    ) -> Running<'a> {
        let args: Vec<String> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
        let log = cluster.path().join(format!("sink-{name}.log"));
        let child = spawn(cluster, &args, &environment, &log);
        Running {
            cluster,
            args,
            environment,
            child,
            log,
        }
    }

    /// The last report of progress, of whichever process made it.
    pub(crate) fn progress(&self) -> Option<Value> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        // The last line may be half written.
        let whole = &log[..log.rfind('\n').map_or(0, |at| at + 1)];
        let mut reports = whole.lines().rev().map(serde_json::from_str::<Value>);
        reports
            .find_map(Result::ok)
            .filter(|line| line["sink"].is_string())
    }

    /// Waits until it has delivered this sequence, as long as it delivers anything.
    pub(crate) fn wait_for(&mut self, sequence: u64) {
        let mut begun = Instant::now();
        let mut last = None;
        loop {
            let progress = self.progress();
            let at = progress.as_ref().map(|line| line["last_sequence"].as_u64());
            if at.flatten() >= Some(sequence) {
                return;
            }
            if at > last {
                (last, begun) = (at, Instant::now());
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{:?} ended: {}", self.args, self.words());
            assert!(
                begun.elapsed() < PATIENCE,
                "{:?} is to reach {sequence}: {progress:?}\n{}",
                self.args,
                self.words()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL, and another process in its place. The time at which it dies is left to chance.
    pub(crate) fn kill_and_start(&mut self) {
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "{:?} ended before it was killed: {}",
            self.args,
            self.words()
        );
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.cluster, &self.args, &self.environment, &self.log);
    }

    /// SIGTERM; it must end well.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = std::process::Command::new("kill").arg(&pid).status();
        assert!(asked.unwrap().success());
        assert!(self.end().success(), "{:?}: {}", self.args, self.words());
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{:?}: {}",
                self.args,
                self.words()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it has ended by itself, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// The end of what it said.
    pub(crate) fn words(&self) -> String {
        let errors = std::fs::read_to_string(self.log.with_extension("err")).unwrap_or_default();
        errors[errors.len().saturating_sub(2_000)..].to_owned()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(
    cluster: &Cluster,
    args: &[String],
    environment: &[(&str, String)],
    log: &PathBuf,
) -> Child {
    let append = |path: &PathBuf| {
        let file = File::options().create(true).append(true).open(path);
        Stdio::from(file.unwrap())
    };
    let mut words = vec!["-o", "json", "sink", "run"];
    words.extend(args.iter().map(String::as_str));
    words.extend(["--progress", "50ms"]);
    cluster
        .command_of(&words)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(append(log))
        .stderr(append(&log.with_extension("err")))
        .spawn()
        .unwrap()
}
