//! What a log should hold, computed the plain way, and scripts of operations to run against both.

use crate::disk::MemoryDisk;

use super::*;

/// A small generator, so that a script is a function of its number.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number from 0 to `below - 1`.
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Append(Vec<Entry>),
    Vote(Vote),
    Truncate(Option<LogId>),
    Purge(LogId),
    Committed(LogId),
    /// Wait until everything submitted is acknowledged.
    Wait,
    /// Close and open again.
    Reopen,
}

impl View {
    pub(super) fn empty() -> Self {
        Self {
            vote: None,
            state: LogState::default(),
            entries: Vec::new(),
        }
    }

    /// The views after each record that the step writes; the last one is that after the step.
    pub(super) fn after(&self, step: &Step) -> Vec<Self> {
        let mut view = self.clone();
        match step {
            Step::Append(entries) => {
                return entries
                    .iter()
                    .map(|entry| {
                        view.entries.push(entry.clone());
                        view.state.last = Some(entry.log_id);
                        view.clone()
                    })
                    .collect();
            }
            Step::Vote(vote) => view.vote = Some(*vote),
            Step::Truncate(last) => {
                let keep = last.map_or(0, |id| id.index + 1);
                view.entries.retain(|entry| entry.log_id.index < keep);
                view.state.last = view
                    .entries
                    .last()
                    .map(|entry| entry.log_id)
                    .or(view.state.last_purged);
            }
            Step::Purge(to) => {
                view.entries.retain(|entry| entry.log_id.index > to.index);
                if view
                    .state
                    .last_purged
                    .is_none_or(|purged| purged.index < to.index)
                {
                    view.state.last_purged = Some(*to);
                }
                view.state.last = view
                    .entries
                    .last()
                    .map(|entry| entry.log_id)
                    .or(view.state.last_purged);
            }
            Step::Committed(_) | Step::Wait | Step::Reopen => {}
        }
        vec![view]
    }
}

/// A random script that keeps to what Raft does: votes grow, what is truncated is above what is purged.
pub(super) fn script(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice(seed);
    let (mut term, mut view, mut script) = (1, View::empty(), Vec::new());
    while script.len() < steps {
        let next = view.state.last.map_or(dice.roll(2), |id| id.index + 1);
        let first = view
            .entries
            .first()
            .map_or(next, |entry| entry.log_id.index);
        let step = match dice.roll(100) {
            0..=39 => {
                let count = 1 + dice.roll(6);
                let sizes = [0, 1, 63, 64, 65, 200, 1000, 3000];
                let entries = (next..next + count)
                    .map(|index| entry(term, index, sizes[dice.roll(8) as usize]));
                Step::Append(entries.collect())
            }
            40..=54 => {
                term += dice.roll(2) + 1;
                Step::Vote(vote(term))
            }
            55..=62 if !view.entries.is_empty() => {
                let keep = first + dice.roll(next - first);
                term += 1;
                Step::Truncate(
                    view.entries
                        .iter()
                        .map(|entry| entry.log_id)
                        .rfind(|id| id.index < keep),
                )
            }
            63..=70 if !view.entries.is_empty() => {
                let at = dice.roll(view.entries.len() as u64) as usize;
                Step::Purge(view.entries[at].log_id)
            }
            71 if dice.roll(3) == 0 => Step::Purge(id(term, next + 5 + dice.roll(50))),
            72..=75 => match view.state.last {
                Some(last) => Step::Committed(last),
                None => continue,
            },
            76..=97 => Step::Wait,
            98 => Step::Reopen,
            _ => continue,
        };
        if let Some(after) = view.after(&step).pop() {
            view = after;
        }
        script.push(step);
    }
    script
}

/// A script that was run: every view the log went through, and when how much of it was acknowledged.
pub(super) struct Recording {
    pub(super) disk: MemoryDisk,
    pub(super) views: Vec<View>,
    /// `(position in the disk's history, number of the view)`, in order.
    pub(super) acknowledged: Vec<(usize, usize)>,
    pub(super) committed: Vec<LogId>,
}

impl Recording {
    /// Runs the script on a disk of its own. Failures of operations fail the test.
    pub(super) fn run(script: &[Step]) -> Self {
        let disk = MemoryDisk::new();
        let mut log = open(&disk);
        let mut views = vec![View::empty()];
        let mut committed = Vec::new();
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        for step in script {
            views.extend(views.last().unwrap().after(step));
            let (number, disk_then, list) =
                (views.len() - 1, disk.clone(), Arc::clone(&acknowledged));
            let callback = move |result: io::Result<()>| {
                result.unwrap();
                list.lock().unwrap().push((disk_then.position(), number));
            };
            match step.clone() {
                Step::Append(entries) => log.append(entries, callback),
                Step::Vote(vote) => log.save_vote(vote, callback),
                Step::Truncate(last) => log.truncate_after(last, callback),
                Step::Purge(to) => log.purge(to, callback),
                Step::Committed(to) => {
                    log.save_committed(Some(to));
                    committed.push(to);
                }
                Step::Wait => done(|callback| log.flush(callback)).unwrap(),
                Step::Reopen => {
                    log.close();
                    log = open(&disk);
                }
            }
            assert_eq!(
                &view(&log),
                views.last().unwrap(),
                "what is submitted is read back at once, after {step:?}"
            );
        }
        log.close();
        let acknowledged = acknowledged.lock().unwrap().clone();
        Self {
            disk,
            views,
            acknowledged,
            committed,
        }
    }

    /// Number of the view that a crash at this position must not fall behind.
    pub(super) fn required(&self, position: usize) -> usize {
        self.acknowledged
            .iter()
            .filter(|(then, _)| *then <= position)
            .map(|(_, view)| *view)
            .max()
            .unwrap_or(0)
    }
}
