//! The transfers of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farthing_ledger::{AccountId, Transfer, TransferFlags, TransferId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::ids::TransferIds;
use super::options::BenchOptions;

/// Ledger number of a run's accounts; nobody registers it, so its amounts are whole numbers.
pub(super) const LEDGER: u32 = 4_000_000_000;
pub(super) const CODE: u16 = 1;
/// Amounts are drawn from 1 to this.
const AMOUNT_UNITS_MAX: u64 = 9_999;

/// What all senders of a run share: the accounts, and which transfer comes next.
#[derive(Debug)]
pub(super) struct Workload {
    accounts: Vec<AccountId>,
    hot: usize,
    hot_percent: u8,
    flags: TransferFlags,
    user_data: bool,
    ids: TransferIds,
    seed: u64,
    first: u64,
    next: AtomicU64,
    end: u64,
    /// Nothing is taken after this.
    until: Option<Instant>,
    answered: Arc<AtomicU64>,
}

/// A stretch of transfers taken by one sender: numbers from `first`, so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u64,
    pub(super) count: u64,
}

impl Workload {
    /// Transfers numbered from `first`, `count` of them, or as many as are taken within `time`.
    pub(super) fn new(
        options: &BenchOptions,
        accounts: Vec<AccountId>,
        ids: TransferIds,
        first: u64,
        count: u64,
        time: Option<Duration>,
    ) -> Self {
        Self {
            accounts,
            hot: options.account_count_hot as usize,
            hot_percent: options.transfer_hot_percent,
            flags: if options.transfer_pending {
                TransferFlags::PENDING
            } else {
                TransferFlags::default()
            },
            user_data: options.user_data,
            ids,
            seed: options.seed,
            first,
            next: AtomicU64::new(first),
            end: first + count,
            until: time.map(|time| Instant::now() + time),
            answered: Arc::default(),
        }
    }

    /// How many transfers were answered so far, for whoever watches.
    pub(super) fn answered(&self) -> &Arc<AtomicU64> {
        &self.answered
    }

    /// How many there are to be; 0 when the time decides.
    pub(super) fn total(&self) -> u64 {
        match self.until {
            Some(_) => 0,
            None => self.end - self.first,
        }
    }

    /// The next stretch of at most `size` transfers; `None` when all are taken or the time is over.
    pub(super) fn take(&self, size: u64) -> Option<Stretch> {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return None;
        }
        let first = self.next.fetch_add(size, Ordering::Relaxed);
        let count = self.end.saturating_sub(first).min(size);
        (count > 0).then_some(Stretch { first, count })
    }

    /// A source of randomness for one sender.
    pub(super) fn rng(&self, sender: u64) -> StdRng {
        StdRng::seed_from_u64(
            self.seed
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(sender),
        )
    }

    /// Where a stretch begins within this workload, from 0.
    pub(super) fn place(&self, stretch: Stretch) -> u64 {
        stretch.first - self.first
    }

    /// The transfers of a stretch.
    pub(super) fn transfers(&self, stretch: Stretch, rng: &mut StdRng) -> Vec<Transfer> {
        (stretch.first..stretch.first + stretch.count)
            .map(|number| {
                let (debit, credit) = self.accounts(rng);
                let amount = u128::from(rng.random_range(1..=AMOUNT_UNITS_MAX));
                let data: (u128, u64, u32) = if self.user_data {
                    (rng.random(), rng.random(), rng.random())
                } else {
                    (0, 0, 0)
                };
                Transfer {
                    user_data_128: data.0,
                    user_data_64: data.1,
                    user_data_32: data.2,
                    id: TransferId(self.ids.id(number, rng)),
                    debit_account_id: debit,
                    credit_account_id: credit,
                    amount,
                    ledger: LEDGER,
                    code: CODE,
                    flags: self.flags,
                    ..Transfer::default()
                }
            })
            .collect()
    }

    /// Two different accounts; the first is a hot one with the wanted chance.
    fn accounts(&self, rng: &mut StdRng) -> (AccountId, AccountId) {
        let count = self.accounts.len();
        let is_hot = self.hot > 0 && rng.random_range(0..100) < self.hot_percent;
        let (debit, others) = if is_hot {
            (rng.random_range(0..self.hot), self.hot..count)
        } else {
            (rng.random_range(0..count), 0..count)
        };
        let mut credit = rng.random_range(others.clone());
        if credit == debit {
            // Only when all accounts are drawn from: the next one, round the end.
            credit = (credit + 1) % count;
        }
        (self.accounts[debit], self.accounts[credit])
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::IdOrder;
    use super::*;

    fn workload(options: &BenchOptions, count: u64) -> Workload {
        let accounts = (1..=options.account_count)
            .map(|id| AccountId(u128::from(id)))
            .collect();
        Workload::new(
            options,
            accounts,
            TransferIds::new(IdOrder::Sequential, 0),
            0,
            count,
            None,
        )
    }

    #[test]
    fn nothing_is_taken_after_the_time() {
        let accounts = vec![AccountId(1), AccountId(2)];
        let ids = TransferIds::new(IdOrder::Sequential, 0);
        let options = BenchOptions::default();
        let timed = |time| Workload::new(&options, accounts.clone(), ids, 0, 10, Some(time));
        assert_eq!(timed(Duration::ZERO).take(4), None);
        assert!(timed(Duration::from_secs(3_600)).take(4).is_some());
        assert_eq!(timed(Duration::ZERO).total(), 0, "nobody knows how many");
    }

    #[test]
    fn every_transfer_is_taken_once() {
        let workload = workload(&BenchOptions::default(), 10);
        let stretches: Vec<_> = std::iter::from_fn(|| workload.take(4)).collect();
        assert_eq!(
            stretches,
            [(0, 4), (4, 4), (8, 2)].map(|(first, count)| Stretch { first, count })
        );
        assert_eq!(workload.take(4), None);
    }

    #[test]
    fn accounts_differ_and_amounts_are_not_zero() {
        let options = BenchOptions {
            account_count: 2,
            ..BenchOptions::default()
        };
        let workload = workload(&options, 500);
        let stretch = workload.take(500).unwrap();
        let transfers = workload.transfers(stretch, &mut workload.rng(0));
        assert_eq!(transfers.len(), 500);
        assert!(
            transfers
                .iter()
                .all(|t| t.debit_account_id != t.credit_account_id && t.amount > 0)
        );
    }

    #[test]
    fn hot_accounts_get_their_share_of_the_debits() {
        let options = BenchOptions {
            account_count: 1_000,
            account_count_hot: 10,
            transfer_hot_percent: 80,
            ..BenchOptions::default()
        };
        let workload = workload(&options, 1_000);
        let stretch = workload.take(1_000).unwrap();
        let transfers = workload.transfers(stretch, &mut workload.rng(0));
        let hot = transfers
            .iter()
            .filter(|transfer| transfer.debit_account_id.0 <= 10)
            .count();
        assert!((750..850).contains(&hot), "{hot}");
    }
}
