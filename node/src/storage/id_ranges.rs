//! Ranges of ids that hold every id of the committed runs: an id outside all of them was never used.
//!
//! With time-ordered ids nearly every new id lies above all ranges, so the check costs a binary search and no disk.
//! A run's ids are kept as a few clusters cut at its widest gaps, and the whole set is bounded by joining its
//! narrowest gaps: one huge id becomes a range of its own and leaves the space below it free. Random ids lie inside
//! a range nearly always and go on to the filters of the files; the answer is never wrong, only less quick.

use super::error::Error;

/// Clusters a run is described by, at most.
pub(crate) const CLUSTERS_MAX: usize = 32;

/// Disjoint closed ranges in ascending order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct IdRanges {
    ranges: Vec<(u128, u128)>,
}

impl IdRanges {
    /// True when `id` may have been used.
    #[inline]
    pub(crate) fn may_contain(&self, id: u128) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= id);
        after != 0 && id <= self.ranges[after - 1].1
    }

    /// Number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// With the ids of a run, in ascending order, and at most `ranges_max` ranges.
    pub(crate) fn with_run(
        &self,
        ids: impl Iterator<Item = u128> + Clone,
        ranges_max: usize,
    ) -> Self {
        let mut all = self.ranges.clone();
        all.extend(clusters(ids));
        all.sort_unstable();
        let mut ranges: Vec<(u128, u128)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            match ranges.last_mut() {
                // Neighbours without a free id between them are one range.
                Some(range) if first <= range.1.saturating_add(1) => range.1 = range.1.max(last),
                _ => ranges.push((first, last)),
            }
        }
        join_narrowest(&mut ranges, ranges_max);
        Self { ranges }
    }

    /// The row in `current`: `first u128, last u128` for each range.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.ranges
            .iter()
            .flat_map(|&(first, last)| [first.to_le_bytes(), last.to_le_bytes()])
            .flatten()
            .collect()
    }

    /// Reads [`IdRanges::to_bytes`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (rows, []) = bytes.as_chunks::<32>() else {
            return Err(Error::damaged(
                "id ranges",
                format!("{} bytes", bytes.len()),
            ));
        };
        let number = |bytes: &[u8]| {
            bytes
                .first_chunk()
                .map_or(0, |bytes| u128::from_le_bytes(*bytes))
        };
        let ranges: Vec<_> = rows
            .iter()
            .map(|row| (number(&row[..16]), number(&row[16..])))
            .collect();
        let sorted = ranges.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if !sorted || ranges.iter().any(|(first, last)| first > last) {
            return Err(Error::damaged("id ranges", "not in order"));
        }
        Ok(Self { ranges })
    }
}

/// The ids as at most [`CLUSTERS_MAX`] ranges, cut at the widest gaps.
fn clusters(ids: impl Iterator<Item = u128> + Clone) -> Vec<(u128, u128)> {
    // The widest gaps, smallest first; few enough that a sorted list is the right structure.
    let mut widest: Vec<u128> = Vec::with_capacity(CLUSTERS_MAX);
    let gaps = ids
        .clone()
        .zip(ids.clone().skip(1))
        .map(|(one, next)| next - one);
    for gap in gaps {
        if widest.len() == CLUSTERS_MAX - 1 && gap <= widest[0] || gap <= 1 {
            continue;
        }
        let at = widest.partition_point(|&other| other < gap);
        widest.insert(at, gap);
        if widest.len() == CLUSTERS_MAX {
            widest.remove(0);
        }
    }
    let full = widest.len() == CLUSTERS_MAX - 1;
    // Of gaps as wide as the narrowest one kept, only the first so many are cuts.
    let threshold = if full { widest[0] } else { 2 };
    let mut at_threshold = widest.iter().filter(|&&gap| gap == threshold).count();
    let mut ranges: Vec<(u128, u128)> = vec![];
    for id in ids {
        match ranges.last_mut() {
            Some(range) => {
                let gap = id - range.1;
                let cut = gap > threshold || gap == threshold && (!full || at_threshold > 0);
                if cut {
                    at_threshold = at_threshold.saturating_sub(usize::from(gap == threshold));
                    ranges.push((id, id));
                } else {
                    range.1 = id;
                }
            }
            None => ranges.push((id, id)),
        }
    }
    ranges
}

/// Joins ranges over the narrowest gaps until there are at most `ranges_max`.
fn join_narrowest(ranges: &mut Vec<(u128, u128)>, ranges_max: usize) {
    let ranges_max = ranges_max.max(1);
    if ranges.len() <= ranges_max {
        return;
    }
    let mut gaps: Vec<(u128, usize)> = ranges
        .windows(2)
        .enumerate()
        .map(|(index, pair)| (pair[1].0 - pair[0].1, index))
        .collect();
    gaps.sort_unstable();
    let mut joined = vec![false; ranges.len()];
    for &(_, index) in &gaps[..ranges.len() - ranges_max] {
        joined[index + 1] = true;
    }
    let mut kept: Vec<(u128, u128)> = Vec::with_capacity(ranges_max);
    for (range, joined) in ranges.iter().zip(joined) {
        match kept.last_mut() {
            Some(last) if joined => last.1 = range.1,
            _ => kept.push(*range),
        }
    }
    *ranges = kept;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_huge_id_leaves_the_space_below_it_free() {
        let mut ids: Vec<u128> = (1_000..900_000).collect();
        ids.push(u128::MAX - 1);
        let ranges = IdRanges::default().with_run(ids.iter().copied(), 4_096);
        assert_eq!(
            ranges.ranges,
            [(1_000, 899_999), (u128::MAX - 1, u128::MAX - 1)]
        );
        assert!(
            !ranges.may_contain(900_000),
            "the next time-ordered id needs no look at the disk"
        );
        assert!(
            ranges.may_contain(u128::MAX - 1)
                && ranges.may_contain(5_000)
                && !ranges.may_contain(999)
        );
        let next = ranges.with_run(900_000..1_900_000, 4_096);
        assert_eq!(next.len(), 2, "time-ordered runs stay one range");
    }

    #[test]
    fn bytes_come_back_and_nonsense_is_damage() {
        let ranges = IdRanges::default().with_run([1, 5, u128::MAX].into_iter(), 9);
        assert_eq!(IdRanges::from_bytes(&ranges.to_bytes()).unwrap(), ranges);
        assert!(IdRanges::from_bytes(&ranges.to_bytes()[1..]).is_err());
        let mut swapped = ranges.to_bytes();
        swapped.rotate_left(32);
        assert!(IdRanges::from_bytes(&swapped).is_err());
    }

    proptest! {
        #[test]
        fn every_id_stays_inside_and_the_bounds_hold(
            runs in proptest::collection::vec(proptest::collection::btree_set(
                prop_oneof![0..200_u128, any::<u128>(), u128::MAX - 50..=u128::MAX], 1..120), 1..8),
            ranges_max in 1..50_usize,
        ) {
            let mut ranges = IdRanges::default();
            for run in &runs {
                prop_assert!(clusters(run.iter().copied()).len() <= CLUSTERS_MAX);
                ranges = ranges.with_run(run.iter().copied(), ranges_max);
                prop_assert!(ranges.len() <= ranges_max);
                prop_assert_eq!(&IdRanges::from_bytes(&ranges.to_bytes()).unwrap(), &ranges);
            }
            for id in runs.iter().flatten() {
                prop_assert!(ranges.may_contain(*id));
            }
        }
    }
}
