//! Ids for accounts, transfers and record writes.
//!
//! An id is made *before* its item is sent, and kept: with the same id again, an item
//! whose outcome is unknown is applied at most once. Ids of this module are laid out
//! like UUIDv7: 48 bits of milliseconds, then random bits. They sort by time, which
//! keeps the ledger's id index cheap, and within a process each is greater than the one
//! before, whatever the clock does.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rand::Rng;

/// Bits of an id that are neither time nor the UUID's version and variant.
const RANDOM_BITS: u32 = 74;
const TIME_MASK: u64 = (1 << 48) - 1;

struct Last {
    millisecond: u64,
    random: u128,
}

static LAST: Mutex<Last> = Mutex::new(Last {
    millisecond: 0,
    random: 0,
});

/// A new id: never zero, never 2^128 - 1, greater than every id made before by this
/// process.
///
/// ```
/// use farthing_client::ids;
/// use farthing_client::TransferId;
///
/// let first = ids::new();
/// let second = TransferId(ids::new());
/// assert!(second.0 > first);
/// ```
#[must_use]
pub fn new() -> u128 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(TIME_MASK)
        });
    let mut rng = rand::rng();
    // A panic cannot happen while it is held; its two numbers are valid at any point.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.advance(now, &mut rng)
}

/// `count` new ids in ascending order.
#[must_use]
pub fn many(count: usize) -> Vec<u128> {
    std::iter::repeat_with(new).take(count).collect()
}

impl Last {
    fn advance(&mut self, now: u64, rng: &mut impl Rng) -> u128 {
        if now > self.millisecond {
            self.millisecond = now;
            // The top bit stays free, so that a millisecond holds 2^73 / 2^32 ids at least.
            self.random = rng.random::<u128>() >> (128 - RANDOM_BITS + 1);
        } else {
            // A random step, so that an id says nothing about its neighbours.
            self.random += 1 + u128::from(rng.random::<u32>());
            if self.random >> RANDOM_BITS != 0 {
                self.millisecond += 1;
                self.random = u128::from(rng.random::<u64>());
            }
        }
        compose(self.millisecond, self.random)
    }
}

fn compose(millisecond: u64, random: u128) -> u128 {
    let low_mask = (1_u128 << 62) - 1;
    u128::from(millisecond & TIME_MASK) << 80
        | 7 << 76
        | (random >> 62) << 64
        | 0b10 << 62
        | (random & low_mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back_or_stands_still() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut last = Last {
            millisecond: 0,
            random: 0,
        };
        let mut before = 0;
        for now in [5, 5, 5, 4, 0, 6, 6, 5, 1_700_000_000_000, 3] {
            let id = last.advance(now, &mut rng);
            assert!(id > before);
            before = id;
        }
        assert_eq!(before >> 80, 1_700_000_000_000);
    }

    #[test]
    fn a_full_millisecond_borrows_from_the_next() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut last = Last {
            millisecond: 9,
            random: (1 << RANDOM_BITS) - 1,
        };
        let before = compose(last.millisecond, last.random);
        let id = last.advance(9, &mut rng);
        assert!(id > before);
        assert_eq!(id >> 80, 10);
    }

    #[test]
    fn ids_are_version_7_uuids() {
        for id in many(1_000) {
            assert_eq!(id >> 76 & 0xf, 7);
            assert_eq!(id >> 62 & 0b11, 0b10);
        }
    }

    #[test]
    fn threads_never_share_an_id() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| many(10_000)))
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            let ids = thread.join().expect("the thread ends well");
            assert!(ids.is_sorted());
            all.extend(ids);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }
}
