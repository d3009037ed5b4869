//! What holds for any input: nothing is lost, nothing is counted twice, the order of the ledger does not matter, and the
//! rules are what their descriptions say.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::*;
use farthing_reconcile::{
    Class, DAY_NS, Direction, Field, LedgerEntry, Money, Options, Report, Sides, Span, Sums,
    reconcile,
};
use proptest::prelude::*;

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(CREDIT), Just(DEBIT)]
}

/// Small ones, so that they meet; large ones; and the largest that still add up.
fn amount() -> impl Strategy<Value = u128> {
    prop_oneof![6 => 0_u128..12, 3 => 1_000_000_u128..1_000_010, 1 => Just(u128::MAX / 64)]
}

fn any_line() -> impl Strategy<Value = Line> {
    let span = prop_oneof![
        4 => (-60_i64..60).prop_map(|hour| Span::instant(at(hour))),
        2 => (0_u64..4).prop_map(|day| line("", 0, 0).day(day).span),
        1 => Just(Span::UNKNOWN),
        1 => Just(Span::instant(0)),
        1 => Just(Span::instant(u64::MAX)),
    ];
    let currency = prop_oneof![8 => Just(Some("EUR")), 1 => Just(Some("USD")), 1 => Just(None)];
    let references = prop::collection::vec(0_u32..14, 0..4);
    (references, amount(), direction(), currency, span).prop_map(
        |(references, amount, direction, currency, span)| Line {
            references: references.iter().map(u32::to_string).collect(),
            amount,
            direction,
            currency,
            span,
        },
    )
}

fn any_ledger() -> impl Strategy<Value = Vec<LedgerEntry>> {
    let time = prop_oneof![
        6 => (-60_i64..60).prop_map(at),
        1 => Just(0),
        1 => Just(u64::MAX),
    ];
    let entry = (amount(), direction(), time, 0_u128..5, 0_u64..5, 0_u32..5);
    prop::collection::vec(entry, 0..14).prop_map(|entries| {
        let with_ids = (1..).zip(entries);
        with_ids
            .map(
                |(id, (amount, direction, timestamp, data_128, data_64, data_32))| LedgerEntry {
                    id,
                    amount,
                    direction,
                    timestamp,
                    user_data_128: data_128,
                    user_data_64: data_64,
                    user_data_32: data_32,
                },
            )
            .collect()
    })
}

fn any_options() -> impl Strategy<Value = Options> {
    let sums = prop_oneof![
        Just(None),
        Just(Some(Sums::default())),
        // Nothing is too likely: every sum that fits counts.
        Just(Some(Sums {
            odds_min: 0,
            ..Sums::default()
        })),
        (0_u64..200, 0_usize..6, 0_usize..6, 0_usize..8).prop_map(
            |(steps_max, run_max, combination_max, candidates_max)| Some(Sums {
                steps_max,
                run_max,
                combination_max,
                candidates_max,
                odds_min: 1,
            })
        ),
    ];
    let window = prop_oneof![Just(0), Just(HOUR), Just(DAY_NS), Just(u64::MAX)];
    let fields = prop::sample::subsequence(Field::ALL.to_vec(), 0..=4);
    let tight = prop::collection::vec(0..DAY_NS, 0..2);
    let period = prop::option::of((-60_i64..60, 0_i64..60).prop_map(|(begin, hours)| Span {
        first_ns: at(begin),
        last_ns: at(begin + hours),
    }));
    (sums, window, fields, tight, any::<bool>(), period).prop_map(
        |(sums, window_ns, fields, tight_windows_ns, same, period)| Options {
            sides: if same { Sides::Same } else { Sides::Mirrored },
            fields,
            window_ns,
            tight_windows_ns,
            sums,
            period,
        },
    )
}

/// How often each entry and each transfer is in an item.
fn occurrences(report: &Report<'_>) -> (BTreeMap<u64, u32>, BTreeMap<String, u32>) {
    let (mut entries, mut transfers) = (BTreeMap::new(), BTreeMap::new());
    for item in report.items(&Class::ALL) {
        for entry in &item.statement {
            *entries.entry(entry.entry).or_default() += 1;
        }
        for transfer in &item.ledger {
            *transfers.entry(transfer.id.clone()).or_default() += 1;
        }
    }
    (entries, transfers)
}

fn sums(parts: impl Iterator<Item = (Direction, Money)>) -> [u128; 2] {
    let mut sums = [0; 2];
    for (direction, money) in parts {
        sums[usize::from(direction == CREDIT)] += money.units;
    }
    sums
}

proptest! {
    #![proptest_config(cases("PROPERTY_CASES", 1_000))]

    #[test]
    fn everything_is_in_one_class(
        lines in prop::collection::vec(any_line(), 0..14),
        ledger in any_ledger(),
        options in any_options(),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let statement = statement(&lines);
        let report = reconcile(&statement, &ledger, &options).unwrap();
        let (entries, transfers) = occurrences(&report);
        prop_assert!(entries.values().chain(transfers.values()).all(|times| *times == 1));
        prop_assert_eq!((entries.len(), transfers.len()), (lines.len(), ledger.len()));

        // The classes add up to the sides, and the sides are the inputs.
        let summary = report.summary();
        let total = |side: fn(&farthing_reconcile::ClassSummary) -> farthing_reconcile::Tally| {
            summary.classes.iter().map(side).fold((0, 0, 0), |(count, debits, credits), tally| {
                (count + tally.count, debits + tally.debits.units, credits + tally.credits.units)
            })
        };
        let expected = |count: usize, [debits, credits]: [u128; 2]| (count as u64, debits, credits);
        let money = |units| Money { units, scale: 2 };
        let own = lines.iter().filter(|line| line.currency != Some("USD"));
        let of_lines = sums(own.map(|line| (line.direction, money(line.amount))));
        prop_assert_eq!(total(|class| class.statement), expected(lines.len(), of_lines));
        let of_ledger = sums(ledger.iter().map(|entry| (entry.direction, money(entry.amount))));
        prop_assert_eq!(total(|class| class.ledger), expected(ledger.len(), of_ledger));

        // What is matched is equal, and both sides are there; of the others, what the class says.
        for item in report.items(&Class::ALL) {
            let both = !item.statement.is_empty() && !item.ledger.is_empty();
            prop_assert_eq!(item.rule.is_some(), item.class == Class::Matched);
            prop_assert_eq!(item.doubt.is_some(), item.class == Class::Ambiguous);
            match item.class {
                Class::Missing => prop_assert!(item.ledger.is_empty()),
                Class::Extra | Class::Outside => {
                    prop_assert!(item.statement.is_empty());
                    let outside = item.ledger.iter().all(|entry| {
                        options.period.is_some_and(|period| !period.contains(entry.timestamp))
                    });
                    prop_assert_eq!(item.class == Class::Outside, outside);
                }
                Class::Different => prop_assert!(both && !item.reasons.is_empty()),
                Class::Ambiguous => prop_assert!(both),
                Class::Matched => {
                    prop_assert!(both);
                    let [debits, credits] =
                        sums(item.statement.iter().map(|entry| (entry.direction, entry.amount)));
                    let translated = item.ledger.iter().map(|entry| {
                        (options.sides.translate(entry.direction), entry.amount)
                    });
                    let [their_debits, their_credits] = sums(translated);
                    prop_assert_eq!(debits + their_credits, credits + their_debits);
                    prop_assert!(item.statement.iter().all(|entry| entry.currency != Some("USD")));
                }
            }
        }

        // In whatever order the ledger's entries come, the report is the same to the byte.
        let mut rotated = ledger.clone();
        if !rotated.is_empty() {
            rotated.rotate_left(shuffled.index(ledger.len()));
            rotated.reverse();
        }
        let again = reconcile(&statement, &rotated, &options).unwrap();
        let json = |report: &Report<'_>| serde_json::to_string(&report.document(&Class::ALL)).unwrap();
        prop_assert_eq!(json(&report), json(&again));
    }

    /// Amounts and times only, against the description of the rule, taken literally.
    #[test]
    fn crowds_are_what_they_are_said_to_be(
        entries in prop::collection::vec((1_u128..3, 0_i64..40, any::<bool>()), 0..6),
        transfers in prop::collection::vec((1_u128..3, 0_i64..40), 0..6),
        window in 0_u64..9,
    ) {
        let lines: Vec<Line> = entries
            .iter()
            .map(|(amount, hour, day)| {
                let line = line("", *amount, *hour);
                if *day { line.day(*hour as u64 / 24) } else { line }
            })
            .collect();
        let ledger: Vec<LedgerEntry> = (1..)
            .zip(&transfers)
            .map(|(id, (amount, hour))| transfer(id, *amount, *hour))
            .collect();
        let options = Options { window_ns: window * HOUR, sums: None, ..Options::default() };
        let statement = statement(&lines);
        let report = reconcile(&statement, &ledger, &options).unwrap();
        let mut found: Vec<(Class, Vec<usize>, Vec<usize>)> = Vec::new();
        for item in report.items(&Class::ALL) {
            let numbers = item.statement.iter().map(|entry| entry.entry as usize - 1).collect();
            let ids = item.ledger.iter().map(|entry| {
                u128::from_str_radix(&entry.id.replace('-', ""), 16).unwrap() as usize - 1
            });
            found.push((item.class, numbers, ids.collect()));
        }
        let reaches = |entry: usize, transfer: usize| {
            let (line, other) = (&lines[entry], &ledger[transfer]);
            line.amount == other.amount
                && line.span.first_ns.saturating_sub(options.window_ns) <= other.timestamp
                && other.timestamp <= line.span.last_ns.saturating_add(options.window_ns)
        };
        for (entries, transfers) in naive_crowds(lines.len(), ledger.len(), &reaches) {
            let class = match (entries.is_empty(), transfers.is_empty()) {
                (false, true) => Class::Missing,
                (true, _) => Class::Extra,
                _ if can_be_paired(&entries, &transfers, &reaches) => Class::Matched,
                _ => Class::Ambiguous,
            };
            let here: Vec<_> = found
                .iter()
                .filter(|(_, of, _)| of.iter().any(|entry| entries.contains(entry)))
                .chain(found.iter().filter(|(_, of, ids)| {
                    of.is_empty() && ids.iter().any(|id| transfers.contains(id))
                }))
                .collect();
            prop_assert!(!here.is_empty());
            for (found_class, of, ids) in here {
                prop_assert_eq!(*found_class, class);
                if class == Class::Matched {
                    prop_assert!(reaches(of[0], ids[0]));
                    prop_assert_eq!((of.len(), ids.len()), (1, 1));
                } else {
                    let mut ids = ids.clone();
                    ids.sort_unstable();
                    prop_assert_eq!(of, &entries);
                    prop_assert_eq!(&ids, &transfers);
                }
            }
        }
    }

    /// One total and some parts, against the description of the rules, taken literally, with chance left out.
    #[test]
    fn sums_are_what_they_are_said_to_be(
        parts in prop::collection::btree_map(-40_i64..40, 1_u128..25, 0..9),
        sum in 25_u128..70,
        hour in -10_i64..10,
        window in 10_u64..40,
    ) {
        let ledger: Vec<LedgerEntry> = (1..)
            .zip(&parts)
            .map(|(id, (hour, amount))| transfer(id, *amount, *hour))
            .collect();
        let options = Options {
            window_ns: window * HOUR,
            sums: Some(Sums { odds_min: 0, ..Sums::default() }),
            ..Options::default()
        };
        let statement = statement(&[line("", sum, hour)]);
        let report = reconcile(&statement, &ledger, &options).unwrap();
        let item = report
            .items(&Class::ALL)
            .find(|item| !item.statement.is_empty())
            .unwrap();
        let found: Vec<usize> = item
            .ledger
            .iter()
            .map(|entry| u128::from_str_radix(&entry.id.replace('-', ""), 16).unwrap() as usize - 1)
            .collect();
        let (class, expected) = naive_sum(&ledger, sum, at(hour), options.window_ns);
        prop_assert_eq!(item.class, class, "{:?}", expected);
        if let Some(expected) = expected {
            prop_assert_eq!(found, expected);
        }
    }
}

/// What becomes of a total, and of which parts; `None` where several ways were found, of which not all are told.
fn naive_sum(
    ledger: &[LedgerEntry],
    sum: u128,
    time: u64,
    window_ns: u64,
) -> (Class, Option<Vec<usize>>) {
    let comes_to = |places: &[usize]| {
        places.len() >= 2
            && places
                .iter()
                .map(|place| ledger[*place].amount)
                .sum::<u128>()
                == sum
    };
    let all: Vec<usize> = (0..ledger.len()).collect();
    let stretches = |of: &[usize]| -> Vec<Vec<usize>> {
        let begins = 0..of.len();
        begins
            .flat_map(|begin| (begin + 1..=of.len()).map(move |end| begin..end))
            .map(|range| of[range].to_vec())
            .collect()
    };
    let decide = |ways: Vec<Vec<usize>>| match &ways[..] {
        [] => None,
        [only] => Some((Class::Matched, Some(only.clone()))),
        _ => Some((Class::Ambiguous, None)),
    };
    // Whole days, as far as some of each is within reach.
    let day = |place: &usize| ledger[*place].timestamp / DAY_NS;
    let reached = |place: &&usize| {
        let begin = day(place) * DAY_NS;
        begin <= time + window_ns && time <= begin + DAY_NS - 1 + window_ns
    };
    let near_days: Vec<usize> = all.iter().filter(reached).copied().collect();
    let is_whole = |places: &Vec<usize>| {
        let others = all.iter().filter(|place| !places.contains(place));
        others
            .into_iter()
            .all(|other| places.iter().all(|place| day(place) != day(other)))
    };
    let days = stretches(&near_days)
        .into_iter()
        .filter(|places| comes_to(places) && is_whole(places));
    if let Some(decided) = decide(days.collect()) {
        return decided;
    }
    let within = |place: &&usize| ledger[**place].timestamp.abs_diff(time) <= window_ns;
    let candidates: Vec<usize> = all.iter().filter(within).copied().collect();
    let runs: Vec<Vec<usize>> = stretches(&candidates)
        .into_iter()
        .filter(|places| comes_to(places))
        .collect();
    let adjoins =
        |places: &&Vec<usize>| places.first() == all.first() || places.last() == all.last();
    let adjoining: Vec<Vec<usize>> = runs.iter().filter(adjoins).cloned().collect();
    if let [only] = &adjoining[..] {
        return (Class::Matched, Some(only.clone()));
    }
    if let Some(decided) = decide(runs) {
        return decided;
    }
    let few = (0_u32..1 << candidates.len())
        .filter(|set| (2..=4).contains(&set.count_ones()))
        .map(|set| {
            let bits = (0..candidates.len()).filter(|bit| set >> bit & 1 == 1);
            bits.map(|bit| candidates[bit]).collect::<Vec<usize>>()
        })
        .filter(|places| comes_to(places));
    decide(few.collect()).unwrap_or((Class::Missing, Some(Vec::new())))
}

/// Connected parts of the graph, found by walking.
fn naive_crowds(
    entries: usize,
    transfers: usize,
    reaches: &dyn Fn(usize, usize) -> bool,
) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut crowds = Vec::new();
    let mut seen = vec![false; entries + transfers];
    for start in 0..entries + transfers {
        let mut crowd = (Vec::new(), Vec::new());
        let mut waiting = vec![start];
        while let Some(node) = waiting.pop() {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if node < entries {
                crowd.0.push(node);
                waiting.extend(
                    (0..transfers)
                        .filter(|to| reaches(node, *to))
                        .map(|to| entries + to),
                );
            } else {
                crowd.1.push(node - entries);
                waiting.extend((0..entries).filter(|from| reaches(*from, node - entries)));
            }
        }
        crowd.0.sort_unstable();
        crowd.1.sort_unstable();
        if !crowd.0.is_empty() || !crowd.1.is_empty() {
            crowds.push(crowd);
        }
    }
    crowds
}

/// Whether everybody has a partner in some arrangement, tried one by one.
fn can_be_paired(
    entries: &[usize],
    transfers: &[usize],
    reaches: &dyn Fn(usize, usize) -> bool,
) -> bool {
    let Some((first, rest)) = entries.split_first() else {
        return transfers.is_empty();
    };
    (0..transfers.len()).any(|at| {
        let mut others = transfers.to_vec();
        let partner = others.remove(at);
        reaches(*first, partner) && can_be_paired(rest, &others, reaches)
    })
}
