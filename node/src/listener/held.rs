//! What connections make the node hold: messages that are not finished yet, answers that are not sent yet.
//!
//! HTTP/2 bounds what is on its way to us, not what we have taken and cannot use yet, nor what we have made and may not
//! send: its windows say how fast a caller reads, and one that does not read at all keeps every rule.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much a listener's connections may make the node hold, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct HeldMax {
    /// One of them.
    pub connection_bytes: usize,
    /// All of them.
    pub all_bytes: usize,
}

/// What a connection may when all together hold too much: whoever holds much has to wait, and not whoever sends a payment.
const CONNECTION_BYTES_MIN: usize = 128 << 10;

/// What a listener's connections hold together. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct All {
    bytes: Arc<AtomicUsize>,
    max: HeldMax,
}

impl All {
    pub(super) fn new(max: HeldMax) -> Self {
        let bytes = Arc::default();
        Self { bytes, max }
    }
}

#[derive(Debug)]
struct Inner {
    all: All,
    bytes: AtomicUsize,
    /// When something was let go last, or was taken when there was nothing.
    moved: Mutex<Instant>,
}

/// What one connection holds; a request carries it as an extension. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Held {
    inner: Arc<Inner>,
}

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Held {
    pub(super) fn new(all: &All) -> Self {
        Self {
            inner: Arc::new(Inner {
                all: all.clone(),
                bytes: AtomicUsize::new(0),
                moved: Mutex::new(Instant::now()),
            }),
        }
    }

    /// A share of nothing, to grow.
    #[must_use]
    pub fn share(&self) -> Share {
        Share {
            held: self.clone(),
            bytes: 0,
        }
    }

    /// Whether something has been held for so long without anything being let go.
    pub(super) fn is_stuck(&self, longer_than: Duration) -> bool {
        self.inner.bytes.load(Ordering::Relaxed) > 0 && self.moved().elapsed() > longer_than
    }

    fn moved(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.inner
            .moved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let own = self.inner.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let all = self.inner.all.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if own == bytes {
            *self.moved() = Instant::now();
        }
        let max = &self.inner.all.max;
        if own > max.connection_bytes || all > max.all_bytes && own > CONNECTION_BYTES_MIN {
            self.inner.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.inner.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Full);
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.inner.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.inner.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
            *self.moved() = Instant::now();
        }
    }
}

/// Bytes held for one message, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    held: Held,
    bytes: usize,
}

impl Share {
    /// Holds so many bytes from now on.
    ///
    /// # Errors
    /// When there is no room for the difference; the share is as it was.
    pub fn set(&mut self, bytes: usize) -> Result<(), Full> {
        if bytes > self.bytes {
            self.held.take(bytes - self.bytes)?;
        } else {
            self.held.give_back(self.bytes - bytes);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MAX: HeldMax = HeldMax {
        connection_bytes: 64 << 20,
        all_bytes: 256 << 20,
    };

    fn take(held: &Held, bytes: usize) -> Result<Share, Full> {
        let mut share = held.share();
        share.set(bytes).map(|()| share)
    }

    #[test]
    fn one_connection_has_its_bound_and_what_it_lets_go_comes_back() {
        let held = Held::new(&All::new(MAX));
        let mut most = take(&held, MAX.connection_bytes).unwrap();
        assert_eq!(take(&held, 1).unwrap_err(), Full);
        most.set(10).unwrap();
        assert!(take(&held, MAX.connection_bytes - 10).is_ok());
        assert!(most.set(MAX.connection_bytes + 1).is_err());
        drop(most);
        assert_eq!(held.inner.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(held.inner.all.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn when_all_together_hold_too_much_small_ones_go_on() {
        let all = All::new(MAX);
        let large: Vec<Share> = (0..MAX.all_bytes / MAX.connection_bytes)
            .map(|_| take(&Held::new(&all), MAX.connection_bytes).unwrap())
            .collect();
        let honest = Held::new(&all);
        let payment = take(&honest, CONNECTION_BYTES_MIN).unwrap();
        assert_eq!(take(&honest, 1).unwrap_err(), Full);
        drop(large);
        assert!(take(&honest, 1).is_ok());
        drop(payment);
    }

    #[tokio::test]
    async fn what_is_held_and_never_let_go_is_seen() {
        let short = Duration::from_millis(20);
        let held = Held::new(&All::new(MAX));
        let share = take(&held, 1).unwrap();
        assert!(!held.is_stuck(Duration::from_secs(60)));
        tokio::time::sleep(2 * short).await;
        assert!(held.is_stuck(short));
        drop(share);
        tokio::time::sleep(2 * short).await;
        assert!(!held.is_stuck(short));
    }
}
