//! Progress of an import, for the person who waits: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::source::Position;
use crate::output;

/// Time between two lines where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
#[derive(Debug)]
pub(super) struct Display {
    position: Position,
    bar: Option<ProgressBar>,
    /// Thousandths of the file that were read before anything was sent.
    from_permille: u64,
    started: Instant,
    last_line: Instant,
}

impl Display {
    pub(super) fn new(position: Position) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1_000);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            from_permille: position.permille(),
            position,
            bar,
            started: Instant::now(),
            last_line: Instant::now(),
        }
    }

    /// Shows how many transfers were answered so far.
    pub(super) fn show(&mut self, answered: u64) {
        let line_is_due = self.last_line.elapsed() >= LINE_PERIOD;
        if self.bar.is_none() && !line_is_due {
            return;
        }
        let elapsed = self.started.elapsed();
        let permille = self.position.permille();
        let text = format!(
            "{} transfers, {}/s{}",
            output::count(answered),
            output::count(output::rate(answered, elapsed)),
            time_left(elapsed, self.from_permille, permille)
                .map(|left| format!(", about {} left", output::duration(left)))
                .unwrap_or_default()
        );
        if let Some(bar) = &self.bar {
            bar.set_position(permille);
            bar.set_message(text);
        } else {
            self.last_line = Instant::now();
            output::tell(format!("import: {}%, {text}", permille / 10));
        }
    }

    /// Says things above the bar, from wherever they happen.
    pub(super) fn speaker(&self) -> Speaker {
        Speaker {
            bar: self.bar.clone(),
            quiet_until: Arc::new(Mutex::new(Instant::now())),
        }
    }
}

/// Says things between the progress, a few batches telling of one outage only once.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    bar: Option<ProgressBar>,
    quiet_until: Arc<Mutex<Instant>>,
}

impl Speaker {
    pub(super) fn say(&self, line: &str) {
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
