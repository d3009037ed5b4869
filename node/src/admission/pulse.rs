//! Pending transfers that are due expire through the log, like everything else: the leader proposes a pulse.

use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::{EntryBuilder, RequestBuilder};

use crate::consensus;
use crate::vitals::Level;

/// A pulse expires a bounded number of transfers; when more are due the next follows at once, but not forever without
/// giving other work a turn.
const PULSES_IN_A_ROW: usize = 16;

pub(super) async fn run(interval: Duration, consensus: consensus::Handle) {
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for _ in 0..PULSES_IN_A_ROW {
            let Some(time_ns) = due(&consensus) else {
                break;
            };
            if !propose(&consensus, time_ns).await {
                break;
            }
        }
    }
}

/// The time to propose, when something is due by then. A leader that does not know the voters' clocks yet expires nothing.
fn due(consensus: &consensus::Handle) -> Option<u64> {
    // Below the reserve what is left of the disk is the log's: what is due expires when there is room again.
    if !consensus.is_leader() || consensus.disk_level() >= Level::Reserve {
        return None;
    }
    let expiry_ns = consensus.state().next_expiry_ns()?;
    consensus
        .proposal_time_ns()
        .filter(|time_ns| expiry_ns <= *time_ns)
}

async fn propose(consensus: &consensus::Handle, time_ns: u64) -> bool {
    let mut entry = EntryBuilder::new(time_ns);
    let request = match RequestBuilder::new(&[]).pulse().finish() {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(%error, "a pulse does not encode");
            return false;
        }
    };
    if let Err(error) = entry.push(&request) {
        tracing::error!(%error, "a pulse does not fit an entry");
        return false;
    }
    match consensus.propose(Bytes::from(entry.finish())).await {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%error, "a pulse was not carried out; the next leader proposes it again");
            false
        }
    }
}
