//! Samples that several targets begin with.

use farthing_ledger::{
    Account, AccountId, EntryBuilder, Ledger, Pending, PendingStatus, Record, RecordFlags,
    RecordItem, RequestBuilder, Transfer, TransferFlags, TransferId,
};
use farthing_proto::packed::{accounts_section, records_section, transfers_section, write_ids};
use farthing_proto::v1::{LookupKind, LookupReply, LookupRequest, SubmitReply, SubmitRequest};
use prost::Message;

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

/// A transfer that is reserved.
#[must_use]
pub fn pending() -> Pending {
    Pending {
        transfer: transfer(9),
        status: PendingStatus::Pending,
        sequence: 4,
    }
}

/// A record at rest.
#[must_use]
pub fn record() -> Record {
    Record {
        version: 1,
        operation_id: 5,
        timestamp: 7,
        value: b"value".to_vec(),
        ..Record::default()
    }
}

/// A record in a request.
#[must_use]
pub fn record_item() -> RecordItem<'static> {
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
            .records(&[record_item()]),
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

/// Requests and answers of the packed form, each behind the byte that says which it is.
#[must_use]
pub fn packed() -> Vec<Vec<u8>> {
    let submit = SubmitRequest {
        request_number: 300,
        sections: vec![
            accounts_section(&[account(1), account(2)]),
            transfers_section(&[transfer(9)]),
            records_section(&[record_item()]),
        ],
        ..Default::default()
    };
    let lookup = LookupRequest {
        kind: LookupKind::Accounts.into(),
        ids: write_ids([1, 2].into_iter()),
        ..Default::default()
    };
    let results = SubmitReply {
        results: vec![vec![0; 32].into()],
        ..Default::default()
    };
    let found = LookupReply {
        found: vec![1, 0, 2].into(),
        records: account(1).to_bytes().to_vec().into(),
        ..Default::default()
    };
    numbered([
        submit.encode_to_vec(),
        lookup.encode_to_vec(),
        results.encode_to_vec(),
        found.encode_to_vec(),
    ])
}

/// Each behind the byte that says which it is, from 0.
#[must_use]
pub fn numbered(inputs: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<Vec<u8>> {
    let numbered = inputs.into_iter().zip(0_u8..);
    numbered
        .map(|(bytes, number)| [&[number], bytes.as_ref()].concat())
        .collect()
}
