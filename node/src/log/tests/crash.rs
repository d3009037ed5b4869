//! The central test: cut the power everywhere.
//!
//! A script of appends, votes, truncations, purges and reopenings is recorded on a disk in memory. For every prefix of
//! what was written, and for every way the writes not yet synced could survive (lost, whole, torn at and inside every
//! record, later ones without earlier ones), the log is opened again. It must then hold exactly what it held after
//! some record, not before the last acknowledged one; go on from there; and be the same when it is opened once more,
//! or when the power fails during the opening.
//!
//! `FARTHING_CRASH_CASES=200000` runs the long form of both campaigns: more scripts, and longer ones.

use std::collections::HashSet;

use crate::disk::{Crash, MemoryDisk, Operation, Survival};

use super::model::{Dice, Recording, Step, script};
use super::variants::{Cuts, fingerprint, variants};
use super::*;

/// Opens an image and finds which of the recorded views it holds.
fn check(
    recording: &Recording,
    position: usize,
    image: &MemoryDisk,
    what: &dyn Fn() -> String,
) -> (Log, View) {
    let log = match try_open(image) {
        Ok(log) => log,
        Err(error) => panic!("{}: {error}", what()),
    };
    let found = view(&log);
    let required = recording.required(position);
    assert!(
        recording.views[required..].contains(&found),
        "{}: acknowledged {:?}\nfound {found:?}",
        what(),
        recording.views[required]
    );
    if let Some(committed) = log.committed() {
        assert!(
            recording.committed.contains(&committed),
            "{}: {committed} was never noted",
            what()
        );
    }
    assert_eq!(log.durable_index(), found.state.last.map(|id| id.index));
    (log, found)
}

/// Goes on after a crash and opens again: what was torn must not come back behind what is new.
fn go_on(log: Log, found: &View, image: &MemoryDisk, dice: &mut Dice, what: &dyn Fn() -> String) {
    let next = found.state.last.map_or(0, |id| id.index + 1);
    let steps = [
        Step::Vote(vote(1000)),
        Step::Append(vec![entry(
            1000,
            next,
            [1, 60, 64, 300][dice.roll(4) as usize],
        )]),
        Step::Vote(vote(1001)),
    ];
    let mut want = found.clone();
    for step in &steps[dice.roll(3) as usize..] {
        want = want.after(step).pop().unwrap();
        match step.clone() {
            Step::Vote(vote) => done(|callback| log.save_vote(vote, callback)).unwrap(),
            Step::Append(entries) => append(&log, entries),
            _ => unreachable!(),
        }
    }
    log.close();
    let log = open(image);
    assert_eq!(view(&log), want, "{}: after going on", what());
    assert_eq!(
        log.open_report().torn_bytes_cut,
        0,
        "{}: nothing is left to cut",
        what()
    );
}

/// Cuts the power during the opening, at each of its operations: the same must be found afterwards.
fn crash_while_opening(image: &MemoryDisk, found: &View, what: &dyn Fn() -> String) {
    let disk = image.duplicate();
    drop(open(&disk));
    for position in 0..=disk.position() {
        let crash = Crash::after(&disk, position);
        for survival in [
            Survival::Lost,
            Survival::Whole,
            Survival::First(70),
            Survival::From(70),
        ] {
            for names in [0, crash.unsynced_names()] {
                let again = crash.image(names, |_| survival);
                let log = open(&again);
                assert_eq!(
                    &view(&log),
                    found,
                    "{}: then at {position} of the opening",
                    what()
                );
            }
        }
    }
}

/// Cuts the power after every operation of a script that was run, in every way `cuts` says. Gives the number of crashes
/// that differ in what they leave, or in what has to be there.
fn cut_the_power_everywhere(seed: u64, script: &[Step], cuts: Cuts) -> usize {
    let recording = Recording::run(script);
    let history = recording.disk.history();
    let mut dice = Dice(seed);
    let mut crashes = 0;
    let mut seen = HashSet::new();
    for position in 0..=history.len() {
        // Only a write, a name or a sync changes what can survive, and filling a spare says nothing new.
        if position > 0
            && matches!(
                history[position - 1],
                Operation::Zeros { .. } | Operation::Directory { .. }
            )
        {
            continue;
        }
        let crash = Crash::after(&recording.disk, position);
        for (number, variant) in variants(&crash, cuts, &mut dice).into_iter().enumerate() {
            let what = || {
                format!(
                    "script {seed}, position {position}, variant {number} {:?}",
                    variant.writes
                )
            };
            let image = variant.image(&crash);
            // Many ways to fail leave the same bytes: a write torn among its zeros, or the moment before a sync twice.
            if !seen.insert((recording.required(position), fingerprint(&image))) {
                continue;
            }
            let (log, found) = check(&recording, position, &image, &what);
            crashes += 1;
            // What was found is settled by now; where there are many crashes alike, going on is tried after some.
            match dice.roll(40) {
                0 => {
                    log.close();
                    crash_while_opening(&variant.image(&crash), &found, &what);
                }
                1..10 => go_on(log, &found, &image, &mut dice, &what),
                _ if cuts == Cuts::Chosen => go_on(log, &found, &image, &mut dice, &what),
                _ => {}
            }
        }
    }
    crashes
}

/// Runs script after script, each to its end, until `FARTHING_CRASH_CASES` different crashes were tried; without it
/// until `enough` were, which takes seconds.
fn campaign(name: &str, enough: usize, mut run: impl FnMut(u64) -> usize) {
    let cases = match std::env::var("FARTHING_CRASH_CASES") {
        Ok(text) => text.parse().expect("FARTHING_CRASH_CASES is a number"),
        Err(_) => enough,
    };
    let (mut scripts, mut crashes) = (0, 0);
    while crashes < cases {
        scripts += 1;
        crashes += run(scripts);
    }
    eprintln!("{name}: {crashes} crashes of {scripts} scripts");
}

#[test]
fn whatever_a_crash_leaves_acknowledged_records_are_there_and_nothing_else() {
    // Long enough to begin new segments and to give old ones back.
    campaign("chosen cuts", 4_000, |seed| {
        let steps = if seed <= 3 { 60 } else { 120 };
        cut_the_power_everywhere(seed, &script(seed, steps), Cuts::Chosen)
    });
}

#[test]
fn whatever_byte_a_write_is_torn_at_acknowledged_records_are_there_and_nothing_else() {
    // The first script has every kind of record once; those after it are random, and longer from one to the next.
    campaign("every cut", 1_000, |seed| {
        let steps = match seed {
            1 => one_of_each(),
            _ => script(seed, 5 + 5 * seed as usize),
        };
        cut_the_power_everywhere(seed, &steps, Cuts::Every)
    });
}

/// Every kind of record, in writes of one and of several records, and a reopening.
fn one_of_each() -> Vec<Step> {
    vec![
        Step::Vote(vote(2)),
        Step::Append(entries(2, 0..=2, 1)),
        Step::Wait,
        Step::Committed(id(2, 1)),
        Step::Append(entries(2, 3..=4, 65)),
        Step::Truncate(Some(id(2, 3))),
        Step::Wait,
        Step::Reopen,
        Step::Purge(id(2, 1)),
        Step::Append(entries(5, 4..=4, 0)),
        Step::Wait,
        Step::Vote(vote(7)),
        Step::Purge(id(7, 20)),
        Step::Append(entries(7, 21..=21, 1)),
    ]
}

#[test]
fn what_an_opened_log_holds_survives_although_an_earlier_sync_failed() {
    // After a failed sync and a restart the bytes are still read, from memory, and a sync succeeds without writing
    // them. The log must not take them for durable.
    for seed in 1..=3 {
        let recording = Recording::run(&script(seed, 40));
        for position in 0..=recording.disk.position() {
            let crash = Crash::after(&recording.disk, position);
            if crash.unsynced_writes().is_empty() {
                continue;
            }
            let image = crash.image_with_clean_pages();
            let log = open(&image);
            let (found, opened) = (view(&log), image.position());
            log.close();
            let again = Crash::after(&image, opened);
            let again = again.image(again.unsynced_names(), |_| Survival::Lost);
            assert_eq!(
                view(&open(&again)),
                found,
                "script {seed}, position {position}"
            );
        }
    }
}

#[test]
fn a_torn_record_does_not_come_back_behind_a_new_one() {
    // Three votes in one write; the first is lost, the others survive. After reopening, a mark and a new vote take
    // the first two places, and the third record has the number that is due next.
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=2, 10));
    done(|callback| log.flush(callback)).unwrap();
    log.close();
    let log = open(&disk);
    let (callback, receiver) = answer();
    // A first operation keeps the writer busy, so that the votes after it share a write or follow one by one: both
    // orders are tried below through the position of the crash.
    log.save_vote(vote(1), |_| {});
    log.save_vote(vote(2), |_| {});
    log.save_vote(vote(3), |_| {});
    log.save_vote(vote(4), callback);
    receiver.recv().unwrap().unwrap();
    log.close();
    for position in 0..=disk.position() {
        let crash = Crash::after(&disk, position);
        let torn = crash.unsynced_writes();
        let Some(_) = torn.iter().find(|length| **length > 64) else {
            continue;
        };
        let image = crash.image(crash.unsynced_names(), |_| Survival::From(64));
        let log = open(&image);
        let found = view(&log);
        done(|callback| log.save_vote(vote(900), callback)).unwrap();
        log.close();
        let log = open(&image);
        assert_eq!(log.vote(), Some(vote(900)));
        assert_eq!(read_all(&log), found.entries);
    }
}
