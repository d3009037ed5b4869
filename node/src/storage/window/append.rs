//! A list that one thread appends to while others read it: no lock, nothing ever moves.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

const FIRST_BUCKET: usize = 64;
const BUCKETS: usize = 16;
/// Items a list can hold.
pub(crate) const ITEMS_MAX: usize = FIRST_BUCKET * ((1 << BUCKETS) - 1);

/// An append-only list in buckets of doubling size.
pub(crate) struct AppendList<T> {
    buckets: [OnceLock<Box<[OnceLock<T>]>>; BUCKETS],
    len: AtomicUsize,
}

impl<T> AppendList<T> {
    pub(crate) fn new() -> Self {
        Self {
            buckets: [const { OnceLock::new() }; BUCKETS],
            len: AtomicUsize::new(0),
        }
    }

    /// Number of items that every thread sees.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Item `index`, once it was pushed.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (bucket, at) = place(index);
        self.buckets.get(bucket)?.get()?.get(at)?.get()
    }

    /// Appends and returns the index, or gives the item back when the list is full. One thread at a time.
    pub(crate) fn push(&self, item: T) -> Result<usize, T> {
        let index = self.len.load(Ordering::Relaxed);
        let (bucket, at) = place(index);
        let Some(bucket_slot) = self.buckets.get(bucket) else {
            return Err(item);
        };
        let slots = bucket_slot.get_or_init(|| {
            (0..FIRST_BUCKET << bucket)
                .map(|_| OnceLock::new())
                .collect()
        });
        slots[at].set(item)?;
        self.len.store(index + 1, Ordering::Release);
        Ok(index)
    }
}

/// Bucket and place in it of an index: bucket `b` begins at `FIRST_BUCKET * (2^b - 1)`.
#[inline]
fn place(index: usize) -> (usize, usize) {
    let bucket = (index / FIRST_BUCKET + 1).ilog2() as usize;
    (bucket, index - FIRST_BUCKET * ((1 << bucket) - 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn readers_meet_every_item_in_order() {
        let list = AppendList::new();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..10_000_usize).for_each(|n| assert_eq!(list.push(n), Ok(n))));
            let mut seen = 0;
            while seen < 10_000 {
                let len = list.len();
                (seen..len).for_each(|n| assert_eq!(list.get(n), Some(&n)));
                seen = len;
            }
        });
        assert_eq!(list.get(10_000), None);
        assert_eq!(list.get(usize::MAX / 2), None);
    }

    #[test]
    fn places_have_no_gaps() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!(place(index), expected);
            expected.1 += 1;
            if expected.1 == FIRST_BUCKET << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(place(ITEMS_MAX - 1).0, BUCKETS - 1);
        assert_eq!(place(ITEMS_MAX).0, BUCKETS);
    }
}
