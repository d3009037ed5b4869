//! What reads were answered.

use farthing_client::TransferFlags;

use super::Collector;
use crate::check::reads::ReadKind;
use crate::check::trace::{NONE, row_hash};
use crate::history::{Lookup, ReadIds, Value};

impl Collector {
    pub(super) fn end_read(
        &mut self,
        read: &ReadIds,
        events: (u32, u32),
        times: (u64, u64),
        value: Value,
    ) {
        let (kind, applied_index, rows) = match &value {
            Value::AccountsRead(it) => (ReadKind::Accounts, it.applied_index, it.rows.len()),
            Value::TransfersRead(it) => (ReadKind::Transfers, it.applied_index, it.rows.len()),
            Value::PendingsRead(it) => (ReadKind::Pendings, it.applied_index, it.rows.len()),
            _ => return self.not_its_answer(events.1),
        };
        if rows != read.ids.len() {
            return self.not_its_answer(events.1);
        }
        let reads = &mut self.trace.reads;
        reads.begin(kind, applied_index, read.consistency, events, times);
        let ids = read.ids.iter().copied();
        match value {
            Value::AccountsRead(reply) => {
                for (id, row) in ids.zip(reply.rows) {
                    if let Some(row) = &row {
                        self.saw_account(id, row.timestamp, events.1);
                    }
                    self.trace.reads.account(id, row.as_ref());
                }
            }
            Value::TransfersRead(reply) => {
                for (id, row) in ids.zip(reply.rows) {
                    self.transfer_row(id, &row, events.1);
                    let slot = self.trace.items.ids.slot(id);
                    self.trace.reads.transfer(slot, &row);
                }
            }
            Value::PendingsRead(reply) => {
                for (id, row) in ids.zip(reply.rows) {
                    let slot = self.trace.items.ids.slot(id);
                    self.trace.reads.pending(slot, row.map(|row| row.0));
                }
            }
            _ => {}
        }
    }

    pub(super) fn not_its_answer(&mut self, event: u32) {
        let message = "an answer that does not fit its read";
        self.harness(u64::from(event), message.into());
    }

    /// What any read says about a transfer.
    pub(super) fn transfer_row(&mut self, id: u128, row: &Lookup, event: u32) {
        let slot = self.trace.items.ids.slot(id);
        match row {
            Lookup::Absent => {}
            Lookup::Refused => {
                let facts = self.trace.id_mut(slot);
                if facts.refused_event == NONE {
                    facts.refused_event = event;
                }
            }
            Lookup::Found(transfer) => {
                self.saw_transfer(slot, transfer.timestamp, event);
                let hash = row_hash(transfer);
                let facts = self.trace.id_mut(slot);
                let former = facts.row_event;
                if facts.row_hash == 0 {
                    (facts.row_hash, facts.row_event) = (hash, event);
                } else if facts.row_hash != hash {
                    let message =
                        format!("transfer {id:x} was read in two versions; it must never change");
                    self.two_versions(former, event, message);
                }
                let balancing =
                    TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
                if transfer.flags.intersects(balancing) {
                    self.trace.amounts.entry(slot).or_insert(transfer.amount);
                }
            }
        }
    }
}
