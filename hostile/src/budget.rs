//! What decoding may allocate. A length field costs its writer four bytes and must not cost the reader four GiB.

use std::alloc::System;

use farthing_proto::codec::LIST_ITEMS_MAX;
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

/// What a protobuf message of `length` bytes may take when it is decoded. An item without fields takes two bytes on the
/// wire and up to 256 in memory, twice that while its list grows; but only so many items are read at all.
#[must_use]
pub fn message(length: usize) -> usize {
    (length / 2).min(LIST_ITEMS_MAX) * 512 + 32 * length + 4_096
}
