//! Every status an item can be answered with, reached through gRPC: in the typed form wherever it can say it, packed
//! otherwise. Each file section ends by comparing what was seen with the ledger's own list, so that a new status
//! without a case here fails.
//!
//! Refused items must change nothing: after every request without a creation the accounts are looked up and compared.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "statuses/accounts.rs"]
mod accounts;
#[path = "statuses/coverage.rs"]
mod coverage;
#[path = "statuses/ledgers.rs"]
mod ledgers;
#[path = "statuses/records.rs"]
mod records;
#[path = "statuses/transfers/mod.rs"]
mod transfers;
