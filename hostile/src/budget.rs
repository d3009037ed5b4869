//! What decoding may allocate. A length field costs its writer four bytes and must not cost the reader four GiB.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs `work` and checks that it allocated at most `bytes_max`, everything counted, even what it gave back at once.
///
/// Threads that allocate at the same time are counted too: whoever checks runs one target at a time.
///
/// # Panics
/// When it allocated more.
pub fn within<T>(bytes_max: usize, work: impl FnOnce() -> T) -> T {
    let region = Region::new(COUNTED);
    let value = work();
    let allocated = region.change().bytes_allocated;
    assert!(
        allocated <= bytes_max,
        "{allocated} bytes were allocated where {bytes_max} are enough"
    );
    value
}
