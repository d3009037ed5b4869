//! The history of a run that is going on, shared by its processes.
//!
//! Times are taken under the same lock that orders the lines: an invocation's before its request leaves, an answer's
//! after it came. So an interval of the history is never shorter than the real one, and a checker that finds two
//! calls in the wrong order is right.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::event::{Facts, Kind, Process};
use super::function::Function;
use super::values::Value;
use super::writer::Writer;

/// A history that many tasks write. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writer: Writer<BufWriter<File>>,
    /// The first write that failed: from there on the history is worth nothing.
    failed: Option<io::Error>,
    /// Whoever still has something to say comes too late.
    is_finished: bool,
}

impl Recorder {
    /// Begins a history; time 0 is now. A file of that name is replaced.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let state = State {
            writer: Writer::new(file),
            failed: None,
            is_finished: false,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                start: Instant::now(),
                state: Mutex::new(state),
            }),
        })
    }

    /// ns since the start.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.shared.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Writes an event now and returns its index.
    pub fn note(
        &self,
        kind: Kind,
        process: Process,
        function: Function,
        value: Value,
        facts: Facts,
    ) -> u64 {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if state.is_finished {
            return u64::MAX;
        }
        let time = self.now();
        match state
            .writer
            .append(kind, process, function, value, time, facts)
        {
            Ok(index) => index,
            Err(error) => {
                state.failed.get_or_insert(error);
                u64::MAX
            }
        }
    }

    /// Writes that a worker is about to send; send after this returns. `deadline_ms` is what the caller gives it.
    #[must_use]
    pub fn invoke(&self, process: u64, function: Function, value: Value, deadline_ms: u64) -> Call {
        let facts = Facts {
            deadline_ms: Some(deadline_ms),
            ..Facts::default()
        };
        let process = Process::Worker(process);
        self.note(Kind::Invoke, process, function.clone(), value, facts);
        Call {
            recorder: self.clone(),
            process,
            function: Some(function),
        }
    }

    /// Writes everything out. What is noted after that is left out, so that the file can be read.
    ///
    /// # Errors
    /// The first write of the run that failed: the history is then incomplete, which is the harness's failure.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.is_finished = true;
        match state.failed.take() {
            Some(error) => Err(error),
            None => state.writer.flush(),
        }
    }
}

/// A call that was sent. Dropped without an end, it is written as unknown.
#[derive(Debug)]
pub struct Call {
    recorder: Recorder,
    process: Process,
    /// Gone when the end is written.
    function: Option<Function>,
}

impl Call {
    /// The cluster answered.
    pub fn ok(mut self, value: Value, facts: Facts) {
        self.end(Kind::Ok, value, facts);
    }

    /// It certainly did not happen: the request never left, or the cluster refused it as a whole.
    pub fn fail(mut self, error: impl Into<String>) {
        self.end(
            Kind::Fail,
            Value::None,
            Facts {
                error: Some(error.into()),
                ..Facts::default()
            },
        );
    }

    /// Nobody knows. The process must not be used again.
    pub fn info(mut self, error: impl Into<String>) {
        self.end(
            Kind::Info,
            Value::None,
            Facts {
                error: Some(error.into()),
                ..Facts::default()
            },
        );
    }

    /// The end in the caller's own words, for what the three above cannot say (an `info` that was retried).
    pub fn end_as(mut self, kind: Kind, value: Value, facts: Facts) {
        self.end(kind, value, facts);
    }

    fn end(&mut self, kind: Kind, value: Value, facts: Facts) {
        if let Some(function) = self.function.take() {
            self.recorder
                .note(kind, self.process, function, value, facts);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let facts = Facts {
            error: Some("abandoned".into()),
            ..Facts::default()
        };
        self.end(Kind::Info, Value::None, facts);
    }
}
