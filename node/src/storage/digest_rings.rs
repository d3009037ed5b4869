//! Digests of the state at recent log indexes, so that nodes find one where they can compare.

use std::collections::VecDeque;

use super::LogId;
use super::writer::DIGEST_INTERVAL;

/// Digests kept of each spacing.
const DIGESTS_MAX: usize = 1_024;

/// Two rings: of the newest entries each, which two nodes of a quiet cluster have in common, and of the multiples of
/// [`DIGEST_INTERVAL`], which reach back far enough for a busy one.
#[derive(Default)]
pub(crate) struct DigestRings {
    every: VecDeque<(LogId, u128)>,
    spaced: VecDeque<(LogId, u128)>,
}

impl DigestRings {
    pub(crate) fn push(&mut self, log_id: LogId, digest: u128) {
        push(&mut self.every, log_id, digest);
        if log_id.index.is_multiple_of(DIGEST_INTERVAL) {
            push(&mut self.spaced, log_id, digest);
        }
    }

    /// The digest after entry `index`, if it is kept.
    pub(crate) fn at(&self, index: u64) -> Option<u128> {
        [&self.every, &self.spaced].into_iter().find_map(|ring| {
            let at = ring.binary_search_by_key(&index, |(id, _)| id.index).ok()?;
            ring.get(at).map(|(_, digest)| *digest)
        })
    }

    /// The newest multiple of the interval.
    pub(crate) fn last_spaced(&self) -> Option<(LogId, u128)> {
        self.spaced.back().copied()
    }

    /// The newest `count` of each ring, as index and digest, ascending.
    pub(crate) fn newest(&self, count: usize) -> Vec<(u64, u128)> {
        let rings = [&self.every, &self.spaced].into_iter();
        let mut newest: Vec<(u64, u128)> = rings
            .flat_map(|ring| ring.iter().rev().take(count))
            .map(|(id, digest)| (id.index, *digest))
            .collect();
        newest.sort_unstable();
        newest.dedup();
        newest
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn push(ring: &mut VecDeque<(LogId, u128)>, log_id: LogId, digest: u128) {
    if ring.len() == DIGESTS_MAX {
        ring.pop_front();
    }
    ring.push_back((log_id, digest));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(last: u64) -> DigestRings {
        let mut rings = DigestRings::default();
        for index in 1..=last {
            let log_id = LogId {
                term: 1,
                node: 0,
                index,
            };
            rings.push(log_id, u128::from(index) * 3);
        }
        rings
    }

    #[test]
    fn two_nodes_far_apart_have_an_index_in_common() {
        let (ahead, behind) = (filled(500_000), filled(400_000));
        let offers = behind.newest(4);
        assert_eq!(offers.last(), Some(&(400_000, 1_200_000)));
        assert!(
            offers
                .iter()
                .any(|(index, digest)| ahead.at(*index) == Some(*digest))
        );
        assert_eq!(ahead.at(400_000), None);
        assert_eq!(ahead.at(499_999), Some(1_499_997));
    }
}
