//! What all workers of a run know: accounts, ids already used, pending transfers, and who leads as far as anybody said.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use farthing_client::{Account, AccountFlags, AccountId, Transfer, TransferFlags};
use rand::Rng;
use rand::rngs::StdRng;

/// The ledger of all accounts.
pub const LEDGER: u32 = 1;
/// Accounts of the bank, whose total is fixed.
const BANK: u64 = 16;
/// Accounts of everybody else.
const OTHERS: u64 = 200;
/// Accounts that must not go below zero.
const LIMITED: u64 = 4;
/// Transfers remembered to be sent again, and pending ones to be resolved.
const REMEMBERED: usize = 256;

/// What all workers of a run know.
#[derive(Debug)]
pub struct Shared {
    /// Node that leads, as far as anybody said; 0 = unknown.
    pub leader: AtomicU64,
    /// Highest log index that a write was answered with: reads ask for it wherever they go.
    pub newest: AtomicU64,
    /// ns; newest timestamp that a write was answered with.
    pub newest_ns: AtomicU64,
    sent: Mutex<Vec<Transfer>>,
    pendings: Mutex<Vec<Transfer>>,
    used: Mutex<Used>,
}

/// Every id the run ever named, in the order of its first use.
#[derive(Debug, Default)]
struct Used {
    seen: HashSet<u128>,
    transfers: Vec<u128>,
    pendings: Vec<u128>,
    accounts: Vec<u128>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            leader: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            newest_ns: AtomicU64::new(0),
            sent: Mutex::default(),
            pendings: Mutex::default(),
            used: Mutex::default(),
        }
    }
}

impl Shared {
    /// The accounts that exist before the workers begin.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let account = |id: AccountId, flags: AccountFlags| Account {
            id,
            ledger: LEDGER,
            code: 1,
            flags,
            ..Account::default()
        };
        let free = AccountFlags::default();
        let limited = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
        let bank = (0..BANK).map(|number| account(Self::bank(number), free));
        let others = (0..OTHERS).map(|number| account(Self::other(number), free));
        let poor = (0..LIMITED).map(|number| account(Self::limited(number), limited));
        bank.chain(others).chain(poor).collect()
    }

    fn bank(number: u64) -> AccountId {
        AccountId(u128::from(1000 + number))
    }

    fn other(number: u64) -> AccountId {
        AccountId(u128::from(2000 + number))
    }

    fn limited(number: u64) -> AccountId {
        AccountId(u128::from(3000 + number))
    }

    /// All accounts of the bank.
    #[must_use]
    pub fn bank_all(&self) -> Vec<u128> {
        (0..BANK).map(|number| Self::bank(number).0).collect()
    }

    /// Two accounts of the bank.
    pub fn bank_pair(&self, random: &mut StdRng) -> (AccountId, AccountId) {
        pair(random, BANK, Self::bank)
    }

    /// Two accounts of which few are hot: a square of a square of a uniform number is near to Zipf's law.
    pub fn hot_pair(&self, random: &mut StdRng) -> (AccountId, AccountId) {
        pair(random, OTHERS, Self::other)
    }

    /// An account, hot ones more often.
    pub fn hot(&self, random: &mut StdRng) -> AccountId {
        Self::other(skewed(random, OTHERS))
    }

    /// One that must not go below zero.
    pub fn poor(&self, random: &mut StdRng) -> AccountId {
        Self::limited(random.random_range(0..LIMITED))
    }

    /// Remembers that ids are used, before they are sent.
    pub fn use_transfers(&self, items: &[Transfer]) {
        {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            for item in items {
                for id in [item.id.0, item.pending_id.0] {
                    if id != 0 && used.seen.insert(id) {
                        used.transfers.push(id);
                    }
                }
                if item.flags.contains(TransferFlags::PENDING) {
                    used.pendings.push(item.id.0);
                }
            }
        }
        for item in items {
            remember(&self.sent, item);
            if item.flags.contains(TransferFlags::PENDING) {
                remember(&self.pendings, item);
            }
        }
    }

    /// Remembers that account ids are used, before they are sent.
    pub fn use_accounts(&self, ids: impl Iterator<Item = u128>) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if used.seen.insert(id) {
                used.accounts.push(id);
            }
        }
    }

    /// Every id ever named: accounts, transfers, and those of them that were to be pending.
    #[must_use]
    pub fn used(&self) -> (Vec<u128>, Vec<u128>, Vec<u128>) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.pendings.sort_unstable();
        used.pendings.dedup();
        (
            used.accounts.clone(),
            used.transfers.clone(),
            used.pendings.clone(),
        )
    }

    /// ns; about now, by the cluster's clock. 0 = nobody knows.
    #[must_use]
    pub fn newest_timestamp(&self) -> u64 {
        self.newest_ns.load(Ordering::Relaxed)
    }

    /// A transfer that was sent before.
    pub fn sent_before(&self, random: &mut StdRng) -> Option<Transfer> {
        pick(&self.sent, random)
    }

    /// A transfer that was sent as pending.
    pub fn pending(&self, random: &mut StdRng) -> Option<Transfer> {
        pick(&self.pendings, random)
    }

    /// Who leads as far as anybody said.
    #[must_use]
    pub fn leader(&self) -> Option<u64> {
        Some(self.leader.load(Ordering::Relaxed)).filter(|node| *node != 0)
    }
}

fn skewed(random: &mut StdRng, count: u64) -> u64 {
    let uniform: f64 = random.random();
    ((uniform.powi(4) * count as f64) as u64).min(count - 1)
}

fn pair(
    random: &mut StdRng,
    count: u64,
    account: impl Fn(u64) -> AccountId,
) -> (AccountId, AccountId) {
    let first = skewed(random, count);
    let second = (first + random.random_range(1..count)) % count;
    if random.random() {
        (account(first), account(second))
    } else {
        (account(second), account(first))
    }
}

fn remember(list: &Mutex<Vec<Transfer>>, item: &Transfer) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.len() == REMEMBERED {
        list.remove(0);
    }
    list.push(*item);
}

fn pick(list: &Mutex<Vec<Transfer>>, random: &mut StdRng) -> Option<Transfer> {
    let list = list.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = list.len().checked_sub(1)?;
    // New ones more often: those are the ones others work on right now.
    let back = skewed(random, newest as u64 + 1) as usize;
    list.get(newest - back).copied()
}
