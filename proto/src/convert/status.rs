//! Results with their numbered statuses.
//!
//! The numbers of the wire are the ledger's own, so a status crosses as its number: a
//! client older than the server keeps a number it has no name for.

use farthing_ledger::ItemResult;

use crate::v1;

macro_rules! results {
    ($($(#[$doc:meta])* $function:ident -> $message:ident;)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $function(results: &[ItemResult], log_index: u64) -> Vec<v1::$message> {
                results
                    .iter()
                    .map(|result| v1::$message {
                        // Status numbers are small and frozen; see the test of this crate.
                        status: i32::try_from(result.status).unwrap_or(i32::MAX),
                        timestamp: result.timestamp,
                        log_index,
                    })
                    .collect()
            }
        )+
    };
}

results! {
    /// Results of `CreateLedgers`.
    ledgers_to_wire -> CreateLedgerResult;
    /// Results of `CreateAccounts`.
    accounts_to_wire -> CreateAccountResult;
    /// Results of `CreateTransfers`.
    transfers_to_wire -> CreateTransferResult;
    /// Results of `WriteRecords`.
    records_to_wire -> WriteRecordResult;
}
