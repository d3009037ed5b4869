//! Mistakes on purpose, switched on by name: the simulator must find each of them. Compiled out without the feature.

use std::cell::Cell;

thread_local! {
    static ACTIVE: Cell<&'static str> = const { Cell::new("") };
}

/// The mistakes there are.
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
    ACTIVE.get() == name
}

/// Whether this mistake is to be made: never.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_name: &str) -> bool {
    false
}
