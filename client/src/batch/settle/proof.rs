//! Looks up whether a chain stands as it was sent.

use std::time::Duration;

use farthing_ledger::RecordKey;
use tokio::time::Instant;

use super::{Item, Standing, account_stands, ledger_stands, record_stands, transfer_stands};
use crate::client::Client;
use crate::error::Error;
use crate::records::Row;

/// What looking up a chain says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every item stands as sent; their timestamps.
    Applied(Vec<u64>),
    /// An item does not stand as sent: chains are all or nothing.
    NotApplied,
    /// Records were overwritten since.
    CannotTell,
}

pub(super) async fn of_chain(
    client: &Client,
    chain: &[Item<'_>],
    deadline: Instant,
) -> Result<Verdict, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    let client = client.with_deadline(left.max(Duration::from_millis(1)));
    let standings = standings(&client, chain).await?;
    if standings.contains(&Standing::Otherwise) {
        return Ok(Verdict::NotApplied);
    }
    let timestamps = standings
        .iter()
        .map(|standing| match standing {
            Standing::AsSent(timestamp) => Some(*timestamp),
            Standing::Otherwise | Standing::CannotTell => None,
        })
        .collect::<Option<Vec<u64>>>();
    Ok(timestamps.map_or(Verdict::CannotTell, Verdict::Applied))
}

async fn standings(client: &Client, chain: &[Item<'_>]) -> Result<Vec<Standing>, Error> {
    let (mut accounts, mut transfers) = (Vec::new(), Vec::new());
    let (mut ledgers, mut keys) = (Vec::new(), Vec::new());
    for item in chain {
        match item {
            Item::Account(account) => accounts.push(account.id),
            Item::Transfer(transfer) => transfers.push(transfer.id),
            Item::Ledger(ledger) => ledgers.push(ledger.ledger),
            Item::Record(record) => keys.extend(RecordKey::new(record.namespace, record.key)),
        }
    }
    let mut accounts = client.lookup_accounts(&accounts).await?.into_iter();
    let mut transfers = client.lookup_transfers(&transfers).await?.into_iter();
    let mut ledgers = client.lookup_ledgers(&ledgers).await?.into_iter();
    let mut rows = client
        .record_rows(&keys, Default::default())
        .await?
        .into_iter();
    Ok(chain
        .iter()
        .map(|item| match item {
            Item::Account(sent) => account_stands(sent, accounts.next().flatten().as_ref()),
            Item::Transfer(sent) => transfer_stands(sent, transfers.next().flatten().as_ref()),
            Item::Ledger(sent) => ledger_stands(sent, ledgers.next().flatten().as_ref()),
            // A key that cannot be is refused by the ledger and never asked for.
            Item::Record(sent) => match RecordKey::new(sent.namespace, sent.key) {
                Some(_) => record_stands(sent, &rows.next().unwrap_or(Row::Never)),
                None => Standing::Otherwise,
            },
        })
        .collect())
}
