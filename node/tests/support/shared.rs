//! One cluster for all tests of a file.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Cluster;

/// Where the tests of one file find the cluster they share.
pub(crate) type Slot = Mutex<Weak<Cluster>>;

/// A cluster shared by the tests of one file; it ends with the last test that holds it, because a static would never
/// be dropped and its processes would outlive the tests.
pub(crate) struct Shared(Arc<Cluster>);

impl Shared {
    /// The cluster of the slot, started by the first test that needs it.
    pub(crate) fn get(slot: &Slot, start: impl FnOnce() -> Cluster) -> Self {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.upgrade() {
            return Self(running);
        }
        let started = Arc::new(start());
        *slot = Arc::downgrade(&started);
        Self(started)
    }
}

impl std::ops::Deref for Shared {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last holder may be another test, which has not failed.
        if std::thread::panicking() {
            self.0.print_tails();
        }
    }
}
