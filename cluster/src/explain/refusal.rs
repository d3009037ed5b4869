//! Reasons of calls that were refused as a whole.

use farthing_client::Reason;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry = |reason: &Reason| words(*reason).entry(Kind::Refusal, None, reason.as_str());
    Reason::ALL.iter().map(entry).collect()
}

const UNKNOWN: Text = text(
    "A reason that this program does not know.",
    "The cluster is newer than this program.",
    "Update this program.",
);

#[cfg(test)]
#[test]
fn every_reason_is_known() {
    for entry in entries() {
        assert_ne!(entry.meaning, UNKNOWN.meaning, "{}", entry.name);
    }
}

fn words(reason: Reason) -> Text {
    match reason {
        Reason::NotLeader => text(
            "This node does not lead; nothing was done.",
            "Leadership moved, or the call went to a follower.",
            "Call the leader, whose address is attached when it is known. The SDK does so by itself.",
        ),
        Reason::NoLeader => text(
            "No leader is known, or it cannot reach a majority; nothing was done.",
            "An election is under way, or most nodes are down or cut off.",
            "Try again in a second; if it lasts, look at `farthing cluster status` and start the nodes that are down.",
        ),
        Reason::Overloaded => text(
            "More is waiting than can be served in time; nothing was done.",
            "Clients send faster than the disks of a majority take it.",
            "Wait as long as the hint says and send again; larger batches cost less than many small calls.",
        ),
        Reason::Deadline => text(
            "The deadline passed before the request was begun; nothing was done.",
            "The deadline is shorter than the queue, or the client's clock and patience are.",
            "Send again with a longer deadline.",
        ),
        Reason::OutcomeUnknown => text(
            "The request was begun, and whether it was carried out is not known.",
            "The leader lost its majority or went down before it could say.",
            "Send the same items with the same ids again: what was done is answered `exists` and not done twice.",
        ),
        Reason::TooLarge => text(
            "More items or bytes than one request may carry; nothing was done.",
            "A request holds 8,189 items and 4 MiB at most.",
            "Split it, but never within a chain.",
        ),
        Reason::InvalidField => text(
            "A field cannot be read; nothing was done.",
            "An id, an amount or a name is not written as the interface asks.",
            "Correct the field whose path is attached, such as `transfers[3].amount`.",
        ),
        Reason::ClusterIdMismatch => text(
            "The caller knows another cluster than this node belongs to; nothing was done.",
            "The address is that of another cluster, or its port was given to one.",
            "Correct the endpoints.",
        ),
        Reason::ShuttingDown => text(
            "The node is going down; nothing was done.",
            "It was asked to stop.",
            "Call another node. The SDK does so by itself.",
        ),
        Reason::Starting => text(
            "The node is recovering and serves nothing yet.",
            "It was started a moment ago, and reads its log.",
            "Try again in a second, or call another node.",
        ),
        Reason::IndexNotReached => text(
            "The node has not applied the asked log index within the deadline.",
            "It is behind: it was away, or its disk is slow.",
            "Allow more time, or read from the leader.",
        ),
        Reason::DigestNotKept => text(
            "The digest at the asked index is not kept.",
            "Only those of the last entries are, and only from the node's start on.",
            "Ask for a later index; `farthing verify` finds one that all nodes have.",
        ),
        Reason::NodeUnknown => text(
            "No such node is a member.",
            "It was removed, or the number is mistyped.",
            "Look at `farthing cluster status`.",
        ),
        Reason::LeaderTransferFailed => text(
            "Leadership did not move in time; nobody is harmed.",
            "The node that should lead is behind or does not answer.",
            "Wait until it has caught up (`farthing cluster status`), or name another one.",
        ),
        Reason::MembersChanging => text(
            "Another change of members is under way; nothing was done.",
            "One change is carried out at a time.",
            "Wait until it is done, and try again.",
        ),
        Reason::MemberBehind => text(
            "The node has not caught up with the log, so it cannot become a voter yet.",
            "It was added a moment ago.",
            "Wait until it has caught up, and try again. `farthing cluster add` does so by itself.",
        ),
        Reason::MembersUnsafe => text(
            "The change would leave the cluster without a majority that answers; nothing was done.",
            "Too many of the nodes that would stay are down.",
            "Start them first (`farthing cluster up`), or add nodes before removing others.",
        ),
        Reason::DiskFull => text(
            "A disk is below its low-water mark; nothing was done. Reads are answered.",
            "The disk of a node fills up, or its quota is reached.",
            "Make room or raise `disk.quota_bytes`; writing goes on by itself.",
        ),
        Reason::NodeSuspect => text(
            "The node's data is damaged or differs from its peers'; it serves nothing.",
            "Its disk has lost or changed bytes.",
            "Nothing at once: with other nodes it repairs itself. If it lasts, read its alarms in `farthing cluster status -o json` and check the disk.",
        ),
        Reason::Unsupported => text(
            "The server does not offer this.",
            "It is older than the caller.",
            "Update the cluster.",
        ),
        Reason::Unauthenticated => text(
            "The caller did not say who it is.",
            "The cluster asks for certificates.",
            "Give the client its certificate.",
        ),
        Reason::PermissionDenied => text(
            "The caller may not do this.",
            "Its role does not allow it.",
            "Ask whoever runs the cluster for the role.",
        ),
        Reason::Internal => text(
            "A fault of the server's own.",
            "A bug, or a machine that fails.",
            "Read the node's log and report it; send the same items with the same ids again.",
        ),
        // The SDK leaves room for reasons to come; a test keeps this empty.
        _ => UNKNOWN,
    }
}
