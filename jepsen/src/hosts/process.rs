//! One node process: started, watched, signalled and ended only by its own handle.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Where a node's words go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Stderr into its log file; that it serves is asked, not read from stdout.
    Log,
    /// Both into pipes that nobody reads.
    Blocked,
}

/// How a process ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exit {
    /// In words: an exit code or a signal.
    pub status: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its last words on stderr.
    pub words: String,
}

/// A node's process. Dropping it kills it.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    log: PathBuf,
    /// Bytes in the log when it started: what it said is behind.
    log_from: u64,
    /// Held open, never read.
    _blocked: (Option<ChildStdout>, Option<ChildStderr>),
}

impl NodeProcess {
    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be started or its log cannot be opened.
    pub fn start(
        program: &Path,
        arguments: &[String],
        log: &Path,
        output: Output,
    ) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let log_from = file.metadata()?.len();
        let mut command = Command::new(program);
        // Only what the run says counts, not what the shell that runs it has set.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FARTHING_NODE_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).stdin(Stdio::null());
        match output {
            Output::Log => command.stdout(Stdio::null()).stderr(file),
            Output::Blocked => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
        };
        let mut child = command.spawn()?;
        let blocked = (child.stdout.take(), child.stderr.take());
        Ok(Self {
            child,
            log: log.to_owned(),
            log_from,
            _blocked: blocked,
        })
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to it, if it is there.
    pub fn signal(&self, signal: Signal) {
        // It may just have ended by itself; whoever watches it finds out.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Kills it and waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<Exit> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(self.exit(status))
    }

    fn exit(&self, status: ExitStatus) -> Exit {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = text.get(self.log_from as usize..).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let lines: Vec<&str> = text.lines().collect();
        Exit {
            status: status.to_string(),
            code: status.code(),
            words: lines[lines.len().saturating_sub(8)..].join("\n"),
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
