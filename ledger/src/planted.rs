//! Bugs planted on purpose, to see whether the tests would notice them. Only a build with the feature `planted` has
//! any, and only those that the process asks for when it starts; everywhere else [`planted`] is a constant, and the
//! compiler removes what it guards.

#[cfg(feature = "planted")]
static NAMES: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Plants the bugs of these names, with commas, for the life of the process. The first call counts.
#[cfg(feature = "planted")]
pub fn plant(names: &str) {
    let _ = NAMES.set(names.to_owned());
}

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
    let names = NAMES.get().map_or("", String::as_str);
    names.split(',').any(|planted| planted == name)
}
