//! Progress of something long, for the person who waits: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// Time between two lines where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
#[derive(Debug)]
pub(crate) struct Display {
    /// What goes on, as plain lines begin.
    what: &'static str,
    /// What is counted.
    unit: &'static str,
    bar: Option<ProgressBar>,
    /// Thousandths of the whole that were done before this began.
    from_permille: u64,
    started: Instant,
    last_line: Instant,
}

impl Display {
    pub(crate) fn new(what: &'static str, unit: &'static str, from_permille: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1_000);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            what,
            unit,
            bar,
            from_permille,
            started: Instant::now(),
            last_line: Instant::now(),
        }
    }

    /// Shows how many were done so far, and how many thousandths of the whole that is.
    pub(crate) fn show(&mut self, done: u64, permille: u64) {
        let line_is_due = self.last_line.elapsed() >= LINE_PERIOD;
        if self.bar.is_none() && !line_is_due {
            return;
        }
        let elapsed = self.started.elapsed();
        let text = format!(
            "{} {}, {}/s{}",
            output::count(done),
            self.unit,
            output::count(output::rate(done, elapsed)),
            time_left(elapsed, self.from_permille, permille)
                .map(|left| format!(", about {} left", output::duration(left)))
                .unwrap_or_default()
        );
        if let Some(bar) = &self.bar {
            bar.set_position(permille);
            bar.set_message(text);
        } else {
            self.last_line = Instant::now();
            output::tell(format!("{}: {}%, {text}", self.what, permille / 10));
        }
    }

    /// Says things above the bar, from wherever they happen.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker {
            bar: self.bar.clone(),
            quiet_until: Arc::new(Mutex::new(Instant::now())),
        }
    }
}

/// Says things between the progress, a few batches telling of one outage only once.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    bar: Option<ProgressBar>,
    quiet_until: Arc<Mutex<Instant>>,
}

impl Speaker {
    pub(crate) fn say(&self, line: &str) {
        {
            // A panic cannot happen while it is held, and any value in it is a valid one.
            let mut quiet_until = self
                .quiet_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if now < *quiet_until {
                return;
            }
            *quiet_until = now + LINE_PERIOD;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| output::tell(line)),
            None => output::tell(line),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Time left when the file goes on as it went so far; `None` while there is too little to tell.
fn time_left(elapsed: Duration, from_permille: u64, permille: u64) -> Option<Duration> {
    let done = permille.saturating_sub(from_permille);
    if done < 10 || elapsed < Duration::from_secs(1) {
        return None;
    }
    let left = 1_000_u64.saturating_sub(permille);
    let ms = elapsed.as_millis() * u128::from(left) / u128::from(done);
    // Whole seconds: more would only flicker.
    Some(Duration::from_secs(u64::try_from(ms.div_ceil(1_000)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_in_proportion() {
        let second = Duration::from_secs(1);
        assert_eq!(time_left(second * 10, 0, 250), Some(second * 30));
        assert_eq!(time_left(second * 10, 500, 750), Some(second * 10));
        assert_eq!(time_left(second * 10, 0, 1_000), Some(Duration::ZERO));
        assert_eq!(time_left(second * 10, 0, 1), None);
    }
}
