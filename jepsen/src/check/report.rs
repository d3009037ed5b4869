//! What a check says: one verdict, the violations behind it, and the figures of the run.

use std::collections::BTreeMap;

use serde::Serialize;

/// One word for a whole run. Which word wins when several apply: the order here, from above.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The harness could not do its work or broke its own rules: nothing is known about the system.
    HarnessFailure,
    /// The system did what it must never do.
    Fail,
    /// The run did not reach what it was required to reach: it proves nothing.
    Rejected,
    /// Something stayed unresolved, so that a violation may hide behind it or an apparent one may be none.
    Unknown,
    /// Everything was checked and nothing was wrong.
    Ok,
}

/// Which check found it; the names of the reliability matrix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum Checker {
    /// Replay through the model, reads included.
    C1,
    /// Real time.
    C2,
    /// Nothing lost, nothing invented.
    C3,
    /// One effect for each id, one version for ever.
    C4,
    /// Equal digests, one leader for each term.
    C8,
    /// The ledger's invariants on every node.
    C9,
    /// Calls return in time.
    C10,
    /// Ready after the last heal, no panic.
    C12,
    /// Coverage.
    C14,
    /// The harness itself.
    Harness,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// Who found it.
    pub checker: Checker,
    /// Indexes of the events that show it.
    pub events: Vec<u64>,
    /// What was seen and what was expected.
    pub message: String,
    /// False when an operation of unknown outcome could explain it.
    pub certain: bool,
}

/// Service during a stretch of time.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Window {
    /// Name of the fault; `calm` for the time without any.
    pub fault: String,
    /// Beginning, ms since the start.
    pub from_ms: u64,
    /// End, ms since the start.
    pub to_ms: u64,
    /// Calls that ended `ok` in it.
    pub ok_count: u64,
    /// Calls that ended `fail` in it.
    pub fail_count: u64,
    /// Calls whose outcome became unknown in it.
    pub info_count: u64,
    /// Longest time without an `ok`, ms.
    pub gap_ms_max: u64,
    /// Latency of `ok` calls, ms, rounded up to a quarter.
    pub latency_ms_p50: f64,
    /// Latency of `ok` calls, ms, rounded up to a quarter.
    pub latency_ms_p99: f64,
}

/// How much was checked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Lines of the history.
    pub events: u64,
    /// Invocations.
    pub operations: u64,
    /// Answered.
    pub ok: u64,
    /// Certainly not done.
    pub fail: u64,
    /// Unknown when they ended.
    pub info: u64,
    /// Unknown ones that turned out to have happened.
    pub info_happened: u64,
    /// Unknown ones that turned out not to have happened.
    pub info_did_not_happen: u64,
    /// Unknown ones that stayed unknown.
    pub info_unresolved: u64,
    /// Items of acknowledged requests, replayed.
    pub items: u64,
    /// Rows of reads compared with the model, final ones aside.
    pub rows_read: u64,
    /// Nodes whose final state was read completely.
    pub nodes_read: u64,
    /// Faults of the nemesis.
    pub faults: u64,
}

/// The judgement of a run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// In one word.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What is wrong, most serious first; the list ends at [`VIOLATIONS_MAX`] for each checker.
    pub violations: Vec<Violation>,
    /// How many there are in all, by checker.
    pub violation_counts: BTreeMap<Checker, u64>,
    /// What stayed open, in words.
    pub unresolved: Vec<String>,
    /// How much was checked.
    pub counts: Counts,
    /// Service by fault (C11); the first is all the time without faults.
    pub windows: Vec<Window>,
    /// Points reached (C14).
    pub coverage: BTreeMap<String, u64>,
}

/// Violations listed for each checker; more are only counted.
pub const VIOLATIONS_MAX: usize = 20;

/// Collects violations while checkers run.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Violation>,
    pub(super) counts: BTreeMap<Checker, u64>,
    /// What makes a verdict unknown at best.
    pub(super) unresolved: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, checker: Checker, events: Vec<u64>, message: String) {
        let count = self.counts.entry(checker).or_default();
        *count += 1;
        if *count <= VIOLATIONS_MAX as u64 {
            self.list.push(Violation {
                checker,
                events,
                message,
                certain: true,
            });
        }
    }

    /// Like [`Findings::add`], for what follows from the whole order of effects: an operation that stayed unknown
    /// could explain it.
    pub(super) fn derive(&mut self, checker: Checker, events: Vec<u64>, message: String) {
        let before = self.list.len();
        self.add(checker, events, message);
        self.list[before..]
            .iter_mut()
            .for_each(|violation| violation.certain = false);
    }

    pub(super) fn count(&self, checker: Checker) -> u64 {
        self.counts.get(&checker).copied().unwrap_or(0)
    }

    pub(super) fn open(&mut self, what: String) {
        if self.unresolved.len() < VIOLATIONS_MAX {
            self.unresolved.push(what);
        }
    }

    /// The verdict. `doubtful` is true when operations stayed unknown: then what was derived is not certain.
    pub(super) fn judge(&mut self, doubtful: bool) -> (Verdict, String) {
        use Checker::{C14, Harness};
        if !doubtful {
            self.list
                .iter_mut()
                .for_each(|violation| violation.certain = true);
        }
        self.list
            .sort_by_key(|violation| (!violation.certain, violation.checker));
        let first = |what: &dyn Fn(&Violation) -> bool| {
            self.list
                .iter()
                .find(|violation| what(violation))
                .map(|v| v.message.clone())
        };
        if let Some(message) = first(&|v| v.checker == Harness) {
            return (Verdict::HarnessFailure, message);
        }
        if let Some(message) = first(&|v| v.certain && v.checker != C14) {
            return (Verdict::Fail, message);
        }
        if let Some(message) = first(&|v| v.checker == C14) {
            return (Verdict::Rejected, message);
        }
        if let Some(open) = self.unresolved.first() {
            return (Verdict::Unknown, open.clone());
        }
        if let Some(message) = first(&|_| true) {
            return (Verdict::Unknown, message);
        }
        (
            Verdict::Ok,
            "everything was checked and nothing was wrong".into(),
        )
    }
}
