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

/// Plants what `FARTHING_PLANTED` names in the whole process. `nodes-differ` falls on every other process only.
#[cfg(feature = "planted")]
pub fn from_environment() {
    let names = std::env::var("FARTHING_PLANTED").unwrap_or_default();
    let odd = std::process::id() % 2 == 1;
    let mine = names
        .split(',')
        .filter(|name| *name != "nodes-differ" || odd);
    farthing_ledger::plant(&mine.collect::<Vec<_>>().join(","));
    tracing::error!(
        names,
        "this build can have bugs planted: it is for tests of tests, and not for anybody's money"
    );
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
