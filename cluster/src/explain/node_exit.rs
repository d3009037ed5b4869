//! Exit statuses of a node.

use super::{Entry, Kind, text};

pub(super) fn entries() -> Vec<Entry> {
    ROWS.iter()
        .map(|(number, name, meaning, why, advice)| {
            text(meaning, why, advice).entry(Kind::NodeExit, Some(*number), name)
        })
        .collect()
}

type Row = (u32, &'static str, &'static str, &'static str, &'static str);

/// As `farthing-node` ends; the numbers are frozen.
const ROWS: [Row; 8] = [
    (
        0,
        "stopped",
        "The node stopped as it was asked to.",
        "SIGTERM or SIGINT.",
        "Nothing.",
    ),
    (
        1,
        "failed",
        "The node could not start or go on.",
        "An address is taken, the directory is in use, or the file system refuses.",
        "Read the last lines of its log.",
    ),
    (
        2,
        "configuration",
        "A flag or a setting is wrong.",
        "It is mistyped, missing, or out of range.",
        "Run `farthing config check FILE`.",
    ),
    (
        3,
        "sync_failed",
        "The disk failed while the node ran.",
        "A write or a sync failed; what the disk holds is not known any more, so the node stopped.",
        "Check the disk; start the node again when it is sound, or replace the node.",
    ),
    (
        4,
        "damaged",
        "The data is damaged and nobody else could give it back.",
        "The disk has lost or changed bytes, and the node is alone.",
        "Keep a copy of the directory, look with `farthing inspect DIR --verify`, and restore a backup.",
    ),
    (
        5,
        "foreign",
        "The directory belongs to another node or cluster.",
        "`dir`, `node_id` or `cluster_id` is that of another one.",
        "Correct the configuration; `farthing inspect DIR` says whose directory it is.",
    ),
    (
        6,
        "forgot",
        "The directory is older than what the node has promised to the others.",
        "It was restored from a copy, emptied, or its disk went back in time.",
        "Do not start it again: replace the node (`farthing cluster replace ID`).",
    ),
    (
        7,
        "damaged_again",
        "Damage was found that the next start repairs, and the process could not start itself again.",
        "It did so three times already, or its program is gone.",
        "Start it again; when it comes back, replace the disk and then the node.",
    ),
];
