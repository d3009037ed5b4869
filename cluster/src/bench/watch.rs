//! Progress of a run on standard error: a line that changes on a terminal, a plain one now and then elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::output;

/// Time between two lines on a terminal, and elsewhere.
const PERIOD_TERMINAL: Duration = Duration::from_secs(1);
const PERIOD_PLAIN: Duration = Duration::from_secs(10);

/// Shows what is counted until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    task: JoinHandle<()>,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Watches a counter of transfers answered, of which there will be `total`; 0 when nobody knows.
    pub(super) fn new(answered: Arc<AtomicU64>, total: u64) -> Self {
        let bar = std::io::stderr()
            .is_terminal()
            .then(ProgressBar::new_spinner);
        let period = if bar.is_some() {
            PERIOD_TERMINAL
        } else {
            PERIOD_PLAIN
        };
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            let (begun, mut last) = (Instant::now(), 0);
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick is at once.
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let now = answered.load(Ordering::Relaxed);
                let text = line(begun.elapsed(), now, now - last, period, total);
                last = now;
                match &shown {
                    Some(bar) => bar.set_message(text),
                    None => output::tell(text),
                }
            }
        });
        Self { task, bar }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(elapsed: Duration, answered: u64, lately: u64, period: Duration, total: u64) -> String {
    let of = if total > 0 {
        format!(" of {}", output::count(total))
    } else {
        String::new()
    };
    format!(
        "bench: {}, {}{of} transfers, {}/s lately",
        output::duration(elapsed),
        output::count(answered),
        output::count(output::rate(lately, period)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line(second * 20, 3_000_000, 1_500_000, second * 10, 4_000_000),
            "bench: 20.0 s, 3,000,000 of 4,000,000 transfers, 150,000/s lately"
        );
        assert!(line(second, 5, 5, second, 0).contains(" 5 transfers"));
    }
}
