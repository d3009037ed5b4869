//! The end of a synthetic history: heal, ready nodes, digests, final reads, coverage.

use std::collections::{BTreeMap, VecDeque};

use farthing_client::TransferFlags;

use super::Config;
use super::shape::{FIRST_ACCOUNT, Shape};
use crate::history::{Facts, FinalRead, Function, Kind, Lookup, PendingRow, Process, Value};
use crate::model::Model;

/// Ids in one part of a final read.
const PART_IDS: usize = 5_000;

/// An event without index and time.
pub(super) type Said = (Kind, Process, Function, Value, Facts);

/// What is still to be said.
#[derive(Debug)]
pub(super) struct End {
    said: VecDeque<Said>,
    ids: Vec<u128>,
    accounts: u128,
    log_index: u64,
    nodes: VecDeque<u64>,
    part: u32,
}

impl End {
    pub(super) fn new(config: &Config, log_index: u64, mut ids: Vec<u128>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let mut said = VecDeque::new();
        let mut note = |function, value, facts| {
            said.push_back((Kind::Info, Process::Harness, function, value, facts));
        };
        note(Function::Heal, Value::None, Facts::default());
        let nodes = config.nodes_read + config.nodes_digest;
        for node in 1..=nodes {
            let of_node = Facts {
                node: Some(node),
                ..Facts::default()
            };
            note(Function::Ready, Value::None, of_node.clone());
            let digest = Facts {
                log_index: Some(log_index),
                digest: Some(0xd1_6e57),
                ..of_node
            };
            note(Function::Digest, Value::None, digest);
        }
        let points = BTreeMap::from([("operation".to_owned(), config.operations)]);
        note(
            Function::Coverage,
            Value::Coverage(points),
            Facts::default(),
        );
        Self {
            said,
            ids,
            accounts: Shape::new(config).accounts,
            log_index,
            nodes: (1..=config.nodes_read).collect(),
            part: 0,
        }
    }

    pub(super) fn next(&mut self, model: &Model) -> Option<Said> {
        if let Some(said) = self.said.pop_front() {
            return Some(said);
        }
        let node = *self.nodes.front()?;
        let parts = self.ids.len().div_ceil(PART_IDS).max(1) as u32;
        let read = self.part(model, parts);
        self.part += 1;
        if self.part == parts {
            self.part = 0;
            self.nodes.pop_front();
        }
        let facts = Facts {
            node: Some(node),
            ..Facts::default()
        };
        let value = Value::FinalRead(Box::new(read));
        Some((
            Kind::Ok,
            Process::Harness,
            Function::FinalRead,
            value,
            facts,
        ))
    }

    fn part(&self, model: &Model, parts: u32) -> FinalRead {
        let mut read = FinalRead {
            applied_index: self.log_index,
            part: self.part,
            parts,
            ..FinalRead::default()
        };
        if self.part == 0 {
            for id in FIRST_ACCOUNT..FIRST_ACCOUNT + self.accounts {
                match model.account(id) {
                    Some(account) => read.accounts.push(*account),
                    None => read.accounts_absent.push(id),
                }
            }
            read.transfer_count = Some(model.transfer_count() as u64);
            read.account_count = Some(model.accounts().len() as u64);
        }
        let from = (self.part as usize * PART_IDS).min(self.ids.len());
        let to = (from + PART_IDS).min(self.ids.len());
        for id in &self.ids[from..to] {
            match model.lookup(*id) {
                Lookup::Absent => read.absent.push(*id),
                Lookup::Refused => read.refused.push(*id),
                Lookup::Found(transfer) => {
                    if transfer.flags.contains(TransferFlags::PENDING)
                        && let Some(status) = model.pending(*id)
                    {
                        read.pendings.push(PendingRow { id: *id, status });
                    }
                    read.transfers.push(transfer);
                }
            }
        }
        read
    }
}
