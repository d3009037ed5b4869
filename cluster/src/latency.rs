//! Latencies in microseconds, with percentiles of bounded error.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Largest latency told apart, in microseconds: ten minutes, longer than any deadline that makes sense.
const LATENCY_US_MAX: u64 = 600_000_000;

/// Collects latencies. Percentiles are exact to three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// Percentiles of what was collected, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LatencyUs {
    /// Half of the calls took at most this long.
    pub p50: u64,
    /// Nine of ten.
    pub p90: u64,
    /// 99 of 100.
    pub p99: u64,
    /// 999 of 1,000.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    /// An empty collection.
    ///
    /// # Panics
    /// Never: the bounds are constants the histogram accepts (a test builds one).
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
            .expect("constant bounds that the histogram accepts");
        Self { histogram }
    }

    /// Adds one latency; longer than ten minutes counts as ten minutes.
    pub fn record(&mut self, latency: Duration) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.histogram.saturating_record(latency_us.max(1));
    }

    /// Adds everything that `other` collected.
    pub fn merge(&mut self, other: &Self) {
        let added = self.histogram.add(&other.histogram);
        // Both have the same bounds, so adding cannot fail; a failure would lose figures, never money.
        debug_assert!(added.is_ok(), "{added:?}");
    }

    /// Latencies collected.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The percentiles; zeros when nothing was collected.
    #[must_use]
    pub fn percentiles(&self) -> LatencyUs {
        if self.histogram.is_empty() {
            return LatencyUs::default();
        }
        LatencyUs {
            p50: self.histogram.value_at_quantile(0.5),
            p90: self.histogram.value_at_quantile(0.9),
            p99: self.histogram.value_at_quantile(0.99),
            p999: self.histogram.value_at_quantile(0.999),
            max: self.histogram.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_thousand_steps() {
        let mut low = Latencies::new();
        let mut high = Latencies::new();
        for milliseconds in 1..=500 {
            low.record(Duration::from_millis(milliseconds));
            high.record(Duration::from_millis(milliseconds + 500));
        }
        low.merge(&high);
        let latency_us = low.percentiles();
        assert_eq!(low.count(), 1_000);
        assert!(
            (499_000..=501_000).contains(&latency_us.p50),
            "{latency_us:?}"
        );
        assert!(
            (989_000..=991_000).contains(&latency_us.p99),
            "{latency_us:?}"
        );
        assert!(latency_us.max >= 1_000_000, "{latency_us:?}");
    }

    #[test]
    fn empty_is_zero_and_huge_is_kept() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentiles(), LatencyUs::default());
        latencies.record(Duration::from_secs(10_000));
        assert!(latencies.percentiles().max >= LATENCY_US_MAX);
    }
}
