//! What requests to create were answered.

use farthing_client::{CreateAccountStatus, CreateTransferStatus};

use super::Collector;
use crate::check::items::NO_STATUS;
use crate::check::report::Checker;
use crate::check::trace::{Creates, End, NONE};
use crate::history::{Facts, Outcome, Value};

impl Collector {
    pub(super) fn end_creates(
        &mut self,
        number: u32,
        event: u32,
        end: End,
        time: u64,
        value: Value,
        facts: &Facts,
    ) {
        let op = &mut self.trace.ops[number as usize];
        op.end = end;
        op.complete_event = event;
        op.retried = facts.retried;
        if end != End::Info {
            op.complete_ns = time;
        }
        if end != End::Ok {
            return;
        }
        op.log_index = facts.log_index.unwrap_or(0);
        let op = *op;
        self.trace.log_index_max = self.trace.log_index_max.max(op.log_index);
        let Value::Outcomes(outcomes) = value else {
            return self.harness(u64::from(event), "an answer without outcomes".into());
        };
        if outcomes.len() != op.count as usize {
            // The harness writes down what came: it is the cluster that answered too little or too much.
            let message = format!("{} answers to {} items", outcomes.len(), op.count);
            self.findings
                .add(Checker::C1, vec![u64::from(event)], message);
            return;
        }
        for (item, outcome) in op.items().zip(outcomes) {
            match op.creates {
                Creates::Transfers => {
                    self.transfer_outcome(number, item, event, outcome, op.retried)
                }
                Creates::Accounts => self.account_outcome(number, item, event, outcome),
            }
        }
    }

    fn transfer_outcome(
        &mut self,
        op: u32,
        item: u32,
        event: u32,
        outcome: Outcome,
        retried: bool,
    ) {
        const EXISTS: u32 = CreateTransferStatus::Exists as u32;
        let status = u16::try_from(outcome.status()).unwrap_or(NO_STATUS);
        self.trace.items.answer(item, status, outcome.timestamp());
        if status != 0 && outcome.status() != EXISTS {
            return;
        }
        let slot = self.trace.items.get(item).id;
        self.saw_transfer(slot, outcome.timestamp(), event);
        if status == 0 {
            let claim = self.trace.id_mut(slot).evidence.claim;
            if claim == NONE {
                self.trace.id_mut(slot).evidence.claim = op;
            } else if !retried && !self.trace.ops[claim as usize].retried {
                let id = self.trace.items.ids.id(slot);
                let former = self.trace.ops[claim as usize].complete_event;
                let message =
                    format!("transfer {id:x} was created twice, once for each of two calls");
                self.two_versions(former, event, message);
            }
        }
    }

    pub(super) fn saw_transfer(&mut self, slot: u32, timestamp: u64, event: u32) {
        if let Some((other, source)) = self.trace.id_mut(slot).evidence.saw(timestamp, event) {
            let id = self.trace.items.ids.id(slot);
            let message = format!(
                "transfer {id:x} has two versions: created at {other} by event {source}, at {timestamp} by event {event}"
            );
            self.two_versions(source, event, message);
        }
    }

    fn account_outcome(&mut self, op: u32, item: u32, event: u32, outcome: Outcome) {
        const EXISTS: u32 = CreateAccountStatus::Exists as u32;
        let row = &mut self.trace.accounts[item as usize];
        row.status = u16::try_from(outcome.status()).unwrap_or(NO_STATUS);
        row.timestamp = outcome.timestamp();
        let id = row.account.id.0;
        if outcome.status() == 0 || outcome.status() == EXISTS {
            self.saw_account(id, outcome.timestamp(), event);
        }
        let evidence = &mut self.trace.account_ids.entry(id).or_default().evidence;
        if outcome.status() == 0 && evidence.claim == NONE {
            evidence.claim = op;
        }
    }

    pub(super) fn saw_account(&mut self, id: u128, timestamp: u64, event: u32) {
        let evidence = &mut self.trace.account_ids.entry(id).or_default().evidence;
        if let Some((other, source)) = evidence.saw(timestamp, event) {
            let message = format!(
                "account {id:x} has two versions: created at {other} by event {source}, at {timestamp} by event {event}"
            );
            self.two_versions(source, event, message);
        }
    }
}
