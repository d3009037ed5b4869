//! Looks for parts that come to totals, rule by rule, until nothing more is found.

use std::ops::Range;

use super::combinations;
use super::groups::{Doubt, Rule};
use super::options::Sums;
use super::runs::{Part, Pool};
use super::sum_outcome::{Chance, Finding, Open, Outcome, Places, Stretches};
use crate::time::DAY_NS;

/// Totals of one side and parts of the other, of one direction.
pub(super) struct Search<'a> {
    pub(super) totals: Vec<Part>,
    pub(super) pool: Pool,
    pub(super) window_ns: u64,
    pub(super) sums: &'a Sums,
    pub(super) steps: u64,
    pub(super) findings: Vec<Finding>,
}

impl Search<'_> {
    pub(super) fn run(&mut self) -> Open {
        let mut open: Vec<usize> = (0..self.totals.len()).collect();
        let mut result = Open::default();
        for rule in [Rule::SumOfDays, Rule::SumOfRun, Rule::SumOfFew] {
            open = self.phase(rule, open, &mut result);
        }
        result
    }

    /// How many of these totals, each counted once, nothing was found for after all.
    pub(super) fn unexplained(&self, totals: &[usize]) -> u64 {
        let mut open = vec![false; self.totals.len()];
        for total in totals {
            open[*total] = true;
        }
        for finding in &self.findings {
            open[finding.total] = false;
        }
        open.iter().filter(|open| **open).count() as u64
    }

    /// Tries one rule on all open totals, again and again while that settles any: what is taken narrows down what is left,
    /// and where one total ends the next may begin. Gives back those about which it says nothing.
    fn phase(&mut self, rule: Rule, open: Vec<usize>, result: &mut Open) -> Vec<usize> {
        let mut open: Vec<(usize, Option<Outcome>)> =
            open.into_iter().map(|total| (total, None)).collect();
        loop {
            // Each round settles a total, so there may be many.
            self.steps = self.steps.saturating_sub(open.len() as u64);
            for (total, outcome) in &mut open {
                if outcome.is_none() {
                    *outcome = Some(self.outcome(rule, *total));
                }
            }
            let claims = open.iter().filter_map(|(_, outcome)| match outcome {
                Some(Outcome::Found(parts)) => Some(parts),
                _ => None,
            });
            let contested = Stretches::contested(claims);
            let mut taken = Vec::new();
            let mut undecided = Vec::with_capacity(open.len());
            for (total, outcome) in open {
                match outcome {
                    // What two totals claim belongs to neither in this round; the next one looks at what is left.
                    Some(Outcome::Found(parts)) if !contested.meets_any(&parts) => {
                        for range in &parts {
                            self.pool.taken[range.clone()].fill(true);
                        }
                        taken.extend(parts.iter().cloned());
                        self.findings.push(Finding { total, parts, rule });
                    }
                    outcome => undecided.push((total, outcome)),
                }
            }
            if taken.is_empty() {
                return self.decide(undecided, result);
            }
            let taken = Stretches::new(taken);
            for (total, outcome) in &mut undecided {
                if taken.meets(&self.surroundings(*total)) {
                    *outcome = None;
                }
            }
            open = undecided;
        }
    }

    /// Nothing more is found: what is left is in doubt, or open for the next rule.
    fn decide(&self, open: Vec<(usize, Option<Outcome>)>, result: &mut Open) -> Vec<usize> {
        let mut rest = Vec::new();
        for (total, outcome) in open {
            match outcome {
                None | Some(Outcome::Nothing) => rest.push(total),
                Some(Outcome::NotSearched) => {
                    result.not_searched.push(total);
                    // Few parts may still be searched where many could not.
                    rest.push(total);
                }
                Some(Outcome::Found(parts)) => result.doubt(total, parts, Doubt::SeveralSums),
                Some(Outcome::Doubtful(doubt, parts)) => result.doubt(total, parts, doubt),
            }
        }
        rest
    }

    /// All places on which the outcome of a total may depend.
    fn surroundings(&self, total: usize) -> Range<usize> {
        let window_ns = self.window_ns.saturating_add(DAY_NS);
        let within = self.pool.within(self.totals[total].span, window_ns);
        within.start.saturating_sub(1)..within.end + 1
    }

    fn outcome(&mut self, rule: Rule, total: usize) -> Outcome {
        if self.steps == 0 {
            return Outcome::NotSearched;
        }
        let total = self.totals[total];
        if rule == Rule::SumOfDays {
            return self.days(&total);
        }
        let window = self.pool.within(total.span, self.window_ns);
        // Mostly there is nothing near, or not enough.
        if window.len() < 2 || self.pool.sum(&window) < total.amount {
            return Outcome::Nothing;
        }
        if rule == Rule::SumOfRun {
            self.run_within(&total, &window)
        } else {
            self.few(&total, window)
        }
    }

    fn days(&mut self, total: &Part) -> Outcome {
        let days = self
            .pool
            .days(total.amount, total.span, self.window_ns, &mut self.steps);
        // Days are no guess that is tried because it might fit: that others were tried as well says nothing here.
        let range = total.amount / self.pool.divisor;
        let chance = self.chance(days.tried, 1, range);
        match (days.found.len(), chance) {
            (0, _) | (_, Chance::Expected) => Outcome::Nothing,
            (1, Chance::Unlikely) => Outcome::Found(days.found),
            (1, Chance::Likely) => Outcome::Doubtful(Doubt::LikelyChance, days.found),
            _ => Outcome::Doubtful(Doubt::SeveralSums, days.found),
        }
    }

    fn run_within(&mut self, total: &Part, window: &Range<usize>) -> Outcome {
        let runs = self
            .pool
            .runs(total.amount, window, self.sums.run_max, &mut self.steps);
        if runs.count == 0 {
            return Outcome::Nothing;
        }
        // Each begin comes to the sum with a probability of one in an average part.
        let parts = window.len() as u128;
        let range = self.pool.sum(window) / self.pool.divisor;
        let chance = |begins: usize, totals: usize| {
            self.chance((begins as u128).saturating_mul(parts), totals, range)
        };
        let (candidate, chance) = match (&runs.found[..], &runs.adjoining[..]) {
            // Where another total ends this one is expected to begin: as with days, others do not count.
            (_, [range]) => (Some(range), chance(runs.ends, 1)),
            ([range], _) => (Some(range), chance(window.len(), self.totals.len())),
            _ => (None, chance(window.len(), self.totals.len())),
        };
        match (candidate, chance) {
            (_, Chance::Expected) => Outcome::Nothing,
            (Some(range), Chance::Unlikely) => Outcome::Found(vec![range.clone()]),
            (Some(range), Chance::Likely) => {
                Outcome::Doubtful(Doubt::LikelyChance, vec![range.clone()])
            }
            (None, _) => Outcome::Doubtful(Doubt::SeveralSums, runs.found),
        }
    }

    fn few(&mut self, total: &Part, window: Range<usize>) -> Outcome {
        let mut places: Vec<usize> = window
            .filter(|place| {
                !self.pool.taken[*place] && self.pool.parts[*place].amount < total.amount
            })
            .take(self.sums.candidates_max + 1)
            .collect();
        if places.len() < 2 || self.sums.combination_max < 2 {
            return Outcome::Nothing;
        }
        if places.len() > self.sums.candidates_max {
            return Outcome::NotSearched;
        }
        let amount = |place: &usize| self.pool.parts[*place].amount;
        places.sort_by_key(|place| std::cmp::Reverse(amount(place)));
        let amounts: Vec<u128> = places.iter().map(amount).collect();
        let count_max = self.sums.combination_max;
        let result = combinations::search(&amounts, total.amount, count_max, &mut self.steps);
        if result.stopped {
            return Outcome::NotSearched;
        }
        // Sums of so many amounts, spread up to about this one.
        let range = total.amount / self.pool.divisor;
        let totals = self.totals.len();
        let chance = |size| self.chance(combinations::count(amounts.len(), size), totals, range);
        let at = |found: &[usize]| -> Places {
            let places = found.iter().map(|at| places[*at]);
            places.map(|place| place..place + 1).collect()
        };
        match &result.found[..] {
            [] => Outcome::Nothing,
            [found] => match chance(found.len()) {
                Chance::Unlikely => Outcome::Found(at(found)),
                Chance::Likely => Outcome::Doubtful(Doubt::LikelyChance, at(found)),
                Chance::Expected => Outcome::Nothing,
            },
            several => match chance(count_max) {
                Chance::Expected => Outcome::Nothing,
                _ => {
                    let parts = several.iter().flat_map(|found| at(found)).collect();
                    Outcome::Doubtful(Doubt::SeveralSums, parts)
                }
            },
        }
    }

    /// What it says that one of `tried` sums fits, each of which is one of `range` values, when as many were tried for each
    /// of `totals`: of a thousand entries that have no sum, twenty find one whose odds are one to fifty.
    fn chance(&self, tried: u128, totals: usize, range: u128) -> Chance {
        let odds = u128::from(self.sums.odds_min).saturating_mul(totals as u128);
        if tried.saturating_mul(odds) <= range {
            Chance::Unlikely
        } else if tried.saturating_mul(2) <= range {
            Chance::Likely
        } else {
            Chance::Expected
        }
    }
}
