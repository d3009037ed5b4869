//! Bugs planted on purpose, to see whether the tests would notice them. Only a build with the feature `planted` has
//! any, and only the ones that `FARTHING_PLANTED` names when the process starts; everywhere else [`planted`] is a
//! constant, and the compiler removes what it guards.

/// Whether the bug `name` is planted in this process.
#[cfg(not(feature = "planted"))]
#[inline(always)]
#[must_use]
pub const fn planted(_name: &str) -> bool {
    false
}

/// Whether the bug `name` is planted in this process.
#[cfg(feature = "planted")]
#[must_use]
pub fn planted(name: &str) -> bool {
    static NAMES: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(|| std::env::var("FARTHING_PLANTED").unwrap_or_default());
    names.split(',').any(|planted| planted == name)
}
