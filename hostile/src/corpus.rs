//! Samples that several targets begin with.

use farthing_ledger::{
    Account, AccountId, EntryBuilder, Ledger, RecordFlags, RecordItem, RequestBuilder, Transfer,
    TransferFlags, TransferId,
};

/// An account of ledger 840.
#[must_use]
pub fn account(id: u128) -> Account {
    Account {
        id: AccountId(id),
        ledger: 840,
        code: 10,
        user_data_64: 7,
        ..Account::default()
    }
}

/// A transfer between accounts 1 and 2.
#[must_use]
pub fn transfer(id: u128) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 1_250,
        ledger: 840,
        code: 1,
        ..Transfer::default()
    }
}

fn record() -> RecordItem<'static> {
    RecordItem {
        operation_id: 5,
        expected_version: 0,
        namespace: 1_000,
        flags: RecordFlags::default(),
        reserved: 0,
        key: b"key",
        value: b"value",
    }
}

/// Entries that follow each other: accounts, payments, a reservation that expires.
#[must_use]
pub fn entries() -> Vec<Vec<u8>> {
    let reserved = Transfer {
        timeout: 1,
        flags: TransferFlags::PENDING,
        ..transfer(11)
    };
    let requests = [
        RequestBuilder::new(b"alice")
            .ledgers(&[Ledger::new(840, "USD", 2)])
            .accounts(&[account(1), account(2)]),
        RequestBuilder::new(b"")
            .transfers(&[transfer(9), transfer(10), reserved])
            .records(&[record()]),
        RequestBuilder::new(b"").pulse(),
    ];
    (1..)
        .zip(requests)
        .filter_map(|(second, request)| {
            let mut builder = EntryBuilder::new(second * 1_000_000_000);
            builder.push(&request.finish().ok()?).ok()?;
            Some(builder.finish())
        })
        .collect()
}
