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

/// How many totals claim each place, summed up from the first on.
pub(super) struct Claims(Vec<u64>);

impl Claims {
    pub(super) fn of(outcomes: &[Outcome], places: usize) -> Self {
        let mut changes = vec![0_i64; places + 1];
        for outcome in outcomes {
            if let Outcome::Found(parts) = outcome {
                for range in parts {
                    changes[range.start] += 1;
                    changes[range.end] -= 1;
                }
            }
        }
        let mut sums = Vec::with_capacity(places + 1);
        let (mut here, mut sum) = (0, 0);
        for change in changes {
            sums.push(sum);
            here += change;
            sum += here.unsigned_abs();
        }
        Self(sums)
    }

    /// Whether nobody but its owner claims any of these.
    pub(super) fn are_single(&self, parts: &Places) -> bool {
        let claims = |range: &Range<usize>| self.0[range.end] - self.0[range.start];
        parts.iter().map(claims).sum::<u64>() == count(parts) as u64
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
