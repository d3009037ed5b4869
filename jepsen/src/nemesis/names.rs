//! The nemeses by name.

use clap::ValueEnum;

/// What is broken. Several together break independently of each other, but never the same node at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub enum Name {
    /// N0: nothing.
    None,
    /// N1: `kill -9`, started again after a while.
    Kill,
    /// N2: stopped by a signal, and resumed.
    Pause,
    /// N3: partitions: one node, halves, a bridge, a ring, one way, the clients' side, flapping.
    Partition,
    /// N4: delay, loss, reordering, throttling, resets.
    Net,
    /// N5: clocks jump at a restart, forwards and backwards, up to ten years.
    Clock,
    /// N6: the power of disks is cut, what was not synced is gone, and the nodes die.
    PowerLoss,
    /// N7: two pause, the third loses its data, and then has to decide with one of the others.
    Amnesia,
    /// N8: flipped bits in a file of a stopped node.
    BitFlip,
    /// N9: a file of a stopped node is cut.
    Truncate,
    /// N10: blocks of a file of a stopped node are zeroed, or stand where another should.
    Misplace,
    /// N11: a stopped node gets its files of a while ago back.
    Stale,
    /// N12: the data directory of a stopped node is deleted.
    Wipe,
    /// N13: syncs of files fail, and what they were to write is lost.
    SyncError,
    /// N14: disks are full.
    DiskFull,
    /// N15: reads of files fail.
    ReadError,
    /// N16: syncs of files take long.
    SlowSync,
    /// N17: stdout and stderr are pipes that nobody reads.
    Stdout,
    /// N18: members are added, removed and replaced.
    Members,
    /// N19: leadership moves all the time.
    Storm,
    /// N20: snapshots, compactions and purges all the time, and a node that needs a snapshot to catch up.
    Snapshot,
    /// N23: little processor time.
    Cpu,
    /// N24: nodes fail, die or dawdle at named points.
    Failpoint,
}

impl Name {
    /// The name on the command line and in histories.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::Net => "net",
            Self::Clock => "clock",
            Self::PowerLoss => "power-loss",
            Self::Amnesia => "amnesia",
            Self::BitFlip => "bit-flip",
            Self::Truncate => "truncate",
            Self::Misplace => "misplace",
            Self::Stale => "stale",
            Self::Wipe => "wipe",
            Self::SyncError => "sync-error",
            Self::DiskFull => "disk-full",
            Self::ReadError => "read-error",
            Self::SlowSync => "slow-sync",
            Self::Stdout => "stdout",
            Self::Members => "members",
            Self::Storm => "storm",
            Self::Snapshot => "snapshot",
            Self::Cpu => "cpu",
            Self::Failpoint => "failpoint",
        }
    }

    /// Faults of disks under running nodes: every node's data has to lie on a disk that can be broken.
    #[must_use]
    pub fn breaks_disks(self) -> bool {
        matches!(
            self,
            Self::PowerLoss | Self::SyncError | Self::DiskFull | Self::ReadError | Self::SlowSync
        )
    }

    /// Faults that take away what a node had promised to keep: never of more nodes at once than may be lost.
    #[must_use]
    pub fn loses_data(self) -> bool {
        matches!(
            self,
            Self::Amnesia
                | Self::BitFlip
                | Self::Truncate
                | Self::Misplace
                | Self::Stale
                | Self::Wipe
        )
    }
}

/// Which nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub enum Target {
    /// Any one.
    One,
    /// The one that leads when the fault begins.
    Leader,
    /// As many as may be gone.
    Minority,
    /// One more than may be gone.
    Majority,
    /// All.
    All,
}

impl Target {
    /// Every one of them.
    pub const ALL: [Self; 5] = [
        Self::One,
        Self::Leader,
        Self::Minority,
        Self::Majority,
        Self::All,
    ];
}
