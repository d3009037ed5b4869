//! Sinks under kills: payments are imported into three nodes whose leader is killed three times, while the sinks are killed
//! as often, and afterwards what lies in each place is read by somebody else and held against the ledger.
#![allow(clippy::unwrap_used)]

mod file;
mod kills;
#[path = "../e2e/payments.rs"]
#[allow(dead_code)]
mod payments;
mod running;
#[path = "../../../sinks/tests/support/servers.rs"]
mod servers;
#[path = "../e2e/support.rs"]
#[allow(dead_code)] // shared with the tests of everything else
mod support;
mod webhook;
