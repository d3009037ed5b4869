//! An account's settled transfers of a time, as they were at one moment.

use farthing_client::queries::QueryOptions;
use farthing_client::{Client, Consistency, Order, TransferFilter};
use farthing_ledger::{AccountId, Balances};
use farthing_reconcile::{Direction, LedgerEntry, Span};
use futures::TryStreamExt;
use serde::Serialize;

use crate::connect::failure;
use crate::display::Display;
use crate::failure::{Code, Failure};
use crate::output::{self, uuid};

/// Rows of one page that is fetched.
const PAGE_ROWS_MAX: u32 = 1_000;

/// What was read of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Cut {
    /// From this time on, in ns.
    pub from: u64,
    /// Up to this time, in ns, included: the end of what was asked for, or the newest transfer there was.
    pub to: u64,
    /// The log index at which all of it is exact.
    pub applied_index: u64,
    /// Transfers of the account in that time.
    pub transfers: u64,
    /// Those of them that moved something: not holds, not voids.
    pub settled: u64,
}

/// Reads them oldest first.
///
/// Pages of one listing may be of different moments. Transfers never change, and a new one is always later than all
/// others; so the newest there is when the reading begins is where it ends.
///
/// # Errors
/// [`Code::Usage`] when there are more than `entries_max`; what [`failure`] says; [`Code::Internal`] when the transfers do
/// not add up to the change of the account's balances.
pub(super) async fn read(
    client: &Client,
    account: AccountId,
    range: Span,
    entries_max: usize,
) -> Result<(Vec<LedgerEntry>, Cut), Failure> {
    let filter = TransferFilter {
        account_id: Some(account),
        timestamp_min: range.first_ns,
        timestamp_max: Some(range.last_ns),
        ..TransferFilter::default()
    };
    let (newest, applied_index) = newest(client, &filter).await?;
    let mut cut = Cut {
        from: range.first_ns,
        to: newest.unwrap_or(range.last_ns),
        applied_index,
        transfers: 0,
        settled: 0,
    };
    let mut entries = Vec::new();
    if newest.is_none() {
        return Ok((entries, cut));
    }
    let filter = TransferFilter {
        timestamp_max: newest,
        ..filter
    };
    let options = QueryOptions {
        page_size: PAGE_ROWS_MAX,
        ..QueryOptions::default()
    };
    let mut display = Display::new("reconcile", "transfers", 0);
    let mut found = std::pin::pin!(client.query_transfers(filter, options));
    while let Some(transfer) = found.try_next().await.map_err(failure)? {
        cut.transfers += 1;
        if let Some(entry) = LedgerEntry::settled(&transfer, account) {
            if entries.len() >= entries_max {
                return Err(too_many(entries_max));
            }
            entries.push(entry);
        }
        if cut.transfers.is_multiple_of(u64::from(PAGE_ROWS_MAX)) {
            display.show(cut.transfers, permille(&cut, transfer.timestamp));
        }
    }
    drop(display);
    cut.settled = entries.len() as u64;
    check(client, account, &cut, &entries).await?;
    Ok((entries, cut))
}

/// When the newest of the transfers was made, and the log index at which that is so.
async fn newest(client: &Client, filter: &TransferFilter) -> Result<(Option<u64>, u64), Failure> {
    let options = QueryOptions {
        order: Order::Reversed,
        page_size: 1,
        ..QueryOptions::default()
    };
    let mut token = String::new();
    let mut applied_index = None;
    loop {
        let page = client.query_transfers_page(filter, &options, &token);
        let page = page.await.map_err(failure)?;
        let index = *applied_index.get_or_insert(page.applied_index);
        if let Some(transfer) = page.rows.first() {
            return Ok((Some(transfer.timestamp), index));
        }
        // A page reads so much and no more, and may have found nothing yet.
        match page.next {
            Some(next) if next != token => token = next,
            _ => return Ok((None, index)),
        }
    }
}

/// How far `time` is, in thousandths.
fn permille(cut: &Cut, time: u64) -> u64 {
    let done = u128::from(time.saturating_sub(cut.from)) * 1_000;
    let whole = u128::from(cut.to.saturating_sub(cut.from));
    done.checked_div(whole)
        .and_then(|permille| u64::try_from(permille).ok())
        .unwrap_or(1_000)
}

fn too_many(entries_max: usize) -> Failure {
    let count = output::count(entries_max as u64);
    Failure::new(
        Code::Usage,
        format!("the account has more than {count} settled transfers in that time"),
    )
    .advise("reconcile a shorter time with --from and --to, or allow more with --entries-max")
}

/// Nothing was lost on the way: what was read comes to what the account's balances changed by.
async fn check(
    client: &Client,
    account: AccountId,
    cut: &Cut,
    entries: &[LedgerEntry],
) -> Result<(), Failure> {
    let before = match cut.from {
        // Time 0 would be asked as "now".
        0 | 1 => None,
        from => balance_at(client, account, from - 1).await?,
    };
    let before = before.unwrap_or_default();
    let after = balance_at(client, account, cut.to).await?;
    let after = after.unwrap_or_default();
    let sum = |direction| {
        let side = entries.iter().filter(|it| it.direction == direction);
        side.map(|entry| entry.amount)
            .fold(0_u128, u128::wrapping_add)
    };
    // Balances are below 2^128, so equal differences are equal sums.
    let changed = (
        after.debits_posted.wrapping_sub(before.debits_posted),
        after.credits_posted.wrapping_sub(before.credits_posted),
    );
    if changed == (sum(Direction::Debit), sum(Direction::Credit)) {
        return Ok(());
    }
    let what = format!(
        "the transfers of account {} do not come to what its balances changed by meanwhile",
        uuid(account.0)
    );
    Err(Failure::new(Code::Internal, what)
        .because(format!(
            "{} settled transfers were read, from {} to {} ns",
            cut.settled, cut.from, cut.to
        ))
        .advise("check the books with `farthing verify`, and report it"))
}

async fn balance_at(
    client: &Client,
    account: AccountId,
    time: u64,
) -> Result<Option<Balances>, Failure> {
    let asked = client.balance_at(account, time, Consistency::Linearizable);
    let (balances, _) = asked.await.map_err(failure)?;
    Ok(balances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_by_time() {
        let cut = Cut {
            from: 1_000,
            to: 3_000,
            applied_index: 1,
            transfers: 0,
            settled: 0,
        };
        assert_eq!(permille(&cut, 1_000), 0);
        assert_eq!(permille(&cut, 1_500), 250);
        assert_eq!(permille(&cut, 3_000), 1_000);
        let moment = Cut { to: 1_000, ..cut };
        assert_eq!(permille(&moment, 1_000), 1_000);
    }
}
