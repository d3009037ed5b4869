//! C3 and the rest of C4: what was acknowledged is there, what is there was asked for, and it never changed.

use farthing_client::Transfer;

use super::report::{Checker, Findings};
use super::trace::{End, IdFacts, NONE, Trace, row_hash};
use crate::history::Lookup;
use crate::model::Model;

pub(super) fn check(trace: &Trace, model: &Model, findings: &mut Findings) {
    let failed_only = invoked_only_by_failed(trace);
    for (slot, facts) in trace.ids.iter().enumerate() {
        let id = trace.items.ids.id(slot as u32);
        let evidence = facts.evidence;
        if evidence.timestamp != 0 && facts.refused_event != NONE {
            let message = format!("transfer {id:x} exists and was refused for ever as well");
            let events = vec![u64::from(evidence.source), u64::from(facts.refused_event)];
            findings.add(Checker::C4, events, message);
        }
        if evidence.claim != NONE {
            lost(trace, id, facts, evidence.claim, findings);
        }
        // Exists, and neither an acknowledged nor an unknown request can have made it.
        if evidence.timestamp != 0
            && matches!(model.lookup(id), Lookup::Absent)
            && evidence.claim == NONE
        {
            let (since, events) = (evidence.timestamp, vec![u64::from(evidence.source)]);
            if failed_only.get(slot).copied().unwrap_or(false) {
                let message = format!(
                    "transfer {id:x} exists since {since}, but its request failed, so it must not have happened"
                );
                findings.add(Checker::C3, events, message);
            } else {
                let message = format!(
                    "transfer {id:x} exists since {since}, and no request can have made it"
                );
                findings.derive(Checker::C3, events, message);
            }
        }
    }
    for transfer in model.transfers() {
        let Some(facts) = trace
            .items
            .ids
            .find(transfer.id.0)
            .and_then(|slot| trace.ids.get(slot as usize))
        else {
            continue;
        };
        changed(facts, &transfer, findings);
        if facts.evidence.claim == NONE && missing(trace, facts) != 0 {
            let message = format!(
                "transfer {:x} must exist, since its request was carried out, and a complete final read does not have it",
                transfer.id.0
            );
            findings.derive(Checker::C3, vec![u64::from(facts.evidence.source)], message);
        }
    }
    accounts(trace, model, findings);
}

/// Nodes (a bit each) whose complete final read does not have it.
fn missing(trace: &Trace, facts: &IdFacts) -> u16 {
    trace.dumps.complete_bits() & facts.covered & !facts.present
}

fn lost(trace: &Trace, id: u128, facts: &IdFacts, claim: u32, findings: &mut Findings) {
    let missing = missing(trace, facts);
    if missing == 0 {
        return;
    }
    let nodes = trace
        .dumps
        .by_node
        .iter()
        .filter(|(_, dump)| dump.bit & missing != 0);
    let (mut names, mut events) = (Vec::new(), trace.ops[claim as usize].events());
    for (node, dump) in nodes {
        names.push(node.to_string());
        events.extend_from_slice(&dump.events);
    }
    let message = format!(
        "transfer {id:x} was acknowledged and is lost: the final read of node {} does not have it",
        names.join(", ")
    );
    findings.add(Checker::C3, events, message);
}

fn changed(facts: &IdFacts, transfer: &Transfer, findings: &mut Findings) {
    if facts.row_hash != 0 && facts.row_hash != row_hash(transfer) {
        let message = format!(
            "transfer {:x} is not what was asked for: expected {transfer:?}",
            transfer.id.0
        );
        let events = vec![u64::from(facts.evidence.source), u64::from(facts.row_event)];
        findings.derive(Checker::C4, events, message);
    }
}

fn accounts(trace: &Trace, model: &Model, findings: &mut Findings) {
    for (id, facts) in &trace.account_ids {
        let evidence = facts.evidence;
        if evidence.timestamp != 0 && model.account(*id).is_none() {
            let message = format!(
                "account {id:x} exists since {}, but no request asked for it",
                evidence.timestamp
            );
            findings.derive(Checker::C3, vec![u64::from(evidence.source)], message);
        }
    }
}

/// For each id: it was asked for, and only by requests that failed.
fn invoked_only_by_failed(trace: &Trace) -> Vec<bool> {
    let mut failed = vec![false; trace.ids.len()];
    let transfers = |op: &&super::trace::Op| op.creates == super::trace::Creates::Transfers;
    for op in trace
        .ops
        .iter()
        .filter(transfers)
        .filter(|op| op.end == End::Fail)
    {
        op.items()
            .for_each(|item| failed[trace.items.get(item).id as usize] = true);
    }
    for op in trace
        .ops
        .iter()
        .filter(transfers)
        .filter(|op| op.end != End::Fail)
    {
        op.items()
            .for_each(|item| failed[trace.items.get(item).id as usize] = false);
    }
    failed
}
