//! Opening a damaged log on request: what comes before the damage stays, no vote is forgotten, nothing is destroyed.

use crate::disk::{Crash, MemoryDisk, Survival};

use super::*;

/// Several segments, with votes among the entries, closed cleanly.
fn filled() -> (MemoryDisk, View) {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    for term in 1..=10u64 {
        append(&log, entries(term, term * 5..=term * 5 + 4, 700));
        done(|callback| log.save_vote(vote(term), callback)).unwrap();
    }
    // The segments that the tests damage are followed by one that begins with the newest vote.
    append(&log, entries(11, 55..=104, 700));
    done(|callback| log.purge(id(1, 6), callback)).unwrap();
    let before = view(&log);
    assert!(log.stats().segments >= 5);
    log.close();
    (disk, before)
}

fn salvage(disk: &MemoryDisk) -> Result<Log, OpenError> {
    Log::open_before_damage(Arc::new(disk.clone()), config())
}

/// What is left is a prefix of what was, with the vote untouched.
fn check(log: &Log, before: &View, what: &str) {
    let found = view(log);
    assert_eq!(found.vote, before.vote, "{what}");
    let all: Vec<Entry> = (1..=10)
        .flat_map(|term| entries(term, term * 5..=term * 5 + 4, 700))
        .chain(entries(11, 55..=104, 700))
        .chain(entries(1, 5..=8, 700))
        .collect();
    for entry in &found.entries {
        assert!(all.contains(entry), "{what}");
    }
    if let Some(damage) = &log.open_report().damage {
        let next = found.state.last.map_or(0, |id| id.index + 1);
        assert!(
            damage.index.is_none_or(|index| index == next),
            "{what}: {next} {damage:?}"
        );
    }
}

#[test]
fn entries_before_the_damage_and_the_newest_vote_stay() {
    let (disk, before) = filled();
    let bytes = disk.contents(&segment(1)).unwrap().len();
    let mut salvaged = 0;
    for number in 1..=3 {
        for byte in (FIRST_RECORD + 3 * 64..bytes).step_by(61) {
            let image = disk.duplicate();
            image.corrupt(&segment(number), byte, 1).unwrap();
            if try_open(&image).is_ok() {
                continue; // padding
            }
            let damaged = image.contents(&segment(number)).unwrap();
            let what = format!("segment {number}, byte {byte}");
            let log = salvage(&image).unwrap();
            assert!(log.open_report().damage.is_some(), "{what}");
            check(&log, &before, &what);
            let aside = PathBuf::from(DIR)
                .join("damaged")
                .join(segment(number).file_name().unwrap());
            assert_eq!(
                image.contents(&aside).unwrap(),
                damaged,
                "{what}: kept as it was"
            );
            goes_on(log, &image);
            salvaged += 1;
        }
    }
    assert!(salvaged > 100, "{salvaged}");
}

/// It takes an entry, closes, and opens as any other.
fn goes_on(log: Log, disk: &MemoryDisk) {
    let next = log.state().last.map_or(5, |id| id.index + 1);
    append(&log, vec![entry(20, next, 100)]);
    log.close();
    let log = open(disk);
    assert_eq!(log.state().last, Some(id(20, next)));
    assert_eq!(log.open_report().damage, None);
}

/// Where the cut falls between two records, only the file's length tells that something came after it.
#[test]
fn a_segment_that_lost_its_end_is_damaged() {
    let (disk, before) = filled();
    let last = (1..)
        .take_while(|number| disk.contents(&segment(*number)).is_ok())
        .last()
        .unwrap();
    let (length, first) = (
        disk.contents(&segment(last)).unwrap().len(),
        FIRST_RECORD + 3 * 64,
    );
    for at in (first..length).step_by(61).chain([first + 64, length - 1]) {
        let image = disk.duplicate();
        image.cut(&segment(last), at).unwrap();
        let Err(OpenError::Damaged(damage)) = try_open(&image) else {
            panic!("cut at {at}: nobody noticed");
        };
        assert!(
            damage
                .to_string()
                .contains(&format!("{at} of its {length} bytes")),
            "{damage}"
        );
        let log = salvage(&image).unwrap();
        check(&log, &before, &format!("cut at {at}"));
        goes_on(log, &image);
        assert_eq!(image.contents(&segment(last)).unwrap().len(), length);
    }
    // Of an earlier one, behind its last record, nothing is missed: or what was verified can be read.
    for at in first..length {
        let image = disk.duplicate();
        image.cut(&segment(2), at).unwrap();
        if let Ok(log) = try_open(&image) {
            assert_eq!(view(&log), before, "cut at {at}");
        }
    }
}

/// One segment, with the newest vote behind an entry, at whose payload the place given points.
fn filled_once() -> (MemoryDisk, View, usize) {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 5..=7, 700));
    done(|callback| log.save_vote(vote(1), callback)).unwrap();
    let place = disk.contents(&segment(1)).unwrap();
    let end = place.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    append(&log, entries(1, 8..=8, 700));
    done(|callback| log.save_vote(vote(10), callback)).unwrap();
    let before = view(&log);
    log.close();
    // A mark may lie between: the header of the entry is one of the next two.
    (disk, before, end.next_multiple_of(64) + 64 + 70)
}

#[test]
fn a_crash_while_cutting_loses_no_vote() {
    let (disk, before) = filled();
    for byte in [
        FIRST_RECORD + 5 * 64 + 3,
        FIRST_RECORD + 60 * 64,
        FIRST_RECORD + 110 * 64 + 1,
    ] {
        crash_while_cutting(&disk, 2, byte, &before);
    }
    let (disk, before, byte) = filled_once();
    crash_while_cutting(&disk, 1, byte, &before);
}

fn crash_while_cutting(disk: &MemoryDisk, number: u64, byte: usize, before: &View) {
    let image = disk.duplicate();
    image.corrupt(&segment(number), byte, 1).unwrap();
    if try_open(&image).is_ok() {
        return; // padding
    }
    let image = image.duplicate();
    salvage(&image).unwrap().close();
    for position in 0..=image.position() {
        let crash = Crash::after(&image, position);
        let parts = [
            Survival::Lost,
            Survival::Whole,
            Survival::First(40),
            Survival::From(40),
            Survival::First(6000),
        ];
        for (first, others) in parts
            .iter()
            .flat_map(|first| parts.iter().map(move |others| (*first, *others)))
        {
            for names in 0..=crash.unsynced_names() {
                let again = crash.image(names, |write| if write == 0 { first } else { others });
                let what = format!(
                    "byte {byte}, position {position}, {first:?}, {others:?}, {names} names"
                );
                match try_open(&again) {
                    Ok(log) => check(&log, before, &what),
                    Err(OpenError::Damaged(_)) => check(&salvage(&again).unwrap(), before, &what),
                    Err(other) => panic!("{what}: {other}"),
                }
            }
        }
    }
}

#[test]
fn a_log_without_its_first_records_is_not_opened_at_all() {
    let (disk, _) = filled();
    for (number, byte) in [(2, 20), (2, FIRST_RECORD + 70), (1, 4000)] {
        let image = disk.duplicate();
        image.corrupt(&segment(number), byte, 1).unwrap();
        assert!(matches!(salvage(&image), Err(OpenError::Damaged(_))));
    }
    let whole = disk.duplicate();
    assert_eq!(salvage(&whole).unwrap().open_report().damage, None);
}
