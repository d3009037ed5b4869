//! What a disk does wrong right now.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Zone;

/// How much room is left on a disk that fills up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSpace {
    /// Bytes that all files together may have.
    pub capacity: u64,
}

/// What a disk does wrong right now. The default: nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Faults {
    /// Syncs of files of these zones fail, and what they were to write is lost for good.
    pub sync_fails: BTreeSet<Zone>,
    /// Reads of files of these zones fail.
    pub read_fails: BTreeSet<Zone>,
    /// Syncs of files of these zones take so much longer.
    pub sync_takes: Option<(BTreeSet<Zone>, Duration)>,
    /// There is no room for more.
    pub full: Option<NoSpace>,
}

impl Faults {
    /// How much longer a sync takes.
    #[must_use]
    pub fn delay(&self, zone: Zone) -> Option<Duration> {
        let (zones, time) = self.sync_takes.as_ref()?;
        zones.contains(&zone).then_some(*time)
    }
}
