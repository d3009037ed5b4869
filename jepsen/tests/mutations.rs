//! Correct histories pass, and every way to break one is found by the checker that is meant to find it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use farthing_jepsen::check::{Checker, Report, Verdict, check_events};
use farthing_jepsen::history::Event;
use farthing_jepsen::synthetic::{Config, Mutation, Synthetic};

fn config(seed: u64) -> Config {
    Config {
        operations: 12_000,
        seed,
        accounts: 100,
        ..Config::default()
    }
}

fn judge(events: &[Event]) -> Report {
    check_events(events.iter().cloned().map(Ok)).unwrap()
}

#[test]
fn correct_histories_pass() {
    for seed in 1..=12 {
        let events: Vec<Event> = Synthetic::new(config(seed)).collect();
        let report = judge(&events);
        assert_eq!(
            report.verdict,
            Verdict::Ok,
            "seed {seed}: {}",
            report.reason
        );
        let counts = &report.counts;
        assert!(
            counts.info_happened > 20 && counts.info_did_not_happen > 20,
            "{counts:?}"
        );
        assert!(
            counts.rows_read > 1000 && counts.nodes_read == 3,
            "{counts:?}"
        );
    }
}

#[test]
fn every_mutation_is_found_by_its_checker() {
    for seed in 1..=4 {
        let events: Vec<Event> = Synthetic::new(config(seed)).collect();
        for mutation in Mutation::ALL {
            let mut broken = events.clone();
            assert!(
                mutation.apply(&mut broken, seed),
                "{} found nothing to break",
                mutation.name
            );
            let report = judge(&broken);
            let name = mutation.name;
            assert_eq!(
                report.verdict, mutation.verdict,
                "seed {seed}, {name}: {}",
                report.reason
            );
            if let Some(checker) = mutation.checker {
                let found: BTreeSet<Checker> = report.violation_counts.keys().copied().collect();
                assert!(
                    found.contains(&checker),
                    "seed {seed}, {name}: found by {found:?} only"
                );
            }
        }
    }
}

#[test]
fn violations_name_the_events_that_show_them() {
    let events: Vec<Event> = Synthetic::new(config(7)).collect();
    for mutation in Mutation::ALL
        .iter()
        .filter(|mutation| mutation.verdict == Verdict::Fail)
    {
        let mut broken = events.clone();
        assert!(mutation.apply(&mut broken, 7));
        let report = judge(&broken);
        for violation in &report.violations {
            assert!(violation.certain, "{}", mutation.name);
            assert!(
                !violation.events.is_empty(),
                "{}: {}",
                mutation.name,
                violation.message
            );
            let known = violation
                .events
                .iter()
                .all(|event| *event < broken.len() as u64);
            assert!(known, "{}: {:?}", mutation.name, violation.events);
        }
    }
}
