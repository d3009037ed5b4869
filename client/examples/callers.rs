//! Many tasks that each send one transfer at a time through one client, and what that
//! gives: rate and latency. They travel together without a line of code for it.
//!
//! ```text
//! cargo run --release -p farthing-client --example callers -- 127.0.0.1:3001 100 10
//! ```
//! The numbers are callers and seconds.

#![allow(clippy::print_stdout)] // an example shows its results

use std::error::Error;
use std::time::{Duration, Instant};

use farthing_client::{Account, AccountId, Client, ids};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoints = arguments
        .next()
        .ok_or("usage: callers ENDPOINTS [CALLERS] [SECONDS]")?;
    let callers: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;

    let client = Client::connect([endpoints]).await?;
    let open = || Account {
        id: AccountId(ids::new()),
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    let (payer, payee) = (open(), open());
    client.create_accounts(vec![payer, payee]).await?;

    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < end {
                    let sent = Instant::now();
                    let outcome = client
                        .transfer()
                        .debit(payer.id)
                        .credit(payee.id)
                        .amount(1_u32)
                        .ledger(1)
                        .code(1)
                        .send()
                        .await?;
                    if !outcome.is_success() {
                        return Err(format!("refused: {}", outcome.status).into());
                    }
                    latencies.push(sent.elapsed());
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await?.map_err(|error| error.to_string())?);
    }
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |part: usize| {
        latencies
            .get(latencies.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{callers} callers: {rate:.0} transfers/s, p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );

    let account = client.lookup_accounts(&[payee.id]).await?[0].ok_or("the account is missing")?;
    if account.credits_posted != latencies.len() as u128 {
        return Err(format!(
            "{} sent, {} arrived",
            latencies.len(),
            account.credits_posted
        )
        .into());
    }
    Ok(())
}
