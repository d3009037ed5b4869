//! The central test: cut the power everywhere.
//!
//! A script of appends, votes, truncations, purges and reopenings is recorded on a disk in memory. For every prefix of
//! what was written, and for every way the writes not yet synced could survive (lost, whole, torn at and inside every
//! record, later ones without earlier ones), the log is opened again. It must then hold exactly what it held after
//! some record, not before the last acknowledged one; go on from there; and be the same when it is opened once more,
//! or when the power fails during the opening.

use std::collections::BTreeSet;

use crate::disk::{Crash, MemoryDisk, Operation, Survival};

use super::model::{Dice, Recording, Step, script};
use super::*;

/// One crash: how many names survived, and what of each write.
struct Variant {
    names: usize,
    writes: Vec<Survival>,
}

fn variants(crash: &Crash, dice: &mut Dice) -> Vec<Variant> {
    let writes = crash.unsynced_writes();
    let all_names = crash.unsynced_names();
    let mut variants = Vec::new();
    let mut add = |names, writes| variants.push(Variant { names, writes });
    for names in 0..=all_names {
        add(names, vec![Survival::Lost; writes.len()]);
        add(names, vec![Survival::Whole; writes.len()]);
    }
    // Every subset of whole writes while there are few, some of them otherwise.
    if writes.len() > 1 {
        let subsets: Vec<u64> = match writes.len() {
            count @ 2..=4 => (1..(1 << count) - 1).collect(),
            _ => (0..16).map(|_| dice.roll(u64::MAX)).collect(),
        };
        for subset in subsets {
            let survives = |at: usize| {
                if subset >> (at % 64) & 1 == 1 {
                    Survival::Whole
                } else {
                    Survival::Lost
                }
            };
            add(all_names, (0..writes.len()).map(survives).collect());
        }
    }
    // Each write torn, those before it whole or lost.
    for (torn, &length) in writes.iter().enumerate() {
        let mut cuts: BTreeSet<usize> = [1, 8, 16, 31, 63].into();
        cuts.extend(
            (64..length)
                .step_by(64)
                .flat_map(|at| [at, at + 1, at + 24, at + 63]),
        );
        while cuts.len() > 120 {
            let at = dice.roll(cuts.len() as u64) as usize;
            let cut = cuts.iter().copied().nth(at).unwrap();
            cuts.remove(&cut);
        }
        for cut in cuts.into_iter().filter(|cut| *cut < length) {
            for survival in [Survival::First(cut), Survival::From(cut)] {
                let others = if dice.roll(3) == 0 {
                    Survival::Lost
                } else {
                    Survival::Whole
                };
                add(
                    all_names,
                    (0..writes.len())
                        .map(|at| if at == torn { survival } else { others })
                        .collect(),
                );
            }
        }
    }
    variants
}

impl Variant {
    fn image(&self, crash: &Crash) -> MemoryDisk {
        crash.image(self.names, |write| self.writes[write])
    }
}

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

fn cut_the_power_everywhere(seed: u64, steps: usize) -> usize {
    let recording = Recording::run(&script(seed, steps));
    let history = recording.disk.history();
    let mut dice = Dice(seed);
    let mut images = 0;
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
        for (number, variant) in variants(&crash, &mut dice).into_iter().enumerate() {
            let what = || {
                format!(
                    "script {seed}, position {position}, variant {number} {:?}",
                    variant.writes
                )
            };
            let image = variant.image(&crash);
            let (log, found) = check(&recording, position, &image, &what);
            images += 1;
            if dice.roll(40) == 0 {
                log.close();
                crash_while_opening(&variant.image(&crash), &found, &what);
            } else {
                go_on(log, &found, &image, &mut dice, &what);
            }
        }
    }
    images
}

#[test]
fn whatever_a_crash_leaves_acknowledged_records_are_there_and_nothing_else() {
    let images: usize = (1..=3).map(|seed| cut_the_power_everywhere(seed, 60)).sum();
    assert!(images > 4_000, "only {images} crashes were tried");
}

/// More of the same, for a night: `cargo test --release -- --ignored crash`.
#[test]
#[ignore = "takes minutes"]
fn whatever_a_crash_leaves_many_scripts() {
    (100..200).for_each(|seed| {
        cut_the_power_everywhere(seed, 120);
    });
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
