//! How long the latest syncs took: what tells a slow disk from a busy moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Syncs remembered.
const SYNCS_MAX: usize = 64;
/// Older ones say nothing about the disk as it is now.
const AGE_MAX: Duration = Duration::from_secs(10);
/// Fewer say nothing.
const SYNCS_MIN: usize = 5;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SyncTimes {
    /// When each ended and how long it took.
    syncs: VecDeque<(Instant, Duration)>,
}

impl SyncTimes {
    pub(super) fn push(&mut self, ended: Instant, took: Duration) {
        if self.syncs.len() == SYNCS_MAX {
            self.syncs.pop_front();
        }
        self.syncs.push_back((ended, took));
    }

    /// The median of the last seconds' syncs; `None` when there were too few.
    pub(super) fn median(&self, now: Instant) -> Option<Duration> {
        let mut latest: Vec<Duration> = self
            .syncs
            .iter()
            .filter(|(ended, _)| now.saturating_duration_since(*ended) <= AGE_MAX)
            .map(|(_, took)| *took)
            .collect();
        if latest.len() < SYNCS_MIN {
            return None;
        }
        latest.sort_unstable();
        latest.get(latest.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_sync_is_a_moment_and_many_are_a_disk() {
        let (mut times, now) = (SyncTimes::default(), Instant::now());
        for took in [1, 1, 900, 1] {
            times.push(now, Duration::from_millis(took));
        }
        assert_eq!(times.median(now), None);
        times.push(now, Duration::from_millis(2));
        assert_eq!(times.median(now), Some(Duration::from_millis(1)));
        for _ in 0..SYNCS_MAX {
            times.push(now, Duration::from_millis(900));
        }
        assert_eq!(times.median(now), Some(Duration::from_millis(900)));
        let later = now + AGE_MAX + Duration::from_millis(1);
        assert_eq!(times.median(later), None);
    }
}
