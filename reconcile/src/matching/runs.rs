//! Stretches of a pool of amounts, in the order of time, that come to a sum.
//!
//! Rails settle by time: a total is everything of a day, or everything since the total before. So whole days are tried
//! first, then stretches that begin where another total ended, then any. All amounts of a pool are above zero, so a begin
//! has at most one end for a sum, and the end moves forward with the begin.

use std::ops::Range;

use crate::time::{DAY_NS, Span};

/// A part that a total may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) amount: u128,
    pub(super) span: Span,
    /// Index or rank on its side.
    pub(super) node: u32,
}

/// Parts of one direction, by time.
pub(super) struct Pool {
    pub(super) parts: Vec<Part>,
    /// What the parts before each place come to.
    sums: Vec<u128>,
    pub(super) taken: Vec<bool>,
    days: Vec<Day>,
    /// Every sum of parts is a multiple of it.
    pub(super) divisor: u128,
}

/// The parts of one day.
#[derive(Clone, Copy, Debug)]
struct Day {
    first_ns: u64,
    begin: usize,
    end: usize,
}

/// Whole days that come to a sum.
#[derive(Default, Debug)]
pub(super) struct Days {
    /// All of them: as many as there are days near, at most.
    pub(super) found: Vec<Range<usize>>,
    /// How many sums were looked at.
    pub(super) tried: u128,
}

/// Stretches that come to a sum.
#[derive(Default, Debug)]
pub(super) struct Runs {
    /// The first few.
    pub(super) found: Vec<Range<usize>>,
    /// How many there are.
    pub(super) count: usize,
    /// Those that begin or end where something else ends or begins; the first few.
    pub(super) adjoining: Vec<Range<usize>>,
    /// How many ends of free stretches there were for a run to adjoin.
    pub(super) ends: usize,
}

/// How many stretches are remembered: enough to show that there is more than one.
const FOUND_MAX: usize = 8;

/// Whole days in one sum at most: a holiday between two weekends.
const DAYS_MAX: usize = 14;

impl Pool {
    /// `parts` must be sorted by time; none may be zero.
    pub(super) fn new(parts: Vec<Part>, utc_offset_s: i32) -> Self {
        let mut sums = Vec::with_capacity(parts.len() + 1);
        let mut sum = 0;
        let mut divisor = 0;
        sums.push(sum);
        let mut days: Vec<Day> = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            sum += part.amount;
            sums.push(sum);
            divisor = greatest_common_divisor(divisor, part.amount);
            let first_ns = begin_of_day(part.span.first_ns, utc_offset_s);
            match days.last_mut() {
                Some(day) if day.first_ns == first_ns => day.end = place + 1,
                _ => days.push(Day {
                    first_ns,
                    begin: place,
                    end: place + 1,
                }),
            }
        }
        Self {
            taken: vec![false; parts.len()],
            parts,
            sums,
            days,
            divisor: divisor.max(1),
        }
    }

    /// What stands at these places comes to, taken or not.
    pub(super) fn sum(&self, range: &Range<usize>) -> u128 {
        self.sums[range.end] - self.sums[range.start]
    }

    /// Places of the parts that may have happened within `window_ns` of `span`.
    pub(super) fn within(&self, span: Span, window_ns: u64) -> Range<usize> {
        let first = span.first_ns.saturating_sub(window_ns);
        let last = span.last_ns.saturating_add(window_ns);
        // Parts may be as long as a day, so one that begins before may still reach in.
        let begin = self
            .parts
            .partition_point(|part| part.span.first_ns < first.saturating_sub(DAY_NS - 1));
        let begin = begin
            + self.parts[begin..]
                .iter()
                .take_while(|part| part.span.last_ns < first)
                .count();
        let end = self
            .parts
            .partition_point(|part| part.span.first_ns <= last);
        begin..end.max(begin)
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        !self.taken[range.clone()].contains(&true)
    }

    /// Successive whole days, of which none is farther than the window and nothing is taken, that come to `sum`.
    pub(super) fn days(&self, sum: u128, span: Span, window_ns: u64, steps: &mut u64) -> Days {
        let first = span.first_ns.saturating_sub(window_ns);
        let last = span.last_ns.saturating_add(window_ns);
        let begin = self
            .days
            .partition_point(|day| day.first_ns.saturating_add(DAY_NS - 1) < first);
        let end = self.days.partition_point(|day| day.first_ns <= last);
        let days = &self.days[begin..end.max(begin)];
        let mut result = Days::default();
        for from in 0..days.len() {
            for to in &days[from..days.len().min(from + DAYS_MAX)] {
                *steps = steps.saturating_sub(1);
                result.tried += 1;
                let range = days[from].begin..to.end;
                let here = self.sum(&range);
                if here >= sum {
                    if here == sum && range.len() >= 2 && self.is_free(&range) {
                        result.found.push(range);
                    }
                    break;
                }
            }
        }
        result
    }

    /// Stretches of 2 to `run_max` free parts within `window` that come to `sum`.
    pub(super) fn runs(
        &self,
        sum: u128,
        window: &Range<usize>,
        run_max: usize,
        steps: &mut u64,
    ) -> Runs {
        let mut runs = Runs::default();
        let mut place = window.start;
        while place < window.end {
            let free = self.taken[place..window.end]
                .iter()
                .position(|taken| *taken)
                .unwrap_or(window.end - place);
            let stretch = place..place + free;
            place = stretch.end + 1;
            if free >= 2 {
                runs.ends +=
                    usize::from(self.is_end(stretch.start)) + usize::from(self.is_end(stretch.end));
                self.runs_of(sum, &stretch, run_max, &mut runs);
            }
        }
        *steps = steps.saturating_sub(window.len() as u64);
        runs
    }

    fn runs_of(&self, sum: u128, stretch: &Range<usize>, run_max: usize, runs: &mut Runs) {
        let mut end = stretch.start;
        for begin in stretch.clone() {
            end = end.max(begin);
            while end < stretch.end && self.sum(&(begin..end)) < sum {
                end += 1;
            }
            let range = begin..end;
            if self.sum(&range) < sum {
                // The stretch is at its end, and what follows is smaller still.
                return;
            }
            if self.sum(&range) != sum || range.len() < 2 || range.len() > run_max {
                continue;
            }
            runs.count += 1;
            if runs.found.len() < FOUND_MAX {
                runs.found.push(range.clone());
            }
            if (self.is_end(begin) || self.is_end(end)) && runs.adjoining.len() < FOUND_MAX {
                runs.adjoining.push(range);
            }
        }
    }

    /// Whether a run that begins or ends at this place has nothing free before or behind it: another total, or the end of
    /// all.
    fn is_end(&self, place: usize) -> bool {
        let taken = |place: usize| self.taken.get(place).is_none_or(|taken| *taken);
        match place.checked_sub(1) {
            Some(before) => taken(before) || taken(place),
            None => true,
        }
    }
}

/// The midnight before, in the statement's zone.
fn begin_of_day(ns: u64, utc_offset_s: i32) -> u64 {
    let offset = i128::from(utc_offset_s) * 1_000_000_000;
    let local = i128::from(ns) + offset;
    let begin = local - local.rem_euclid(i128::from(DAY_NS)) - offset;
    u64::try_from(begin).unwrap_or(0)
}

fn greatest_common_divisor(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

#[cfg(test)]
mod tests {
    // Lists of one stretch are what is compared.
    #![allow(clippy::single_range_in_vec_init)]

    use super::*;

    const HOUR_NS: u64 = DAY_NS / 24;

    fn pool(parts: &[(u64, u128)]) -> Pool {
        let parts = parts.iter().zip(0..).map(|((hour, amount), node)| Part {
            amount: *amount,
            span: Span::instant(hour * HOUR_NS),
            node,
        });
        Pool::new(parts.collect(), 0)
    }

    #[test]
    fn runs_and_what_they_adjoin() {
        let mut pool = pool(&[(1, 10), (2, 20), (3, 30), (4, 15), (5, 15), (6, 7)]);
        let mut steps = 1_000;
        let runs = pool.runs(30, &(0..6), 10, &mut steps);
        assert_eq!(runs.found, [0..2, 3..5]);
        assert_eq!(runs.adjoining, [0..2]);
        assert_eq!(pool.runs(30, &(1..6), 10, &mut steps).found, [3..5]);
        assert_eq!(pool.runs(97, &(0..6), 10, &mut steps).found, [0..6]);
        assert_eq!(pool.runs(97, &(0..6), 5, &mut steps).count, 0);
        assert_eq!(pool.runs(7, &(0..6), 5, &mut steps).count, 0);
        pool.taken[2] = true;
        let runs = pool.runs(30, &(0..6), 10, &mut steps);
        assert_eq!(runs.adjoining, [0..2, 3..5]);
        assert_eq!(pool.runs(60, &(0..6), 10, &mut steps).count, 0);
        assert_eq!(steps, 1_000 - 6 * 6 + 1 - 6 - 6 + 6 - 1 + 1);
    }

    #[test]
    fn days_are_whole_or_not_at_all() {
        let mut pool = pool(&[(1, 10), (23, 20), (25, 30), (30, 5), (50, 2)]);
        let mut steps = 1_000;
        let span = Span::instant(36 * HOUR_NS);
        let mut days = |pool: &Pool, sum, window| pool.days(sum, span, window, &mut steps).found;
        assert_eq!(days(&pool, 30, DAY_NS), [0..2]);
        assert_eq!(days(&pool, 35, DAY_NS), [2..4]);
        assert_eq!(days(&pool, 65, DAY_NS), [0..4]);
        assert_eq!(days(&pool, 30, 0), []);
        assert_eq!(days(&pool, 5, DAY_NS), []);
        pool.taken[1] = true;
        assert_eq!(days(&pool, 30, DAY_NS), []);
        assert_eq!(days(&pool, 65, DAY_NS), []);
    }

    #[test]
    fn midnight_is_local() {
        assert_eq!(begin_of_day(DAY_NS + 1, 0), DAY_NS);
        assert_eq!(begin_of_day(DAY_NS + 1, 3600), DAY_NS - HOUR_NS);
        assert_eq!(begin_of_day(DAY_NS + 1, -3600), HOUR_NS);
        assert_eq!(begin_of_day(1, -3600), 0);
    }
}
