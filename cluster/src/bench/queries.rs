//! Questions beside the transfers: an account's newest transfers, linearizable, so many times a second.

use std::time::{Duration, Instant};

use farthing_client::queries::QueryOptions;
use farthing_client::{Client, Order, TransferFilter};
use farthing_ledger::AccountId;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::latency::Latencies;

/// Rows of one answer.
const ROWS: u32 = 100;
/// Questions under way at once; when as many are, the next one is late, and its latency counts that.
const UNDER_WAY_MAX: usize = 64;

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) latencies: Latencies,
    pub(super) rows: u64,
}

/// Asks `rate` questions a second about random accounts until told to stop.
pub(super) async fn ask(
    client: Client,
    accounts: Vec<AccountId>,
    rate: u64,
    seed: u64,
    mut stop: watch::Receiver<bool>,
) -> Result<Answered, Failure> {
    let mut answered = Answered::default();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut under_way = JoinSet::new();
    let begun = Instant::now();
    for number in 0_u64.. {
        let due = begun + Duration::from_secs_f64(number as f64 / rate as f64);
        tokio::select! {
            () = sleep_until(due.into()) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        while under_way.len() >= UNDER_WAY_MAX {
            take(&mut answered, under_way.join_next().await)?;
        }
        while let Some(done) = under_way.try_join_next() {
            take(&mut answered, Some(done))?;
        }
        let account = accounts[rng.random_range(0..accounts.len())];
        let client = client.clone();
        under_way.spawn(async move { one(&client, account, due).await });
    }
    while let Some(done) = under_way.join_next().await {
        take(&mut answered, Some(done))?;
    }
    Ok(answered)
}

type Done = Result<Result<(Duration, u64), Failure>, tokio::task::JoinError>;

fn take(answered: &mut Answered, done: Option<Done>) -> Result<(), Failure> {
    let Some(done) = done else {
        return Ok(());
    };
    let done = done.map_err(|error| Failure::new(Code::Internal, "a question died").because(error));
    let (latency, rows) = done??;
    answered.latencies.record(latency);
    answered.rows += rows;
    Ok(())
}

async fn one(
    client: &Client,
    account: AccountId,
    due: Instant,
) -> Result<(Duration, u64), Failure> {
    let filter = TransferFilter {
        account_id: Some(account),
        ..TransferFilter::default()
    };
    let options = QueryOptions {
        order: Order::Reversed,
        page_size: ROWS,
        ..QueryOptions::default()
    };
    let page = client.query_transfers_page(&filter, &options, "").await;
    let page = page.map_err(failure)?;
    Ok((due.elapsed(), page.rows.len() as u64))
}
