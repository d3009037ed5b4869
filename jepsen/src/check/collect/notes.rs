//! What the harness itself writes down: the run, final reads, digests, who is ready, what broke.

use farthing_client::Transfer;

use super::Collector;
use crate::check::dumps;
use crate::check::report::Checker;
use crate::check::trace::DigestSeen;
use crate::history::{Event, Function, Lookup, Value};

impl Collector {
    /// Takes in an event that is no call.
    pub(super) fn note(&mut self, index: u32, event: Event) {
        let node = event.facts.node;
        match (event.function, event.value) {
            (Function::Run, Value::Run(run)) => self.trace.run = *run,
            (Function::FinalRead, Value::FinalRead(read)) => {
                for row in &read.accounts {
                    self.saw_account(row.id.0, row.timestamp, index);
                }
                self.exist(&read.transfers, index, event.index);
                for id in &read.refused {
                    self.transfer_row(*id, &Lookup::Refused, index);
                }
                match node {
                    Some(node) => {
                        dumps::part(&mut self.trace, node, index, &read, &mut self.findings)
                    }
                    None => self.harness(event.index, "a final read without a node".into()),
                }
            }
            (Function::Followed, Value::Followed(part)) => {
                self.exist(&part.transfers, index, event.index);
                self.trace.streams.take(&part, event.index);
            }
            (Function::Digest, _) => {
                let facts = event.facts;
                if let (Some(node), Some(at), Some(digest)) = (node, facts.log_index, facts.digest)
                {
                    let seen = DigestSeen {
                        node,
                        digest,
                        event: index,
                    };
                    self.trace.digests.entry(at).or_default().push(seen);
                }
            }
            (Function::Heal, _) => {
                self.trace.healed = Some((event.time, event.index));
                self.trace.ready.clear();
                self.trace.availability.heal(event.time);
            }
            (Function::Ready, _) => {
                if let Some(node) = node {
                    self.trace.ready.entry(node).or_insert(event.time);
                }
            }
            (Function::Panic, Value::Text(text)) => {
                let node = node.unwrap_or(0);
                let message = format!("node {node} ended by itself: {text}");
                self.findings.add(Checker::C12, vec![event.index], message);
            }
            (Function::Coverage, Value::Coverage(points)) => {
                self.trace.has_coverage = true;
                for (point, count) in points {
                    *self.trace.coverage.entry(point).or_default() += count;
                }
            }
            (Function::Trouble, Value::Text(text)) => self.harness(event.index, text),
            (Function::Leader, _) => {}
            (function, _) => {
                let message = format!("a {} event that says nothing", function.name());
                self.harness(event.index, message);
            }
        }
    }

    /// These transfers were seen to exist.
    fn exist(&mut self, transfers: &[Transfer], index: u32, event: u64) {
        for row in transfers {
            if self.trace.items.ids.find(row.id.0).is_none() {
                let id = row.id.0;
                let message = format!("transfer {id:x} exists and nobody ever asked for it");
                self.findings.add(Checker::C3, vec![event], message);
            }
            self.transfer_row(row.id.0, &Lookup::Found(*row), index);
        }
    }
}
