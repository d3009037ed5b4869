//! Calls that travel together must not notice it.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod alone;
mod queue;
mod together;

use common::Cluster;
use common::bank::PLAIN;
use farthing_client::*;
use farthing_proto::v1::SubmitRequest;

const ACCOUNTS: u128 = 8;

fn account(id: u128) -> Account {
    // Half of them cannot go below zero, so that statuses depend on what came before.
    let flags = match id % 2 {
        0 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        _ => AccountFlags::default(),
    };
    Account {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        flags,
        ..Account::default()
    }
}

fn transfer(id: u128, debit: u128, credit: u128, amount: u128, flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(debit),
        credit_account_id: AccountId(credit),
        amount,
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

/// A payment that nothing speaks against.
fn payment(id: u128) -> Transfer {
    transfer(id, 1, 3, 1, PLAIN)
}

async fn bank() -> (Cluster, Client) {
    bank_with(|builder| builder).await
}

/// A bank whose client has settings of its own.
async fn bank_with(settings: impl FnOnce(Builder) -> Builder) -> (Cluster, Client) {
    let cluster = Cluster::start(1).await;
    let client = settings(cluster.builder()).connect().await.unwrap();
    client
        .create_accounts((1..=ACCOUNTS).map(account).collect())
        .await
        .unwrap();
    (cluster, client)
}

fn items_of(request: &SubmitRequest) -> impl Iterator<Item = &[u8]> {
    let sections = request.sections.iter();
    sections.flat_map(|section| section.items.chunks(128))
}

fn ids_of(request: &SubmitRequest) -> Vec<u128> {
    items_of(request)
        .map(|item| u128::from_le_bytes(item[..16].try_into().unwrap()))
        .collect()
}
