//! What clients ask.

use farthing_client::{Account, Transfer};
use rand::Rng;
use rand::rngs::SmallRng;

use super::{Step, Synthetic, TRAVEL_NS, because};
use crate::history::{Consistency, Facts, Function, Kind, Process, ReadIds, Value};
use crate::synthetic::shape::Shape;

/// Requests remembered to be sent again.
const AGAIN_MAX: usize = 256;

/// What a client asks.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Accounts(Vec<Account>),
    Transfers(Vec<Transfer>),
    ReadAccounts(Vec<u128>, Consistency),
    ReadTransfers(Vec<u128>),
    ReadPendings(Vec<u128>),
}

fn reads(ids: &[u128], consistency: Consistency) -> Value {
    Value::ReadIds(ReadIds {
        ids: ids.to_vec(),
        consistency,
    })
}

impl Synthetic {
    pub(super) fn invoke(&mut self, client: usize) {
        if self.invoked == self.config.operations {
            return;
        }
        self.invoked += 1;
        let call = self.call();
        let (function, value) = match &call {
            Call::Accounts(items) => (Function::Accounts, Value::Accounts(items.clone())),
            Call::Transfers(items) => {
                self.ids.extend(items.iter().map(|item| item.id.0));
                (Function::Transfers, Value::Transfers(items.clone()))
            }
            Call::ReadAccounts(ids, consistency) => {
                (Function::ReadAccounts, reads(ids, *consistency))
            }
            Call::ReadTransfers(ids) => (
                Function::ReadTransfers,
                reads(ids, Consistency::Linearizable),
            ),
            Call::ReadPendings(ids) => (
                Function::ReadPendings,
                reads(ids, Consistency::Linearizable),
            ),
        };
        let process = Process::Worker(self.processes[client]);
        let facts = Facts {
            deadline_ms: Some(2000),
            ..Facts::default()
        };
        self.say(Kind::Invoke, process, function.clone(), value, facts);
        let travel = self.rng.random_range(TRAVEL_NS);
        let accounts = matches!(call, Call::Accounts(_));
        let fate = self.rng.random_range(0..1000);
        if !accounts && fate == 999 {
            let facts = because("refused at the door");
            return self.end_after(travel, client, (Kind::Fail, function, Value::None, facts));
        }
        if !accounts && fate >= 999 - self.config.unknown_per_mille && fate % 2 == 0 {
            let facts = because("the request was lost");
            return self.end_after(travel, client, (Kind::Info, function, Value::None, facts));
        }
        self.after(travel, client, Step::Effect(call));
    }

    fn call(&mut self) -> Call {
        if let Some(accounts) = self.accounts.pop_front() {
            return Call::Accounts(accounts);
        }
        let rng = &mut self.rng;
        if rng.random_range(0..1000) < self.config.reads_per_mille {
            let some = |rng: &mut SmallRng, ids: &[u128]| -> Vec<u128> {
                let from = ids.len().saturating_sub(40);
                let recent = &ids[from..];
                let count = rng.random_range(1..4).min(recent.len());
                (0..count)
                    .map(|_| recent[rng.random_range(0..recent.len())])
                    .collect()
            };
            let kind = if self.config.plain {
                9
            } else {
                rng.random_range(0..10)
            };
            return match kind {
                0 | 1 => Call::ReadTransfers(some(rng, &self.ids)),
                2 => Call::ReadPendings(some(rng, &self.ids)),
                kind => {
                    let count = rng.random_range(1..5);
                    let ids = (0..count).map(|_| self.shape.account(rng).0).collect();
                    let consistency = match kind {
                        3 => Consistency::Stale,
                        4 => Consistency::MinLogIndex(self.log_index.saturating_sub(1)),
                        _ => Consistency::Linearizable,
                    };
                    Call::ReadAccounts(ids, consistency)
                }
            };
        }
        if rng.random_range(0..50) == 0 && !self.again.is_empty() {
            let items = &self.again[rng.random_range(0..self.again.len())];
            return Call::Transfers(Shape::again(items, rng));
        }
        let items = self.shape.request(rng, &self.config);
        if rng.random_range(0..10) == 0 {
            if self.again.len() == AGAIN_MAX {
                self.again.swap_remove(rng.random_range(0..AGAIN_MAX));
            }
            self.again.push(items.clone());
        }
        Call::Transfers(items)
    }
}
