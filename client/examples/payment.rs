//! Registers a ledger, opens two accounts, reserves an amount, posts a part of it, and
//! prints the balances.
//!
//! ```text
//! cargo run --release -p farthing-client --example payment -- 127.0.0.1:3001
//! ```

#![allow(clippy::print_stdout)] // an example shows its results

use std::error::Error;

use farthing_client::amount::to_decimal;
use farthing_client::{Account, AccountId, Client, Decimal, Ledger, format_id, ids};

const USD: u32 = 840;
const SCALE: u8 = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoints = std::env::args().nth(1).ok_or("usage: payment ENDPOINTS")?;
    let client = Client::connect([endpoints]).await?;

    // Running it again finds the ledger: `exists` is as good as `created`.
    let ledger = client
        .create_ledgers(&[Ledger::new(USD, "USD", SCALE)])
        .await?[0];
    if !ledger.is_success_or_exists() {
        return Err(format!("the ledger was refused: {}", ledger.status).into());
    }

    let open = || Account {
        id: AccountId(ids::new()),
        ledger: USD,
        code: 1,
        ..Account::default()
    };
    let (customer, merchant) = (open(), open());
    for outcome in client.create_accounts(vec![customer, merchant]).await? {
        if !outcome.is_success() {
            return Err(format!("an account was refused: {}", outcome.status).into());
        }
    }

    // Reserve 20.00 for an hour; the id is kept before anything is sent.
    let hold = client
        .transfer()
        .debit(customer.id)
        .credit(merchant.id)
        .amount(Decimal::new(20_00, u32::from(SCALE)))
        .ledger(USD)
        .code(1)
        .pending(3_600);
    println!("reserving under id {}", format_id(hold.transfer_id().0));
    let outcome = hold.send().await?;
    println!("reserved: {} at {} ns", outcome.status, outcome.timestamp);

    // Post 12.50 of it; the rest is released.
    let outcome = client
        .transfer()
        .post(hold.transfer_id())
        .amount(Decimal::new(12_50, u32::from(SCALE)))
        .ledger(USD)
        .send()
        .await?;
    println!("posted: {}", outcome.status);

    let found = client.lookup_accounts(&[customer.id, merchant.id]).await?;
    for (name, account) in ["customer", "merchant"].iter().zip(found) {
        let account = account.ok_or("an account is missing")?;
        println!(
            "{name}: debits {}, credits {}",
            to_decimal(account.debits_posted, SCALE)?,
            to_decimal(account.credits_posted, SCALE)?
        );
    }
    Ok(())
}
