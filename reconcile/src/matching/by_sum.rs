//! Sums close in time: pass 4. One entry of a side that is several of the other.
//!
//! A sum that fits proves little if many were tried. Two things keep chance out: there must be one way only, and the odds
//! that some sum would have fitted by chance, estimated from how many were tried and how far apart they lie, must be
//! small. Where chance alone would be expected to find a sum, one that was found says nothing, and the entries stay what
//! they are without it; in between they are ambiguous.

use super::components::Components;
use super::groups::{Doubt, Verdict};
use super::options::Sums;
use super::runs::{Part, Pool};
use super::sum_outcome::Doubtful;
use super::sum_search::Search;
use super::work::Work;
use crate::direction::Direction;
use crate::time::Span;

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
