//! The way of log lines to stderr: through a bounded queue and a thread of its own.
//!
//! Whoever logs never waits. A pipe that nobody reads blocks its writer for as long as nobody reads it; were that the
//! apply thread or the one of Raft, the node would stop for the sake of its log. What does not fit the queue is
//! dropped and counted, and the count is written as soon as lines are taken again.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Lines that may wait.
const LINES_MAX: usize = 1_024;
/// Longer lines are cut, so that what waits is bounded in bytes too.
const LINE_BYTES_MAX: usize = 8 << 10;

/// Where every line of the process goes once logging has begun.
static LINES: OnceLock<Lines> = OnceLock::new();

#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
}

/// The queue's open end. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    queue: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

impl Lines {
    /// The process's queue to stderr; begun by the first call.
    pub(super) fn of_process() -> &'static Self {
        LINES.get_or_init(|| Self::start(std::io::stderr()))
    }

    /// The process's queue, if logging has begun.
    pub(super) fn begun() -> Option<&'static Self> {
        LINES.get()
    }

    fn start(sink: impl Write + Send + 'static) -> Self {
        let (queue, lines) = sync_channel(LINES_MAX);
        let counts = Arc::<Counts>::default();
        let shared = Arc::clone(&counts);
        // Without the thread every line is dropped: a node that cannot log is better than none.
        let _ = std::thread::Builder::new()
            .name("log-lines".into())
            .spawn(move || write_lines(sink, &lines, &shared));
        Self { queue, counts }
    }

    /// Takes a line, or drops and counts it. Never waits.
    pub(super) fn take(&self, line: &[u8]) {
        let mut kept = line[..line.len().min(LINE_BYTES_MAX)].to_vec();
        if kept.len() < line.len() {
            kept.extend_from_slice(b"... (cut)\n");
        }
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(kept).is_err() {
            self.counts.taken.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits at most `patience` until what was taken is written.
    pub(super) fn flush(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let taken = self.counts.taken.load(Ordering::Relaxed);
        while self.counts.written.load(Ordering::Relaxed) < taken && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lines dropped since logging began.
    pub(super) fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }
}

fn write_lines(mut sink: impl Write, lines: &Receiver<Vec<u8>>, counts: &Counts) {
    let mut told = 0;
    while let Ok(line) = lines.recv() {
        // A line that cannot be written is lost: a full disk under the log file is no reason to complain there.
        let _ = sink.write_all(&line);
        let dropped = counts.dropped.load(Ordering::Relaxed);
        if dropped > told {
            let _ = writeln!(
                sink,
                "{} log lines were dropped, because nobody took them",
                dropped - told
            );
            told = dropped;
        }
        counts.written.fetch_add(1, Ordering::Relaxed);
    }
}

/// One event's bytes, given to the queue as one line.
pub(super) struct Line {
    bytes: Vec<u8>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            Lines::of_process().take(&self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing until it is opened.
    #[derive(Clone, Default)]
    struct Gate {
        open: Arc<Mutex<bool>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            while !*self.open.lock().unwrap() {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_blocked_sink_costs_lines_and_no_time() {
        let gate = Gate::default();
        let lines = Lines::start(gate.clone());
        let began = Instant::now();
        for number in 0..10_000 {
            lines.take(format!("line {number}\n").as_bytes());
        }
        lines.flush(Duration::from_millis(20));
        assert!(began.elapsed() < Duration::from_secs(5));
        let dropped = lines.dropped();
        assert!((8_000..10_000).contains(&dropped), "{dropped}");
        *gate.open.lock().unwrap() = true;
        lines.flush(Duration::from_secs(10));
        let written = String::from_utf8(gate.written.lock().unwrap().clone()).unwrap();
        assert!(written.starts_with("line 0\n"), "{written}");
        assert!(
            written.contains(&format!("{dropped} log lines were dropped")),
            "{written}"
        );
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let gate = Gate::default();
        *gate.open.lock().unwrap() = true;
        let lines = Lines::start(gate.clone());
        lines.take(&vec![b'x'; 1 << 20]);
        lines.flush(Duration::from_secs(10));
        let length = gate.written.lock().unwrap().len();
        assert!(
            (LINE_BYTES_MAX..LINE_BYTES_MAX + 32).contains(&length),
            "{length}"
        );
    }
}
