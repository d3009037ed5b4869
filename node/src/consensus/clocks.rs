//! What the cluster's clocks say, so that one wrong clock cannot move time.
//!
//! Heartbeat replies carry the follower's wall clock. A sample is the difference between that clock and ours, corrected
//! by half the round trip; it stays valid while both clocks run at the same rate, so it is advanced by our monotonic
//! clock simply by being a difference. Samples over a slow round trip say nothing and are dropped.
//!
//! The rule: no proposed time lies above the *lower* median of the live voters' clocks plus [`AHEAD_MAX`]. A leader ten
//! years ahead therefore cannot expire every pending transfer; a leader behind only delays expiry.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Round trips above this carry no usable sample.
pub const ROUND_TRIP_MAX: Duration = Duration::from_millis(200);
/// How far a proposed time may lie above the lower median.
pub const AHEAD_MAX: Duration = Duration::from_millis(500);
/// A voter silent for longer than this is not live and its clock does not count.
pub const SAMPLE_AGE_MAX: Duration = Duration::from_secs(5);

/// Source of time; a trait so that tests and the simulator can jump, freeze or strobe it.
pub trait Clock: Send + Sync + 'static {
    /// Nanoseconds since 1970 by the machine's wall clock.
    fn wall_ns(&self) -> u64;
    /// A clock that never goes back.
    fn monotonic(&self) -> Instant;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall_ns(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// A system clock moved by a fixed amount: for tests of clock faults and for demonstrations.
#[derive(Debug, Clone, Copy)]
pub struct SkewedClock {
    /// Nanoseconds added to the wall clock; negative for a clock that is behind.
    pub offset_ns: i64,
}

impl Clock for SkewedClock {
    fn wall_ns(&self) -> u64 {
        SystemClock.wall_ns().saturating_add_signed(self.offset_ns)
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Peer's wall clock minus ours.
    offset_ns: i64,
    taken: Instant,
}

/// Latest sample of each peer.
#[derive(Debug, Default)]
pub struct Clocks {
    samples: Mutex<BTreeMap<u64, Sample>>,
}

impl Clocks {
    /// Records what `peer` answered to a heartbeat sent at `sent_wall_ns` of our clock and answered after `round_trip`.
    pub fn record(
        &self,
        peer: u64,
        sent_wall_ns: u64,
        round_trip: Duration,
        peer_wall_ns: u64,
        now: Instant,
    ) {
        if round_trip > ROUND_TRIP_MAX || peer_wall_ns == 0 {
            return;
        }
        let half_ns = u64::try_from(round_trip.as_nanos() / 2).unwrap_or(u64::MAX);
        let ours_ns = sent_wall_ns.saturating_add(half_ns);
        let offset_ns = i128::from(peer_wall_ns) - i128::from(ours_ns);
        let offset_ns =
            i64::try_from(offset_ns).unwrap_or(if offset_ns > 0 { i64::MAX } else { i64::MIN });
        self.lock().insert(
            peer,
            Sample {
                offset_ns,
                taken: now,
            },
        );
    }

    /// The highest time that may be proposed now: lower median of the live voters' clocks (`own` included) plus
    /// [`AHEAD_MAX`].
    pub fn proposal_max_ns(&self, own: u64, voters: &[u64], wall_ns: u64, now: Instant) -> u64 {
        let samples = self.lock();
        let mut offsets: Vec<i64> = voters
            .iter()
            .filter(|voter| **voter != own)
            .filter_map(|voter| samples.get(voter))
            .filter(|sample| now.saturating_duration_since(sample.taken) <= SAMPLE_AGE_MAX)
            .map(|sample| sample.offset_ns)
            .collect();
        offsets.push(0);
        offsets.sort_unstable();
        let lower_median = offsets[(offsets.len() - 1) / 2];
        let ahead_ns = u64::try_from(AHEAD_MAX.as_nanos()).unwrap_or(u64::MAX);
        wall_ns
            .saturating_add_signed(lower_median)
            .saturating_add(ahead_ns)
    }

    /// Differences to the peers' clocks, for status and metrics.
    pub fn offsets_ns(&self) -> Vec<(u64, i64)> {
        self.lock()
            .iter()
            .map(|(peer, sample)| (*peer, sample.offset_ns))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Sample>> {
        self.samples
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_800_000_000 * SECOND;

    fn clocks(offsets: &[(u64, i64)], now: Instant) -> Clocks {
        let clocks = Clocks::default();
        for (peer, offset) in offsets {
            clocks.record(
                *peer,
                NOW,
                Duration::ZERO,
                NOW.saturating_add_signed(*offset),
                now,
            );
        }
        clocks
    }

    #[test]
    fn a_leader_ten_years_ahead_is_held_to_the_others() {
        let now = Instant::now();
        let ten_years = 10 * 365 * 24 * 3600 * SECOND as i64;
        // From the leader's view the others are ten years behind.
        let clocks = clocks(&[(2, -ten_years), (3, -ten_years)], now);
        let bound = clocks.proposal_max_ns(1, &[1, 2, 3], NOW, now);
        assert_eq!(bound, NOW - ten_years as u64 + SECOND / 2);
    }

    #[test]
    fn one_peer_ahead_does_not_move_the_bound() {
        let now = Instant::now();
        let clocks = clocks(&[(2, 3600 * SECOND as i64), (3, 0)], now);
        assert_eq!(
            clocks.proposal_max_ns(1, &[1, 2, 3], NOW, now),
            NOW + SECOND / 2
        );
    }

    #[test]
    fn of_two_the_smaller_counts() {
        let now = Instant::now();
        let clocks = clocks(&[(2, -(SECOND as i64))], now);
        assert_eq!(
            clocks.proposal_max_ns(1, &[1, 2, 3], NOW, now),
            NOW - SECOND / 2
        );
    }

    #[test]
    fn slow_round_trips_and_old_samples_do_not_count() {
        let now = Instant::now();
        let clocks = Clocks::default();
        clocks.record(2, NOW, Duration::from_millis(201), NOW / 2, now);
        assert!(clocks.offsets_ns().is_empty());
        clocks.record(2, NOW, Duration::from_millis(1), NOW / 2, now);
        let later = now + SAMPLE_AGE_MAX + Duration::from_millis(1);
        assert_eq!(
            clocks.proposal_max_ns(1, &[1, 2, 3], NOW, later),
            NOW + SECOND / 2
        );
    }

    #[test]
    fn half_the_round_trip_is_taken_out() {
        let now = Instant::now();
        let clocks = Clocks::default();
        clocks.record(2, NOW, Duration::from_millis(100), NOW + 50_000_000, now);
        assert_eq!(clocks.offsets_ns(), vec![(2, 0)]);
    }
}
