//! The working set of accounts in memory, for the apply thread alone.
//!
//! Fixed records in one vector, found through one map, bounded, replaced by a clock hand. It is a cache and nothing
//! else: whatever it does not hold is in the window or on disk. The accounts of the entry at hand are never replaced,
//! so that `apply` finds every one that was announced; an entry larger than the bound stretches it for a while.

use farthing_ledger::id_map::IdMap;
use farthing_ledger::{Account, AccountId};

use super::window::KnownRow;

/// What is known of an account beside its record, so that the next change need not find it out again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memo {
    /// Digest hash of the account as it is; 0 when it is not known.
    pub(crate) hash: u128,
    /// Where the account's newest row stands in a window.
    pub(crate) row: KnownRow,
}

struct Slot {
    account: Account,
    memo: Memo,
    /// The entry that last asked for it.
    entry: u32,
    /// Asked for since the hand last passed.
    recent: bool,
}

/// See the module.
pub(crate) struct AccountCache {
    slots: Vec<Slot>,
    places: IdMap,
    accounts_max: usize,
    hand: usize,
    /// Counts entries; that it comes round after 2^32 of them only keeps an account a little longer.
    entry: u32,
}

impl AccountCache {
    pub(crate) fn new(accounts_max: usize, seed: u64) -> Self {
        let accounts_max = accounts_max.clamp(16, u32::MAX as usize / 4);
        Self {
            slots: vec![],
            places: IdMap::with_capacity(1_024, seed),
            accounts_max,
            hand: 0,
            entry: 0,
        }
    }

    /// From here on, accounts asked for belong to the next entry.
    pub(crate) fn begin_entry(&mut self) {
        self.entry = self.entry.wrapping_add(1);
    }

    /// True when the account is here; it will stay for this entry.
    #[inline]
    pub(crate) fn touch(&mut self, id: AccountId) -> bool {
        let Some(place) = self.places.get(id.0) else {
            return false;
        };
        let slot = &mut self.slots[place as usize];
        slot.entry = self.entry;
        slot.recent = true;
        true
    }

    #[inline]
    pub(crate) fn get(&self, id: AccountId) -> Option<&Account> {
        self.places
            .get(id.0)
            .map(|place| &self.slots[place as usize].account)
    }

    /// What is known of an account; nothing when it is not here.
    #[inline]
    pub(crate) fn memo(&self, id: AccountId) -> Memo {
        let place = self.places.get(id.0);
        place.map_or_else(Memo::default, |place| self.slots[place as usize].memo)
    }

    /// Keeps an account as it is now, for this entry at least.
    #[inline]
    pub(crate) fn put(&mut self, account: Account, memo: Memo) {
        let slot = Slot {
            account,
            memo,
            entry: self.entry,
            recent: true,
        };
        if let Some(place) = self.places.get(account.id.0) {
            self.slots[place as usize] = slot;
            return;
        }
        let place = self.room();
        if place == self.slots.len() {
            self.slots.push(slot);
        } else {
            self.places.remove(self.slots[place].account.id.0);
            self.slots[place] = slot;
        }
        self.places.insert(account.id.0, place as u32);
    }

    /// A place for one more account: a new one, or that of an account nobody asked for lately.
    fn room(&mut self) -> usize {
        if self.slots.len() < self.accounts_max {
            return self.slots.len();
        }
        // Twice around: the first pass takes away the marks, the second must find a slot unless all are in use.
        for _ in 0..self.slots.len() * 2 {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            let slot = &mut self.slots[place];
            if slot.entry == self.entry {
                continue;
            }
            if !std::mem::take(&mut slot.recent) {
                return place;
            }
        }
        self.slots.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn account(id: u128, posted: u128) -> Account {
        Account {
            id: AccountId(id),
            debits_posted: posted,
            ..Account::default()
        }
    }

    #[test]
    fn it_is_bounded_and_what_it_holds_is_the_latest() {
        let mut cache = AccountCache::new(100, 1);
        for step in 0..10_000_u128 {
            cache.begin_entry();
            cache.put(account(step % 317, step), Memo::default());
            assert_eq!(
                cache.get(AccountId(step % 317)).unwrap().debits_posted,
                step
            );
            assert!(cache.len() <= 100);
        }
        let held = (0..317).filter_map(|id| cache.get(AccountId(id)));
        assert_eq!(
            held.inspect(|held| assert!(held.debits_posted >= 10_000 - 317))
                .count(),
            100
        );
    }

    #[test]
    fn accounts_of_one_entry_are_all_kept_even_beyond_the_bound() {
        let mut cache = AccountCache::new(16, 1);
        cache.begin_entry();
        (0..500).for_each(|id| cache.put(account(id, 1), Memo::default()));
        assert!((0..500).all(|id| cache.touch(AccountId(id))));
        cache.begin_entry();
        assert!(cache.touch(AccountId(7)));
        (1_000..1_400).for_each(|id| cache.put(account(id, 1), Memo::default()));
        assert_eq!(cache.len(), 500, "it does not grow further");
        assert!(cache.touch(AccountId(7)), "asked for by this entry");
    }
}
