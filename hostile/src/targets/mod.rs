//! The decoders, each with what must hold for any bytes.

mod amount;
mod apply;
mod envelope;
mod records;

/// One decoder and what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name, as `make fuzz TARGET=` takes it.
    pub name: &'static str,
    /// Panics when the bytes break what must hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with: small, each of another shape.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format that a mutation would not find by itself.
    pub words: &'static [&'static str],
    /// Seeded mutations in one run of the tests: a second or two of them.
    pub rounds: usize,
}

/// Every decoder that is tried.
pub const TARGETS: &[Target] = &[
    amount::TARGET,
    records::TARGET,
    envelope::TARGET,
    apply::TARGET,
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
