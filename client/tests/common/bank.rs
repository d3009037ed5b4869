//! Two accounts and what is sent between them.

use farthing_client::*;

use super::Cluster;

pub const ALICE: AccountId = AccountId(1);
pub const BOB: AccountId = AccountId(2);

pub async fn bank(nodes: usize) -> (Cluster, Client) {
    let cluster = Cluster::start(nodes).await;
    let client = cluster.client().await;
    client
        .create_accounts(vec![account(ALICE), account(BOB)])
        .await
        .unwrap();
    (cluster, client)
}

pub fn account(id: AccountId) -> Account {
    Account {
        id,
        ledger: 1,
        code: 1,
        ..Account::default()
    }
}

pub fn transfer(id: u128, flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: ALICE,
        credit_account_id: BOB,
        amount: 10,
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

/// One plain transfer in a call of its own.
pub async fn pay(client: &Client, id: u128) -> Result<Outcome<CreateTransferStatus>, Error> {
    let outcomes = client.create_transfers(vec![transfer(id, PLAIN)]).await?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes[0])
}

#[track_caller]
pub fn assert_unknown(error: &Error, expected: &[u128]) {
    assert!(
        matches!(error, Error::UnknownOutcome { ids, .. } if ids == expected),
        "{error:?}"
    );
    assert!(error.is_unknown_outcome());
}

pub fn record(operation_id: u128, expected_version: u64) -> RecordItem<'static> {
    RecordItem {
        operation_id,
        expected_version,
        namespace: 7,
        flags: RecordFlags::default(),
        reserved: 0,
        key: b"key",
        value: b"value",
    }
}

pub const PLAIN: TransferFlags = TransferFlags(0);
pub const LINKED: TransferFlags = TransferFlags::LINKED;
