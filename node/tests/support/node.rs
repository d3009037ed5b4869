//! One node: a process with a directory.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::process::{Exit, Process};
use super::{Client, PATIENCE};

/// One node: where it is, and its process while there is one.
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) client_address: String,
    pub(crate) peer_address: String,
    pub(crate) dir: PathBuf,
    pub(super) log: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) process: Mutex<Option<Process>>,
}

impl Node {
    /// Starts its process and waits until it serves.
    pub(crate) fn start(&self) {
        self.spawn();
        self.wait_ready();
    }

    /// Starts its process with these flags after its own; it need not serve.
    pub(crate) fn spawn_with(&self, more: &[(&str, &str)]) {
        let mut arguments = self.arguments.clone();
        more.iter()
            .for_each(|(name, value)| arguments.extend([(*name).to_owned(), (*value).to_owned()]));
        let mut process = self.process.lock().unwrap();
        assert!(process.is_none(), "node {} runs already", self.id);
        *process = Some(Process::spawn(&arguments, &self.log));
    }

    /// Waits until its process has ended by itself; `None` when it still runs after `within`.
    pub(crate) fn wait_exit(&self, within: Duration) -> Option<Exit> {
        let mut slot = self.process.lock().unwrap();
        let process = slot.as_mut().expect("it runs");
        let status = process.wait(within)?;
        let exit = process.exit(status);
        *slot = None;
        Some(exit)
    }

    /// Starts its process; it need not serve yet.
    pub(super) fn spawn(&self) {
        self.spawn_with(&[]);
    }

    /// Waits until its process serves.
    pub(super) fn wait_ready(&self) {
        let mut process = self.process.lock().unwrap();
        let ready = process.as_mut().unwrap().wait_ready();
        let ready = ready.unwrap_or_else(|exit| panic!("node {} did not start: {exit:?}", self.id));
        assert_eq!(ready["ready"], true, "{ready}");
        assert_eq!(ready["node_id"], self.id, "{ready}");
        assert_eq!(ready["client_address"], self.client_address, "{ready}");
    }

    /// Starts a process that is expected to be refused, with these flags after its own (the last of a kind counts).
    pub(crate) fn start_refused(&self, changed: &[(&str, &str)]) -> Exit {
        let mut arguments = self.arguments.clone();
        for (flag, value) in changed {
            let at = arguments
                .iter()
                .position(|argument| argument == flag)
                .expect("a flag of every node");
            (*value).clone_into(&mut arguments[at + 1]);
        }
        let mut process = Process::spawn(&arguments, &self.log.with_extension("refused"));
        process.wait_ready().expect_err("it serves")
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        self.process.lock().unwrap().take().expect("it runs").kill();
    }

    /// SIGTERM; waits for the end and tells how long it took.
    pub(crate) async fn terminate(&self) -> (Exit, Duration) {
        let mut process = self.process.lock().unwrap().take().expect("it runs");
        let began = Instant::now();
        process.signal(Signal::TERM);
        let ended = tokio::task::spawn_blocking(move || {
            let status = process.wait(PATIENCE).expect("it ends after SIGTERM");
            process.exit(status)
        });
        (ended.await.unwrap(), began.elapsed())
    }

    /// SIGSTOP: it stays connected and says nothing.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.process
            .lock()
            .unwrap()
            .as_mut()
            .expect("it runs")
            .signal(signal);
    }

    /// What it has logged since its first start.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Lines it has logged since its first start.
    pub(crate) fn log_lines(&self) -> usize {
        self.log_text().lines().count()
    }

    /// Processor time its process has used, in user and system mode (Linux).
    pub(crate) fn cpu_time(&self) -> Duration {
        self.with_process(Process::cpu_time)
    }

    /// Memory of its process that is in use, and the most there ever was, in bytes (Linux).
    pub(crate) fn resident_bytes(&self) -> (u64, u64) {
        self.with_process(Process::resident_bytes)
    }

    /// Files its process has open, and how many it may have (Linux).
    pub(crate) fn open_files(&self) -> (u64, u64) {
        self.with_process(|process| (process.open_files(), process.files_max()))
    }

    /// Its process may have so many files open from now on (Linux).
    pub(crate) fn limit_files(&self, limit: u64) {
        self.with_process(|process| process.limit_files(limit));
    }

    fn with_process<T>(&self, look: impl FnOnce(&Process) -> T) -> T {
        look(self.process.lock().unwrap().as_ref().expect("it runs"))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// A client of this node alone.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.client_address)
    }
}
