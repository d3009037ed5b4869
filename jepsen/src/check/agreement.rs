//! C8: replicas agree. Equal applied index, equal digest; and every node of the run was heard at the end.

use super::report::{Checker, Findings};
use super::trace::Trace;

pub(super) fn check(trace: &Trace, findings: &mut Findings) {
    for (index, seen) in &trace.digests {
        let Some(first) = seen.first() else { continue };
        for other in seen.iter().filter(|other| other.digest != first.digest) {
            let message = format!(
                "nodes {} and {} have different digests at log index {index}: {:x} and {:x}",
                first.node, other.node, first.digest, other.digest
            );
            findings.add(
                Checker::C8,
                vec![u64::from(first.event), u64::from(other.event)],
                message,
            );
        }
    }
    if trace.dumps.complete_count() == 0 {
        findings.open("no node was read completely at the end".into());
        return;
    }
    for node in &trace.run.nodes {
        if !trace
            .dumps
            .by_node
            .get(node)
            .is_some_and(|dump| dump.complete)
            && !agrees(trace, *node)
        {
            findings.open(format!(
                "node {node} was neither read completely at the end nor has it the digest of one that was"
            ));
        }
    }
}

/// The node has, at or after everything that was acknowledged, the digest of a node that was read completely.
fn agrees(trace: &Trace, node: u64) -> bool {
    trace.digests.range(trace.log_index_max..).any(|(_, seen)| {
        let own = seen.iter().find(|digest| digest.node == node);
        own.is_some_and(|own| {
            seen.iter().any(|other| {
                let read = trace
                    .dumps
                    .by_node
                    .get(&other.node)
                    .is_some_and(|dump| dump.complete);
                read && other.digest == own.digest
            })
        })
    })
}
