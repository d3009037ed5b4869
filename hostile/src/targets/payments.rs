//! Files of payments to import.

use std::io::Cursor;

use farthing_cluster::import::{Plan, read_rows};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "payments",
    run,
    seeds,
    words: &[
        "\"",
        "\n",
        ",",
        "\r\n",
        "1970-01-01T00:00:01Z",
        "2262-04-11T23:47:16.854775807Z",
        "0.01",
        "\u{feff}",
        "payment_id,time,customer_id,terminal_id,amount\n",
    ],
};

/// Rows that are looked at; a file has more, and they are read the same way.
const ROWS_MAX: usize = 1_000;

fn run(bytes: &[u8]) {
    let read = || {
        read_rows(
            Box::new(Cursor::new(bytes.to_vec())),
            Plan::default(),
            ROWS_MAX,
        )
    };
    // Buffers of the reader, and for each row a transfer, two accounts and their names.
    let Ok((rows, accounts)) = within((2 << 20) + 512 * bytes.len(), read) else {
        return;
    };
    let mut payments = 0;
    for row in &rows {
        match row {
            Ok(transfer) => {
                payments += 1;
                assert_ne!(transfer.id.0, 0);
                assert_ne!(transfer.debit_account_id, transfer.credit_account_id);
            }
            Err(bad) => assert!(bad.line >= 1 && !bad.problem.is_empty()),
        }
    }
    assert!(
        accounts.len() <= 2 * payments,
        "a bad row makes no accounts"
    );
    // The same file again is the same import.
    let again = read().expect("it could be read before");
    assert_eq!(again, (rows, accounts));
}

fn seeds() -> Vec<Vec<u8>> {
    let header = "payment_id,time,customer_id,terminal_id,amount\n";
    let rows = "0,2024-01-01T01:40:35Z,0,0,3.10\n1,1704073235,230,186,123.07\n";
    let quoted = "amount,fraud,terminal_id,payment_id,time,customer_id\n\
        1.00,0,t,p,2024-01-01T00:00:00+02:00,\"c\"\"d\"\n";
    [
        header.to_owned(),
        format!("{header}{rows}"),
        quoted.to_owned(),
        format!("\u{feff}{header}1,1970-01-01T00:00:01Z,1,1,1.005\n2,yesterday,1,1\n,,,,\n"),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}
