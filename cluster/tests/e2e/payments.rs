//! Payments for a test, and their plain recomputation: no code of the import is used to say what must come out, except
//! the derivation of ids, which has tests of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use farthing_client::Client;
use farthing_cluster::import::Plan;
use farthing_ledger::{AccountId, TransferId};

/// One request's worth of ids.
const CHUNK: usize = 8_189;

/// Writes a file of payments, the same for the same count: amounts of zero and payment number 0 included.
pub(crate) fn write_file(dir: &Path, count: u64) -> PathBuf {
    let mut text =
        String::from("payment_id,time,customer_id,terminal_id,amount,fraud,fraud_scenario\n");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for payment in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (customer, terminal) = ((state >> 33) % 1_000, (state >> 13) % 700);
        let cents = if payment % 997 == 0 {
            0
        } else {
            (state >> 40) % 25_000
        };
        writeln!(
            text,
            "{payment},2024-02-01T{:02}:{:02}:{:02}Z,{customer},{terminal},{}.{:02},0,0",
            payment / 3_600 % 24,
            payment / 60 % 60,
            payment % 60,
            cents / 100,
            cents % 100
        )
        .unwrap();
    }
    let path = dir.join("payments.csv");
    std::fs::write(&path, text).unwrap();
    path
}

/// The file that `FARTHING_PAYMENTS` names (plain or `.zst`), else one made of so many payments; and how many it has.
pub(crate) fn named_or_made(dir: &Path, made: u64) -> (PathBuf, usize) {
    let file = match std::env::var_os("FARTHING_PAYMENTS") {
        None => write_file(dir, made),
        Some(named) => {
            let plain = dir.join("named.csv");
            let mut from = std::fs::File::open(&named).unwrap();
            let mut into = std::fs::File::create(&plain).unwrap();
            match Path::new(&named).extension().is_some_and(|it| it == "zst") {
                true => zstd::stream::copy_decode(from, into).unwrap(),
                false => {
                    std::io::copy(&mut from, &mut into).unwrap();
                }
            }
            plain
        }
    };
    let rows = std::fs::read_to_string(&file).unwrap().lines().count() - 1;
    (file, rows)
}

/// Cents of an amount with two decimals.
fn cents(amount: &str) -> u128 {
    amount.replace('.', "").parse().unwrap()
}

/// Compares the cluster with the file: every payment exists once as written, every balance is the sum of its payments.
pub(crate) fn assert_books(endpoints: &[String], file: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare(endpoints, file));
}

async fn compare(endpoints: &[String], file: &Path) {
    let client = Client::connect(endpoints).await.unwrap();
    let plan = Plan::default();
    let (customers, terminals, payments) =
        (plan.debit_ids(), plan.credit_ids(), plan.transfer_ids());
    let text = std::fs::read_to_string(file).unwrap();

    // Account id -> debits, credits; transfer id -> debit account, credit account, amount.
    let mut balances: BTreeMap<u128, (u128, u128)> = BTreeMap::new();
    let mut expected: Vec<(u128, u128, u128, u128)> = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (debit, credit) = (customers.id(fields[2]), terminals.id(fields[3]));
        let amount = cents(fields[4]);
        balances.entry(debit).or_default().0 += amount;
        balances.entry(credit).or_default().1 += amount;
        expected.push((payments.id(fields[0]), debit, credit, amount));
    }

    let ids: Vec<AccountId> = balances.keys().map(|id| AccountId(*id)).collect();
    for chunk in ids.chunks(CHUNK) {
        for (id, account) in chunk
            .iter()
            .zip(client.lookup_accounts(chunk).await.unwrap())
        {
            let account = account.unwrap_or_else(|| panic!("account {id:?} is missing"));
            let found = (account.debits_posted, account.credits_posted);
            assert_eq!(found, balances[&id.0], "balances of {id:?}");
            assert_eq!((account.debits_pending, account.credits_pending), (0, 0));
        }
    }
    for chunk in expected.chunks(CHUNK) {
        let ids: Vec<TransferId> = chunk.iter().map(|payment| TransferId(payment.0)).collect();
        for (payment, transfer) in chunk
            .iter()
            .zip(client.lookup_transfers(&ids).await.unwrap())
        {
            let transfer = transfer.unwrap_or_else(|| panic!("payment {payment:?} is missing"));
            let found = (
                transfer.id.0,
                transfer.debit_account_id.0,
                transfer.credit_account_id.0,
                transfer.amount,
            );
            assert_eq!(found, *payment);
        }
    }
}
