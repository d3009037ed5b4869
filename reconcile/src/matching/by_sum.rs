//! Sums close in time: pass 4. One entry of a side that is several of the other.
//!
//! A sum that fits proves little if many were tried. Two things keep chance out: there must be one way only, and the odds
//! that some sum would have fitted by chance, estimated from how many were tried and how far apart they lie, must be
//! small. Where chance alone would be expected to find a sum, one that was found says nothing, and the entries stay what
//! they are without it; in between they are ambiguous.

use std::ops::Range;

use super::combinations;
use super::components::Components;
use super::groups::{Doubt, Rule, Verdict};
use super::options::Sums;
use super::runs::{Part, Pool};
use super::work::Work;
use crate::direction::Direction;
use crate::time::Span;

/// Rounds in which what was found narrows down what is left.
const ROUNDS_MAX: usize = 64;

/// Entries in one doubt at most: nobody looks through more, and what fits in so many ways says nothing.
const DOUBTFUL_MAX: usize = 1_000;

/// Entries in all doubts of one search at most; with more, totals count as not searched.
const ALL_DOUBTFUL_MAX: usize = 10_000_000;

/// Places in a pool. A stretch of any length is one range, so that many long claims take little memory.
type Places = Vec<Range<usize>>;

fn count(places: &Places) -> usize {
    places.iter().map(Range::len).sum()
}

/// Which side has the totals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Totals {
    Statement,
    Ledger,
}

/// Settles what sums explain. How many totals were not looked at to the end, because a bound was reached.
pub(super) fn sums(work: &mut Work<'_>, sums: &Sums) -> u64 {
    let mut steps = sums.steps_max;
    let mut not_searched = 0;
    for totals in [Totals::Statement, Totals::Ledger] {
        for direction in [Direction::Debit, Direction::Credit] {
            let entries = statement_side(work, direction);
            let transfers = ledger_side(work, direction);
            let (totals_side, parts) = match totals {
                Totals::Statement => (entries, transfers),
                Totals::Ledger => (transfers, entries),
            };
            if totals_side.is_empty() || parts.len() < 2 {
                continue;
            }
            let mut search = Search {
                pool: Pool::new(parts, work.statement.utc_offset_s()),
                totals: totals_side,
                window_ns: work.options.window_ns,
                sums,
                steps,
                findings: Vec::new(),
            };
            let open = search.run();
            steps = search.steps;
            not_searched += search.unexplained(&open.not_searched);
            settle(work, &search, &open.doubts, totals);
        }
    }
    not_searched
}

fn statement_side(work: &Work<'_>, direction: Direction) -> Vec<Part> {
    let mut parts: Vec<Part> = work
        .open_statement()
        .filter_map(|index| {
            let (side, amount) = work.statement_movement(index)?;
            let span = work.statement_span(index);
            (side == direction && amount > 0 && span.is_known()).then_some(Part {
                amount,
                span,
                node: index,
            })
        })
        .collect();
    parts.sort_by_key(|part| part.span);
    parts
}

fn ledger_side(work: &Work<'_>, direction: Direction) -> Vec<Part> {
    work.open_ledger()
        .filter_map(|rank| {
            let (side, amount) = work.ledger_movement(rank);
            let span = Span::instant(work.ledger(rank).timestamp);
            (side == direction && amount > 0).then_some(Part {
                amount,
                span,
                node: rank,
            })
        })
        .collect()
}

/// A total that was explained.
struct Finding {
    total: usize,
    parts: Places,
    rule: Rule,
}

/// What became of a total in one phase.
enum Outcome {
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
struct Doubtful {
    total: usize,
    parts: Places,
    doubt: Doubt,
}

/// What is left of the totals.
#[derive(Default)]
struct Open {
    doubts: Vec<Doubtful>,
    doubtful_count: usize,
    /// Totals for which a bound was reached; more than once if under more than one rule.
    not_searched: Vec<usize>,
}

impl Open {
    fn doubt(&mut self, total: usize, parts: Places, doubt: Doubt) {
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
struct Claims(Vec<u64>);

impl Claims {
    fn of(outcomes: &[Outcome], places: usize) -> Self {
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
    fn are_single(&self, parts: &Places) -> bool {
        let claims = |range: &Range<usize>| self.0[range.end] - self.0[range.start];
        parts.iter().map(claims).sum::<u64>() == count(parts) as u64
    }
}

struct Search<'a> {
    totals: Vec<Part>,
    pool: Pool,
    window_ns: u64,
    sums: &'a Sums,
    steps: u64,
    findings: Vec<Finding>,
}

impl Search<'_> {
    fn run(&mut self) -> Open {
        let mut open: Vec<usize> = (0..self.totals.len()).collect();
        let mut result = Open::default();
        for rule in [Rule::SumOfDays, Rule::SumOfRun, Rule::SumOfFew] {
            open = self.phase(rule, open, &mut result);
        }
        result
    }

    /// How many of these totals, each counted once, nothing was found for after all.
    fn unexplained(&self, totals: &[usize]) -> u64 {
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

/// What chance makes of a sum that fits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chance {
    /// It would hardly find one.
    Unlikely,
    /// It may well find one.
    Likely,
    /// One is to be expected.
    Expected,
}

fn settle(work: &mut Work<'_>, search: &Search<'_>, doubts: &[Doubtful], totals: Totals) {
    let parts = &search.pool.parts;
    for finding in &search.findings {
        let total = [search.totals[finding.total].node];
        let places = finding.parts.iter().cloned().flatten();
        let mut nodes: Vec<u32> = places.map(|place| parts[place].node).collect();
        nodes.sort_unstable();
        let verdict = Verdict::Matched(finding.rule);
        match totals {
            Totals::Statement => work.settle(verdict, &total, &nodes),
            Totals::Ledger => work.settle(verdict, &nodes, &total),
        }
    }
    // Doubts about the same parts are one doubt.
    let mut components = Components::new(work.statement.len(), work.ledger_len());
    let mut by_chance = Vec::new();
    for doubtful in doubts {
        let total = search.totals[doubtful.total].node;
        if doubtful.doubt == Doubt::LikelyChance {
            by_chance.push(total);
        }
        let free = |place: &usize| !search.pool.taken[*place];
        for place in doubtful.parts.iter().cloned().flatten().filter(free) {
            let part = parts[place].node;
            match totals {
                Totals::Statement => components.join(total, part),
                Totals::Ledger => components.join(part, total),
            }
        }
    }
    by_chance.sort_unstable();
    let mut found = Vec::new();
    components.for_each(|component| {
        let totals = match totals {
            Totals::Statement => &component.statement,
            Totals::Ledger => &component.ledger,
        };
        let doubt = match &totals[..] {
            [total] if by_chance.binary_search(total).is_ok() => Doubt::LikelyChance,
            _ => Doubt::SeveralSums,
        };
        found.push((doubt, component.statement.clone(), component.ledger.clone()));
    });
    for (doubt, statement, ledger) in found {
        work.settle(Verdict::Ambiguous(doubt), &statement, &ledger);
    }
}
