//! A wall clock that goes wrong while the node runs, as a file says: only in builds for tests.
//!
//! The file is read again every few milliseconds. Empty: the clock is right. `skew MS`: so much is added, negative for
//! a clock that is behind. `freeze`: it stands still from now on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::consensus::clocks::{Clock, SystemClock};

/// How soon a change of the file counts.
const PERIOD: Duration = Duration::from_millis(10);

/// What is wrong right now.
#[derive(Debug, Default)]
struct Error {
    offset_ns: AtomicI64,
    /// 0: it does not stand still.
    frozen_ns: AtomicU64,
}

impl Error {
    fn follow(&self, words: &str) {
        let mut words = words.split_whitespace();
        match (words.next(), words.next()) {
            (Some("freeze"), _) => {
                let now = SystemClock.wall_ns();
                // It stands where it stood when it was first told to.
                let _ =
                    self.frozen_ns
                        .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
            }
            (Some("skew"), Some(ms)) => {
                // A half-written number counts in a moment.
                if let Ok(ms) = ms.parse::<i64>() {
                    self.frozen_ns.store(0, Ordering::Relaxed);
                    let offset_ns = ms.saturating_mul(1_000_000);
                    self.offset_ns.store(offset_ns, Ordering::Relaxed);
                }
            }
            _ => {
                self.frozen_ns.store(0, Ordering::Relaxed);
                self.offset_ns.store(0, Ordering::Relaxed);
            }
        }
    }

    fn wall_ns(&self) -> u64 {
        match self.frozen_ns.load(Ordering::Relaxed) {
            0 => {
                let offset_ns = self.offset_ns.load(Ordering::Relaxed);
                SystemClock.wall_ns().saturating_add_signed(offset_ns)
            }
            frozen_ns => frozen_ns,
        }
    }
}

/// The clock.
#[derive(Debug)]
pub(crate) struct ClockFile {
    error: Arc<Error>,
}

impl ClockFile {
    /// Follows a file from now on, until the process ends.
    pub(crate) fn follow(path: &Path) -> std::io::Result<Self> {
        let error = Arc::new(Error::default());
        let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        let path = path.to_owned();
        // Before anybody looks at the clock.
        error.follow(&read(&path));
        let followed = Arc::clone(&error);
        std::thread::Builder::new()
            .name("clock-file".into())
            .spawn(move || {
                loop {
                    std::thread::sleep(PERIOD);
                    followed.follow(&read(&path));
                }
            })?;
        Ok(Self { error })
    }
}

impl Clock for ClockFile {
    fn wall_ns(&self) -> u64 {
        self.error.wall_ns()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_jumps_stands_still_and_is_right_again() {
        let error = Error::default();
        let off = |error: &Error| {
            let right = i128::from(SystemClock.wall_ns());
            (i128::from(error.wall_ns()) - right) / 1_000_000_000
        };
        assert_eq!(off(&error), 0);
        error.follow("skew -5000000");
        assert!((-5001..=-4999).contains(&off(&error)));
        error.follow("freeze");
        let first = error.wall_ns();
        std::thread::sleep(Duration::from_millis(5));
        error.follow("freeze");
        assert_eq!(error.wall_ns(), first);
        error.follow("");
        assert_eq!(off(&error), 0);
    }
}
