//! What becomes of calls: entries of the log, reads of the state, answers that get lost.

use rand::Rng;

use super::client::Call;
use super::{CLOCK_START, Synthetic, TRAVEL_NS, because};
use crate::history::{Answer, Facts, Function, Kind, Outcome, ReadReply, Value};
use crate::model::Items;

impl Synthetic {
    /// The call reaches the log, or the state.
    pub(super) fn effect(&mut self, client: usize, call: Call) {
        self.clock = self.clock.max(CLOCK_START + self.time);
        if self.rng.random_range(0..64) == 0 && self.model.expire_next(self.clock) {
            // A pulse is an entry of its own and takes a tick for each transfer.
            self.new_entry();
            self.clock += 1;
            while self.rng.random_range(0..8) != 0 && self.model.expire_next(self.clock) {
                self.clock += 1;
            }
            self.new_entry();
        }
        let (function, value, log_index) = match call {
            Call::Accounts(items) => (
                Function::Accounts,
                self.create(Items::Accounts(&items)),
                true,
            ),
            Call::Transfers(items) => (
                Function::Transfers,
                self.create(Items::Transfers(&items)),
                true,
            ),
            Call::ReadAccounts(ids, _) => {
                let rows = ids
                    .iter()
                    .map(|id| self.model.account(*id).copied())
                    .collect();
                (
                    Function::ReadAccounts,
                    Value::AccountsRead(self.reply(rows)),
                    false,
                )
            }
            Call::ReadTransfers(ids) => {
                let rows = ids.iter().map(|id| self.model.lookup(*id)).collect();
                (
                    Function::ReadTransfers,
                    Value::TransfersRead(self.reply(rows)),
                    false,
                )
            }
            Call::ReadPendings(ids) => {
                let rows = ids
                    .iter()
                    .map(|id| self.model.pending(*id).map(Answer))
                    .collect();
                (
                    Function::ReadPendings,
                    Value::PendingsRead(self.reply(rows)),
                    false,
                )
            }
        };
        let travel = self.rng.random_range(TRAVEL_NS);
        let lost = self.rng.random_range(0..2000) < self.config.unknown_per_mille;
        if lost && function != Function::Accounts {
            let facts = because("the answer was lost");
            return self.end_after(travel, client, (Kind::Info, function, Value::None, facts));
        }
        let facts = Facts {
            node: Some(1),
            log_index: log_index.then_some(self.log_index),
            ..Facts::default()
        };
        self.end_after(travel, client, (Kind::Ok, function, value, facts));
    }

    fn create(&mut self, items: Items<'_>) -> Value {
        if self.entry_room == 0 || self.time >= self.entry_began + TRAVEL_NS.start {
            self.new_entry();
            self.entry_began = self.time;
            self.entry_room = self.rng.random_range(1..6);
        }
        self.entry_room -= 1;
        let outcomes: Vec<Outcome> = self.model.request(items, self.clock + 1).to_vec();
        self.clock += outcomes.len() as u64;
        self.model.keep();
        Value::Outcomes(outcomes)
    }

    fn new_entry(&mut self) {
        self.log_index += 1;
        self.entry_room = 0;
    }

    /// A read sees whole entries: what comes later is a new one.
    fn reply<T>(&mut self, rows: Vec<T>) -> ReadReply<T> {
        self.entry_room = 0;
        ReadReply {
            applied_index: self.log_index,
            rows,
        }
    }
}
