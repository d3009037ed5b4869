//! Work that blocks, off the Raft thread.

use std::io;

/// Runs `work` on a thread that may block, and resolves with what it gives.
///
/// # Errors
/// When the runtime is ending, or `work` panicked.
#[cfg(not(feature = "simulation"))]
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)
}

/// In a simulation everything happens on one thread, and what would block takes no time.
#[cfg(feature = "simulation")]
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    Ok(work())
}
