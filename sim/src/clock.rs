//! Time as the nodes see it: a wall clock that can be wrong, and a monotonic one that is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use farthing_node::consensus::clocks::Clock;

use crate::trace;

/// Where every simulation begins, ns since 1970.
pub const EPOCH_NS: u64 = 1_800_000_000_000_000_000;

/// The right time now, ns since 1970.
pub fn true_ns() -> u64 {
    EPOCH_NS + u64::try_from(trace::now().as_nanos()).unwrap_or(u64::MAX)
}

/// The clock of one machine. Clones share how wrong it is.
#[derive(Debug, Clone, Default)]
pub struct SimClock {
    offset_ns: Arc<AtomicI64>,
}

impl SimClock {
    /// Sets how far it is ahead of the right time.
    pub fn set_offset_ns(&self, offset_ns: i64) {
        self.offset_ns.store(offset_ns, Ordering::Relaxed);
    }

    /// How far it is ahead.
    pub fn offset_ns(&self) -> i64 {
        self.offset_ns.load(Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn wall_ns(&self) -> u64 {
        true_ns().saturating_add_signed(self.offset_ns())
    }

    fn monotonic(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
