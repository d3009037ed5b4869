//! The lists that hold what a filter asks for.

use farthing_ledger::{AccountFilter, TransferFilter};

use crate::storage::rows::user_data::{Field, Of};
use crate::storage::window::ListKey;

/// The lists of values that are wanted; there is none of zeros.
fn lists(of: Of, data: [Option<u128>; 3]) -> impl Iterator<Item = ListKey> {
    let wanted = Field::ALL.into_iter().zip(data);
    wanted.filter_map(move |(field, value)| match value {
        Some(0) | None => None,
        Some(value) => Some(ListKey::UserData(field, of, value)),
    })
}

/// The lists that hold every transfer a filter matches.
pub(super) fn of_transfers(filter: &TransferFilter) -> Vec<ListKey> {
    let data = [
        filter.user_data_128,
        filter.user_data_64.map(u128::from),
        filter.user_data_32.map(u128::from),
    ];
    let history = filter.account_id.map(|id| ListKey::History(id.0));
    history
        .into_iter()
        .chain(lists(Of::Transfers, data))
        .collect()
}

/// The lists that hold every account a filter matches.
pub(super) fn of_accounts(filter: &AccountFilter) -> Vec<ListKey> {
    let data = [
        filter.user_data_128,
        filter.user_data_64.map(u128::from),
        filter.user_data_32.map(u128::from),
    ];
    lists(Of::Accounts, data).collect()
}
