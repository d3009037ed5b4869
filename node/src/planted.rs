//! Mistakes on purpose, switched on by name: by the simulator for its thread, by `FARTHING_PLANTED` for a process that
//! `jepsen planted` runs. Each must be found. Compiled out without the feature.

use std::cell::Cell;

thread_local! {
    static ACTIVE: Cell<&'static str> = const { Cell::new("") };
}

/// The mistakes that the simulator can make.
pub const NAMES: [&str; 6] = [
    "ack-before-sync",
    "append-before-durable",
    "stale-read",
    "truncate-not-written",
    "vote-not-saved",
    "expiry-by-own-clock",
];

/// Switches a mistake on for this thread, and every other one off; an unknown name switches all off.
pub fn activate(name: &str) {
    let known = NAMES.iter().find(|known| **known == name);
    ACTIVE.set(known.copied().unwrap_or(""));
}

/// Whether this mistake is to be made.
#[cfg(feature = "planted")]
pub(crate) fn is(name: &str) -> bool {
    ACTIVE.get() == name || farthing_ledger::planted(name)
}

/// Whether this mistake is to be made: never.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_name: &str) -> bool {
    false
}
