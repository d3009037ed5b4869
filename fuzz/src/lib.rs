//! What every target does: look up its namesake and run it.

/// Runs the target of this name.
///
/// # Panics
/// When the bytes break what must hold, which is what a fuzzer looks for.
pub fn run(name: &str, bytes: &[u8]) {
    let target = farthing_hostile::target(name).expect("each file is named after a target");
    target.run(bytes);
}
