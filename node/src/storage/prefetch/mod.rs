//! Everything an entry will ask for, gathered before it is applied: two rounds of batched lookups, then no I/O.

//!
//! `gather` looks up what the rounds name; `due` reads the expiry queue. Here is what the entry sees of it.

mod due;
mod gather;

use std::cell::Cell;

use farthing_ledger::{
    Account, AccountId, Clock, EntryReader, Ledger, NamespaceTotals, Pending, Record, RecordKey,
    Seen, TransferId, View, round_one, round_two,
};

use super::accounts::AccountCache;
use super::database::Database;
use super::error::Error;
use super::lookup::Lookup;
use super::recent::{Place, Recent};
use gather::Gathered;

/// The view of one entry: the state after the entry before it, as far as the entry can ask.
pub struct Prefetched<'a> {
    clock: Clock,
    accounts: &'a AccountCache,
    gathered: Gathered,
    unannounced: Cell<bool>,
}

/// Where the answers come from.
pub(crate) struct Sources<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) database: &'a Database,
    pub(crate) recents: &'a [Recent],
    pub(crate) clock: Clock,
    /// A lower bound of the places in the expiry queue; set to the first one when the queue is read.
    pub(crate) queue_floor: &'a mut Place,
}

/// Runs both rounds.
pub(crate) fn prefetch<'a>(
    mut sources: Sources<'_>,
    accounts: &'a mut AccountCache,
    entry: &EntryReader<'_>,
) -> Result<Prefetched<'a>, Error> {
    accounts.begin_entry();
    let clock = sources.clock;
    let mut gathered = Gathered::default();
    gathered.add(&mut sources, accounts, round_one(entry, &clock))?;
    // Round two only looks at what round one brought; most entries have none.
    let first = Prefetched {
        clock,
        accounts,
        gathered,
        unannounced: Cell::new(false),
    };
    let keys = round_two(entry, &first);
    let mut gathered = first.gathered;
    if !keys.is_empty() {
        gathered.add(&mut sources, accounts, keys)?;
    }
    Ok(Prefetched {
        clock,
        accounts,
        gathered,
        unannounced: Cell::new(false),
    })
}

impl Prefetched<'_> {
    /// An error if something was asked for that no round had announced: the answer may have been wrong.
    ///
    /// # Errors
    /// [`Error::Broken`]: the rounds and `apply` disagree, and the node must stop before it pushes the changes.
    pub fn check(&self) -> Result<(), Error> {
        match self.unannounced.get() {
            false => Ok(()),
            true => Err(Error::Broken(
                "apply asked for something that no round had announced".into(),
            )),
        }
    }
}

impl View for Prefetched<'_> {
    fn clock(&self) -> Clock {
        self.clock
    }

    #[inline]
    fn account(&self, id: AccountId) -> Option<Account> {
        let account = self.accounts.get(id);
        if account.is_none() && !self.gathered.absent_accounts.contains(&id) {
            self.unannounced.set(true);
        }
        account.copied()
    }

    #[inline]
    fn transfer(&self, id: TransferId) -> Option<Seen> {
        if self.gathered.transfers.is_empty() {
            return None;
        }
        self.gathered.transfers.get(&id).copied()
    }

    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.gathered.pendings.get(&id).copied()
    }

    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.gathered.ledgers.get(&ledger).copied()
    }

    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.gathered.records.get(key).cloned()
    }

    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.gathered.namespaces.get(&namespace).copied()
    }

    fn setting(&self, setting: u32) -> Option<u64> {
        self.gathered.settings.get(&setting).copied()
    }

    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        match &self.gathered.due {
            Some((due, pendings)) if due.now == now && due.limit == limit => pendings.clone(),
            _ => {
                self.unannounced.set(true);
                vec![]
            }
        }
    }

    fn account_at(&self, timestamp: u64) -> bool {
        self.gathered.account_times.contains(&timestamp)
    }

    fn transfer_at(&self, timestamp: u64) -> bool {
        self.gathered.transfer_times.contains(&timestamp)
    }
}
