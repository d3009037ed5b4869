//! C12 and C14: every node serves again after the last heal, and the run reached what it was made for.

use super::report::{Checker, Findings};
use super::trace::Trace;

const NS_PER_MS: u64 = 1_000_000;

pub(super) fn check(trace: &Trace, findings: &mut Findings) {
    ready(trace, findings);
    for (point, least) in &trace.run.required {
        let reached = trace.coverage.get(point).copied().unwrap_or(0);
        if reached < *least {
            let message = format!("{point} was reached {reached} times, {least} are required");
            findings.add(Checker::C14, Vec::new(), message);
        }
    }
}

fn ready(trace: &Trace, findings: &mut Findings) {
    let within_ms = trace.run.ready_within_ms;
    let Some((healed, event)) = trace.healed.filter(|_| within_ms != 0) else {
        if trace.fault_count != 0 && within_ms != 0 {
            findings.open("faults were injected and never healed".into());
        }
        return;
    };
    for node in &trace.run.nodes {
        let took_ms = trace
            .ready
            .get(node)
            .map(|ready| (ready - healed) / NS_PER_MS);
        let message = match took_ms {
            Some(took) if took <= within_ms => continue,
            Some(took) => format!(
                "node {node} was ready {took} ms after the last heal, {within_ms} are allowed"
            ),
            None => format!("node {node} was never ready after the last heal"),
        };
        findings.add(Checker::C12, vec![event], message);
    }
}
