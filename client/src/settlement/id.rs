//! The ids of posts and voids, made from those of their pending transfers.

use farthing_ledger::TransferId;
use sha2::{Digest, Sha256};

/// Told first to the hash, so that these ids differ from every other use of SHA-256.
const DOMAIN: &[u8] = b"farthing settlement id, version 1";
const HASH_LOW: u128 = (1 << 62) - 1;

/// The id under which a worker posts or voids a pending transfer: the same for ever, in every process and under every
/// worker's name, whatever is decided. So one id tells how a pending transfer was settled: look it up.
///
/// `attempt` is 0, unless that id is used up: a post that is refused because an account is closed pins its id, as do the
/// other refusals that depend on the time. Only when an id is known to be of no use does the worker go on to the next.
///
/// It is laid out like UUIDv8: the first 48 bits are the pending transfer's, so that both lie together when its id begins
/// with the time, as those of [`ids`](crate::ids) do; 74 bits are of SHA-256. It is neither 0 nor 2^128 - 1, and none of
/// [`ids::new`](crate::ids::new).
///
/// ```
/// use farthing_client::{TransferId, settlement::settlement_id};
///
/// let pending = TransferId(0x0190_1f2e_3d4c_7abc_8123_4567_89ab_cdef);
/// let settlement = settlement_id(pending, 0);
/// assert_eq!(settlement, settlement_id(pending, 0));
/// assert_eq!(settlement.0 >> 80, pending.0 >> 80);
/// assert_ne!(settlement, settlement_id(pending, 1));
/// ```
#[must_use]
pub fn settlement_id(pending: TransferId, attempt: u32) -> TransferId {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(pending.0.to_le_bytes());
    hasher.update(attempt.to_le_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    let hash = u128::from_be_bytes(bytes);
    let time = pending.0 >> 80 << 80;
    TransferId(time | 8 << 76 | (hash >> 116) << 64 | 0b10 << 62 | (hash & HASH_LOW))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ids;

    #[test]
    fn ids_are_pinned() {
        // Frozen: a change would make a worker of the next version settle under other ids.
        let pinned = [
            (1, 0, PINNED_ONE),
            (1, 1, PINNED_AGAIN),
            // Printed in a recipe.
            (1_001, 0, PINNED_RECIPE),
            (u128::MAX - 1, 0, PINNED_LAST),
        ];
        for (pending, attempt, id) in pinned {
            let made = settlement_id(TransferId(pending), attempt).0;
            assert_eq!(made, id, "{pending} {attempt}: {made:#034x}");
        }
    }
    const PINNED_ONE: u128 = 0x0000_0000_0000_8ace_925d_9eb2_2bb3_ce42;
    const PINNED_AGAIN: u128 = 0x0000_0000_0000_8ba0_b0a5_5ed6_0e7f_ed2c;
    const PINNED_RECIPE: u128 = 0x0000_0000_0000_8bf2_9b5e_84b5_ff6d_af88;
    const PINNED_LAST: u128 = 0xffff_ffff_ffff_8ebd_9b7c_fa97_78dc_c27e;

    #[test]
    fn ids_never_meet() {
        let mut all = BTreeSet::new();
        let pendings = (1..=5_000).chain(ids::many(5_000));
        for pending in pendings {
            for attempt in 0..2 {
                let id = settlement_id(TransferId(pending), attempt).0;
                assert_eq!(
                    (id >> 76 & 0xf, id >> 62 & 0b11, id >> 80),
                    (8, 0b10, pending >> 80)
                );
                all.insert(id);
            }
        }
        assert_eq!(all.len(), 20_000);
    }
}
