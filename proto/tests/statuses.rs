//! The statuses of the wire are the ledger's: same numbers, same names, none missing.

#![allow(clippy::unwrap_used)]

use farthing_ledger::{
    CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, WriteRecordStatus,
};
use farthing_proto::v1;

/// Far above any number in use; a new status anywhere below is found.
const NUMBERS: i32 = 1_000;

fn assert_same(
    prefix: &str,
    ledger: impl Iterator<Item = (u32, &'static str)>,
    wire_name: impl Fn(i32) -> Option<&'static str>,
) {
    let mut ours: Vec<(i32, String)> = ledger
        .map(|(code, name)| {
            let name = format!("{prefix}_{}", name.to_uppercase());
            (i32::try_from(code).unwrap(), name)
        })
        .collect();
    ours.sort();
    let wire: Vec<(i32, String)> = (0..NUMBERS)
        .filter_map(|number| Some((number, wire_name(number)?.to_owned())))
        .collect();
    assert_eq!(ours, wire);
}

macro_rules! same {
    ($test:ident, $status:ident, $prefix:literal) => {
        #[test]
        fn $test() {
            assert_same(
                $prefix,
                $status::all()
                    .iter()
                    .map(|status| (status.code(), status.name())),
                |number| {
                    v1::$status::try_from(number)
                        .ok()
                        .map(|status| status.as_str_name())
                },
            );
        }
    };
}

same!(ledgers, CreateLedgerStatus, "CREATE_LEDGER_STATUS");
same!(accounts, CreateAccountStatus, "CREATE_ACCOUNT_STATUS");
same!(transfers, CreateTransferStatus, "CREATE_TRANSFER_STATUS");
same!(records, WriteRecordStatus, "WRITE_RECORD_STATUS");
