//! C2: the order of effects must agree with real time.
//!
//! In a linearizable history every call takes effect between its invocation and its end. The cluster's answers say in
//! which order the effects happened, so nothing has to be searched: walking along that order with the latest
//! invocation so far, a call that ended before it took effect too late, or the other one too early. Exact and linear.

use super::report::{Checker, Findings};
use super::trace::NONE;

/// The walk along the order of effects.
#[derive(Debug)]
pub(super) struct RealTime {
    invoke_ns: u64,
    invoke_event: u32,
}

impl Default for RealTime {
    fn default() -> Self {
        Self {
            invoke_ns: 0,
            invoke_event: NONE,
        }
    }
}

/// When a call was invoked and ended (ns), and the events that say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) invoke_ns: u64,
    pub(super) complete_ns: u64,
    pub(super) invoke_event: u32,
    pub(super) complete_event: u32,
}

impl RealTime {
    /// The next call in the order of effects.
    pub(super) fn place(&mut self, call: Interval, findings: &mut Findings) {
        if call.complete_ns < self.invoke_ns {
            let message = format!(
                "event {} was answered before event {} was sent, and yet took effect after it: {} ms against real time",
                call.complete_event,
                self.invoke_event,
                (self.invoke_ns - call.complete_ns) / 1_000_000
            );
            let events = [call.invoke_event, call.complete_event, self.invoke_event];
            findings.add(Checker::C2, events.map(u64::from).to_vec(), message);
        }
        if call.invoke_ns > self.invoke_ns {
            self.invoke_ns = call.invoke_ns;
            self.invoke_event = call.invoke_event;
        }
    }
}
