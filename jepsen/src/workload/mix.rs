//! Requests, made one after the other from a seed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farthing_client::{AMOUNT_MAX, Account, AccountId, Transfer, TransferFlags, TransferId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::kinds::Name;
use super::questions::Listing;
use super::shared::{LEDGER, Shared};
use crate::history::Consistency;

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Create transfers.
    Transfers(Vec<Transfer>),
    /// Create accounts.
    Accounts(Vec<Account>),
    /// Look accounts up.
    ReadAccounts(Vec<u128>, Consistency),
    /// Look transfers up.
    ReadTransfers(Vec<u128>, Consistency),
    /// Look up where pending transfers stand.
    ReadPendings(Vec<u128>, Consistency),
    /// Ask for a page of an answer.
    Query(Box<Listing>),
}

/// Makes the requests of one worker.
#[derive(Debug)]
pub struct Mix {
    names: Vec<Name>,
    pub(super) random: StdRng,
    pub(super) shared: Arc<Shared>,
    deadline: Duration,
    /// The rest of a listing that was begun.
    pub(super) rest: Option<Box<Listing>>,
}

impl Mix {
    /// Requests of these workloads; another `worker` makes others.
    #[must_use]
    pub fn new(
        names: &[Name],
        seed: u64,
        worker: u64,
        shared: Arc<Shared>,
        deadline: Duration,
    ) -> Self {
        let seed = seed ^ worker.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            names: names.to_vec(),
            random: StdRng::seed_from_u64(seed),
            shared,
            deadline,
            rest: None,
        }
    }

    /// Randomness of this worker, for choices beside the requests.
    pub fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }

    /// The next request and the time it is given.
    pub fn ask(&mut self) -> (Ask, Duration) {
        let name = self.names[self.random.random_range(0..self.names.len())];
        let ask = match name {
            Name::Transfer | Name::Membership | Name::Overload => self.transfer(),
            Name::Idempotence => self.again(),
            Name::Bank => self.bank(),
            Name::Append => self.append(),
            Name::TwoPhase => self.two_phase(),
            Name::Linked => self.linked(),
            Name::Limits => self.limits(),
            Name::Queries => self.queries(),
            Name::Events | Name::Cursors if self.chance(40) => self.two_phase(),
            Name::Events | Name::Cursors if self.chance(30) => self.linked(),
            Name::Events | Name::Cursors => self.transfer(),
            Name::Indefinite => self.indefinite(),
        };
        let deadline = match name {
            Name::Indefinite => Duration::from_millis(self.random.random_range(3..60)),
            _ => self.deadline,
        };
        (ask, deadline)
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    pub(super) fn plain(&mut self, debit: AccountId, credit: AccountId) -> Transfer {
        Transfer {
            id: TransferId(self.random.random_range(1..u128::MAX)),
            debit_account_id: debit,
            credit_account_id: credit,
            amount: self.random.random_range(1..100),
            ledger: LEDGER,
            code: 1,
            ..Transfer::default()
        }
    }

    pub(super) fn hot(&mut self) -> Transfer {
        let (debit, credit) = self.shared.hot_pair(&mut self.random);
        self.plain(debit, credit)
    }

    fn transfer(&mut self) -> Ask {
        if self.chance(20) {
            let ids = (0..8).map(|_| self.shared.hot(&mut self.random).0);
            return Ask::ReadAccounts(ids.collect(), self.level());
        }
        if self.chance(12) {
            return self.read_sent();
        }
        if self.chance(4) {
            let account = Account {
                id: AccountId(self.random.random_range(1 << 64..u128::MAX)),
                ledger: LEDGER,
                code: 1,
                ..Account::default()
            };
            return Ask::Accounts(vec![account]);
        }
        let count = self.random.random_range(1..12);
        Ask::Transfers((0..count).map(|_| self.hot()).collect())
    }

    pub(super) fn level(&mut self) -> Consistency {
        let newest = self.shared.newest.load(Ordering::Relaxed);
        match self.random.random_range(0..100) {
            0..10 => Consistency::Stale,
            10..25 if newest > 0 => Consistency::MinLogIndex(newest),
            _ => Consistency::Linearizable,
        }
    }

    fn read_sent(&mut self) -> Ask {
        let count = self.random.random_range(1..6);
        let ids = (0..count).filter_map(|_| self.shared.sent_before(&mut self.random));
        let ids: Vec<u128> = ids.map(|sent| sent.id.0).collect();
        if ids.is_empty() {
            return Ask::Transfers(vec![self.hot()]);
        }
        let level = self.level();
        Ask::ReadTransfers(ids, level)
    }

    fn again(&mut self) -> Ask {
        match self.shared.sent_before(&mut self.random) {
            Some(mut item) if self.chance(65) => {
                // A single item is no part of a chain any more.
                item.flags = TransferFlags(item.flags.0 & !TransferFlags::LINKED.0);
                if self.chance(25) {
                    match self.random.random_range(0..3) {
                        0 => item.amount = item.amount.saturating_add(1),
                        1 => item.code ^= 2,
                        _ => item.user_data_64 += 1,
                    }
                }
                Ask::Transfers(vec![item])
            }
            Some(_) if self.chance(30) => self.read_sent(),
            _ => Ask::Transfers(vec![self.hot()]),
        }
    }

    fn bank(&mut self) -> Ask {
        if self.chance(45) {
            let level = self.level();
            return Ask::ReadAccounts(self.shared.bank_all(), level);
        }
        let (debit, credit) = self.shared.bank_pair(&mut self.random);
        Ask::Transfers(vec![self.plain(debit, credit)])
    }

    fn append(&mut self) -> Ask {
        if self.chance(45) {
            let level = self.level();
            let mut ids = vec![self.shared.hot(&mut self.random).0];
            ids.push(self.shared.hot(&mut self.random).0);
            return Ask::ReadAccounts(ids, level);
        }
        if self.chance(20) {
            return self.read_sent();
        }
        Ask::Transfers(vec![self.hot()])
    }

    pub(super) fn two_phase(&mut self) -> Ask {
        let pending = self.shared.pending(&mut self.random);
        match pending {
            Some(pending) if self.chance(55) => {
                let posts = self.chance(60);
                let flags = match posts {
                    true => TransferFlags::POST_PENDING_TRANSFER,
                    false => TransferFlags::VOID_PENDING_TRANSFER,
                };
                let amount = match self.random.random_range(0..10) {
                    _ if !posts => 0,
                    0..3 if pending.amount > 1 => pending.amount - 1,
                    3 => pending.amount + 1, // more than was reserved: refused
                    _ => AMOUNT_MAX,
                };
                Ask::Transfers(vec![Transfer {
                    id: TransferId(self.random.random_range(1..u128::MAX)),
                    pending_id: pending.id,
                    amount,
                    flags,
                    ..Transfer::default()
                }])
            }
            Some(pending) if self.chance(25) => {
                let level = self.level();
                Ask::ReadPendings(vec![pending.id.0], level)
            }
            _ => {
                let mut item = self.hot();
                item.flags = TransferFlags::PENDING;
                item.timeout = [0, 1, 1, 2, 3][self.random.random_range(0..5)];
                Ask::Transfers(vec![item])
            }
        }
    }

    fn linked(&mut self) -> Ask {
        if self.chance(25) {
            return self.read_sent();
        }
        let count = self.random.random_range(2..8);
        let mut items: Vec<Transfer> = (0..count).map(|_| self.hot()).collect();
        for item in &mut items[..count - 1] {
            item.flags = TransferFlags::LINKED;
        }
        // A chain that must fail as a whole, at any of its links.
        if self.chance(35) {
            let broken = self.random.random_range(0..count);
            if self.chance(50) {
                items[broken].credit_account_id = items[broken].debit_account_id;
            } else {
                items[broken].debit_account_id = self.shared.poor(&mut self.random);
                items[broken].amount = 1 << 100;
            }
        }
        Ask::Transfers(items)
    }

    fn limits(&mut self) -> Ask {
        let poor = self.shared.poor(&mut self.random);
        if self.chance(20) {
            let level = self.level();
            return Ask::ReadAccounts(vec![poor.0], level);
        }
        let rich = self.shared.hot(&mut self.random);
        if self.chance(30) {
            return Ask::Transfers(vec![self.plain(rich, poor)]);
        }
        let mut item = self.plain(poor, rich);
        if self.chance(20) {
            item.flags = TransferFlags::BALANCING_DEBIT;
        }
        Ask::Transfers(vec![item])
    }

    fn indefinite(&mut self) -> Ask {
        if self.chance(20) {
            return self.read_sent();
        }
        let count = self.random.random_range(1..4);
        Ask::Transfers((0..count).map(|_| self.hot()).collect())
    }
}
