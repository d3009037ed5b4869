//! What happened, in order: hashed always, written when asked for; and which points a run has reached.
//!
//! Two runs of one seed must have equal traces to the byte: that is what "deterministic" means here, and a test holds
//! it to that. All state is of the thread, because a simulation is one thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::{Arguments, Write as _};
use std::io::Write;
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

struct Trace {
    hash: Xxh3,
    lines: u64,
    line: String,
    out: Option<Box<dyn Write>>,
    points: BTreeMap<&'static str, u64>,
}

thread_local! {
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What a trace came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Hash of all lines.
    pub hash: u64,
    /// Number of lines.
    pub lines: u64,
    /// Points reached, and how often.
    pub points: BTreeMap<&'static str, u64>,
}

/// Begins a trace, written to `out` as well if there is one.
pub fn begin(out: Option<Box<dyn Write>>) {
    NOW.set(Duration::ZERO);
    TRACE.set(Some(Trace {
        hash: Xxh3::new(),
        lines: 0,
        line: String::new(),
        out,
        points: BTreeMap::new(),
    }));
}

/// Ends the trace.
pub fn end() -> Summary {
    TRACE.take().map_or_else(Summary::default, |mut trace| {
        if let Some(out) = &mut trace.out {
            let _ = out.flush();
        }
        Summary {
            hash: trace.hash.digest(),
            lines: trace.lines,
            points: trace.points,
        }
    })
}

/// Virtual time since the beginning.
pub fn now() -> Duration {
    NOW.get()
}

/// Sets the virtual time.
pub fn set_now(now: Duration) {
    NOW.set(now);
}

/// Adds a line, after the time.
pub fn line(what: Arguments<'_>) {
    TRACE.with_borrow_mut(|trace| {
        let Some(trace) = trace else { return };
        trace.line.clear();
        let _ = writeln!(trace.line, "{:>6} {what}", NOW.get().as_millis());
        trace.hash.update(trace.line.as_bytes());
        trace.lines += 1;
        if let Some(out) = &mut trace.out {
            let _ = out.write_all(trace.line.as_bytes());
        }
    });
}

/// Counts that a point was reached.
pub fn reached(point: &'static str) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            *trace.points.entry(point).or_default() += 1;
        }
    });
}

/// Adds a line to the trace.
#[macro_export]
macro_rules! trace {
    ($($what:tt)*) => { $crate::trace::line(format_args!($($what)*)) };
}
