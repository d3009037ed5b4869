//! One node process: started, watched, signalled and ended only by its own handle.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

/// Time to open the log and the state of a test and to print the ready line.
const START_MAX: Duration = Duration::from_secs(30);

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Exit {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote on stderr, from its first start on.
    pub(crate) stderr: String,
}

/// A process that may serve. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

/// The binary that is tested.
pub(crate) fn binary() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_farthing-node").map(PathBuf::from);
    let named = std::env::var_os("FARTHING_NODE_BIN").map(PathBuf::from);
    named
        .or(built)
        .expect("set FARTHING_NODE_BIN to the node's binary")
}

/// Starts a process that is expected to end by itself.
pub(crate) fn run_to_exit(arguments: &[&str], within: Duration) -> Exit {
    let dir = tempfile::tempdir().unwrap();
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let mut process = Process::spawn(&arguments, &dir.path().join("stderr"));
    let status = process
        .wait(within)
        .unwrap_or_else(|| panic!("{arguments:?} still runs after {within:?}"));
    process.exit(status)
}

impl Process {
    /// Starts the binary; stderr is appended to `log`.
    pub(crate) fn spawn(arguments: &[String], log: &Path) -> Self {
        let stderr = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut command = Command::new(binary());
        // Only what a test says counts, not what the shell that runs it has set.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FARTHING_NODE_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary().display()));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(16);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.try_send(line);
            }
        });
        Self {
            child,
            lines,
            log: log.to_owned(),
        }
    }

    /// Waits for the ready line.
    ///
    /// # Errors
    /// How it ended instead.
    pub(crate) fn wait_ready(&mut self) -> Result<serde_json::Value, Exit> {
        match self.lines.recv_timeout(START_MAX) {
            Ok(line) => Ok(serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("ready line {line:?}: {error}"))),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait(START_MAX).expect("it closed stdout and goes on");
                Err(self.exit(status))
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!(
                    "no ready line within {START_MAX:?}; its log:\n{}",
                    tail(&self.log, 50)
                )
            }
        }
    }

    /// Sends a signal. A process that ended already is a failure of the test.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!(
                "the node had ended by itself: {status}; its log:\n{}",
                tail(&self.log, 50)
            );
        }
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Processor time used so far: fields 14 and 15 of `/proc/PID/stat` (proc(5)), in ticks of 10 ms.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(10 * ticks)
    }

    /// Memory in use, and the most there ever was: `VmRSS` and `VmHWM` of `/proc/PID/status` (proc(5)), in bytes.
    pub(crate) fn resident_bytes(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let bytes = |key| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
            1_024 * kilobytes.unwrap().parse::<u64>().unwrap()
        };
        (bytes("VmRSS:"), bytes("VmHWM:"))
    }

    /// Sets how many files it may have open from now on, as far as the one who tests may (Linux).
    pub(crate) fn limit_files(&self, limit: u64) {
        let limit = Rlimit {
            current: Some(limit),
            maximum: self.files_limit().maximum,
        };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Nofile, limit).unwrap();
    }

    /// Files it has open (Linux).
    pub(crate) fn open_files(&self) -> u64 {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count() as u64
    }

    /// Soft limit of open files (Linux).
    pub(crate) fn files_max(&self) -> u64 {
        self.files_limit().current.unwrap_or(u64::MAX)
    }

    fn files_limit(&self) -> Rlimit {
        let text = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("Max open files"))
            .unwrap();
        let numbers: Vec<Option<u64>> = line
            .split_whitespace()
            .skip(3)
            .take(2)
            .map(|word| word.parse().ok())
            .collect();
        Rlimit {
            current: numbers[0],
            maximum: numbers[1],
        }
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits for its end; `None` when it still runs.
    pub(crate) fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            let status = self.child.try_wait().unwrap();
            if status.is_some() || began.elapsed() >= within {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn exit(&self, status: ExitStatus) -> Exit {
        Exit {
            code: status.code(),
            stderr: std::fs::read_to_string(&self.log).unwrap_or_default(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a file.
pub(crate) fn tail(path: &Path, count: usize) -> String {
    let Ok(file) = File::open(path) else {
        return String::new();
    };
    let lines: Vec<String> = BufReader::new(file).lines().map_while(Result::ok).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
