//! Whatever waits becomes the next entry.
//!
//! There is no timer: an idle node proposes at once, a busy one gathers while earlier entries are under way. Small
//! entries are limited to [`SMALL_ENTRIES_MAX`] under way, because each costs every node the same whether it holds one
//! request or a hundred; large ones may overlap more, to keep disk and network busy together.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use farthing_ledger::EntryBuilder;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::room::Permit;
use super::{Answer, Refusal, Waiting};
use crate::consensus;
use crate::consensus::Committed;

/// An entry is closed when it holds this much: about one full request of transfers.
pub(super) const ENTRY_BYTES_TARGET: usize = 1 << 20;
/// No entry is larger, so that the smallest log segment holds it; a full request and the target fit.
pub(super) const ENTRY_BYTES_MAX: usize = 6 << 20;
/// Entries under way at once.
const ENTRIES_MAX: u32 = 8;
/// Entries under way at once when they are small.
const SMALL_ENTRIES_MAX: u32 = 2;
/// A small entry takes a share of the room that lets no more than [`SMALL_ENTRIES_MAX`] be under way.
const SMALL_BYTES: usize = 128 << 10;

pub(super) async fn run(mut queue: mpsc::Receiver<Waiting>, consensus: consensus::Handle) {
    let room = Arc::new(Semaphore::new(ENTRIES_MAX as usize));
    let mut carried: Option<Waiting> = None;
    loop {
        let first = match carried.take() {
            Some(waiting) => waiting,
            None => match queue.recv().await {
                Some(waiting) => waiting,
                None => return,
            },
        };
        // Gather first, look at the size, then wait for room: what arrives in the meantime joins.
        let mut gathered = Vec::new();
        let mut bytes = first.request.len();
        gathered.push(first);
        gather(&mut queue, &mut gathered, &mut bytes, &mut carried);
        let share = if bytes < SMALL_BYTES {
            ENTRIES_MAX / SMALL_ENTRIES_MAX
        } else {
            1
        };
        let Ok(permit) = Arc::clone(&room).acquire_many_owned(share).await else {
            return;
        };
        let time_ns = match consensus.wait_proposal_time_ns().await {
            Ok(time_ns) => time_ns,
            Err(error) => {
                refuse(gathered, error);
                continue;
            }
        };
        if carried.is_none() {
            gather(&mut queue, &mut gathered, &mut bytes, &mut carried);
        }
        let Some((entry, answers)) = build(gathered, bytes, time_ns) else {
            continue;
        };
        let consensus = consensus.clone();
        tokio::spawn(async move {
            let result = consensus.propose(entry).await;
            drop(permit);
            settle(result, answers);
        });
    }
}

/// Takes what is waiting, up to the size of an entry; a request that does not fit opens the next one.
pub(super) fn gather(
    queue: &mut mpsc::Receiver<Waiting>,
    gathered: &mut Vec<Waiting>,
    bytes: &mut usize,
    carried: &mut Option<Waiting>,
) {
    while *bytes < ENTRY_BYTES_TARGET {
        let Ok(next) = queue.try_recv() else { return };
        if *bytes + next.request.len() > ENTRY_BYTES_MAX {
            *carried = Some(next);
            return;
        }
        *bytes += next.request.len();
        gathered.push(next);
    }
}

/// Who waits for the requests of an entry, in their order.
pub(super) type Answers = Vec<(oneshot::Sender<Result<Answer, Refusal>>, Permit)>;

/// The entry of what was gathered, of `bytes` altogether, proposed at `time_ns`; `None` when nothing is left to do.
pub(super) fn build(
    gathered: Vec<Waiting>,
    bytes: usize,
    time_ns: u64,
) -> Option<(Bytes, Answers)> {
    let now: Instant = tokio::time::Instant::now().into_std();
    let mut entry = EntryBuilder::with_capacity(time_ns, bytes + 64);
    let mut answers = Vec::with_capacity(gathered.len());
    for waiting in gathered {
        if waiting.deadline <= now {
            // Its caller has been told that the outcome is unknown; not doing it is the kinder of the two outcomes.
            let _ = waiting.answer.send(Err(Refusal::Deadline));
            continue;
        }
        match entry.push(&waiting.request) {
            Ok(()) => answers.push((waiting.answer, waiting.permit)),
            Err(error) => {
                let _ = waiting
                    .answer
                    .send(Err(Refusal::TooLarge(error.to_string())));
            }
        }
    }
    if entry.is_empty() {
        None
    } else {
        Some((Bytes::from(entry.finish()), answers))
    }
}

/// Gives every request its own results.
pub(super) fn settle(result: Result<Committed, consensus::Error>, answers: Answers) {
    match result {
        Ok(committed) => {
            let requests = answers.len();
            for (mut position, (answer, _permit)) in answers.into_iter().enumerate() {
                if crate::planted::is("answers-swapped") && requests > 1 {
                    position = requests - 1 - position;
                }
                if crate::planted::is("says-no-after-yes")
                    && committed.outcome.log_index.is_multiple_of(64)
                {
                    let _ = answer.send(Err(Refusal::NotLeader { leader: None }));
                    continue;
                }
                let result = match committed.outcome.results.get(position) {
                    Some(results) => Ok(Answer {
                        log_index: committed.outcome.log_index,
                        results: results.clone(),
                    }),
                    None => Err(Refusal::Unknown(
                        "the entry answered fewer requests than it holds".into(),
                    )),
                };
                let _ = answer.send(result);
            }
        }
        Err(error) => {
            let refusal = refusal(error);
            for (answer, _permit) in answers {
                let _ = answer.send(Err(refusal.clone()));
            }
        }
    }
}

fn refuse(gathered: Vec<Waiting>, error: consensus::Error) {
    let refusal = refusal(error);
    for waiting in gathered {
        let _ = waiting.answer.send(Err(refusal.clone()));
    }
}

fn refusal(error: consensus::Error) -> Refusal {
    match error {
        consensus::Error::NotLeader { leader } => Refusal::NotLeader { leader },
        consensus::Error::Discarded => Refusal::NotLeader { leader: None },
        consensus::Error::NoQuorum(why) | consensus::Error::Stopped(why) => Refusal::Unknown(why),
    }
}
