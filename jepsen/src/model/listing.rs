//! Listings of the model: what questions must be answered, by looking at everything that could belong.

use farthing_client::{Account, Transfer, TransferFlags};

use super::Model;
use crate::history::Filter;

/// A stretch of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Newest first.
    pub reversed: bool,
    /// ns; only what comes after what has this timestamp. 0 = from the beginning.
    pub after: u64,
    /// Rows, at most.
    pub limit: usize,
}

impl Model {
    /// An empty ledger that can be asked for the transfers of an account.
    #[must_use]
    pub fn with_lists() -> Self {
        let mut model = Self::default();
        model.transfers.keep_lists();
        model
    }

    /// Transfers that match.
    #[must_use]
    pub fn list_transfers(&self, filter: &Filter, stretch: Stretch) -> Vec<Transfer> {
        let store = &self.transfers;
        let matches = |row: u32| Some(store.get(row)).filter(|it| is_wanted(filter, it));
        if let Some(account) = filter.account {
            let list = store.of_account(account.0);
            let bounds = bounds(filter, stretch, list.len(), |at| store.timestamp(list[at]));
            return take(bounds, stretch, |at| matches(list[at]));
        }
        let bounds = bounds(filter, stretch, store.len(), |at| {
            store.timestamp(at as u32)
        });
        take(bounds, stretch, |at| matches(at as u32))
    }

    /// Accounts that match.
    #[must_use]
    pub fn list_accounts(&self, filter: &Filter, stretch: Stretch) -> Vec<Account> {
        let all = &self.accounts;
        let bounds = bounds(filter, stretch, all.len(), |at| all[at].timestamp);
        take(bounds, stretch, |at| {
            let it = &all[at];
            let data = (it.user_data_128, it.user_data_64, it.user_data_32);
            has_data(filter, data, it.code).then_some(*it)
        })
    }

    /// What a transfer does to the balances of an account: debits pending and posted, credits pending and posted. With
    /// `expired`, what the expiry of the pending transfer does. `None` when that is not possible.
    #[must_use]
    pub fn change(&self, account: u128, transfer: &Transfer, expired: bool) -> Option<[i128; 4]> {
        let signed = |amount: u128| i128::try_from(amount).ok();
        let flags = transfer.flags;
        let ends = TransferFlags::POST_PENDING_TRANSFER.with(TransferFlags::VOID_PENDING_TRANSFER);
        let (pending, posted) = if expired {
            (signed(transfer.amount)?.checked_neg()?, 0)
        } else if flags.contains(TransferFlags::PENDING) {
            (signed(transfer.amount)?, 0)
        } else if flags.intersects(ends) {
            let row = self.transfers.find(transfer.pending_id.0)?;
            let held = signed(self.transfers.get(row).amount)?;
            let posts = flags.contains(TransferFlags::POST_PENDING_TRANSFER);
            (-held, if posts { signed(transfer.amount)? } else { 0 })
        } else {
            (0, signed(transfer.amount)?)
        };
        if transfer.debit_account_id.0 == account {
            return Some([pending, posted, 0, 0]);
        }
        (transfer.credit_account_id.0 == account).then_some([0, 0, pending, posted])
    }
}

/// Places that the times of a filter and the pages before leave.
fn bounds(
    filter: &Filter,
    stretch: Stretch,
    len: usize,
    time: impl Fn(usize) -> u64,
) -> std::ops::Range<usize> {
    // Times rise from place to place.
    let first = |is_before: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low.midpoint(high);
            if is_before(time(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let mut begin = first(&|time| time < filter.from);
    let mut end = match filter.to {
        0 => len,
        to => first(&|time| time <= to),
    };
    match (stretch.after, stretch.reversed) {
        (0, _) => {}
        (after, false) => begin = begin.max(first(&|time| time <= after)),
        (after, true) => end = end.min(first(&|time| time < after)),
    }
    begin..end.max(begin)
}

fn take<T>(
    places: std::ops::Range<usize>,
    stretch: Stretch,
    row: impl Fn(usize) -> Option<T>,
) -> Vec<T> {
    if stretch.reversed {
        places.rev().filter_map(row).take(stretch.limit).collect()
    } else {
        places.filter_map(row).take(stretch.limit).collect()
    }
}

fn has_data(filter: &Filter, (wide, middle, narrow): (u128, u64, u32), code: u16) -> bool {
    filter.user_data_128.is_none_or(|wanted| wanted.0 == wide)
        && filter.user_data_64.is_none_or(|wanted| wanted == middle)
        && filter.user_data_32.is_none_or(|wanted| wanted == narrow)
        && filter.code.is_none_or(|wanted| wanted == code)
}

fn is_wanted(filter: &Filter, transfer: &Transfer) -> bool {
    let data = (
        transfer.user_data_128,
        transfer.user_data_64,
        transfer.user_data_32,
    );
    let stands = filter
        .account
        .is_none_or(|account| match filter.is_debited {
            Some(true) => transfer.debit_account_id.0 == account.0,
            Some(false) => transfer.credit_account_id.0 == account.0,
            None => true, // it stands in the account's list
        });
    stands && has_data(filter, data, transfer.code)
}
