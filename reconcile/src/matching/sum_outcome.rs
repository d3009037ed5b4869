//! What the search for sums finds, and what it leaves in doubt.

use std::ops::Range;

use super::groups::{Doubt, Rule};

/// Entries in one doubt at most: nobody looks through more, and what fits in so many ways says nothing.
const DOUBTFUL_MAX: usize = 1_000;

/// Entries in all doubts of one search at most; with more, totals count as not searched.
const ALL_DOUBTFUL_MAX: usize = 10_000_000;

/// Places in a pool. A stretch of any length is one range, so that many long claims take little memory.
pub(super) type Places = Vec<Range<usize>>;

pub(super) fn count(places: &Places) -> usize {
    places.iter().map(Range::len).sum()
}

/// A total that was explained.
pub(super) struct Finding {
    pub(super) total: usize,
    pub(super) parts: Places,
    pub(super) rule: Rule,
}

/// What became of a total in one phase.
pub(super) enum Outcome {
    /// Nothing was found, or nothing that says anything.
    Nothing,
    /// A bound was reached before everything was seen.
    NotSearched,
    /// One way.
    Found(Places),
    /// Several ways, or one that chance may have made; with the parts in question.
    Doubtful(Doubt, Places),
}

/// A total in doubt, with the parts in question.
pub(super) struct Doubtful {
    pub(super) total: usize,
    pub(super) parts: Places,
    pub(super) doubt: Doubt,
}

/// What is left of the totals.
#[derive(Default)]
pub(super) struct Open {
    pub(super) doubts: Vec<Doubtful>,
    doubtful_count: usize,
    /// Totals for which a bound was reached; more than once if under more than one rule.
    pub(super) not_searched: Vec<usize>,
}

impl Open {
    pub(super) fn doubt(&mut self, total: usize, parts: Places, doubt: Doubt) {
        let count = count(&parts);
        if count > DOUBTFUL_MAX {
            return;
        }
        if self.doubtful_count + count > ALL_DOUBTFUL_MAX {
            self.not_searched.push(total);
            return;
        }
        self.doubtful_count += count;
        self.doubts.push(Doubtful {
            total,
            parts,
            doubt,
        });
    }
}

/// Stretches of places that do not overlap, in order.
pub(super) struct Stretches(Vec<Range<usize>>);

impl Stretches {
    pub(super) fn new(mut stretches: Vec<Range<usize>>) -> Self {
        stretches.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(stretches.len());
        for range in stretches {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        Self(apart)
    }

    /// What more than one of these claims.
    pub(super) fn contested<'a>(claims: impl Iterator<Item = &'a Places>) -> Self {
        let mut claims: Vec<Range<usize>> = claims.flatten().cloned().collect();
        claims.sort_unstable_by_key(|range| range.start);
        let mut contested = Vec::new();
        let mut end = 0;
        for range in claims {
            if range.start < end {
                contested.push(range.start..range.end.min(end));
            }
            end = end.max(range.end);
        }
        Self::new(contested)
    }

    pub(super) fn meets(&self, range: &Range<usize>) -> bool {
        let behind = self.0.partition_point(|stretch| stretch.end <= range.start);
        self.0
            .get(behind)
            .is_some_and(|stretch| stretch.start < range.end)
    }

    pub(super) fn meets_any(&self, places: &Places) -> bool {
        places.iter().any(|range| self.meets(range))
    }
}

/// What chance makes of a sum that fits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    /// It would hardly find one.
    Unlikely,
    /// It may well find one.
    Likely,
    /// One is to be expected.
    Expected,
}

#[cfg(test)]
mod tests {
    // Claims of one stretch are what is compared.
    #![allow(clippy::single_range_in_vec_init)]

    use super::*;

    #[test]
    fn claims_that_meet() {
        let claims = [
            vec![0..5],
            vec![4..6, 9..10],
            vec![10..12],
            vec![20..30],
            vec![22..23],
        ];
        let contested = Stretches::contested(claims.iter());
        assert_eq!(contested.0, [4..5, 22..23]);
        let meets: Vec<bool> = claims
            .iter()
            .map(|claim| contested.meets_any(claim))
            .collect();
        assert_eq!(meets, [true, true, false, true, true]);
        assert!(!contested.meets(&(5..22)));
        assert_eq!(Stretches::new(vec![3..4, 0..2, 1..3]).0.len(), 1);
    }
}
