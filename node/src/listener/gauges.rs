//! What a listener counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// An alarm about refused connections stays for so long after the last one.
const RECENT: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Inner {
    started: Instant,
    limit: AtomicUsize,
    open: AtomicUsize,
    refused: AtomicU64,
    expired: AtomicU64,
    failed: AtomicU64,
    /// Milliseconds after `started` of the last connection that was refused or could not be accepted, plus one.
    trouble: AtomicU64,
}

/// Counts of one listener, shared by whoever fills and whoever reads them.
#[derive(Debug, Clone)]
pub struct Gauges {
    inner: Arc<Inner>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readings {
    /// Connections that may be open at once.
    pub limit: usize,
    /// Connections open now.
    pub open: usize,
    /// Closed at once since the start, because as many as may be were open.
    pub refused: u64,
    /// Ended since the start, because they did not speak, or did not take what they were sent, in time.
    pub expired: u64,
    /// Pauses since the start because the system had no descriptor or no memory for one more.
    pub failed: u64,
    /// Whether one was refused or could not be accepted within the last minute.
    pub is_crowded: bool,
}

impl Default for Gauges {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                started: Instant::now(),
                limit: AtomicUsize::new(0),
                open: AtomicUsize::new(0),
                refused: AtomicU64::new(0),
                expired: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                trouble: AtomicU64::new(0),
            }),
        }
    }
}

impl Gauges {
    /// The counts now.
    #[must_use]
    pub fn read(&self) -> Readings {
        let inner = &*self.inner;
        let trouble = inner.trouble.load(Ordering::Relaxed);
        let since = self.milliseconds().saturating_sub(trouble);
        Readings {
            limit: inner.limit.load(Ordering::Relaxed),
            open: inner.open.load(Ordering::Relaxed),
            refused: inner.refused.load(Ordering::Relaxed),
            expired: inner.expired.load(Ordering::Relaxed),
            failed: inner.failed.load(Ordering::Relaxed),
            is_crowded: trouble > 0 && u128::from(since) < RECENT.as_millis(),
        }
    }

    pub(super) fn limit(&self, connections_max: usize) {
        self.inner.limit.store(connections_max, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.inner.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.inner.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.inner.refused.fetch_add(1, Ordering::Relaxed);
        self.trouble();
    }

    pub(super) fn expired(&self) {
        self.inner.expired.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.inner.failed.fetch_add(1, Ordering::Relaxed);
        self.trouble();
    }

    fn trouble(&self) {
        self.inner
            .trouble
            .store(self.milliseconds(), Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.inner.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}
