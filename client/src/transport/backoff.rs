//! Waiting between attempts.

use std::time::Duration;

use rand::Rng;

use crate::config::Builder;

/// Waits that double from the shortest to the longest, each shortened at random so that
/// clients which failed together do not come back together.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(config: &Builder) -> Self {
        Backoff::between(config.backoff_min, config.backoff_max)
    }

    pub(crate) fn between(shortest: Duration, longest: Duration) -> Self {
        Backoff {
            next: shortest,
            longest,
        }
    }

    /// The next wait, never shorter than the server's hint.
    pub(crate) fn next(&mut self, hint: Option<Duration>) -> Duration {
        let wait = self.next.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.next = (self.next * 2).min(self.longest);
        wait.max(hint.unwrap_or_default())
    }
}
