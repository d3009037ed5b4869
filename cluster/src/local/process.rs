//! A node's process: started apart from this one, recognised for certain, signalled.
//!
//! A process id alone does not name a process: ids are reused. Beside the id we keep when the process started, and
//! signal it only while both agree, so that a stale file can never end a stranger.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, write_whole};
use super::node_log;
use super::tether::{END_WITH_STDIN, Tethers};
use crate::failure::{Code, Failure};

/// A process, told apart from every other that had or will have its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Process id.
    pub(super) pid: i32,
    /// When it started, in words of the operating system: compared, never interpreted.
    started: String,
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    /// It runs, or could.
    Running,
    /// It is stopped by a signal and can be resumed.
    Stopped,
}

impl Identity {
    /// The identity of a live process, and what it is doing; `None` when there is none (one that has ended and only
    /// waits for its parent counts as none).
    fn of(pid: i32) -> Option<(Self, Activity)> {
        let (started, state) = observe(pid)?;
        let activity = match state {
            'Z' if has_threads(pid) => Activity::Running,
            'Z' | 'X' | 'x' => return None,
            'T' | 't' => Activity::Stopped,
            _ => Activity::Running,
        };
        Some((Self { pid, started }, activity))
    }

    /// What the process is doing; `None` when it has ended, whoever has its id now.
    pub(super) fn activity(&self) -> Option<Activity> {
        Self::of(self.pid).and_then(|(found, activity)| (found == *self).then_some(activity))
    }

    /// Sends a signal, if the process is still there; `false` when it is not.
    ///
    /// # Errors
    /// [`Code::Process`] when the system refuses, as for a process of another user.
    pub(super) fn signal(&self, signal: Signal) -> Result<bool, Failure> {
        if self.activity().is_none() {
            return Ok(false);
        }
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(false);
        };
        match kill_process(pid, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(Failure::new(
                Code::Process,
                format!("cannot signal process {}", self.pid),
            )
            .because(error)),
        }
    }

    /// Reads a node's process file; `None` when there is none or it does not name a process.
    pub(super) fn load(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        toml::from_str(&text).ok()
    }

    fn save(&self, path: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self).map_err(|error| {
            Failure::new(Code::Internal, "cannot encode a process file").because(error)
        })?;
        write_whole(path, text.as_bytes())
    }
}

/// Whether a process whose first thread has ended still has others. Killed in the middle of a sync, they may take a
/// while to end, and as long the process keeps its files open and its directory locked.
fn has_threads(pid: i32) -> bool {
    fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

/// Start time and state letter of a process: from `/proc` where there is one, else from `ps`.
fn observe(pid: i32) -> Option<(String, char)> {
    if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
        let after_name = stat.rsplit_once(')')?.1;
        let mut fields = after_name.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        // Field 22 of the line, ticks since boot; the state was field 3.
        let ticks = fields.nth(18)?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        return Some((format!("{} {ticks}", boot.trim()), state));
    }
    let output = Command::new("ps")
        .args(["-o", "state=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, started) = text.trim().split_once(char::is_whitespace)?;
    Some((started.trim().to_owned(), state.chars().next()?))
}

/// Variables of the node program that would give every node the same identity.
const IDENTITY_VARIABLES: [&str; 7] = [
    "FARTHING_NODE_CONFIG",
    "FARTHING_NODE_DIR",
    "FARTHING_NODE_ID",
    "FARTHING_NODE_CLUSTER_ID",
    "FARTHING_NODE_CLIENT_ADDRESS",
    "FARTHING_NODE_PEER_ADDRESS",
    "FARTHING_NODE_MEMBERS",
];

/// A node that was just started.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
}

impl Started {
    /// The exit status in words, once the process has ended.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        let meaning = match status.code() {
            Some(2) => " (usage or configuration)",
            Some(3) => " (the disk failed to sync)",
            Some(4) => " (damaged data)",
            Some(5) => " (data of another cluster or node)",
            Some(6) => " (its directory is older than what it has promised)",
            Some(7) => " (its data was damaged again and again)",
            _ => "",
        };
        Some(format!("{status}{meaning}"))
    }
}

/// Starts a node in a process group of its own, so that Ctrl-C in the terminal does not reach it, with its ready line
/// and its log in files, and writes its process file. With tethers it ends when this process does.
///
/// # Errors
/// [`Code::Process`] when it cannot be started, [`Code::Io`] when a file cannot be written.
pub(super) fn start(
    program: &Path,
    layout: &Layout,
    id: u64,
    tethers: Option<&Tethers>,
) -> Result<Started, Failure> {
    let ready_path = layout.node_ready(id);
    let ready = fs::File::create(&ready_path)
        .map_err(|error| Failure::io("create", &ready_path, &error))?;
    let log = node_log::open(&layout.node_log(id))?;
    let cannot_start = |error: io::Error| {
        Failure::new(
            Code::Process,
            format!("cannot start node {id} from {}", program.display()),
        )
        .because(error)
    };
    let mut command = Command::new(program);
    // A node is who its configuration says it is. Other settings may come from the environment, the same for all.
    for variable in IDENTITY_VARIABLES {
        command.env_remove(variable);
    }
    command.args(["--config", "node.toml"]);
    let stdin = match tethers {
        Some(_) => {
            command.arg(END_WITH_STDIN);
            Stdio::piped()
        }
        None => Stdio::null(),
    };
    let mut child = command
        .current_dir(layout.node_dir(id))
        .stdin(stdin)
        .stdout(ready)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(cannot_start)?;
    let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
    let Some((identity, _)) = Identity::of(pid) else {
        let status = child.wait().map_err(cannot_start)?;
        return Err(cannot_start(io::Error::other(format!(
            "it ended at once: {status}"
        ))));
    };
    identity.save(&layout.node_pid(id))?;
    if let (Some(tethers), Some(end)) = (tethers, child.stdin.take()) {
        tethers.hold(id, end);
    }
    Ok(Started { child })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    fn pid(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    #[test]
    fn a_process_is_recognised_stopped_resumed_and_ended() {
        let mut child = sleeper();
        let (identity, _) = Identity::of(pid(&child)).unwrap();
        assert!(identity.signal(Signal::STOP).unwrap());
        let mut looks = 0;
        while identity.activity() != Some(Activity::Stopped) {
            std::thread::sleep(std::time::Duration::from_millis(1));
            looks += 1;
            assert!(looks < 5_000, "never stopped");
        }
        assert!(identity.signal(Signal::CONT).unwrap());
        assert!(identity.signal(Signal::KILL).unwrap());
        child.wait().unwrap();
        assert_eq!(identity.activity(), None);
        assert!(!identity.signal(Signal::KILL).unwrap());
    }

    #[test]
    fn a_recycled_id_is_a_stranger_and_lives() {
        let mut child = sleeper();
        let stale = Identity {
            pid: pid(&child),
            started: "at another time".into(),
        };
        assert_eq!(stale.activity(), None);
        assert!(!stale.signal(Signal::KILL).unwrap());
        assert!(
            child.try_wait().unwrap().is_none(),
            "the stranger was ended"
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn the_file_names_the_same_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.pid");
        assert_eq!(Identity::load(&path), None);
        let own = i32::try_from(std::process::id()).unwrap();
        let (identity, _) = Identity::of(own).unwrap();
        identity.save(&path).unwrap();
        assert_eq!(Identity::load(&path), Some(identity));
    }
}
