//! A cluster for one test, driven through the command line as a person would.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// One cluster at a time: three nodes and their disks are as much as a small machine carries in good time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits for the turn of a test that has nodes.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Three nodes in a temporary directory, killed when dropped.
pub(crate) struct Cluster {
    dir: TempDir,
    environment: Vec<(&'static str, String)>,
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Started and healthy.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Started and healthy, with settings of the nodes as environment variables.
    pub(crate) fn start_with(environment: &[(&'static str, &str)]) -> Self {
        let turn = one_at_a_time();
        let cluster = Self {
            dir: tempfile::tempdir().unwrap(),
            environment: environment
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            _turn: turn,
        };
        cluster.ok(["cluster", "up"]);
        cluster
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command to be driven by a test.
    pub(crate) fn command_of(&self, args: &[&str]) -> Command {
        let mut command = self.command();
        command.args(args);
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        command
            .arg("--dir")
            .arg(self.path().join("cluster"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// Runs a command that must succeed; returns what it wrote to standard output.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        succeeded(self.run(args))
    }

    /// Runs a command that must succeed and answer in JSON.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        let output = succeeded(
            self.command()
                .args(["-o", "json"])
                .args(args)
                .output()
                .unwrap(),
        );
        serde_json::from_str(&output).unwrap()
    }

    /// Begins an import, to be waited for with [`finished`].
    pub(crate) fn begin_import(&self, file: &Path) -> Child {
        self.command()
            .args(["-o", "json", "import", "--in-flight", "2"])
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(crate) fn status(&self) -> Value {
        self.json(["cluster", "status"])
    }

    /// Waits until the status is as wanted.
    pub(crate) fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: still {status:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a node leads; its id.
    pub(crate) fn wait_for_leader(&self) -> u64 {
        leader(&self.wait_for("a leader", |status| leader(status).is_some())).unwrap()
    }

    /// Waits until some node holds this many transfers.
    pub(crate) fn wait_for_transfers(&self, count: u64) {
        self.wait_for(&format!("{count} transfers"), |status| {
            nodes(status).any(|node| node["transfer_count"].as_u64() >= Some(count))
        });
    }

    /// Waits until every node answers and has applied the same index.
    pub(crate) fn wait_until_level(&self) -> Value {
        self.wait_for("all nodes at one index", |status| {
            let applied: Vec<u64> = nodes(status)
                .filter_map(|node| node["applied_index"].as_u64())
                .collect();
            let all_answer = nodes(status).all(|node| node["reachable"] == true);
            all_answer
                && !status["leader"].is_null()
                && applied.iter().all(|index| *index == applied[0])
        })
    }

    /// Client addresses of the nodes.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        let status = self.status();
        nodes(&status)
            .map(|node| node["client_address"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The end of every node's log, for a failing test.
    fn logs(&self) -> String {
        let mut text = String::new();
        for id in 1..=3 {
            let path: PathBuf = self.path().join(format!("cluster/node-{id}/node.log"));
            let log = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let end = &lines[lines.len().saturating_sub(15)..];
            text.push_str(&format!("--- node {id}\n{}\n", end.join("\n")));
        }
        text
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        let _ = self.command().args(["cluster", "kill", "all"]).output();
    }
}

/// Nodes of a status.
pub(crate) fn nodes(status: &Value) -> impl Iterator<Item = &Value> {
    status["nodes"].as_array().unwrap().iter()
}

/// The leader's id; `None` while nobody leads.
pub(crate) fn leader(status: &Value) -> Option<u64> {
    status["leader"].as_u64()
}

/// Standard output of a command that must have succeeded.
pub(crate) fn succeeded(output: Output) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{text}\n{errors}",
        output.status
    );
    text
}

/// The report of an import that was begun.
pub(crate) fn finished(import: Child) -> Value {
    serde_json::from_str(&succeeded(import.wait_with_output().unwrap())).unwrap()
}
