//! What the cluster's clocks say, so that one wrong clock cannot move time.
//!
//! Heartbeat replies carry the follower's wall clock. A sample is what that clock showed at a moment of our monotonic
//! clock, corrected by half the round trip, and is advanced by that clock. It is no difference to our own wall clock: when
//! that jumps, a difference taken before would make every other clock seem to jump with it. A sample over a slow round trip says little: it is dropped while there is a better
//! one, and otherwise taken at its lowest, because time that is late only delays expiry.
//!
//! The rule: no proposed time lies above the *lower* median of the live voters' clocks plus [`AHEAD_MAX`], and while fewer
//! than a majority of them are known there is none. A leader ten years ahead therefore cannot expire every pending
//! transfer, not even in its first moments; a leader behind only delays expiry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A sample over a longer round trip does not replace a live one.
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
    /// What the peer's wall clock showed when the sample was taken.
    wall_ns: u64,
    taken: Instant,
}

impl Sample {
    fn is_live(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.taken) <= SAMPLE_AGE_MAX
    }

    /// What the peer's wall clock shows now.
    fn at(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.taken);
        self.wall_ns.saturating_add(nanoseconds(age))
    }
}

/// Latest sample of each peer.
#[derive(Debug, Default)]
pub struct Clocks {
    samples: Mutex<BTreeMap<u64, Sample>>,
}

impl Clocks {
    /// Records what `peer` answered to a heartbeat, `round_trip` after it was sent.
    pub fn record(&self, peer: u64, round_trip: Duration, peer_wall_ns: u64, now: Instant) {
        if peer_wall_ns == 0 {
            return;
        }
        let slow = round_trip > ROUND_TRIP_MAX;
        let mut samples = self.lock();
        if slow && samples.get(&peer).is_some_and(|old| old.is_live(now)) {
            return;
        }
        // When the peer read its clock is not known better than "on the way"; the latest it can have been, just now,
        // makes its clock the lowest it can be.
        let read_ago = if slow { Duration::ZERO } else { round_trip / 2 };
        let sample = Sample {
            wall_ns: peer_wall_ns.saturating_add(nanoseconds(read_ago)),
            taken: now,
        };
        samples.insert(peer, sample);
    }

    /// The time to propose when the own clock shows `wall_ns`: that, but not above the lower median of the live voters'
    /// clocks (the own included) plus [`AHEAD_MAX`]. `None` while the clocks of a majority are not known, in one of the
    /// `configs`, of which there are two while the membership changes.
    pub fn proposal_ns(
        &self,
        own: u64,
        configs: &[BTreeSet<u64>],
        wall_ns: u64,
        now: Instant,
    ) -> Option<u64> {
        let samples = self.lock();
        let clock_ns = |voter: &u64| {
            if *voter == own {
                return Some(wall_ns);
            }
            let sample = samples.get(voter).filter(|sample| sample.is_live(now))?;
            Some(sample.at(now))
        };
        let is_majority =
            |config: &BTreeSet<u64>| config.iter().filter_map(clock_ns).count() * 2 > config.len();
        if configs.is_empty() || !configs.iter().all(is_majority) {
            return None;
        }
        let voters: BTreeSet<&u64> = configs.iter().flatten().collect();
        let mut clocks_ns: Vec<u64> = voters.into_iter().filter_map(clock_ns).collect();
        clocks_ns.sort_unstable();
        let lower_median_ns = *clocks_ns.get((clocks_ns.len() - 1) / 2)?;
        let bound_ns = lower_median_ns.saturating_add(nanoseconds(AHEAD_MAX));
        if crate::planted::is("expiry-by-own-clock") {
            return Some(wall_ns);
        }
        Some(wall_ns.min(bound_ns))
    }

    /// How far each peer's clock is ahead of the own one, which shows `wall_ns`, for status and metrics.
    pub fn offsets_ns(&self, wall_ns: u64, now: Instant) -> Vec<(u64, i64)> {
        let offset = |sample: &Sample| {
            let offset = i128::from(sample.at(now)) - i128::from(wall_ns);
            i64::try_from(offset).unwrap_or(if offset > 0 { i64::MAX } else { i64::MIN })
        };
        let samples = self.lock();
        samples
            .iter()
            .map(|(peer, sample)| (*peer, offset(sample)))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Sample>> {
        self.samples
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_800_000_000 * SECOND;

    fn clocks(offsets: &[(u64, i64)], now: Instant) -> Clocks {
        let clocks = Clocks::default();
        for (peer, offset) in offsets {
            let wall_ns = NOW.saturating_add_signed(*offset);
            clocks.record(*peer, Duration::ZERO, wall_ns, now);
        }
        clocks
    }

    /// What node 1 of the voters 1 to `count` proposes.
    fn proposal(clocks: &Clocks, count: u64, now: Instant) -> Option<u64> {
        clocks.proposal_ns(1, &[(1..=count).collect()], NOW, now)
    }

    #[test]
    fn a_leader_ten_years_ahead_is_held_to_the_others() {
        let now = Instant::now();
        let ten_years = 10 * 365 * 24 * 3600 * SECOND as i64;
        // From the leader's view the others are ten years behind.
        let clocks = clocks(&[(2, -ten_years), (3, -ten_years)], now);
        let expected = NOW - ten_years as u64 + SECOND / 2;
        assert_eq!(proposal(&clocks, 3, now), Some(expected));
    }

    /// The own clock may jump after the others' were heard.
    #[test]
    fn a_leader_that_jumps_ahead_is_held_to_what_the_others_had_said() {
        let heard = Instant::now();
        let clocks = clocks(&[(2, 0), (3, 0)], heard);
        let now = heard + Duration::from_secs(1);
        let voters = [(1..=3).collect()];
        let ten_years_on = NOW + 10 * 365 * 24 * 3600 * SECOND;
        let proposed = clocks.proposal_ns(1, &voters, ten_years_on, now);
        assert_eq!(proposed, Some(NOW + SECOND + SECOND / 2));
        assert_eq!(clocks.offsets_ns(NOW, now)[0], (2, SECOND as i64));
    }

    #[test]
    fn a_clock_that_is_not_ahead_is_proposed_as_it_is() {
        let now = Instant::now();
        let hour = 3600 * SECOND as i64;
        for others in [[(2, hour), (3, 0)], [(2, hour), (3, hour)]] {
            assert_eq!(proposal(&clocks(&others, now), 3, now), Some(NOW));
        }
    }

    #[test]
    fn of_two_the_smaller_counts() {
        let now = Instant::now();
        let clocks = clocks(&[(2, -(SECOND as i64))], now);
        assert_eq!(proposal(&clocks, 3, now), Some(NOW - SECOND / 2));
    }

    /// A leader in its first moments knows nobody's clock and must not go by its own.
    #[test]
    fn without_the_clocks_of_a_majority_there_is_no_time() {
        let now = Instant::now();
        assert_eq!(proposal(&clocks(&[], now), 1, now), Some(NOW));
        assert_eq!(proposal(&clocks(&[], now), 2, now), None);
        assert_eq!(proposal(&clocks(&[(2, 0)], now), 2, now), Some(NOW));
        assert_eq!(proposal(&clocks(&[], now), 3, now), None);
        assert_eq!(proposal(&clocks(&[(2, 0)], now), 5, now), None);
        assert_eq!(proposal(&clocks(&[(4, 0), (5, 0)], now), 5, now), Some(NOW));
        // A node that votes no more does not count.
        assert_eq!(proposal(&clocks(&[(4, 0)], now), 3, now), None);
        let while_changing = |known: &[(u64, i64)]| {
            let configs = [BTreeSet::from([1, 2, 3]), BTreeSet::from([1, 4, 5])];
            clocks(known, now).proposal_ns(1, &configs, NOW, now)
        };
        assert_eq!(while_changing(&[(2, 0), (3, 0)]), None);
        assert_eq!(while_changing(&[(2, 0), (4, 0)]), Some(NOW));
        assert_eq!(Clocks::default().proposal_ns(1, &[], NOW, now), None);
    }

    #[test]
    fn old_samples_do_not_count() {
        let now = Instant::now();
        let clocks = clocks(&[(2, 0)], now);
        let oldest = now + SAMPLE_AGE_MAX;
        assert_eq!(proposal(&clocks, 3, oldest), Some(NOW));
        assert_eq!(
            proposal(&clocks, 3, oldest + Duration::from_millis(1)),
            None
        );
    }

    /// Over a slow round trip a clock is known roughly, which is better than not at all and worse than before.
    #[test]
    fn a_slow_round_trip_counts_at_its_lowest_and_only_where_nothing_better_is_known() {
        let now = Instant::now();
        let slow = Duration::from_secs(2);
        let clocks = Clocks::default();
        clocks.record(2, slow, NOW - SECOND, now);
        assert_eq!(clocks.offsets_ns(NOW, now), vec![(2, -(SECOND as i64))]);
        clocks.record(2, Duration::from_millis(200), NOW - SECOND / 10, now);
        assert_eq!(clocks.offsets_ns(NOW, now), vec![(2, 0)]);
        let oldest = now + SAMPLE_AGE_MAX;
        clocks.record(2, slow, NOW, oldest);
        assert_eq!(clocks.offsets_ns(NOW + 5 * SECOND, oldest), vec![(2, 0)]);
        let later = oldest + Duration::from_millis(1);
        clocks.record(2, slow, NOW, later);
        assert_eq!(clocks.offsets_ns(NOW, later), vec![(2, 0)]);
    }

    #[test]
    fn half_the_round_trip_is_taken_out() {
        let now = Instant::now();
        let clocks = Clocks::default();
        clocks.record(2, Duration::from_millis(100), NOW - 50_000_000, now);
        assert_eq!(clocks.offsets_ns(NOW, now), vec![(2, 0)]);
    }
}
