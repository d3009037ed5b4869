//! Little processor time by the kernel's own means: a control group with a quota. Needs the right to make one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Length of the slices in which a quota is counted, µs.
const PERIOD_US: u64 = 100_000;

/// Where groups for processor time are made, and the file that limits them: version 1, then version 2.
const ROOTS: [(&str, &str); 3] = [
    ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"),
    ("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us"),
    ("/sys/fs/cgroup", "cpu.max"),
];

static LAST: AtomicU64 = AtomicU64::new(0);

/// Processes that share a quota of processor time. Dropping it gives them all back.
#[derive(Debug)]
pub struct Quota {
    root: PathBuf,
    group: PathBuf,
}

impl Quota {
    /// Gives processes so many percent of one processor, all together.
    ///
    /// # Errors
    /// Without the right to make groups, or where the kernel has none for processor time.
    pub fn give(percent: u64, processes: &[u32]) -> io::Result<Self> {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("jepsen-{}-{number}", std::process::id());
        let mut last = io::Error::from(io::ErrorKind::Unsupported);
        for (root, file) in ROOTS {
            let root = Path::new(root);
            let group = root.join(&name);
            if let Err(error) = fs::create_dir(&group) {
                last = error;
                continue;
            }
            let made = Self {
                root: root.to_owned(),
                group,
            };
            match made.limit(file, percent, processes) {
                Ok(()) => return Ok(made),
                // Dropped, and its processes go back.
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn limit(&self, file: &str, percent: u64, processes: &[u32]) -> io::Result<()> {
        let quota_us = percent * PERIOD_US / 100;
        let text = match file {
            "cpu.max" => format!("{quota_us} {PERIOD_US}"),
            _ => quota_us.to_string(),
        };
        let limit = self.group.join(file);
        // Writing would make a file where the kernel offers none.
        if !limit.exists() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        fs::write(limit, text)?;
        processes
            .iter()
            .try_for_each(|process| fs::write(self.group.join("cgroup.procs"), process.to_string()))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let processes = fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default();
        for process in processes.lines() {
            // It may be gone by now.
            let _ = fs::write(self.root.join("cgroup.procs"), process);
        }
        let _ = fs::remove_dir(&self.group);
    }
}
