//! Waiting between attempts.

use std::time::Duration;

use rand::Rng as _;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(30);
/// However long a receiver asks us to stay away.
const HINT_MAX: Duration = Duration::from_secs(3_600);

/// Waits that double from 50 ms to 30 s, each shortened by a random part of up to one half, so that sinks which failed
/// together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { next: SHORTEST }
    }
}

impl Backoff {
    /// The next wait, not shorter than the hint of the other side, which counts up to an hour.
    pub(crate) fn next(&mut self, hint: Option<Duration>) -> Duration {
        let wait = self.next.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.next = (self.next * 2).min(LONGEST);
        wait.max(hint.unwrap_or_default().min(HINT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_keep_to_a_hint() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.next(None)).collect();
        assert!(waits[0] <= SHORTEST && waits[0] >= SHORTEST / 2);
        assert!(waits[11] <= LONGEST && waits[11] >= LONGEST / 2);
        let mut backoff = Backoff::default();
        assert_eq!(
            backoff.next(Some(Duration::from_secs(7))),
            Duration::from_secs(7)
        );
        assert_eq!(backoff.next(Some(Duration::MAX)), HINT_MAX);
    }
}
