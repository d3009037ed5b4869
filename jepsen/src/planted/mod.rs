//! Planted bugs: does the harness notice what it is for?
//!
//! A `farthing-node` built with the feature `planted` has the bug that `FARTHING_PLANTED` names. It knows which
//! workload and which faults bring each bug to light, and the file of results. It deliberately does not know how a
//! node does its work: the bugs are in the node, as one condition each.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Names the planted bugs to a node, with commas.
pub const VARIABLE: &str = "FARTHING_PLANTED";

/// A bug, and what brings it to light.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// What `FARTHING_PLANTED` is set to.
    pub name: &'static str,
    /// What the node does wrong.
    pub what: &'static str,
    /// Workloads, as `jepsen run` takes them.
    pub workload: &'static str,
    /// Nemeses, as `jepsen run` takes them.
    pub nemesis: &'static str,
}

const fn bug(
    name: &'static str,
    workload: &'static str,
    nemesis: &'static str,
    what: &'static str,
) -> Bug {
    Bug {
        name,
        what,
        workload,
        nemesis,
    }
}

/// Every bug, with the kind of run that is meant to catch it.
#[rustfmt::skip]
pub const BUGS: &[Bug] = &[
    bug("limit-unchecked", "limits", "none", "accounts may go below zero"),
    bug("refused-id-forgotten", "idempotence,limits", "none", "the id of a refused transfer may be used again"),
    bug("exists-moves-again", "idempotence", "none", "a repeated transfer moves its amount once more"),
    bug("other-fields-exist", "idempotence", "none", "an id with other fields is answered as the same transfer"),
    bug("chain-not-undone", "linked", "none", "what came before a failed link stays"),
    bug("field-lost", "transfer", "none", "a transfer is stored with another code"),
    bug("tick-shared", "limits,linked", "none", "a refused item has the same tick of the clock as the next one"),
    bug("clock-goes-back", "transfer", "none", "an entry begins before the one in front of it ended"),
    bug("post-over-pending", "two-phase", "none", "more may be posted than was reserved"),
    bug("posted-twice", "two-phase", "none", "a posted transfer may be posted again"),
    bug("posts-what-is-due", "two-phase", "none", "a transfer may be posted after it was due to expire"),
    bug("void-keeps-reserve", "two-phase", "none", "voiding leaves the amount reserved"),
    bug("expiry-skipped", "two-phase", "none", "some pending transfers never expire"),
    bug("nodes-differ", "transfer", "none", "what is stored depends on the process"),
    bug("nodes-differ,digest-not-compared", "transfer", "none", "and nobody compares"),
    bug("read-index-skipped", "append", "none", "reads do not wait for what was acknowledged before"),
    bug("stale-read", "append", "pause,partition", "a leader answers reads without asking whether it still leads"),
    bug("min-index-ignored", "append", "pause,partition", "a read may be older than the index it asked for"),
    bug("newest-not-read", "append", "none", "reads leave out the newest entry"),
    bug("ack-before-quorum", "transfer", "kill,partition", "an entry counts as replicated when it was sent"),
    bug("vote-not-saved", "append", "kill,partition,storm", "after a restart a node may vote again in the same term"),
    bug("replay-skips-one", "transfer", "kill", "after a restart one entry is left out"),
    bug("ack-before-sync", "transfer", "power-loss", "acknowledged before it is on the medium"),
    bug("append-before-durable", "transfer", "power-loss", "Raft hears that entries are durable when they are written"),
    bug("id-row-lost", "idempotence", "kill", "some ids are forgotten when they leave memory"),
    bug("refused-id-row-lost", "idempotence,limits", "kill", "ids of refused transfers are forgotten when they leave memory"),
    bug("answers-swapped", "overload,transfer", "none", "requests that share an entry get each other's answers"),
    bug("page-begins-late", "queries", "none", "a page leaves out the row behind the page before"),
    bug("windows-not-listed", "queries", "none", "listings show what is on disk only"),
    bug("user-data-row-lost", "queries", "kill", "some transfers are not listed by their user data once they are on disk"),
    bug("event-left-out", "events", "none", "the event stream leaves some events out"),
    bug("event-balances-swapped", "events", "none", "an event says the balances of the wrong account"),
    bug("says-no-after-yes", "transfer", "none", "what was done is answered as certainly not done"),
];

/// One line of the file of results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The bug.
    pub name: String,
    /// Whether a checker found a violation.
    pub caught: bool,
    /// Seconds until then, over all seeds tried, with starting and checking.
    pub took_s: u64,
    /// Seeds tried.
    pub runs: u64,
    /// Who found it, such as `C1`.
    pub checkers: Vec<String>,
    /// The command that catches it.
    pub command: String,
}

/// Appends a line to the file of results, or begins it.
///
/// # Errors
/// When it cannot be written.
pub fn add(path: &Path, line: &Line) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// The middle of the times, in seconds.
#[must_use]
pub fn median(mut took_s: Vec<u64>) -> Option<u64> {
    took_s.sort_unstable();
    took_s.get(took_s.len() / 2).copied()
}
