//! The bytes of requests that a node holds at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;

/// Overhead of a request in the queue, so that empty ones are not free.
pub(super) const REQUEST_OVERHEAD_BYTES: usize = 256;
/// What to tell a refused caller: about what it takes to apply a quarter of the door's bytes.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Room for one request, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    _bytes: OwnedSemaphorePermit,
}

/// A bounded number of bytes. Cheap to clone; clones share the room.
#[derive(Debug, Clone)]
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    bytes_max: usize,
}

impl Room {
    pub(super) fn new(bytes_max: usize) -> Self {
        let bytes_max = bytes_max.clamp(1, Semaphore::MAX_PERMITS >> 3);
        Self {
            bytes: Arc::new(Semaphore::new(bytes_max)),
            bytes_max,
        }
    }

    /// Takes room for a request of `bytes` and its overhead, or refuses at once.
    pub(super) fn permit(&self, bytes: usize) -> Result<Permit, Refusal> {
        let wanted = bytes.saturating_add(REQUEST_OVERHEAD_BYTES);
        let too_large =
            || Refusal::TooLarge(format!("{bytes} bytes; the door holds {}", self.bytes_max));
        if wanted > self.bytes_max {
            return Err(too_large());
        }
        let wanted = u32::try_from(wanted).map_err(|_| too_large())?;
        match Arc::clone(&self.bytes).try_acquire_many_owned(wanted) {
            Ok(permit) => Ok(Permit { _bytes: permit }),
            Err(_) => Err(Refusal::Overloaded {
                retry_after: RETRY_AFTER,
            }),
        }
    }

    pub(super) fn bytes_in_use(&self) -> usize {
        self.bytes_max - self.bytes.available_permits()
    }
}
