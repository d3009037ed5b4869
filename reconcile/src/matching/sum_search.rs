//! Looks for parts that come to totals, rule by rule, until nothing more is found.

use std::ops::Range;

use super::combinations;
use super::groups::{Doubt, Rule};
use super::options::Sums;
use super::runs::{Part, Pool};
use super::sum_outcome::{Chance, Claims, Finding, Open, Outcome, Places};

/// Rounds in which what was found narrows down what is left.
const ROUNDS_MAX: usize = 64;

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

    /// Tries one rule on all open totals, again and again while that settles any. Gives back those about which it says
    /// nothing.
    fn phase(&mut self, rule: Rule, mut open: Vec<usize>, result: &mut Open) -> Vec<usize> {
        for round in 1.. {
            let outcomes: Vec<Outcome> = open
                .iter()
                .map(|total| self.outcome(rule, *total))
                .collect();
            let claims = Claims::of(&outcomes, self.pool.parts.len());
            // What two totals claim belongs to neither, for now.
            let is_clear = |parts: &Places| claims.are_single(parts);
            let settles =
                |outcome: &Outcome| matches!(outcome, Outcome::Found(parts) if is_clear(parts));
            let again = round < ROUNDS_MAX && outcomes.iter().any(settles);
            let mut rest = Vec::new();
            let mut undecided = Vec::new();
            for (total, outcome) in open.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Found(parts) if is_clear(&parts) => {
                        for range in &parts {
                            self.pool.taken[range.clone()].fill(true);
                        }
                        self.findings.push(Finding { total, parts, rule });
                    }
                    _ if again => undecided.push(total),
                    Outcome::Nothing => rest.push(total),
                    Outcome::NotSearched => {
                        result.not_searched.push(total);
                        // Few parts may still be searched where many could not.
                        rest.push(total);
                    }
                    Outcome::Found(parts) => result.doubt(total, parts, Doubt::SeveralSums),
                    Outcome::Doubtful(doubt, parts) => result.doubt(total, parts, doubt),
                }
            }
            if !again {
                return rest;
            }
            open = undecided;
        }
        open
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
        let totals = self.totals.len();
        let chance =
            |begins: usize| self.chance((begins as u128).saturating_mul(parts), totals, range);
        let (candidate, chance) = match (&runs.found[..], &runs.adjoining[..]) {
            (_, [range]) => (Some(range), chance(runs.ends)),
            ([range], _) => (Some(range), chance(window.len())),
            _ => (None, chance(window.len())),
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
