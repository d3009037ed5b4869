//! The settlement worker against real nodes: killed again and again, beside another of its name, with decisions that
//! change, with pending transfers that expire or wait, and at its bound.

mod decisions;
mod killed;
mod process;
mod refusals;
mod rivals;
mod waiting;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use farthing_client::events::{EventBody, EventsOptions};
use farthing_client::settlement::{ProgressHandle, SettlementProgress};
use farthing_client::{
    Account, AccountId, Client, Ledger, Pending, PendingStatus, Transfer, TransferFlags, TransferId,
};

const PATIENCE: Duration = Duration::from_secs(120);
const LEDGER: u32 = 840;
const CODE: u16 = 7;
const RECEIVERS: u64 = 10;
const PAYER: AccountId = AccountId(1);

fn receiver(number: u64) -> AccountId {
    AccountId(2 + u128::from(number % RECEIVERS))
}

/// Pending transfer `number`, of a fixed form.
fn reserve(number: u64, timeout: u32) -> Transfer {
    Transfer {
        id: TransferId(u128::from(number)),
        debit_account_id: PAYER,
        credit_account_id: receiver(number),
        amount: 10 + u128::from(number),
        ledger: LEDGER,
        code: CODE,
        timeout,
        flags: TransferFlags::PENDING,
        ..Transfer::default()
    }
}

async fn connect(endpoints: &[String]) -> Client {
    let client = Client::builder().deadline(PATIENCE).endpoints(endpoints);
    client.connect().await.unwrap()
}

async fn prepare(client: &Client) {
    let ledger = Ledger::new(LEDGER, "USD", 2);
    client.create_ledgers(&[ledger]).await.unwrap();
    let accounts = (1..=RECEIVERS + 1).map(|number| Account {
        id: AccountId(u128::from(number)),
        ledger: LEDGER,
        code: 1,
        ..Account::default()
    });
    client.create_accounts(accounts.collect()).await.unwrap();
}

async fn create(client: &Client, transfers: impl IntoIterator<Item = Transfer>) {
    let transfers: Vec<Transfer> = transfers.into_iter().collect();
    for outcome in client.create_transfers(transfers).await.unwrap() {
        assert!(outcome.is_success_or_exists(), "{outcome:?}");
    }
}

async fn initiate(client: &Client, numbers: impl Iterator<Item = u64>) {
    create(client, numbers.map(|number| reserve(number, 0))).await;
}

/// Pending transfers as they stand, in order.
async fn stand(client: &Client, numbers: std::ops::RangeInclusive<u64>) -> Vec<Pending> {
    let ids: Vec<TransferId> = numbers.map(|number| TransferId(number.into())).collect();
    let found = client.lookup_pendings(&ids).await.unwrap();
    found.into_iter().flatten().collect()
}

/// Waits until all of them stand so.
async fn until_all(client: &Client, numbers: std::ops::RangeInclusive<u64>, status: PendingStatus) {
    let begun = Instant::now();
    loop {
        let known = stand(client, numbers.clone()).await;
        let others = known.iter().filter(|pending| pending.status != status);
        let others = others.count();
        if others == 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{others} are not {status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every post and void in the ledger, by the pending transfer.
async fn settlements(client: &Client) -> BTreeMap<TransferId, Vec<Transfer>> {
    let until = client.newest_sequence().await.unwrap();
    let options = EventsOptions {
        until: Some(until),
        ..EventsOptions::default()
    };
    let mut events = client.events(options);
    let mut settlements: BTreeMap<TransferId, Vec<Transfer>> = BTreeMap::new();
    while let Some(event) = events.next_event().await.unwrap() {
        if let EventBody::TransferCreated(created) = event.body
            && created.transfer.pending_id != TransferId(0)
        {
            let same = settlements.entry(created.transfer.pending_id);
            same.or_default().push(created.transfer);
        }
    }
    settlements
}

/// Waits until a worker's progress is as wanted.
async fn until(
    progress: &ProgressHandle,
    what: &str,
    wanted: impl Fn(&SettlementProgress) -> bool,
) -> SettlementProgress {
    let begun = Instant::now();
    loop {
        let now = progress.get();
        if wanted(&now) {
            return now;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {now:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
