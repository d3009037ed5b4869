//! What consumers did with their cursors (C2, C3, C4): whoever opens one finds what was saved last, and of several
//! consumers with one cursor only one goes on.
//!
//! A consumer that saves `to` after `from` says: I was given every event in between. Two consumers that both are told
//! that this is saved would both go on with the same events, so acknowledged stretches of two sessions never overlap.

use std::collections::BTreeMap;

use super::report::{Checker, Findings};
use super::trace::{End, NEVER, Trace};
use crate::history::{CursorOpen, CursorSave};

/// What was done with the cursors of a run.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    saves: Vec<Save>,
    opens: Vec<Open>,
}

#[derive(Debug)]
struct Save {
    save: CursorSave,
    end: End,
    invoke_ns: u64,
    /// [`NEVER`] while it may still happen.
    complete_ns: u64,
    event: u64,
}

#[derive(Debug)]
struct Open {
    open: CursorOpen,
    sequence: u64,
    invoke_ns: u64,
    complete_ns: u64,
    event: u64,
}

impl Cursors {
    /// A save was sent; returns its number.
    pub(super) fn save(&mut self, save: CursorSave, invoke_ns: u64, event: u64) -> usize {
        self.saves.push(Save {
            save,
            end: End::Info,
            invoke_ns,
            complete_ns: NEVER,
            event,
        });
        self.saves.len() - 1
    }

    /// It ended.
    pub(super) fn end(&mut self, number: usize, end: End, time: u64) {
        let save = &mut self.saves[number];
        save.end = end;
        if end != End::Info {
            save.complete_ns = time;
        }
    }

    /// An open was answered; `times` are those of both its events, ns.
    pub(super) fn open(&mut self, open: CursorOpen, sequence: u64, times: (u64, u64), event: u64) {
        self.opens.push(Open {
            open,
            sequence,
            invoke_ns: times.0,
            complete_ns: times.1,
            event,
        });
    }
}

pub(super) fn check(trace: &Trace, findings: &mut Findings) {
    let mut saves: BTreeMap<&str, Vec<&Save>> = BTreeMap::new();
    for save in &trace.cursors.saves {
        for wrong in &save.save.wrong {
            let message = format!("a consumer of cursor {}: {wrong}", save.save.cursor);
            findings.add(Checker::C3, vec![save.event], message);
        }
        saves.entry(&save.save.cursor).or_default().push(save);
    }
    for open in &trace.cursors.opens {
        let of_cursor = saves.get(open.open.cursor.as_str());
        opened(open, of_cursor.map_or(&[], Vec::as_slice), findings);
    }
    saves
        .values_mut()
        .for_each(|of_cursor| went_on(of_cursor, findings));
}

/// What an open found is what somebody saved, and the last that was acknowledged before it or something later.
fn opened(open: &Open, saves: &[&Save], findings: &mut Findings) {
    let (cursor, found) = (&open.open.cursor, open.sequence);
    let may_be = |save: &&&Save| {
        save.save.to == found && save.end != End::Fail && save.invoke_ns < open.complete_ns
    };
    if found != 0 && !saves.iter().any(|save| may_be(&save)) {
        let message = format!("cursor {cursor} was opened at {found}, which nobody saved");
        findings.add(Checker::C3, vec![open.event], message);
    }
    let before = saves
        .iter()
        .filter(|save| save.end == End::Ok && save.complete_ns < open.invoke_ns)
        .max_by_key(|save| save.save.to);
    if let Some(save) = before.filter(|save| save.save.to > found) {
        let message = format!(
            "cursor {cursor} was opened at {found} after {} was saved",
            save.save.to
        );
        findings.add(Checker::C2, vec![save.event, open.event], message);
    }
}

/// Acknowledged stretches of two sessions have no event in common.
fn went_on(saves: &mut [&Save], findings: &mut Findings) {
    saves.sort_by_key(|save| (save.save.from, save.save.to));
    let mut furthest: Option<&Save> = None;
    for save in saves.iter().filter(|save| save.end == End::Ok) {
        let (from, to) = (save.save.from, save.save.to);
        if let Some(other) = furthest
            && other.save.session != save.save.session
            && from < other.save.to
            && from < to
        {
            let message = format!(
                "two consumers of cursor {} both saved event {}: it was not fenced",
                save.save.cursor,
                from + 1
            );
            findings.add(Checker::C4, vec![other.event, save.event], message);
        }
        if furthest.is_none_or(|other| other.save.to < to) {
            furthest = Some(save);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(session: u64, from: u64, to: u64) -> CursorSave {
        CursorSave {
            cursor: "c".into(),
            session,
            from,
            to,
            wrong: vec![],
        }
    }

    fn complaints(cursors: Cursors) -> Vec<Checker> {
        let trace = Trace {
            cursors,
            ..Trace::default()
        };
        let mut findings = Findings::default();
        check(&trace, &mut findings);
        findings.list.iter().map(|found| found.checker).collect()
    }

    /// Saves one after the other, each acknowledged or not; then an open that finds `found`.
    fn story(saves: &[(CursorSave, End)], found: u64) -> Cursors {
        let mut cursors = Cursors::default();
        let mut time = 0;
        for (save, end) in saves {
            let number = cursors.save(save.clone(), time, time);
            cursors.end(number, *end, time + 1);
            time += 2;
        }
        let open = CursorOpen {
            cursor: "c".into(),
            session: 99,
        };
        cursors.open(open, found, (time, time + 1), time);
        cursors
    }

    #[test]
    fn a_consumer_after_the_other_is_right() {
        let saves = [
            (save(1, 0, 5), End::Ok),
            (save(1, 5, 9), End::Info),
            // The one before had happened.
            (save(2, 9, 12), End::Ok),
            (save(1, 5, 14), End::Fail),
        ];
        assert_eq!(complaints(story(&saves, 12)), []);
        // A save of unknown outcome that had not happened is no reason to complain either.
        let saves = [(save(1, 0, 5), End::Ok), (save(1, 5, 9), End::Info)];
        assert_eq!(complaints(story(&saves, 5)), []);
        assert_eq!(complaints(story(&saves, 9)), []);
        assert_eq!(complaints(story(&[], 0)), []);
    }

    #[test]
    fn two_that_both_went_on_are_found() {
        let saves = [(save(1, 0, 5), End::Ok), (save(2, 0, 7), End::Ok)];
        assert_eq!(complaints(story(&saves, 7)), [Checker::C4]);
        let saves = [
            (save(1, 0, 10), End::Ok),
            (save(1, 10, 12), End::Ok),
            (save(2, 11, 13), End::Ok),
        ];
        assert_eq!(complaints(story(&saves, 13)), [Checker::C4]);
    }

    #[test]
    fn what_was_saved_is_found() {
        let saves = [(save(1, 0, 5), End::Ok), (save(1, 5, 9), End::Ok)];
        assert_eq!(complaints(story(&saves, 5)), [Checker::C2]);
        assert_eq!(complaints(story(&saves, 7)), [Checker::C3, Checker::C2]);
        assert_eq!(complaints(story(&saves, 11)), [Checker::C3]);
        let fenced = [(save(1, 0, 5), End::Ok), (save(2, 0, 9), End::Fail)];
        assert_eq!(complaints(story(&fenced, 9)), [Checker::C3]);
    }

    #[test]
    fn a_broken_stream_is_complained_about() {
        let mut broken = save(1, 0, 5);
        broken.wrong.push("event 3 came after 1".into());
        assert_eq!(complaints(story(&[(broken, End::Ok)], 5)), [Checker::C3]);
    }
}
