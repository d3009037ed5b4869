//! What a run is made of, and the words that repeat it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::nemesis::{Name as Nemesis, Target};
use crate::workload::Name as Workload;

/// What is between hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum HostsMode {
    /// Loopback addresses, and a proxy in front of every listener. Needs no rights.
    Proxy,
    /// Network namespaces, veth pairs and a bridge; the proxy for clients only. Needs root and iproute2.
    Netns,
}

/// Everything a run is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// What clients do.
    pub workloads: Vec<Workload>,
    /// What is broken.
    pub nemeses: Vec<Nemesis>,
    /// Which nodes; empty = any.
    pub targets: Vec<Target>,
    /// Seconds of load and faults.
    pub time_s: u64,
    /// Seed of every choice.
    pub seed: u64,
    /// Number of nodes.
    pub nodes: u64,
    /// Requests a second that the clients try, all together; W11 tries ten times as many.
    pub rate: u32,
    /// The node program.
    pub program: PathBuf,
    /// What is between hosts.
    pub hosts: HostsMode,
    /// Prefix of the namespaces this process is in, if it is.
    pub namespaces: Option<String>,
    /// Every node's data lies on a disk that can be broken, whether anything breaks it or not.
    pub has_disks: bool,
    /// Disks say that the log is synced and lose it with their power: such a run must fail.
    pub disks_lie: bool,
    /// Mean time from the end of a fault to the next of the same nemesis, and longest time one lasts; left out: a few
    /// seconds.
    pub faults_every: Option<Duration>,
    /// Files that are damaged before a node is started again.
    pub damages: u32,
    /// The node program can read its clock's error from a file.
    pub has_clocks: bool,
    /// What the run leaves behind.
    pub dir: PathBuf,
}

fn names<T>(list: &[T], text: impl Fn(&T) -> &'static str) -> String {
    list.iter().map(text).collect::<Vec<_>>().join(",")
}

/// The nemeses of a run, with those that its workloads bring along.
#[must_use]
pub fn accompanied(workloads: &[Workload], nemeses: &[Nemesis]) -> Vec<Nemesis> {
    let mut nemeses = nemeses.to_vec();
    if workloads.contains(&Workload::Membership) && !nemeses.contains(&Nemesis::Members) {
        nemeses.retain(|name| *name != Nemesis::None);
        nemeses.push(Nemesis::Members);
    }
    nemeses
}

impl Options {
    /// Workloads as on the command line.
    #[must_use]
    pub fn workload_names(&self) -> String {
        names(&self.workloads, |name| name.text())
    }

    /// Nemeses as on the command line.
    #[must_use]
    pub fn nemesis_names(&self) -> String {
        names(&self.nemeses, |name| name.text())
    }

    /// The command that repeats the run.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!(
            "jepsen run --workload {} --nemesis {} --time {} --seed {} --nodes {} --rate {} --node-bin {}",
            self.workload_names(),
            self.nemesis_names(),
            self.time_s,
            self.seed,
            self.nodes,
            self.rate,
            self.program.display(),
        );
        if self.has_disks && !self.breaks_disks() {
            command.push_str(" --disks");
        }
        if self.disks_lie {
            command.push_str(" --lying-disks");
        }
        if let Some(every) = self.faults_every {
            command.push_str(&format!(" --faults-every {}", every.as_secs_f64()));
        }
        if self.damages != 1 {
            command.push_str(&format!(" --damages {}", self.damages));
        }
        if self.hosts == HostsMode::Netns {
            command.push_str(" --hosts netns");
        }
        for target in &self.targets {
            if let Some(value) = target.to_possible_value() {
                command.push_str(&format!(" --target {}", value.get_name()));
            }
        }
        command
    }

    /// Time a call is given.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(2000)
    }

    /// Callers at a time.
    #[must_use]
    pub fn workers(&self) -> u64 {
        if self.overloads() { 200 } else { 20 }
    }

    /// True when something in it breaks disks under running nodes.
    #[must_use]
    pub fn breaks_disks(&self) -> bool {
        self.nemeses.iter().any(|name| name.breaks_disks())
    }

    /// True with W11.
    #[must_use]
    pub fn overloads(&self) -> bool {
        self.workloads.contains(&Workload::Overload)
    }

    /// True when subscribers follow the event stream.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.workloads.contains(&Workload::Events)
    }

    /// True when consumers save cursors.
    #[must_use]
    pub fn consumes(&self) -> bool {
        self.workloads.contains(&Workload::Cursors)
    }

    /// Mean time between two requests of one worker.
    #[must_use]
    pub fn pause(&self) -> Duration {
        let rate = if self.overloads() {
            10 * self.rate
        } else {
            self.rate
        };
        Duration::from_secs_f64(self.workers() as f64 / f64::from(rate.max(1)))
    }

    /// Flags of every node: small files and short intervals, so that a short run sees segments roll, runs, snapshots
    /// and purges.
    #[must_use]
    pub fn node_flags(&self) -> Vec<String> {
        let mut flags = vec![
            ("--log-segment-bytes", "8388608"),
            ("--run-interval-ms", "700"),
            ("--block-cache-bytes", "16777216"),
        ];
        let small_log = [Nemesis::Snapshot, Nemesis::Wipe, Nemesis::Stale];
        if self.nemeses.iter().any(|name| small_log.contains(name)) {
            flags.push(("--log-keep-bytes", "65536"));
        }
        if self.overloads() {
            flags.push(("--admission-bytes", "65536"));
        }
        let flags = flags.into_iter();
        flags
            .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
            .collect()
    }

    /// Points without which a run proves nothing.
    #[must_use]
    pub fn required(&self) -> BTreeMap<String, u64> {
        let mut required = BTreeMap::from([("writes.ok".to_owned(), 10 * self.time_s)]);
        // Where many wait for the same nodes, the slow ones seldom get their turn.
        let each = match self.nemeses.len() {
            0..=3 => 1 + self.time_s / 30,
            _ => 1,
        };
        for name in self.nemeses.iter().filter(|name| **name != Nemesis::None) {
            required.insert(format!("fault.{}", name.text()), each);
        }
        if self.overloads() {
            required.insert("calls.shed".to_owned(), 1);
        }
        if self.follows() {
            required.insert("events.followed".to_owned(), 10 * self.time_s);
        }
        if self.consumes() {
            required.insert("cursors.saved".to_owned(), self.time_s);
            required.insert("cursors.fenced".to_owned(), 1 + self.time_s / 30);
        }
        if self.workloads.contains(&Workload::Queries) {
            required.insert("queries.ok".to_owned(), self.time_s);
            required.insert("queries.followed".to_owned(), 1 + self.time_s / 10);
        }
        required
    }
}
